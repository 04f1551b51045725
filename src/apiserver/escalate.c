/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/escalate.h"

#include "base/buf.h"

#include <stdlib.h>

/* Comparisons of a single right with a rule of the asker, and rights that a refusal names. */
enum { STEPS_MAX = 5000000, MISSING_MAX = 200 };

struct texts {
    const str *at;
    size_t count;
};

/* A rule, or a part of one: views of the lists of a Role's rule. */
struct grant {
    struct texts verbs, groups, resources, names, paths;
};

/* ---- does one rule cover another? (validation.Covers of k8s.io/component-helpers/auth/rbac) ----
 */

static struct texts texts_of(struct arena *arena, const struct val *rule, const char *key)
{
    const struct val *list = val_get(rule, str_from(key));
    str *at = arena_array(arena, val_count(list) + 1, str);
    struct texts texts = {at, 0};
    struct val_iter it = val_iter(list);

    while (val_next(&it))
        at[texts.count++] = val_str(it.value);
    return texts;
}

static struct grant grant_of(struct arena *arena, const struct val *rule)
{
    return (struct grant){
            .verbs = texts_of(arena, rule, "verbs"),
            .groups = texts_of(arena, rule, "apiGroups"),
            .resources = texts_of(arena, rule, "resources"),
            .names = texts_of(arena, rule, "resourceNames"),
            .paths = texts_of(arena, rule, "nonResourceURLs"),
    };
}

static bool has(struct texts texts, str wanted)
{
    for (size_t i = 0; i < texts.count; i++) {
        if (str_eq(texts.at[i], wanted))
            return true;
    }
    return false;
}

static bool has_all(struct texts owner, struct texts wanted)
{
    for (size_t i = 0; i < wanted.count; i++) {
        if (!has(owner, wanted.at[i]))
            return false;
    }
    return true;
}

static bool covers_set(struct texts owner, struct texts wanted)
{
    return has(owner, S("*")) || has_all(owner, wanted);
}

/* A right to "*" + "/scale" covers "deployments/scale". */
static bool has_resource(struct texts owner, str wanted)
{
    size_t slash = str_find_char(wanted, '/');

    for (size_t i = 0; i < owner.count; i++) {
        str text = owner.at[i];
        if (str_eq(text, wanted))
            return true;
        if (slash != SIZE_MAX && str_skip(&text, S("*")) &&
            str_eq(text, str_from_index(wanted, slash)))
            return true;
    }
    return false;
}

static bool covers_resources(struct texts owner, struct texts wanted)
{
    if (has(owner, S("*")))
        return true;
    for (size_t i = 0; i < wanted.count; i++) {
        if (!has_resource(owner, wanted.at[i]))
            return false;
    }
    return true;
}

static bool covers_path(struct texts owner, str path)
{
    for (size_t i = 0; i < owner.count; i++) {
        str text = owner.at[i];
        if (str_eq(text, path) || (str_chop(&text, S("*")) && str_starts(path, text)))
            return true;
    }
    return false;
}

static bool covers_names(struct texts owner, struct texts wanted)
{
    return owner.count == 0 || (wanted.count > 0 && has_all(owner, wanted));
}

static bool covers(const struct grant *owner, const struct grant *wanted)
{
    for (size_t i = 0; i < wanted->paths.count; i++) {
        if (!covers_path(owner->paths, wanted->paths.at[i]))
            return false;
    }
    return covers_set(owner->verbs, wanted->verbs) && covers_set(owner->groups, wanted->groups) &&
           covers_resources(owner->resources, wanted->resources) &&
           covers_names(owner->names, wanted->names);
}

/* ---- what the asker holds ---- */

struct held {
    struct arena *arena;
    struct grant *rules;
    size_t count;
    size_t room;
};

static void note_rule(void *owner, const struct val *rule)
{
    struct held *held = owner;

    if (held->count == LIMIT_RBAC_RULES)
        return;
    held->rules = arena_grow(held->arena, held->rules, held->count + 1, &held->room,
                             sizeof(*held->rules));
    held->rules[held->count++] = grant_of(held->arena, val_dup(held->arena, rule));
}

static struct held rules_held(struct api *api)
{
    struct held held = {.arena = api->arena};

    api->server->rules(api->server->rules_owner, &api->user, api->q.namespace_, note_rule, &held);
    return held;
}

static bool is_held(const struct held *held, const struct grant *wanted)
{
    for (size_t i = 0; i < held->count; i++) {
        if (covers(&held->rules[i], wanted))
            return true;
    }
    return false;
}

/* ---- what he lacks ---- */

struct lack {
    struct arena *arena;
    const struct held *held;
    struct grant missing[MISSING_MAX];
    size_t count;
    size_t steps;
    bool too_many;
};

static bool same_texts(struct texts a, struct texts b)
{
    return a.count == b.count && (a.count == 0 || str_eq(a.at[0], b.at[0]));
}

/* Rights to one thing are told as one rule with several verbs. */
static bool join_verbs(struct lack *lack, const struct grant *part)
{
    for (size_t i = 0; i < lack->count; i++) {
        struct grant *m = &lack->missing[i];
        if (part->paths.count > 0 || !same_texts(m->groups, part->groups) ||
            !same_texts(m->resources, part->resources) || !same_texts(m->names, part->names) ||
            m->paths.count > 0)
            continue;
        if (has(m->verbs, part->verbs.at[0]))
            return true;
        str *verbs = arena_array(lack->arena, m->verbs.count + 1, str);
        memcpy(verbs, m->verbs.at, m->verbs.count * sizeof(*verbs));
        verbs[m->verbs.count] = part->verbs.at[0];
        m->verbs = (struct texts){verbs, m->verbs.count + 1};
        return true;
    }
    return false;
}

static void look_at_part(struct lack *lack, const struct grant *part)
{
    lack->steps += lack->held->count + 1;
    lack->too_many = lack->too_many || lack->steps > STEPS_MAX || arena_is_over(lack->arena);
    if (lack->too_many || is_held(lack->held, part) || join_verbs(lack, part))
        return;
    if (lack->count == MISSING_MAX)
        lack->too_many = true;
    else
        lack->missing[lack->count++] = *part;
}

static struct texts one(struct texts texts, size_t i)
{
    return texts.count == 0 ? texts : (struct texts){texts.at + i, 1};
}

static void look_at_names(struct lack *lack, const struct grant *rule, struct grant part)
{
    for (size_t v = 0; v < rule->verbs.count && !lack->too_many; v++) {
        part.verbs = one(rule->verbs, v);
        for (size_t n = 0; n < MAX(rule->names.count, (size_t)1) && !lack->too_many; n++) {
            part.names = one(rule->names, n);
            look_at_part(lack, &part);
        }
    }
}

/* Each verb on each resource of each group, each verb on each path. */
static void look_at_parts(struct lack *lack, const struct grant *rule)
{
    for (size_t g = 0; g < rule->groups.count; g++) {
        for (size_t r = 0; r < rule->resources.count && !lack->too_many; r++)
            look_at_names(lack, rule,
                          (struct grant){.groups = one(rule->groups, g),
                                         .resources = one(rule->resources, r)});
    }
    for (size_t p = 0; p < rule->paths.count; p++) {
        for (size_t v = 0; v < rule->verbs.count && !lack->too_many; v++)
            look_at_part(lack, &(struct grant){.verbs = one(rule->verbs, v),
                                               .paths = one(rule->paths, p)});
    }
}

static void add_texts(struct buf *out, const char *name, struct texts texts)
{
    if (texts.count == 0)
        return;
    buf_addf(out, "%s%s:[", buf_str(out).at[out->len - 1] == '{' ? "" : ", ", name);
    for (size_t i = 0; i < texts.count; i++)
        buf_addf(out, "%s\"%.*s\"", i == 0 ? "" : " ", STR(texts.at[i]));
    buf_addc(out, ']');
}

static str describe(struct arena *arena, const struct grant *grant)
{
    auto_buf struct buf out = {0};

    buf_init(&out, 64 * LIMIT_KIB);
    buf_addc(&out, '{');
    add_texts(&out, "APIGroups", grant->groups);
    add_texts(&out, "Resources", grant->resources);
    add_texts(&out, "NonResourceURLs", grant->paths);
    add_texts(&out, "ResourceNames", grant->names);
    add_texts(&out, "Verbs", grant->verbs);
    buf_addc(&out, '}');
    return arena_str(arena, buf_str(&out));
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const str *)a, *(const str *)b);
}

static str user_text(struct api *api)
{
    str all = arena_printf(api->arena, "user \"%.*s\" (groups=[", STR(api->user.name));
    bool everybody = false;

    for (size_t i = 0; i < api->user.group_count; i++) {
        all = arena_printf(api->arena, "%.*s%s\"%.*s\"", STR(all), i == 0 ? "" : " ",
                           STR(api->user.groups[i]));
        everybody = everybody || str_eq(api->user.groups[i], S("system:authenticated"));
    }
    if (!everybody)
        all = arena_printf(api->arena, "%.*s%s\"system:authenticated\"", STR(all),
                           api->user.group_count == 0 ? "" : " ");
    return arena_join(api->arena, all, S("])"));
}

static bool refuse(struct api *api, str name, struct lack *lack)
{
    str *lines = arena_array(api->arena, lack->count + 1, str);
    auto_buf struct buf text = {0};

    buf_init(&text, LIMIT_MIB);
    for (size_t i = 0; i < lack->count; i++)
        lines[i] = describe(api->arena, &lack->missing[i]);
    if (lack->count > 0)
        qsort(lines, lack->count, sizeof(*lines), by_text);
    for (size_t i = 0; i < lack->count; i++) {
        buf_addc(&text, '\n');
        buf_add(&text, lines[i]);
    }
    if (lack->too_many)
        buf_add(&text, S("\nand more than can be told"));
    return api_fail(api, 403, "Forbidden",
                    "%.*s \"%.*s\" is forbidden: %.*s is attempting to grant RBAC permissions not "
                    "currently held:%.*s",
                    STR(api_qualified(api)), STR(name), STR(user_text(api)), STR(buf_str(&text)));
}

/* Does the asker hold every right of the rules? */
static bool confirm(struct api *api, str name, const struct val *rules)
{
    struct held held = rules_held(api);
    struct lack *lack = arena_new0(api->arena, struct lack);
    struct val_iter it = val_iter(rules);

    lack->arena = api->arena;
    lack->held = &held;
    while (val_next(&it)) {
        struct grant rule = grant_of(api->arena, it.value);
        if (!is_held(&held, &rule))
            look_at_parts(lack, &rule);
    }
    return (lack->count == 0 && !lack->too_many) || refuse(api, name, lack);
}

/* ---- roles and bindings ---- */

static bool may(struct api *api, const char *verb, str resource, str name)
{
    struct apiserver_question question = {
            .user = api->user,
            .verb = str_from(verb),
            .group = api->kind->group,
            .version = S("*"),
            .resource = resource,
            .namespace_ = api->q.namespace_,
            .name = name,
    };

    return api->server->may(api->server->may_owner, &question);
}

static bool is_everything(const struct held *held)
{
    static const str star = S_INIT("*");
    const struct texts all = {&star, 1};

    return is_held(held, &(struct grant){.verbs = all, .groups = all, .resources = all}) &&
           is_held(held, &(struct grant){.verbs = all, .paths = all});
}

static bool check_role(struct api *api, const struct val *object, const struct val *live)
{
    bool by_url = api->q.verb != KUBE_CREATE;
    str name = object_name(object);

    if (may(api, "escalate", api->kind->plural, by_url ? api->q.name : STR_EMPTY))
        return true;
    if (!confirm(api, name, val_get(object, S("rules"))))
        return false;
    if (val_get(object, S("aggregationRule")) == NULL &&
        val_get(live, S("aggregationRule")) == NULL)
        return true;
    struct held held = rules_held(api);
    return is_everything(&held) ||
           api_fail(api, 403, "Forbidden",
                    "%.*s \"%.*s\" is forbidden: must have cluster-admin privileges to use the "
                    "aggregationRule",
                    STR(api_qualified(api)), STR(name));
}

static bool check_binding(struct api *api, const struct val *object)
{
    const struct val *ref = val_get(object, S("roleRef"));
    bool is_cluster = str_eq(val_get_str(ref, S("kind")), S("ClusterRole"));
    str plural = is_cluster ? S("clusterroles") : S("roles");
    str name = val_get_str(ref, S("name"));
    const struct kind *kind = registry_find(api->server->registry, api->kind->group, plural);
    struct val *role = NULL;

    if (may(api, "bind", plural, name))
        return true;
    switch (object_load(api, kind, is_cluster ? STR_EMPTY : api->q.namespace_, name, &role)) {
    case OBJECT_FAILED:
        return false;
    case OBJECT_ABSENT:
        return api_fail_not_found(api, name);
    case OBJECT_FOUND:
        break;
    }
    return confirm(api, object_name(object), val_get(role, S("rules")));
}

/* The garbage collector's fields may change whatever the rights: all else must be as it was. */
static struct val *without_garbage(struct arena *arena, const struct val *object)
{
    static const char *const keys[] = {"ownerReferences",
                                       "finalizers",
                                       "managedFields",
                                       "resourceVersion",
                                       "uid",
                                       "creationTimestamp",
                                       "generation",
                                       "deletionTimestamp",
                                       "deletionGracePeriodSeconds",
                                       "selfLink"};
    struct val *copy = val_dup(arena, object);

    for (size_t i = 0; i < COUNT(keys); i++)
        val_del(val_get(copy, S("metadata")), str_from(keys[i]));
    return copy;
}

bool escalate_is_master(const struct apiserver_user *user)
{
    for (size_t i = 0; i < user->group_count; i++) {
        if (str_eq(user->groups[i], S("system:masters")))
            return true;
    }
    return false;
}

bool escalate_check(struct api *api, const struct val *object, const struct val *live)
{
    const struct apiserver *server = api->server;
    str plural = api->kind->plural;

    if (!str_eq(api->kind->group, S("rbac.authorization.k8s.io")) || server->may == NULL ||
        server->rules == NULL || escalate_is_master(&api->user))
        return true;
    if (live != NULL &&
        val_eq(without_garbage(api->arena, object), without_garbage(api->arena, live)))
        return true;
    if (str_eq(plural, S("roles")) || str_eq(plural, S("clusterroles")))
        return check_role(api, object, live);
    return check_binding(api, object);
}
