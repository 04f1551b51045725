/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/roles.h"

#define RBAC "rbac.authorization.k8s.io"

/* A row: the least role that has it (each higher one includes the lower ones). Comma lists. */
static const struct {
    size_t from;
    const char *groups, *resources, *verbs;
} rows[] = {
        {0, "argoproj.io", "applications,appprojects,applicationsets", "get,list,watch"},
        {0, "argoproj.io", "applications/resources", "get"},
        {0, "taut.dev", "repositories,credentials,members", "get,list"},
        {0, "", "events", "get,list,watch"},
        {1, "argoproj.io", "applications", "create,update,patch,delete,sync"},
        {1, "argoproj.io", "applications/resources", "update"},
        {1, "argoproj.io", "applications/logs", "get"},
        {1, "taut.dev", "repositories,credentials", "create,update,delete"},
        {2, "argoproj.io", "applications", "rollback,override"},
        {2, "taut.dev", "members", "create,update,delete"},
        {2, "taut.dev", "devopsprojects", "update,delete"},
};

static const char *const project_names[AUTH_PROJECT_ROLES] = {"taut:viewer", "taut:operator",
                                                              "taut:admin"};
static const char *const platform_names[AUTH_PLATFORM_ROLES] = {
        [AUTH_PLATFORM_REGULAR] = "platform-regular",
        [AUTH_PLATFORM_SELF_PROVISIONER] = "platform-self-provisioner",
        [AUTH_PLATFORM_ADMIN] = "platform-admin",
};

str auth_project_role_name(enum auth_project_role role)
{
    return str_from(project_names[role] + strlen("taut:"));
}

str auth_project_role_object(enum auth_project_role role)
{
    return str_from(project_names[role]);
}

bool auth_project_role_parse(str name, enum auth_project_role *ret_role)
{
    (void)str_skip(&name, S("taut:"));
    for (size_t i = 0; i < AUTH_PROJECT_ROLES; i++) {
        *ret_role = (enum auth_project_role)i;
        if (str_eq(name, auth_project_role_name(*ret_role)))
            return true;
    }
    return false;
}

str auth_platform_role_name(enum auth_platform_role role)
{
    return str_from(platform_names[role]);
}

bool auth_platform_role_parse(str name, enum auth_platform_role *ret_role)
{
    for (size_t i = 0; i < AUTH_PLATFORM_ROLES; i++) {
        *ret_role = (enum auth_platform_role)i;
        if (str_eq(name, str_from(platform_names[i])))
            return true;
    }
    return false;
}

static void add_list(struct arena *arena, struct val *rule, const char *key, const char *words)
{
    struct val *list = val_ensure_list(arena, rule, str_from(key));
    str rest = str_from(words);
    str word;

    while (str_split(&rest, ',', &word))
        val_append(arena, list, val_string(arena, word));
}

static struct val *object(struct arena *arena, const char *kind, const char *name)
{
    struct val *made = val_new(arena, val_map());

    val_set_str(arena, made, S("apiVersion"), S(RBAC "/v1"));
    val_set_str(arena, made, S("kind"), str_from(kind));
    val_set_str(arena, val_ensure_map(arena, made, S("metadata")), S("name"), str_from(name));
    return made;
}

static void add_rule(struct arena *arena, struct val *rules, const char *groups,
                     const char *resources, const char *verbs)
{
    struct val *rule = val_append(arena, rules, val_map());

    add_list(arena, rule, "apiGroups", groups);
    add_list(arena, rule, "resources", resources);
    add_list(arena, rule, "verbs", verbs);
}

static struct val *project_role(struct arena *arena, size_t index)
{
    struct val *role = object(arena, "ClusterRole", project_names[index]);
    struct val *rules = val_ensure_list(arena, role, S("rules"));

    for (size_t i = 0; i < COUNT(rows); i++) {
        if (rows[i].from <= index)
            add_rule(arena, rules, rows[i].groups, rows[i].resources, rows[i].verbs);
    }
    return role;
}

static const char *platform_role_object(struct arena *arena, size_t index)
{
    return arena_printf(arena, "taut:%s", platform_names[index]).at;
}

static struct val *platform_role(struct arena *arena, size_t index)
{
    struct val *role = object(arena, "ClusterRole", platform_role_object(arena, index));
    struct val *rules = val_ensure_list(arena, role, S("rules"));

    if (index == AUTH_PLATFORM_SELF_PROVISIONER) {
        add_rule(arena, rules, "taut.dev", "devopsprojects", "create");
    } else if (index == AUTH_PLATFORM_ADMIN) {
        add_rule(arena, rules, "*", "*", "*");
        struct val *paths = val_append(arena, rules, val_map());
        add_list(arena, paths, "nonResourceURLs", "*");
        add_list(arena, paths, "verbs", "*");
    }
    return role;
}

struct val *auth_binding(struct arena *arena, str namespace_, str name, str role)
{
    struct val *binding =
            object(arena, namespace_.len > 0 ? "RoleBinding" : "ClusterRoleBinding", "");
    struct val *meta = val_get(binding, S("metadata"));
    struct val *ref = val_ensure_map(arena, binding, S("roleRef"));

    val_set_str(arena, meta, S("name"), name);
    if (namespace_.len > 0)
        val_set_str(arena, meta, S("namespace"), namespace_);
    val_set_str(arena, ref, S("apiGroup"), S(RBAC));
    val_set_str(arena, ref, S("kind"), S("ClusterRole"));
    val_set_str(arena, ref, S("name"), role);
    return binding;
}

struct val *auth_platform_binding(struct arena *arena, enum auth_platform_role role)
{
    return auth_binding(arena, STR_EMPTY, auth_platform_role_name(role),
                        str_from(platform_role_object(arena, role)));
}

struct val *roles_object(struct arena *arena, size_t index, struct gvr *ret_gvr)
{
    _Static_assert(ROLES_OBJECTS == AUTH_PROJECT_ROLES + 2 * AUTH_PLATFORM_ROLES, "one count");
    *ret_gvr = (struct gvr){S(RBAC), S("v1"), S("clusterroles")};
    if (index < AUTH_PROJECT_ROLES)
        return project_role(arena, index);
    index -= AUTH_PROJECT_ROLES;
    if (index < AUTH_PLATFORM_ROLES)
        return platform_role(arena, index);
    index -= AUTH_PLATFORM_ROLES;
    ret_gvr->resource = S("clusterrolebindings");
    return auth_platform_binding(arena, (enum auth_platform_role)index);
}
