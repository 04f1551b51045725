/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/url.h"

/* The longest: apis group version namespaces ns resource name sub-resource. */
#define PARTS_MAX 8

static size_t split(str path, str parts[PARTS_MAX])
{
    size_t count = 0;
    str part;

    str_skip(&path, S("/"));
    str_chop(&path, S("/"));
    while (str_split(&path, '/', &part)) {
        if (count == PARTS_MAX || str_is_empty(part))
            return 0;
        parts[count++] = part;
    }
    return count;
}

bool url_path(str path, struct kube_request *ret_request)
{
    str parts[PARTS_MAX];
    size_t count = split(path, parts), at;
    struct kube_request q = {0};

    if (count >= 3 && str_eq(parts[0], S("api"))) {
        q.gvr.version = parts[1];
        at = 2;
    } else if (count >= 4 && str_eq(parts[0], S("apis"))) {
        q.gvr.group = parts[1];
        q.gvr.version = parts[2];
        at = 3;
    } else {
        return false;
    }
    /* namespaces/x/status is the namespace's own; namespaces/x/pods is not */
    bool own = count - at == 3 &&
               (str_eq(parts[at + 2], S("status")) || str_eq(parts[at + 2], S("finalize")));
    if (str_eq(parts[at], S("namespaces")) && count - at >= 3 && !own) {
        q.namespace_ = parts[at + 1];
        at += 2;
    }
    if (count - at > 3)
        return false;
    q.gvr.resource = parts[at];
    if (count - at > 1)
        q.name = parts[at + 1];
    if (count - at > 2)
        q.subresource = parts[at + 2];

    *ret_request = q;
    return true;
}

static bool is_true(str text)
{
    return str_eq(text, S("true")) || str_eq(text, S("1")) || str_is_empty(text);
}

static bool bad(struct api *api, const char *name, str value, const char *detail)
{
    return api_fail(api, 400, "BadRequest", "%s: Invalid value: \"%.*s\": %s", name, STR(value),
                    detail);
}

static bool set_number(struct api *api, const char *name, str value, int64_t *ret)
{
    return (str_to_i64(value, ret) && *ret >= 0) ||
           bad(api, name, value, "must be a number that is not negative");
}

static bool set_dry_run(struct api *api, str value)
{
    if (!str_eq(value, S("All")))
        return api_fail_options(api, "FieldValueNotSupported", "dryRun",
                                "Unsupported value: [\"%.*s\"]: supported values: \"All\"",
                                STR(value));
    api->q.dry_run = true;
    return true;
}

static bool set_validation(struct api *api, str value)
{
    if (!str_is_empty(value) && !str_eq(value, S("Strict")) && !str_eq(value, S("Warn")) &&
        !str_eq(value, S("Ignore")))
        return api_fail_options(api, "FieldValueNotSupported", "fieldValidation",
                                "Unsupported value: \"%.*s\": supported values: \"\", "
                                "\"Ignore\", \"Strict\", \"Warn\"",
                                STR(value));
    api->q.field_validation = value;
    return true;
}

static bool set_param(struct api *api, str name, str value, bool *ret_watch)
{
    struct kube_request *q = &api->q;
    const struct {
        const char *name;
        str *text;
        bool *flag;
    } table[] = {
            {"labelSelector", &q->label_selector, NULL},
            {"fieldSelector", &q->field_selector, NULL},
            {"continue", &q->continue_, NULL},
            {"resourceVersion", &q->resource_version, NULL},
            {"resourceVersionMatch", &api->match, NULL},
            {"fieldManager", &q->field_manager, NULL},
            {"propagationPolicy", &q->propagation, NULL},
            {"includeObject", &api->include_object, NULL},
            {"watch", NULL, ret_watch},
            {"force", NULL, &q->force},
            {"allowWatchBookmarks", NULL, &q->allow_bookmarks},
            {"sendInitialEvents", NULL, &api->send_initial},
            {"orphanDependents", NULL, &api->orphan_dependents},
    };

    for (size_t i = 0; i < COUNT(table); i++) {
        if (!str_eq(name, str_from(table[i].name)))
            continue;
        if (table[i].text != NULL)
            *table[i].text = value;
        else
            *table[i].flag = is_true(value);
        return true;
    }
    if (str_eq(name, S("limit")))
        return set_number(api, "limit", value, &q->limit);
    if (str_eq(name, S("gracePeriodSeconds")))
        return set_number(api, "gracePeriodSeconds", value, &api->grace);
    if (str_eq(name, S("dryRun")))
        return set_dry_run(api, value);
    if (str_eq(name, S("fieldValidation")))
        return set_validation(api, value);
    return true; /* what we do not know changes nothing: pretty, timeout … */
}

bool url_params(struct api *api, struct http_request *request, bool *ret_watch)
{
    for (size_t i = 0; i < request->param_count; i++)
        if (!set_param(api, request->params[i].name, request->params[i].value, ret_watch))
            return false;
    return true;
}
