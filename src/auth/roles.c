/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/roles.h"

/* A row: the least role that has it (each higher one includes the lower ones). Comma lists. */
static const struct {
    size_t from;
    const char *groups, *resources, *verbs;
} rows[] = {
        {0, "argoproj.io", "applications,appprojects,applicationsets", "get,list,watch"},
        {0, "argoproj.io", "applications/resources", "get"},
        {0, "taut.dev", "repositories,credentials", "get,list"},
        {0, "", "events", "get,list,watch"},
        {1, "argoproj.io", "applications", "create,update,patch,delete,sync"},
        {1, "argoproj.io", "applications/resources", "update"},
        {1, "argoproj.io", "applications/logs", "get"},
        {1, "taut.dev", "repositories,credentials", "create,update,delete"},
        {2, "argoproj.io", "applications", "rollback,override"},
        {2, "taut.dev", "members", "get,list,create,update,delete"},
};

static const char *const names[ROLES_COUNT] = {"taut:viewer", "taut:operator", "taut:admin"};

static void add_list(struct arena *arena, struct val *rule, const char *key, const char *words)
{
    struct val *list = val_ensure_list(arena, rule, str_from(key));
    str rest = str_from(words);
    str word;

    while (str_split(&rest, ',', &word))
        val_append(arena, list, val_string(arena, word));
}

struct val *roles_object(struct arena *arena, size_t index)
{
    struct val *role = val_new(arena, val_map());

    val_set_str(arena, role, S("apiVersion"), S("rbac.authorization.k8s.io/v1"));
    val_set_str(arena, role, S("kind"), S("ClusterRole"));
    val_set_str(arena, val_ensure_map(arena, role, S("metadata")), S("name"),
                str_from(names[index]));
    struct val *rules = val_ensure_list(arena, role, S("rules"));
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (rows[i].from > index)
            continue;
        struct val *rule = val_append(arena, rules, val_map());
        add_list(arena, rule, "apiGroups", rows[i].groups);
        add_list(arena, rule, "resources", rows[i].resources);
        add_list(arena, rule, "verbs", rows[i].verbs);
    }
    return role;
}
