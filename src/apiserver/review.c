/* SPDX-License-Identifier: Apache-2.0 */
/* Reviews: questions about people and their rights that are answered and forgotten. */
#include "apiserver/api.h"

#include "schema/validate.h"

static bool ask(struct api *api, struct apiserver_user user, const struct val *spec)
{
    const struct val *resource = val_get(spec, S("resourceAttributes"));
    const struct val *path = val_get(spec, S("nonResourceAttributes"));
    struct apiserver_question question = {
            .user = user,
            .verb = val_get_str(resource != NULL ? resource : path, S("verb")),
            .group = val_get_str(resource, S("group")),
            .version = val_get_str(resource, S("version")),
            .resource = val_get_str(resource, S("resource")),
            .subresource = val_get_str(resource, S("subresource")),
            .namespace_ = val_get_str(resource, S("namespace")),
            .name = val_get_str(resource, S("name")),
            .path = val_get_str(path, S("path")),
    };

    return api->server->may == NULL || api->server->may(api->server->may_owner, &question);
}

static struct apiserver_user named_user(struct api *api, const struct val *spec)
{
    const struct val *groups = val_get(spec, S("groups"));
    str *list = arena_array(api->arena, val_count(groups) + 1, str);
    struct apiserver_user user = {val_get_str(spec, S("user")), list, 0};

    struct val_iter it = val_iter(groups);
    while (val_next(&it))
        list[user.group_count++] = val_str(it.value);
    return user;
}

static void problem(struct api *api, struct val *problems, const char *field, const char *message)
{
    validate_problem(api->arena, problems, "FieldValueInvalid", str_from(field),
                     "Invalid value: %s", message);
}

/* https://github.com/kubernetes/kubernetes pkg/apis/authorization/validation */
static bool check_access(struct api *api, const struct val *spec, bool self)
{
    struct val *problems = val_new(api->arena, val_list());
    bool has_resource = val_get(spec, S("resourceAttributes")) != NULL;
    bool has_path = val_get(spec, S("nonResourceAttributes")) != NULL;

    if (has_resource && has_path)
        problem(api, problems, "spec.nonResourceAttributes",
                "cannot be specified in combination with resourceAttributes");
    if (!has_resource && !has_path)
        problem(api, problems, "spec.resourceAttributes",
                "null: exactly one of nonResourceAttributes or resourceAttributes must be "
                "specified");
    if (!self && str_is_empty(val_get_str(spec, S("user"))) &&
        val_count(val_get(spec, S("groups"))) == 0)
        problem(api, problems, "spec.user",
                "\"\": at least one of user or group must be specified");
    return val_count(problems) == 0 || api_fail_invalid(api, STR_EMPTY, problems);
}

static bool check_local(struct api *api, const struct val *spec)
{
    str namespace_ = VAL_STR(spec, "resourceAttributes", "namespace");

    return str_eq(namespace_, api->q.namespace_) ||
           api_fail(api, 400, "BadRequest",
                    "spec.resourceAttributes.namespace must match namespace: %.*s",
                    STR(api->q.namespace_));
}

static bool answer_access(struct api *api, struct val *review, bool self)
{
    const struct val *spec = val_get(review, S("spec"));

    if (!check_access(api, spec, self) || (api->kind->namespaced && !check_local(api, spec)))
        return false;
    bool allowed = ask(api, self ? api->user : named_user(api, spec), spec);
    struct val *status = val_ensure_map(api->arena, review, S("status"));

    val_set(api->arena, status, S("allowed"), val_bool(allowed));
    if (allowed && api->server->may == NULL)
        val_set_str(api->arena, status, S("reason"), S("whoever reaches this server may"));
    return true;
}

static void add_all(struct arena *arena, struct val *rule, const char *key)
{
    val_append(arena, val_ensure_list(arena, rule, str_from(key)), val_string_borrow(S("*")));
}

struct rules {
    struct arena *arena;
    struct val *resources;
    struct val *paths;
    size_t count;
};

static void add_rule(void *owner, const struct val *rule)
{
    static const char *const keys[] = {"verbs", "apiGroups", "resources", "resourceNames"};
    struct rules *rules = owner;
    const struct val *paths = val_get(rule, S("nonResourceURLs"));

    if (rules->count++ >= LIMIT_RBAC_RULES)
        return;
    if (val_count(val_get(rule, S("resources"))) > 0) {
        struct val *told = val_append(rules->arena, rules->resources, val_map());
        for (size_t i = 0; i < COUNT(keys); i++) {
            const struct val *list = val_get(rule, str_from(keys[i]));
            if (val_count(list) > 0)
                val_set(rules->arena, told, str_from(keys[i]), val_dup_value(rules->arena, list));
        }
    }
    if (val_count(paths) > 0) {
        struct val *told = val_append(rules->arena, rules->paths, val_map());
        val_set(rules->arena, told, S("verbs"),
                val_dup_value(rules->arena, val_get(rule, S("verbs"))));
        val_set(rules->arena, told, S("nonResourceURLs"), val_dup_value(rules->arena, paths));
    }
}

/* Which rules: all, where nobody is asked. */
static bool answer_rules(struct api *api, struct val *review)
{
    struct arena *arena = api->arena;
    const struct apiserver *server = api->server;
    str namespace_ = VAL_STR(review, "spec", "namespace");
    struct val *status = val_ensure_map(arena, review, S("status"));
    struct rules rules = {.arena = arena};

    if (str_is_empty(namespace_))
        return api_fail(api, 400, "BadRequest", "no namespace on request");
    rules.resources = val_ensure_list(arena, status, S("resourceRules"));
    rules.paths = val_ensure_list(arena, status, S("nonResourceRules"));
    if (server->may == NULL) {
        struct val *rule = val_append(arena, rules.resources, val_map());
        add_all(arena, rule, "verbs");
        add_all(arena, rule, "apiGroups");
        add_all(arena, rule, "resources");
        rule = val_append(arena, rules.paths, val_map());
        add_all(arena, rule, "verbs");
        add_all(arena, rule, "nonResourceURLs");
    } else if (server->rules != NULL) {
        server->rules(server->rules_owner, &api->user, namespace_, add_rule, &rules);
    }
    val_set(arena, status, S("incomplete"),
            val_bool(rules.count > LIMIT_RBAC_RULES ||
                     (server->may != NULL && server->rules == NULL)));
    return true;
}

static void answer_self(struct api *api, struct val *review)
{
    struct arena *arena = api->arena;
    struct val *info =
            val_ensure_map(arena, val_ensure_map(arena, review, S("status")), S("userInfo"));

    val_set_str(arena, info, S("username"), api->user.name);
    struct val *groups = val_ensure_list(arena, info, S("groups"));
    for (size_t i = 0; i < api->user.group_count; i++)
        val_append(arena, groups, val_string(arena, api->user.groups[i]));
}

void api_review(struct api *api)
{
    struct val *review = val_dup(api->arena, api->q.body);
    str name = api->kind->name;

    if (!val_is(review, VAL_MAP)) {
        api_fail(api, 400, "BadRequest", "the body is no object");
        return;
    }
    val_ensure_map(api->arena, review, S("metadata"));
    val_set_str(api->arena, review, S("kind"), name);
    val_set_str(api->arena, review, S("apiVersion"),
                api_version_of(api->arena, api->kind, api->version));
    val_del(review, S("status"));
    bool ok = true;
    if (str_eq(name, S("SelfSubjectReview")))
        answer_self(api, review);
    else if (str_eq(name, S("SelfSubjectRulesReview")))
        ok = answer_rules(api, review);
    else
        ok = answer_access(api, review, str_eq(name, S("SelfSubjectAccessReview")));
    if (ok)
        api_answer(api, 201, review);
}
