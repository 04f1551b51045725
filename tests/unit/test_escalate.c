/* SPDX-License-Identifier: Apache-2.0 */
/* Which rules cover which: that table, and roles that are made to be too much work. */
#include "test.h"

#include "apiserver/escalate.h"
#include "base/buf.h"
#include "doc/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct fixture {
    char path[64];
    struct loop *loop;
    struct apiserver *server;
    struct arena *arena;
    const struct val *held; /* a list of rules */
};

static bool may_nothing(UNUSED void *owner, UNUSED const struct apiserver_question *question)
{
    return false;
}

static void tell_held(void *owner, UNUSED const struct apiserver_user *user, UNUSED str namespace_,
                      apiserver_rule_fn *fn, void *fn_owner)
{
    struct fixture *f = owner;
    struct val_iter it = val_iter(f->held);

    while (val_next(&it))
        fn(fn_owner, it.value);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct err err = {0};

    snprintf(f->path, sizeof(f->path), "/tmp/taut-escalate-XXXXXX");
    close(mkstemp(f->path));
    struct apiserver_options options = {
            .name = "test", .path = f->path, .sync = SYNC_NORMAL, .kinds = APISERVER_HOME};
    f->arena = arena_new(512 * LIMIT_MIB);
    f->loop = loop_new();
    assert_ok(apiserver_new(f->loop, &options, &f->server, &err), err);
    apiserver_set_may(f->server, may_nothing, NULL);
    apiserver_set_rules(f->server, tell_held, f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    struct fixture *f = *state;
    char name[80];

    apiserver_free(f->server);
    loop_free(f->loop);
    for (size_t i = 0; i < COUNT(ends); i++) {
        snprintf(name, sizeof(name), "%s%s", f->path, ends[i]);
        unlink(name);
    }
    arena_free(f->arena);
    free(f);
    return 0;
}

static struct val *parse(struct fixture *f, str text)
{
    struct val *value = NULL;
    struct err err = {0};

    assert_ok(json_parse(f->arena, text, NULL, &value, &err), err);
    return value;
}

/* The message of the refusal, "" = the Role may be made. */
static str ask(struct fixture *f, str held, str rules)
{
    struct api api = api_internal(f->server, f->arena);
    struct val *role = parse(f, S("{\"metadata\":{\"name\":\"r\",\"namespace\":\"n\"}}"));

    f->held = parse(f, held);
    api.user = (struct apiserver_user){.name = S("ann")};
    api.q.verb = KUBE_CREATE;
    api.q.namespace_ = S("n");
    api.kind = registry_find(f->server->registry, S("rbac.authorization.k8s.io"), S("roles"));
    assert_non_null(api.kind);
    api.version = kind_storage_version(api.kind);
    val_set(f->arena, role, S("rules"), *parse(f, rules));
    if (escalate_check(&api, role, NULL))
        return STR_EMPTY;
    assert_int_equal(api.status, 403);
    return val_get_str(api.object, S("message"));
}

#define RULE(groups, resources, verbs)                                                             \
    "{\"apiGroups\":[" groups "],\"resources\":[" resources "],\"verbs\":[" verbs "]}"
#define NAMED(groups, resources, verbs, names)                                                     \
    "{\"apiGroups\":[" groups "],\"resources\":[" resources "],\"verbs\":[" verbs                  \
    "],\"resourceNames\":[" names "]}"
#define PATHS(paths, verbs) "{\"nonResourceURLs\":[" paths "],\"verbs\":[" verbs "]}"

TEST(a_rule_is_held_as_kubernetes_counts_it)
{
    static const struct {
        const char *held, *wanted;
        bool covered;
    } rows[] = {
            {"[]", "[]", true},
            {"[]", "[" RULE("\"\"", "\"pods\"", "\"get\"") "]", false},
            {"[" RULE("\"*\"", "\"*\"", "\"*\"") "]", "[" RULE("\"a\"", "\"b/c\"", "\"d\"") "]",
             true},
            {"[" RULE("\"\"", "\"pods\"", "\"get\"") "]", "[" RULE("\"\"", "\"pods\"", "\"*\"") "]",
             false},
            /* two rules together cover what neither covers alone */
            {"[" RULE("\"\"", "\"pods\"", "\"get\"") "," RULE("\"\"", "\"secrets\"", "\"get\"") "]",
             "[" RULE("\"\"", "\"pods\",\"secrets\"", "\"get\"") "]", true},
            {"[" RULE("\"\"", "\"pods\"", "\"get\"") "," RULE("\"\"", "\"secrets\"",
                                                              "\"list\"") "]",
             "[" RULE("\"\"", "\"pods\",\"secrets\"", "\"get\"") "]", false},
            {"[" RULE("\"apps\"", "\"*/scale\"", "\"get\"") "]",
             "[" RULE("\"apps\"", "\"deployments/scale\"", "\"get\"") "]", true},
            {"[" RULE("\"apps\"", "\"deployments\"", "\"get\"") "]",
             "[" RULE("\"apps\"", "\"deployments/scale\"", "\"get\"") "]", false},
            {"[" NAMED("\"\"", "\"pods\"", "\"get\"", "\"a\"") "]",
             "[" RULE("\"\"", "\"pods\"", "\"get\"") "]", false},
            {"[" RULE("\"\"", "\"pods\"", "\"get\"") "]",
             "[" NAMED("\"\"", "\"pods\"", "\"get\"", "\"a\"") "]", true},
            {"[" NAMED("\"\"", "\"pods\"", "\"get\"", "\"a\",\"b\"") "]",
             "[" NAMED("\"\"", "\"pods\"", "\"get\"", "\"b\"") "]", true},
            {"[" PATHS("\"/api/*\"", "\"get\"") "]", "[" PATHS("\"/api/v1\"", "\"get\"") "]", true},
            {"[" PATHS("\"/api/*\"", "\"get\"") "]", "[" PATHS("\"/apis\"", "\"get\"") "]", false},
            {"[" RULE("\"*\"", "\"*\"", "\"*\"") "]", "[" PATHS("\"/api\"", "\"get\"") "]", false},
            /* what is no list, or no rule, grants nothing and holds nothing */
            {"[7,{\"verbs\":\"*\"}]", "[{\"verbs\":[\"*\"]}]", true},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        str told = ask(f, str_from(rows[i].held), str_from(rows[i].wanted));
        if (str_is_empty(told) != rows[i].covered)
            fail_msg("row %zu: %s of %s: '%.*s'", i, rows[i].wanted, rows[i].held, STR(told));
    }
}

static void add_many(struct buf *out, const char *key, int count)
{
    buf_addf(out, "\"%s\":[", key);
    for (int i = 0; i < count; i++)
        buf_addf(out, "%s\"x%d\"", i == 0 ? "" : ",", i);
    buf_add(out, S("]"));
}

TEST(a_role_of_millions_of_rights_is_refused_in_one_answer)
{
    struct fixture *f = *state;
    auto_buf struct buf text = {0};

    buf_init(&text, LIMIT_MIB);
    buf_add(&text, S("[{"));
    add_many(&text, "apiGroups", 300);
    buf_add(&text, S(","));
    add_many(&text, "resources", 300);
    buf_add(&text, S(","));
    add_many(&text, "verbs", 300);
    buf_add(&text, S("}]"));
    str told = ask(f, S("[" RULE("\"\"", "\"pods\"", "\"get\"") "]"), buf_str(&text));
    assert_true(
            str_contains(told, S("is attempting to grant RBAC permissions not currently held")));
    assert_true(str_contains(told, S("and more than can be told")));

    /* nor may it be too much work to find out that all is held: one right lies in each rule */
    auto_buf struct buf held = {0};
    buf_init(&held, LIMIT_MIB);
    buf_addc(&held, '[');
    for (int i = 0; i < 4000; i++)
        buf_addf(&held, "%s{\"apiGroups\":[\"x%d\"],\"resources\":[\"*\"],\"verbs\":[\"*\"]}",
                 i == 0 ? "" : ",", 3999 - i);
    buf_addc(&held, ']');
    told = ask(f, buf_str(&held), buf_str(&text));
    assert_true(str_contains(told, S("and more than can be told")));

    /* one rule that covers it all is enough */
    assert_str(ask(f, S("[" RULE("\"*\"", "\"*\"", "\"*\"") "]"), buf_str(&text)), STR_EMPTY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup_teardown(a_rule_is_held_as_kubernetes_counts_it, setup,
                                            teardown),
            cmocka_unit_test_setup_teardown(a_role_of_millions_of_rights_is_refused_in_one_answer,
                                            setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
