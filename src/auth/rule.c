/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/rule.h"

/* Lists of one rule that are looked at; more does not count. */
static bool holds(const struct val *list, str wanted)
{
    size_t seen = 0;
    struct val_iter it = val_iter(list);

    while (val_next(&it) && seen++ < LIMIT_RBAC_RULES) {
        if (str_eq(val_str(it.value), S("*")) || str_eq(val_str(it.value), wanted))
            return true;
    }
    return false;
}

/* "pods", "pods/log", "*", or "*" + "/log" for that sub-resource of anything. */
static bool holds_resource(const struct val *list, str resource, str subresource)
{
    size_t seen = 0;
    struct val_iter it = val_iter(list);

    while (val_next(&it) && seen++ < LIMIT_RBAC_RULES) {
        str text = val_str(it.value);
        size_t slash = MIN(str_find_char(text, '/'), text.len);
        str head = str_first(text, slash);
        bool is_any = str_eq(text, S("*"));

        if (is_any)
            return true;
        if (!str_eq(head, S("*")) && !str_eq(head, resource))
            continue;
        if (str_eq(str_from_index(text, slash + 1), subresource))
            return true;
    }
    return false;
}

/* "/healthz", "/api/" with a star at its end. */
static bool holds_path(const struct val *list, str path)
{
    size_t seen = 0;
    struct val_iter it = val_iter(list);

    while (val_next(&it) && seen++ < LIMIT_RBAC_RULES) {
        str text = val_str(it.value);
        if (str_eq(text, path))
            return true;
        if (str_chop(&text, S("*")) && str_starts(path, text))
            return true;
    }
    return false;
}

static bool rule_allows(const struct val *rule, const struct auth_question *q)
{
    const struct val *names = val_get(rule, S("resourceNames"));

    if (!holds(val_get(rule, S("verbs")), q->verb))
        return false;
    if (q->path.len > 0)
        return holds_path(val_get(rule, S("nonResourceURLs")), q->path);
    if (!holds(val_get(rule, S("apiGroups")), q->group) ||
        !holds_resource(val_get(rule, S("resources")), q->resource, q->subresource))
        return false;
    return val_count(names) == 0 || (q->name.len > 0 && holds(names, q->name));
}

bool rule_any_allows(const struct val *rules, const struct auth_question *question)
{
    size_t seen = 0;
    struct val_iter it = val_iter(rules);

    while (val_next(&it) && seen++ < LIMIT_RBAC_RULES) {
        if (rule_allows(it.value, question))
            return true;
    }
    return false;
}

static bool in_group(const struct auth_user *user, str group)
{
    if (str_eq(group, S("system:authenticated")))
        return true;
    for (size_t i = 0; i < user->group_count; i++) {
        if (str_eq(user->groups[i], group))
            return true;
    }
    return false;
}

/* "system:serviceaccount:NAMESPACE:NAME" */
static bool is_service_account(const struct val *subject, str user, str namespace_)
{
    str own = val_get_str(subject, S("namespace"));

    return str_skip(&user, S("system:serviceaccount:")) &&
           str_skip(&user, own.len > 0 ? own : namespace_) && str_skip(&user, S(":")) &&
           str_eq(user, val_get_str(subject, S("name")));
}

bool rule_has_subject(const struct val *subjects, const struct auth_user *user, str namespace_)
{
    size_t seen = 0;
    struct val_iter it = val_iter(subjects);

    while (val_next(&it) && seen++ < LIMIT_RBAC_SUBJECTS) {
        str kind = val_get_str(it.value, S("kind"));
        str name = val_get_str(it.value, S("name"));

        if (str_eq(kind, S("User")) && str_eq(name, user->name))
            return true;
        if (str_eq(kind, S("Group")) && in_group(user, name))
            return true;
        if (str_eq(kind, S("ServiceAccount")) &&
            is_service_account(it.value, user->name, namespace_))
            return true;
    }
    return false;
}
