/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/app_spec.h"

#define HISTORY_LIMIT_DEFAULT 10

/* Fields of a source that are not built, each with the reason that people read. */
static const struct {
    const char *names[3];
    const char *field;
} unbuilt_source[] = {
        {{"chart"}, "spec.source.chart (Helm repositories)"},
        {{"plugin"}, "spec.source.plugin"},
        {{"helm"}, "spec.source.helm"},
        {{"ref"}, "spec.source.ref"},
        {{"tagPrefix"}, "spec.source.tagPrefix"},
        {{"directory", "jsonnet", "extVars"}, "spec.source.directory.jsonnet.extVars"},
        {{"directory", "jsonnet", "tlas"}, "spec.source.directory.jsonnet.tlas"},
        {{"directory", "jsonnet", "libs"}, "spec.source.directory.jsonnet.libs"},
};

static const char *const unbuilt_ignore[] = {"jqPathExpressions", "managedFieldsManagers"};

static bool spec_is_set(const struct val *v)
{
    switch (val_kind(v)) {
    case VAL_NULL:
        return false;
    case VAL_BOOL:
        return val_is_true(v);
    case VAL_NUMBER:
        return true;
    case VAL_STRING:
    case VAL_LIST:
        return v->count > 0;
    case VAL_MAP:
        return true;
    }
    return false;
}

bool app_spec_check_source(const struct val *source, struct err *err)
{
    for (size_t i = 0; i < COUNT(unbuilt_source); i++) {
        const struct val *v = source;

        for (size_t n = 0; n < 3 && unbuilt_source[i].names[n] != NULL; n++)
            v = val_get(v, str_from(unbuilt_source[i].names[n]));
        if (spec_is_set(v))
            return err_set(err, ERR_UNSUPPORTED, "not supported yet: %s", unbuilt_source[i].field);
    }
    if (str_is_empty(val_get_str(source, S("repoURL"))))
        return err_set(err, ERR_INVALID, "spec.source.repoURL is missing");
    if (str_starts(val_get_str(source, S("repoURL")), S("oci://")))
        return err_set(err, ERR_UNSUPPORTED, "not supported yet: OCI repositories (%.*s)",
                       STR(val_get_str(source, S("repoURL"))));
    if (val_get(source, S("directory")) != NULL && val_get(source, S("kustomize")) != NULL)
        return err_set(err, ERR_INVALID,
                       "spec.source may name one tool: it has both directory and kustomize");
    return true;
}

static bool spec_check_ignore(const struct val *list, struct err *err)
{
    struct val_iter it = val_iter(list);

    while (val_next(&it)) {
        for (size_t i = 0; i < COUNT(unbuilt_ignore); i++)
            if (spec_is_set(val_get(it.value, str_from(unbuilt_ignore[i]))))
                return err_set(err, ERR_UNSUPPORTED,
                               "not supported yet: spec.ignoreDifferences[%zu].%s", it.index,
                               unbuilt_ignore[i]);
        if (str_is_empty(val_get_str(it.value, S("kind"))))
            return err_set(err, ERR_INVALID, "spec.ignoreDifferences[%zu].kind is missing",
                           it.index);
    }
    return true;
}

static void spec_read_policy(struct app_spec *app, const struct val *policy)
{
    const struct val *automated = val_get(policy, S("automated"));

    app->automated = val_is(automated, VAL_MAP) && val_get_bool(automated, S("enabled"), true);
    app->prune = val_get_bool(automated, S("prune"), false);
    app->self_heal = val_get_bool(automated, S("selfHeal"), false);
    app->allow_empty = val_get_bool(automated, S("allowEmpty"), false);
    app->option_list = val_get(policy, S("syncOptions"));
    app->retry = val_get(policy, S("retry"));
    app->namespace_metadata = val_get(policy, S("managedNamespaceMetadata"));
    sync_options_add_list(&app->options, app->option_list);
}

static bool spec_check_destination(const struct app_destination *destination, struct err *err)
{
    if (!str_is_empty(destination->server) && !str_is_empty(destination->name))
        return err_set(err, ERR_INVALID,
                       "spec.destination names both a server (%.*s) and a name (%.*s): one of them "
                       "must go",
                       STR(destination->server), STR(destination->name));
    if (str_is_empty(destination->server) && str_is_empty(destination->name))
        return err_set(err, ERR_INVALID, "spec.destination names no cluster: set server or name");
    return true;
}

bool app_spec_parse(const struct val *application, struct app_spec *ret, struct err *err)
{
    const struct val *spec = val_get(application, S("spec"));
    const struct val *destination = val_get(spec, S("destination"));
    const struct val *source = val_get(spec, S("source"));
    const struct val *limit = val_get(spec, S("revisionHistoryLimit"));

    *ret = (struct app_spec){
            .name = object_name(application),
            .namespace_ = object_namespace(application),
            .uid = object_uid(application),
            .project = val_get_str(spec, S("project")),
            .destination = {val_get_str(destination, S("server")),
                            val_get_str(destination, S("name")),
                            val_get_str(destination, S("namespace"))},
            .source = source,
            .repo_url = val_get_str(source, S("repoURL")),
            .path = val_get_str(source, S("path")),
            .revision = val_get_str(source, S("targetRevision")),
            .ignore = val_get(spec, S("ignoreDifferences")),
            .history_limit = val_i64_or(limit, HISTORY_LIMIT_DEFAULT),
            .deleting = VAL_AT(application, "metadata", "deletionTimestamp") != NULL,
    };
    if (str_is_empty(ret->project))
        ret->project = S("default");
    spec_read_policy(ret, val_get(spec, S("syncPolicy")));

    if (val_count(val_get(spec, S("sources"))) > 0)
        return err_set(err, ERR_UNSUPPORTED,
                       "not supported yet: spec.sources (several sources in one application)");
    if (val_get(spec, S("sourceHydrator")) != NULL)
        return err_set(err, ERR_UNSUPPORTED, "not supported yet: spec.sourceHydrator");
    if (!val_is(source, VAL_MAP))
        return err_set(err, ERR_INVALID, "spec.source is missing");
    return spec_check_destination(&ret->destination, err) && app_spec_check_source(source, err) &&
           spec_check_ignore(ret->ignore, err);
}

bool app_finalizer_is_cascade(str finalizer)
{
    return str_skip(&finalizer, S("resources-finalizer.argocd.argoproj.io")) &&
           (finalizer.len == 0 || str_eq(finalizer, S("/foreground")) ||
            str_eq(finalizer, S("/background")));
}

bool app_has_cascade(const struct val *application, enum sync_propagation *ret_propagation)
{
    struct val_iter it = val_iter(VAL_AT(application, "metadata", "finalizers"));
    bool found = false;

    while (val_next(&it)) {
        str finalizer = val_str(it.value);

        if (!app_finalizer_is_cascade(finalizer))
            continue;
        if (!found)
            *ret_propagation =
                    str_ends(finalizer, S("/background")) ? SYNC_BACKGROUND : SYNC_FOREGROUND;
        found = true;
    }
    return found;
}
