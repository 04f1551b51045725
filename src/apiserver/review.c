/* SPDX-License-Identifier: Apache-2.0 */
/* Reviews: questions about people and their rights that are answered and forgotten. */
#include "apiserver/api.h"

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

static void answer_access(struct api *api, struct val *review, bool self)
{
    const struct val *spec = val_get(review, S("spec"));
    bool allowed = ask(api, self ? api->user : named_user(api, spec), spec);
    struct val *status = val_ensure_map(api->arena, review, S("status"));

    val_set(api->arena, status, S("allowed"), val_bool(allowed));
    if (allowed && api->server->may == NULL)
        val_set_str(api->arena, status, S("reason"), S("whoever reaches this server may"));
}

static void add_all(struct arena *arena, struct val *rule, const char *key)
{
    val_append(arena, val_ensure_list(arena, rule, str_from(key)), val_string_borrow(S("*")));
}

/* Which rules: all, where nobody is asked; else we cannot list them and say so. */
static void answer_rules(struct api *api, struct val *review)
{
    struct arena *arena = api->arena;
    struct val *status = val_ensure_map(arena, review, S("status"));
    struct apiserver_question everything = {api->user, S("*"),    S("*"),    S("*"),   S("*"),
                                            STR_EMPTY, STR_EMPTY, STR_EMPTY, STR_EMPTY};
    struct val *rules = val_ensure_list(arena, status, S("resourceRules"));
    struct val *paths = val_ensure_list(arena, status, S("nonResourceRules"));
    bool all = api->server->may == NULL || api->server->may(api->server->may_owner, &everything);

    if (all) {
        struct val *rule = val_append(arena, rules, val_map());
        add_all(arena, rule, "verbs");
        add_all(arena, rule, "apiGroups");
        add_all(arena, rule, "resources");
        rule = val_append(arena, paths, val_map());
        add_all(arena, rule, "verbs");
        add_all(arena, rule, "nonResourceURLs");
    }
    val_set(arena, status, S("incomplete"), val_bool(!all));
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
    if (str_eq(name, S("SelfSubjectReview")))
        answer_self(api, review);
    else if (str_eq(name, S("SelfSubjectRulesReview")))
        answer_rules(api, review);
    else
        answer_access(api, review, str_eq(name, S("SelfSubjectAccessReview")));
    api_answer(api, 201, review);
}
