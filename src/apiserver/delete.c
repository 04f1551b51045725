/* SPDX-License-Identifier: Apache-2.0 */
/* delete and delete-collection: preconditions, propagation, finalizers, grace. */
#include "apiserver/api.h"

#include "apiserver/crd.h"
#include "apiserver/select.h"
#include "base/clock.h"
#include "doc/json.h"

#define FOREGROUND S("foregroundDeletion")
#define ORPHAN S("orphan")

/* This Status names the kind where others name the plural. */
static bool fail_precondition(struct api *api, const struct val *object, str why)
{
    api_fail(api, 409, "Conflict", "Operation cannot be fulfilled on %.*s \"%.*s\": %.*s",
             STR(kind_group_kind(api->arena, api->kind)), STR(object_name(object)), STR(why));
    val_set_str(api->arena, val_get(api->object, S("details")), S("kind"), api->kind->name);
    return false;
}

static bool check_preconditions(struct api *api, const struct val *object)
{
    str uid = api->q.precondition_uid;
    str rv = api->q.precondition_resource_version;

    if (!str_is_empty(uid) && !str_eq(uid, object_uid(object)))
        return fail_precondition(
                api, object,
                arena_printf(api->arena,
                             "the UID in the precondition (%.*s) does not match the UID in record "
                             "(%.*s). The object might have been deleted and then recreated",
                             STR(uid), STR(object_uid(object))));
    if (!str_is_empty(rv) && !str_eq(rv, object_resource_version(object)))
        return fail_precondition(
                api, object,
                arena_printf(
                        api->arena,
                        "the ResourceVersion in the precondition (%.*s) does not match the "
                        "ResourceVersion in record (%.*s). The object might have been modified",
                        STR(rv), STR(object_resource_version(object))));
    return true;
}

static void drop_finalizer(struct val *object, str finalizer)
{
    struct val *list = VAL_AT(object, "metadata", "finalizers");

    for (size_t i = 0; i < val_count(list);)
        if (str_eq(val_str(val_item(list, i)), finalizer))
            val_remove(list, i);
        else
            i++;
}

static void set_finalizer(struct arena *arena, struct val *object, str finalizer)
{
    struct val *metadata = val_ensure_map(arena, object, S("metadata"));

    if (!object_has_finalizer(object, finalizer))
        val_append(arena, val_ensure_list(arena, metadata, S("finalizers")),
                   val_string(arena, finalizer));
}

/* How the dependents go is a finalizer of the owner's. */
static void set_propagation(struct arena *arena, struct val *object, str propagation)
{
    if (str_is_empty(propagation))
        return; /* finalizers that stand there already decide */
    if (!str_eq(propagation, S("Foreground")))
        drop_finalizer(object, FOREGROUND);
    if (!str_eq(propagation, S("Orphan")))
        drop_finalizer(object, ORPHAN);
    if (str_eq(propagation, S("Foreground")))
        set_finalizer(arena, object, FOREGROUND);
    if (str_eq(propagation, S("Orphan")))
        set_finalizer(arena, object, ORPHAN);
}

/* A Pod on a node gets its time to stop; everything else goes at once. */
static int64_t grace_of(const struct kind *kind, const struct val *object, int64_t asked)
{
    str phase = VAL_STR(object, "status", "phase");

    if (!str_eq(kind->key, S("/pods")) || str_is_empty(VAL_STR(object, "spec", "nodeName")) ||
        str_eq(phase, S("Succeeded")) || str_eq(phase, S("Failed")))
        return 0;
    if (asked >= 0)
        return asked;
    return val_i64_or(VAL_AT(object, "spec", "terminationGracePeriodSeconds"), 30);
}

static void mark_deleting(struct arena *arena, const struct kind *kind, struct val *object,
                          int64_t grace)
{
    struct val *metadata = val_ensure_map(arena, object, S("metadata"));
    char text[CLOCK_RFC3339_SIZE];

    clock_format(clock_wall_ms() + grace * 1000, text);
    if (!object_is_deleting(object)) {
        int64_t generation = val_i64_or(val_get(metadata, S("generation")), 0);

        val_set_str(arena, metadata, S("deletionTimestamp"), str_from(text));
        if (generation > 0)
            val_set(arena, metadata, S("generation"), val_int(arena, generation + 1));
        if (!str_eq(kind->key, S("/namespaces")))
            val_set(arena, metadata, S("deletionGracePeriodSeconds"), val_int(arena, grace));
    } else if (grace < val_i64_or(val_get(metadata, S("deletionGracePeriodSeconds")), 0)) {
        val_set_str(arena, metadata, S("deletionTimestamp"), str_from(text));
        val_set(arena, metadata, S("deletionGracePeriodSeconds"), val_int(arena, grace));
    }
}

/* A definition goes after its instances: apiextensions' own finalizer holds it. */
static void hold_kind(struct api *api, const struct kind *kind, struct val *object)
{
    struct arena *arena = api->arena;

    if (str_eq(kind->key, S("/namespaces")))
        val_set_str(arena, val_ensure_map(arena, object, S("status")), S("phase"),
                    S("Terminating"));
    if (str_eq(kind->key, CRD_KEY) && !object_is_deleting(object))
        set_finalizer(arena, object, S("customresourcecleanup.apiextensions.k8s.io"));
}

static bool is_held(const struct kind *kind, const struct val *object)
{
    return val_count(VAL_AT(object, "metadata", "finalizers")) > 0 ||
           (str_eq(kind->key, S("/namespaces")) &&
            val_count(VAL_AT(object, "spec", "finalizers")) > 0);
}

bool object_remove(struct api *api, const struct kind *kind, struct val *object,
                   const struct remove_options *options, bool *ret_gone)
{
    struct val *next = val_dup(api->arena, object);
    int64_t grace = grace_of(kind, object, options->grace);

    set_propagation(api->arena, next, options->propagation);
    hold_kind(api, kind, next);
    *ret_gone = !is_held(kind, next) && grace == 0;
    if (*ret_gone)
        return object_erase(api, kind, object);
    mark_deleting(api->arena, kind, next, grace);
    if (str_eq(kind->key, CRD_KEY))
        crd_set_status(api->server, api->arena, next);
    if (!val_eq(next, object) && !object_save(api, kind, next, object))
        return false;
    *object = *next;
    return true;
}

static bool is_protected(const struct api *api, str name)
{
    static const str names[] = {S_INIT("default"), S_INIT("kube-system"), S_INIT("kube-public")};

    if (!str_eq(api->kind->key, S("/namespaces")))
        return false;
    for (size_t i = 0; i < COUNT(names); i++)
        if (str_eq(names[i], name))
            return true;
    return false;
}

static struct val *success(struct api *api, const struct val *object)
{
    struct arena *arena = api->arena;
    struct val *status = val_new(arena, val_map());

    val_set_str(arena, status, S("kind"), S("Status"));
    val_set_str(arena, status, S("apiVersion"), S("v1"));
    val_ensure_map(arena, status, S("metadata"));
    val_set_str(arena, status, S("status"), S("Success"));
    struct val *details = val_ensure_map(arena, status, S("details"));
    val_set_str(arena, details, S("name"), object_name(object));
    if (!str_is_empty(api->kind->group))
        val_set_str(arena, details, S("group"), api->kind->group);
    val_set_str(arena, details, S("kind"), api->kind->plural);
    val_set_str(arena, details, S("uid"), object_uid(object));
    return status;
}

/* DeleteOptions come in the body; query parameters and the caller's fields count as well. */
static bool read_options(struct api *api, struct remove_options *ret_options)
{
    const struct val *body = api->q.body;
    str propagation = val_get_str(body, S("propagationPolicy"));

    if (str_is_empty(api->q.propagation))
        api->q.propagation = propagation;
    if (val_get_bool(body, S("orphanDependents"), false) || api->orphan_dependents)
        api->q.propagation = S("Orphan");
    if (str_is_empty(api->q.precondition_uid))
        api->q.precondition_uid = VAL_STR(body, "preconditions", "uid");
    if (str_is_empty(api->q.precondition_resource_version))
        api->q.precondition_resource_version = VAL_STR(body, "preconditions", "resourceVersion");
    if (val_count(val_get(body, S("dryRun"))) > 0)
        api->q.dry_run = true;
    propagation = api->q.propagation;
    if (!str_is_empty(propagation) && !str_eq(propagation, S("Foreground")) &&
        !str_eq(propagation, S("Background")) && !str_eq(propagation, S("Orphan")))
        return api_fail_options(api, "FieldValueNotSupported", "propagationPolicy",
                                "Unsupported value: \"%.*s\": supported values: \"Foreground\", "
                                "\"Background\", \"Orphan\", \"nil\"",
                                STR(propagation));
    ret_options->propagation = propagation;
    ret_options->grace = val_i64_or(val_get(body, S("gracePeriodSeconds")), api->grace);
    return true;
}

void api_delete(struct api *api)
{
    struct val *object = NULL;
    struct remove_options options;
    bool gone = false;

    if (!read_options(api, &options))
        return;
    switch (object_load(api, api->kind, api->q.namespace_, api->q.name, &object)) {
    case OBJECT_FAILED:
        return;
    case OBJECT_ABSENT:
        api_fail_not_found(api, api->q.name);
        return;
    case OBJECT_FOUND:
        break;
    }
    if (!check_preconditions(api, object))
        return;
    if (is_protected(api, api->q.name)) {
        api_fail(api, 403, "Forbidden",
                 "namespaces \"%.*s\" is forbidden: this namespace may not be deleted",
                 STR(api->q.name));
        return;
    }
    if (api->q.dry_run) {
        api_answer(api, 200, success(api, object));
        return;
    }
    if (!object_remove(api, api->kind, object, &options, &gone))
        return;
    if (gone)
        api_answer(api, 200, success(api, object));
    else
        api_answer(api, 200, object_in_version(api->arena, api->kind, api->version, object));
}

struct chosen {
    struct api *api;
    struct select select;
    struct val *objects;
};

static bool choose(void *owner, const struct store_row *row)
{
    struct chosen *chosen = owner;
    struct val *object = NULL;

    if (json_parse(chosen->api->arena, row->json, NULL, &object, NULL) &&
        select_matches(&chosen->select, object))
        val_append(chosen->api->arena, chosen->objects, *object);
    return !arena_is_over(chosen->api->arena);
}

void api_delete_collection(struct api *api)
{
    struct chosen chosen = {.api = api, .objects = val_new(api->arena, val_list())};
    struct store_range range = {.resource = api->kind->key, .namespace_ = api->q.namespace_};
    struct remove_options options;
    struct err err = {0};
    bool gone;

    if (!read_options(api, &options) || !select_open(api, api->arena, &chosen.select))
        return;
    if (!store_each(api->server->store, &range, choose, &chosen, &err) ||
        !arena_check(api->arena, "the objects to delete", &err)) {
        api_fail_err(api, &err);
        return;
    }
    struct val_iter it = val_iter(chosen.objects);
    while (val_next(&it))
        if (!is_protected(api, object_name(it.value)) && !api->q.dry_run &&
            !object_remove(api, api->kind, it.value, &options, &gone))
            return;

    struct val *list = val_new(api->arena, val_map());
    val_set_str(api->arena, list, S("kind"), api->kind->list);
    val_set_str(api->arena, list, S("apiVersion"),
                api_version_of(api->arena, api->kind, api->version));
    struct val *metadata = val_ensure_map(api->arena, list, S("metadata"));
    val_set_str(api->arena, metadata, S("resourceVersion"),
                arena_printf(api->arena, "%lld", (long long)store_rv(api->server->store)));
    val_set(api->arena, list, S("items"), *chosen.objects);
    api_answer(api, 200, list);
}
