/* SPDX-License-Identifier: Apache-2.0 */
/* create, update, the four patches: each makes the object that is to be, write.c does the rest. */
#include "apiserver/write.h"

#include "apiserver/strategy.h"
#include "doc/json_patch.h"
#include "doc/merge_patch.h"
#include "schema/strategic.h"
#include "schema/validate.h"

void api_create(struct api *api)
{
    struct write write = {0};
    struct val *object = val_dup(api->arena, api->q.body);

    api->q.name = STR_EMPTY;
    if (!write_decode(api, object, /*is_patch=*/false))
        return;
    api->q.name = object_name(object);
    if (str_is_empty(api->q.name) && str_is_empty(VAL_STR(object, "metadata", "generateName"))) {
        struct val *problems = val_new(api->arena, val_list());

        validate_problem(api->arena, problems, "FieldValueRequired", S("metadata.name"),
                         "Required value: name or generateName is required");
        api_fail_invalid(api, STR_EMPTY, problems);
        return;
    }
    if (str_is_empty(object_uid(object)))
        api->q.resource_version = STR_EMPTY;
    if (!str_is_empty(object_resource_version(object)) &&
        !str_eq(object_resource_version(object), S("0"))) {
        api_fail(api, 500, "", "resourceVersion should not be set on objects to be created");
        return;
    }
    write.object = object;
    write_object(api, &write);
}

/* The live object in both versions. false: the answer stands. */
static bool load_live(struct api *api, struct write *write, bool *ret_absent)
{
    struct val *live = NULL;

    *ret_absent = false;
    switch (object_load(api, api->kind, api->q.namespace_, api->q.name, &live)) {
    case OBJECT_FAILED:
        return false;
    case OBJECT_ABSENT:
        *ret_absent = true;
        return api_fail_not_found(api, api->q.name);
    case OBJECT_FOUND:
        break;
    }
    write->live = live;
    write->live_v = object_in_version(api->arena, api->kind, api->version, live);
    return true;
}

/* PUT of a namespace's finalize takes its spec.finalizers and nothing else. */
static void finalize_body(struct api *api, struct write *write)
{
    const struct val *finalizers = VAL_AT(write->object, "spec", "finalizers");
    struct val kept = finalizers == NULL ? val_list() : *finalizers;

    write->object = val_dup(api->arena, write->live_v);
    struct val *spec = val_ensure_map(api->arena, write->object, S("spec"));
    val_set(api->arena, spec, S("finalizers"), kept);
}

void api_update(struct api *api)
{
    struct write write = {0};
    struct val *object = val_dup(api->arena, api->q.body);
    bool absent;

    if (!write_decode(api, object, /*is_patch=*/false))
        return;
    if (str_is_empty(object_name(object))) {
        api_fail(api, 400, "BadRequest",
                 "the name of the object (%.*s based on URL) was undeterminable: name must be "
                 "provided",
                 STR(api->q.name));
        return;
    }
    if (!load_live(api, &write, &absent))
        return;
    if (api->kind->is_crd && str_is_empty(object_resource_version(object))) {
        struct val *problems = val_new(api->arena, val_list());

        validate_problem(api->arena, problems, "FieldValueInvalid", S("metadata.resourceVersion"),
                         "Invalid value: 0: must be specified for an update");
        api_fail_causes(api, 422, "Invalid", problems,
                        "%.*s \"%.*s\" is invalid: metadata.resourceVersion: Invalid value: 0: "
                        "must be specified for an update",
                        STR(api_qualified(api)), STR(api->q.name));
        return;
    }
    write.object = object;
    if (str_eq(api->q.subresource, S("finalize")))
        finalize_body(api, &write);
    write_object(api, &write);
}

/* The real server says nothing but this; what was wrong with the patch follows in ours. */
static bool fail_patch(struct api *api, const struct err *err)
{
    const struct kind *kind = api->kind;

    api->kind = NULL;
    api_fail_causes(api, 422, "Invalid", val_new(api->arena, val_map()),
                    "the server rejected our request due to an error in our request (%s)",
                    err->message);
    api->kind = kind;
    return false;
}

static bool patched(struct api *api, struct write *write)
{
    struct err err = {0};

    write->object = val_dup(api->arena, write->live_v);
    switch (api->q.verb) {
    case KUBE_PATCH_JSON:
        if (!val_is(api->q.body, VAL_LIST))
            return api_fail(api, 400, "BadRequest", "error decoding patch: a JSON patch is a list");
        return json_patch_apply(api->arena, write->object, api->q.body, &err) ||
               fail_patch(api, &err);
    case KUBE_PATCH_MERGE:
        merge_patch_apply(api->arena, write->object, api->q.body);
        return true;
    case KUBE_PATCH_STRATEGIC:
        if (api->kind->is_crd)
            return api_fail(api, 415, "UnsupportedMediaType",
                            "the body of the request was in an unknown format - accepted media "
                            "types include: application/json-patch+json, "
                            "application/merge-patch+json, application/apply-patch+yaml");
        return strategic_apply(api->arena, api->version->type, write->object, api->q.body, &err) ||
               api_fail(api, 400, "BadRequest", "%s", err.message);
    case KUBE_GET:
    case KUBE_LIST:
    case KUBE_CREATE:
    case KUBE_UPDATE:
    case KUBE_APPLY:
    case KUBE_DELETE:
    case KUBE_DELETE_COLLECTION:
    case KUBE_WATCH:
    case KUBE_RAW_GET:
        break;
    }
    return api_fail(api, 415, "UnsupportedMediaType", "this is no patch");
}

static bool fail_apply(struct api *api, const struct err *err, const struct managed_result *result)
{
    const struct kind *kind = api->kind;

    if (err->code != ERR_CONFLICT)
        return err->code == ERR_INVALID ? api_fail(api, 400, "BadRequest", "%s", err->message)
                                        : api_fail(api, 500, "", "%s", err->message);
    api->kind = NULL; /* this Status names the fields alone */
    api_fail_causes(api, 409, "Conflict", result->causes, "%s", err->message);
    api->kind = kind;
    return false;
}

/* Whether the patch is for this endpoint; what it leaves out comes from the URL. */
static bool apply_body(struct api *api, struct val *patch)
{
    if (str_is_empty(api->q.field_manager))
        return api_fail_options(api, "FieldValueRequired", "fieldManager",
                                "Required value: is required for apply patch");
    if (!val_is(patch, VAL_MAP))
        return api_fail(api, 400, "BadRequest", "error decoding YAML: the patch is no object");
    str api_version = api_version_of(api->arena, api->kind, api->version);
    if (!str_eq(val_get_str(patch, S("apiVersion")), api_version) ||
        !str_eq(val_get_str(patch, S("kind")), api->kind->name))
        return api_fail(api, 400, "BadRequest", "invalid object type: %.*s/%.*s, Kind=%.*s",
                        STR(gvk_of(patch).group), STR(gvk_of(patch).version),
                        STR(gvk_of(patch).kind));
    if (VAL_AT(patch, "metadata", "managedFields") != NULL &&
        val_count(VAL_AT(patch, "metadata", "managedFields")) > 0)
        return api_fail(api, 400, "BadRequest", "metadata.managedFields must be nil");
    /* names are checked here and set after the merge: messages show the patch as it came */
    return write_names(api, val_dup(api->arena, patch));
}

static void api_apply(struct api *api)
{
    struct write write = {.applied = true};
    struct managed_result result = {0};
    struct val *patch = val_dup(api->arena, api->q.body);
    struct err err = {0};
    bool absent = false;

    if (!apply_body(api, patch))
        return;
    if (!load_live(api, &write, &absent) && (!absent || !str_is_empty(api->q.subresource)))
        return;
    if (absent && !api_may(api, "create")) /* an apply that creates needs both rights */
        return;
    struct managed_request request = write_managed(api, patch);
    str rv = object_resource_version(patch);
    if (absent && !str_is_empty(rv)) {
        api_fail(api, 409, "Conflict",
                 "Operation cannot be fulfilled on %.*s \"%.*s\": the object has been modified; "
                 "please apply your changes to the latest version and try again",
                 STR(api_qualified(api)), STR(api->q.name));
        return;
    }
    if (!managed_apply(api->arena, &request, write.live_v, patch, &result, &err)) {
        fail_apply(api, &err, &result);
        return;
    }
    write.object = val_dup(api->arena, result.object);
    if (!absent && !result.changed)
        write.object = val_dup(api->arena, write.live_v);
    val_set_str(api->arena, write.object, S("kind"), api->kind->name);
    val_set_str(api->arena, write.object, S("apiVersion"),
                api_version_of(api->arena, api->kind, api->version));
    if (!str_is_empty(rv))
        val_set_str(api->arena, val_get(write.object, S("metadata")), S("resourceVersion"), rv);
    if (!api->kind->is_crd)
        validate_normalise_builtin(api->arena, api->version->type, write.object);
    strategy_decode(api, write.object);
    if (write_names(api, write.object))
        write_object(api, &write);
}

void api_patch(struct api *api)
{
    struct write write = {.is_patch = true};
    bool absent;

    if (api->q.verb == KUBE_APPLY) {
        api_apply(api);
        return;
    }
    if (api->q.force) {
        api_fail_options(api, "FieldValueForbidden", "force",
                         "Forbidden: may not be specified for non-apply patch");
        return;
    }
    if (!load_live(api, &write, &absent) || !patched(api, &write) ||
        !write_decode(api, write.object, /*is_patch=*/true))
        return;
    write_object(api, &write);
}
