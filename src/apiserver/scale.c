/* SPDX-License-Identifier: Apache-2.0 */
/* The scale sub-resource: an autoscaling/v1 Scale that stands for an object's replicas. */
#include "apiserver/api.h"

#include "doc/json_patch.h"
#include "doc/merge_patch.h"
#include "doc/pointer.h"
#include "schema/selector.h"
#include "schema/validate.h"

struct paths {
    str spec;
    str status;
    str selector;
};

/* ".spec.replicas" → "/spec/replicas": the simple JSON paths that CRDs may name. */
static str pointer_of(struct arena *arena, str path)
{
    str pointer = STR_EMPTY, part;

    while (str_split(&path, '.', &part))
        if (!str_is_empty(part))
            pointer = pointer_join(arena, pointer, part);
    return pointer;
}

static struct paths paths_of(struct api *api)
{
    const struct val *scale = api->version->scale;

    if (!api->kind->is_crd)
        return (struct paths){S("/spec/replicas"), S("/status/replicas"), S("/spec/selector")};
    return (struct paths){
            pointer_of(api->arena, val_get_str(scale, S("specReplicasPath"))),
            pointer_of(api->arena, val_get_str(scale, S("statusReplicasPath"))),
            pointer_of(api->arena, val_get_str(scale, S("labelSelectorPath"))),
    };
}

static struct val *scale_of(struct api *api, const struct val *object)
{
    static const char *const kept[] = {"name", "namespace", "uid", "resourceVersion",
                                       "creationTimestamp"};
    struct arena *arena = api->arena;
    struct paths paths = paths_of(api);
    struct val *scale = val_new(arena, val_map());

    val_set_str(arena, scale, S("kind"), S("Scale"));
    val_set_str(arena, scale, S("apiVersion"), S("autoscaling/v1"));
    struct val *metadata = val_ensure_map(arena, scale, S("metadata"));
    for (size_t i = 0; i < COUNT(kept); i++) {
        const struct val *value = VAL_AT(object, "metadata", kept[i]);

        if (value != NULL)
            val_set(arena, metadata, str_from(kept[i]), *value);
    }
    struct val *spec = val_ensure_map(arena, scale, S("spec"));
    const struct val *replicas = pointer_get(object, paths.spec);
    if (val_i64_or(replicas, 0) != 0) /* Go leaves zero out */
        val_set(arena, spec, S("replicas"), *replicas);
    struct val *status = val_ensure_map(arena, scale, S("status"));
    val_set(arena, status, S("replicas"),
            val_int(arena, val_i64_or(pointer_get(object, paths.status), 0)));
    const struct val *selector =
            str_is_empty(paths.selector) ? NULL : pointer_get(object, paths.selector);
    if (val_is(selector, VAL_STRING))
        val_set(arena, status, S("selector"), *selector);
    else if (selector != NULL)
        val_set_str(arena, status, S("selector"), selector_text(arena, selector));
    return scale;
}

static bool changed_scale(struct api *api, struct val *scale)
{
    struct err err = {0};

    switch (api->q.verb) {
    case KUBE_UPDATE:
        *scale = val_dup_value(api->arena, api->q.body);
        return true;
    case KUBE_PATCH_MERGE:
    case KUBE_PATCH_STRATEGIC:
        merge_patch_apply(api->arena, scale, api->q.body);
        return true;
    case KUBE_PATCH_JSON:
        return json_patch_apply(api->arena, scale, api->q.body, &err) ||
               api_fail(api, 422, "Invalid", "%s", err.message);
    case KUBE_GET:
    case KUBE_LIST:
    case KUBE_CREATE:
    case KUBE_APPLY:
    case KUBE_DELETE:
    case KUBE_DELETE_COLLECTION:
    case KUBE_WATCH:
    case KUBE_RAW_GET:
        break;
    }
    return api_fail(api, 415, "UnsupportedMediaType",
                    "a scale is changed by update, JSON patch or merge patch");
}

static bool fail_replicas(struct api *api, int64_t replicas)
{
    struct val *causes = val_new(api->arena, val_list());

    validate_problem(api->arena, causes, "FieldValueInvalid", S("spec.replicas"),
                     "Invalid value: %lld: must be greater than or equal to 0",
                     (long long)replicas);
    api_fail_causes(api, 422, "Invalid", causes,
                    "Scale.autoscaling \"%.*s\" is invalid: spec.replicas: Invalid value: %lld: "
                    "must be greater than or equal to 0",
                    STR(api->q.name), (long long)replicas);
    struct val *details = val_get(api->object, S("details"));
    val_set_str(api->arena, details, S("group"), S("autoscaling"));
    val_set_str(api->arena, details, S("kind"), S("Scale"));
    return false;
}

static bool check_scale(struct api *api, const struct val *scale, const struct val *live,
                        int64_t *ret_replicas)
{
    int64_t replicas = val_i64_or(VAL_AT(scale, "spec", "replicas"), 0);
    str rv = object_resource_version(scale);

    if (!str_is_empty(rv) && !str_eq(rv, object_resource_version(live)))
        return api_fail(api, 409, "Conflict",
                        "Operation cannot be fulfilled on %.*s \"%.*s\": the object has been "
                        "modified; please apply your changes to the latest version and try again",
                        STR(api_qualified(api)), STR(api->q.name));
    if (replicas < 0 || replicas > INT32_MAX)
        return fail_replicas(api, replicas);
    *ret_replicas = replicas;
    return true;
}

void api_scale(struct api *api)
{
    struct val *live = NULL;
    int64_t replicas = 0;
    struct err err = {0};

    switch (object_load(api, api->kind, api->q.namespace_, api->q.name, &live)) {
    case OBJECT_FAILED:
        return;
    case OBJECT_ABSENT:
        api_fail_not_found(api, api->q.name);
        return;
    case OBJECT_FOUND:
        break;
    }
    struct val *live_v = object_in_version(api->arena, api->kind, api->version, live);
    str path = paths_of(api).spec;
    if (pointer_get(live_v, path) == NULL) {
        api_fail(api, 500, "InternalError",
                 "Internal error occurred: the spec replicas field \"%.*s\" does not exist",
                 STR(api->kind->is_crd ? val_get_str(api->version->scale, S("specReplicasPath"))
                                       : S(".spec.replicas")));
        return;
    }
    struct val *scale = scale_of(api, live_v);
    if (api->q.verb == KUBE_GET) {
        api_answer(api, 200, scale);
        return;
    }
    if (!changed_scale(api, scale) || !check_scale(api, scale, live_v, &replicas))
        return;

    struct val *object = val_dup(api->arena, live_v);
    if (!pointer_set(api->arena, object, path, val_int(api->arena, replicas), &err)) {
        api_fail_err(api, &err);
        return;
    }
    struct write write = {.object = object, .live = live, .live_v = live_v};
    if (write_object(api, &write))
        api_answer(api, 200, scale_of(api, api->object));
}
