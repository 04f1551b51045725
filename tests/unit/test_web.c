/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"
/* the route table and the small rules of the web; the whole is tested end to end */
#include "doc/json.h"
#include "web/call.h"
#include "web/host_key.h"
#include "web/openapi.h"
#include "web/stream.h"
#include "web/upstream.h"

TEST(no_route_is_without_a_right_and_a_sentence)
{
    for (size_t i = 0; i < web_route_count; i++) {
        const struct web_route *route = &web_routes[i];
        assert_non_null(route->handler);
        assert_true(route->pattern[0] == '/');
        assert_true(strlen(route->summary) > 5);
        if (!(route->flags & (WEB_PUBLIC | WEB_SIGNED_IN)) && route->may.verb == NULL)
            fail_msg("%s asks no right", route->pattern);
        if ((route->flags & WEB_PUBLIC) && route->may.verb != NULL)
            fail_msg("%s is public and asks a right", route->pattern);
    }
}

TEST(the_description_has_every_route)
{
    auto_arena struct arena *arena = arena_new(16 * LIMIT_MIB);
    const struct val *paths = val_get(web_openapi_document(arena), S("paths"));

    for (size_t i = 0; i < web_route_count; i++) {
        if (web_routes[i].method != NULL)
            assert_non_null(val_get(paths, str_from(web_routes[i].pattern)));
    }
}

TEST(every_reference_of_the_description_leads_somewhere)
{
    auto_arena struct arena *arena = arena_new(16 * LIMIT_MIB);
    const struct val *document = web_openapi_document(arena);
    const struct val *schemas = VAL_AT(document, "components", "schemas");
    str text = json_text(arena, document, JSON_COMPACT);
    size_t described = 0;

    assert_true(val_count(schemas) > 20);
    for (size_t at; (at = str_find(text, S("#/components/schemas/"))) != SIZE_MAX;) {
        text = str_from_index(text, at + strlen("#/components/schemas/"));
        str name = str_first(text, str_find_char(text, '"'));
        if (val_get(schemas, name) == NULL)
            fail_msg("there is no schema %.*s", STR(name));
        described++;
    }
    assert_true(described > 50);
}

TEST(topics_stand_on_routes)
{
    for (size_t i = 0; i < stream_kind_count; i++) {
        const struct stream_kind *kind = &stream_kinds[i];
        if (web_route_of(kind->route) == NULL)
            fail_msg("the topic %s has no route %s", kind->word, kind->route);
        assert_true((kind->items == NULL) == (kind->key == NULL));
    }
}

TEST(what_reaches_into_machines_is_not_passed_on)
{
    static const struct {
        const char *path;
        bool allowed;
    } cases[] = {
            {"/api/v1/namespaces/a/pods/b", true},
            {"/api/v1/namespaces/a/pods/b/log", true},
            {"/api/v1/namespaces/a/pods/b/exec", false},
            {"/api/v1/namespaces/a/pods/b/attach", false},
            {"/api/v1/namespaces/a/pods/b/portforward", false},
            {"/api/v1/namespaces/a/pods/b/ephemeralcontainers", false},
            {"/api/v1/namespaces/a/services/b/proxy", false},
            {"/api/v1/namespaces/a/services/b/proxy/x/y", false},
            {"/api/v1/nodes/n/proxy/run", false},
            {"/api/v1/proxy/namespaces/a/services/b", false},
            {"/api/v1/watch/namespaces/a/pods/b/exec", false},
            {"/api/v1/namespaces/a/serviceaccounts/b/token", false},
            {"/api/v1/namespaces/a/configmaps/exec", true},
            {"/api/v1/namespaces/exec", true},
            {"/apis/apps/v1/namespaces/a/deployments/proxy", true},
            {"/apis/x.example/v1/namespaces/a/things/b/exec", false},
            {"/api/v1//namespaces/a/pods/b/exec", false},
            {"/openapi/v3", true},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err = {0};
        if (upstream_path_allowed(str_from(cases[i].path), &err) != cases[i].allowed)
            fail_msg("%s is %s", cases[i].path, cases[i].allowed ? "refused" : "passed on");
    }
}

TEST(names_are_kubernetes_names)
{
    static const char *const good[] = {"a", "shop-1", "0a"};
    static const char too_long[] =
            "a234567890123456789012345678901234567890123456789012345678901234";
    static const char *const bad[] = {"",    "-a",  "a-", "A",   "a.b",
                                      "a_b", "a b", "..", "a/b", too_long};
    struct err err = {0};

    for (size_t i = 0; i < COUNT(good); i++)
        assert_ok(web_check_name(S("a thing"), str_from(good[i]), &err), err);
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(web_check_name(S("a thing"), str_from(bad[i]), &err));
}

static const char scanned[] =
        "# host:22 SSH-2.0\n"
        "[host]:2222 ssh-ed25519 "
        "AAAAC3NzaC1lZDI1NTE5AAAAIGkfLMOQm2iWn2Z8B2c0T1tVtzvCqgzVC0kNV0ZyJ3Pn\n";

TEST(a_host_key_is_chosen_by_the_persons_fingerprint_alone)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct err err = {0};
    str line = STR_EMPTY;

    assert_fails(host_key_choose(arena, S(scanned), S("SHA256:other"), &line, &err), err,
                 ERR_CONFLICT);
    size_t at = str_find(err_message(&err), S("it shows ssh-ed25519 SHA256:"));
    assert_true(at != SIZE_MAX);
    str shown = str_from_index(err_message(&err), at + strlen("it shows ssh-ed25519 "));
    assert_ok(host_key_choose(arena, S(scanned), arena_str(arena, shown), &line, &err), err);
    assert_true(str_starts(line, S("[host]:2222 ssh-ed25519 ")));
    assert_fails(host_key_choose(arena, S("# nothing\n"), S("x"), &line, &err), err,
                 ERR_UNAVAILABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(no_route_is_without_a_right_and_a_sentence),
            cmocka_unit_test(the_description_has_every_route),
            cmocka_unit_test(every_reference_of_the_description_leads_somewhere),
            cmocka_unit_test(topics_stand_on_routes),
            cmocka_unit_test(what_reaches_into_machines_is_not_passed_on),
            cmocka_unit_test(names_are_kubernetes_names),
            cmocka_unit_test(a_host_key_is_chosen_by_the_persons_fingerprint_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
