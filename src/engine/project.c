/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/project.h"

#include "auth/auth.h"
#include "doc/glob.h"
#include "source/source.h"

static bool project_glob(str pattern, str text, char separator)
{
    return str_eq(pattern, S("*")) || glob_match(pattern, text, separator);
}

static bool namespace_matches(str pattern, str text)
{
    /* Argo CD takes /…/ as a regular expression here: not built, so it permits nothing. */
    return !str_starts(pattern, S("/")) && project_glob(pattern, text, 0);
}

bool project_permits_namespace(const struct val *project, str control_namespace, str app_namespace,
                               struct err *err)
{
    struct val_iter it = val_iter(VAL_AT(project, "spec", "sourceNamespaces"));

    if (str_eq(control_namespace, app_namespace))
        return true;
    while (val_next(&it))
        if (namespace_matches(val_str(it.value), app_namespace))
            return true;
    return err_set(err, ERR_FORBIDDEN,
                   "project '%.*s' does not take applications of namespace '%.*s' "
                   "(spec.sourceNamespaces)",
                   STR(object_name(project)), STR(app_namespace));
}

static str url_normal(struct arena *arena, str url)
{
    str normal = url;

    if (!source_url_normalize(arena, url, &normal, NULL))
        return url;
    return normal;
}

static bool url_matches(struct arena *arena, str pattern, str url)
{
    return project_glob(pattern, url, '/') ||
           project_glob(url_normal(arena, pattern), url_normal(arena, url), '/');
}

bool project_permits_source(const struct val *project, str repo_url, struct err *err)
{
    auto_arena struct arena *arena = arena_new(LIMIT_SETTINGS_ARENA);
    struct val_iter it = val_iter(VAL_AT(project, "spec", "sourceRepos"));
    bool permitted = false;

    while (val_next(&it)) {
        str pattern = val_str(it.value);

        if (str_skip(&pattern, S("!"))) {
            if (url_matches(arena, pattern, repo_url))
                return err_set(err, ERR_FORBIDDEN,
                               "project '%.*s' denies the code repository %.*s (spec.sourceRepos "
                               "has '!%.*s')",
                               STR(object_name(project)), STR(repo_url), STR(pattern));
        } else if (!permitted) {
            permitted = url_matches(arena, pattern, repo_url);
        }
    }
    if (!permitted)
        return err_set(err, ERR_FORBIDDEN,
                       "project '%.*s' does not permit the code repository %.*s "
                       "(spec.sourceRepos)",
                       STR(object_name(project)), STR(repo_url));
    return true;
}

/* One of the three patterns of a destination. An absent pattern of server and name is no demand
 * when the other is given. */
static bool part_matches(str pattern, str text, bool *ret_deny)
{
    bool deny = str_skip(&pattern, S("!"));

    *ret_deny = deny && project_glob(pattern, text, 0);
    return !deny && project_glob(pattern, text, 0);
}

static bool destination_matches(const struct val *row, const struct project_target *target,
                                bool *ret_denied)
{
    str server = val_get_str(row, S("server"));
    str name = val_get_str(row, S("name"));
    bool deny_server = false;
    bool deny_name = false;
    bool deny_namespace = false;
    bool cluster = false;
    bool in_namespace;

    if (!str_is_empty(server))
        cluster = part_matches(server, target->server, &deny_server);
    if (!cluster && !str_is_empty(name))
        cluster = part_matches(name, target->name, &deny_name);
    in_namespace =
            part_matches(val_get_str(row, S("namespace")), target->namespace_, &deny_namespace);

    /* `!x` denies where the rest of the row matches. */
    *ret_denied = (deny_namespace && cluster) || ((deny_server || deny_name) && in_namespace) ||
                  ((deny_server || deny_name) && deny_namespace);
    return cluster && in_namespace;
}

static bool is_reserved(const struct project_target *target)
{
    const struct project_home *home = target->home;
    str namespace_ = target->namespace_;

    return home != NULL &&
           (str_starts(namespace_, S("kube-")) || str_eq(namespace_, S(AUTH_SYSTEM_NAMESPACE)) ||
            str_eq(namespace_, home->control_namespace) ||
            home->is_devops(home->owner, namespace_));
}

bool project_permits_destination(const struct val *project, const struct project_target *target,
                                 struct err *err)
{
    struct val_iter it = val_iter(VAL_AT(project, "spec", "destinations"));
    bool permitted = false;

    if (is_reserved(target))
        return err_set(err, ERR_FORBIDDEN,
                       "namespace '%.*s' of the home cluster is for platform admins alone, who "
                       "deploy into it from namespace '%.*s'",
                       STR(target->namespace_), STR(target->home->control_namespace));

    while (val_next(&it)) {
        bool denied;

        if (destination_matches(it.value, target, &denied))
            permitted = true;
        if (denied)
            return err_set(err, ERR_FORBIDDEN,
                           "project '%.*s' denies namespace '%.*s' of cluster %.*s "
                           "(spec.destinations[%zu])",
                           STR(object_name(project)), STR(target->namespace_), STR(target->server),
                           it.index);
    }
    if (!permitted)
        return err_set(err, ERR_FORBIDDEN,
                       "project '%.*s' does not permit namespace '%.*s' of cluster %.*s "
                       "(spec.destinations)",
                       STR(object_name(project)), STR(target->namespace_), STR(target->server));
    return true;
}

static bool kind_listed(const struct val *list, str group, str kind, str name)
{
    struct val_iter it = val_iter(list);

    while (val_next(&it)) {
        str wanted = val_get_str(it.value, S("name"));

        if (project_glob(val_get_str(it.value, S("group")), group, 0) &&
            project_glob(val_get_str(it.value, S("kind")), kind, 0) &&
            (str_is_empty(wanted) || project_glob(wanted, name, 0)))
            return true;
    }
    return false;
}

bool project_permits_kind(const struct val *project, str group, str kind, str name, bool namespaced,
                          struct err *err)
{
    const struct val *spec = val_get(project, S("spec"));
    const char *white = namespaced ? "namespaceResourceWhitelist" : "clusterResourceWhitelist";
    const char *black = namespaced ? "namespaceResourceBlacklist" : "clusterResourceBlacklist";
    const struct val *allowed = val_get(spec, str_from(white));
    const char *list = NULL;

    if (kind_listed(val_get(spec, str_from(black)), group, kind, name))
        list = black;
    /* Absent means all for namespaced kinds and none for the others. */
    else if (!(namespaced && allowed == NULL) && !kind_listed(allowed, group, kind, name))
        list = white;
    if (list == NULL)
        return true;
    return err_set(err, ERR_FORBIDDEN, "project '%.*s' does not permit %.*s%s%.*s '%.*s' (spec.%s)",
                   STR(object_name(project)), STR(group), str_is_empty(group) ? "" : "/", STR(kind),
                   STR(name), list);
}

bool project_check(const struct val *project, struct err *err)
{
    static const char *const unbuilt[] = {"syncWindows", "signatureKeys", "sourceIntegrity",
                                          "destinationServiceAccounts"};
    const struct val *spec = val_get(project, S("spec"));

    for (size_t i = 0; i < COUNT(unbuilt); i++) {
        const struct val *v = val_get(spec, str_from(unbuilt[i]));

        if (val_count(v) > 0)
            return err_set(err, ERR_UNSUPPORTED, "not supported yet: spec.%s of project '%.*s'",
                           unbuilt[i], STR(object_name(project)));
    }
    return true;
}
