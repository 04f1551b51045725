/* SPDX-License-Identifier: Apache-2.0 */
/* Everything between an object that is to be and the store: metadata, defaults, rules, ownership.
 */
#include "apiserver/write.h"

#include "apiserver/crd.h"
#include "apiserver/escalate.h"
#include "apiserver/strategy.h"
#include "base/clock.h"
#include "schema/validate.h"

#include <sys/random.h>

struct gvk write_gvk(const struct api *api)
{
    return (struct gvk){api->kind->group, api->version->name, api->kind->name};
}

static bool is_main(const struct api *api)
{
    return str_is_empty(api->q.subresource);
}

static bool is_status(const struct api *api)
{
    return str_eq(api->q.subresource, S("status"));
}

static void set_defaults(struct api *api, struct val *object)
{
    if (api->kind->is_crd)
        validate_default(api->arena, api->version->type, object);
    else
        validate_default_builtin(api->arena, write_gvk(api), object);
}

/* ---- metadata ---- */

static str now_text(struct api *api)
{
    char text[CLOCK_RFC3339_SIZE];

    clock_format(clock_wall_ms(), text);
    return arena_str(api->arena, str_from(text));
}

static str random_name(struct api *api, str prefix)
{
    static const char letters[] = "bcdfghjklmnpqrstvwxz2456789"; /* apimachinery's, no vowels */
    unsigned char bytes[5] = {0};
    char suffix[5];

    (void)!getrandom(bytes, sizeof(bytes), 0);
    for (size_t i = 0; i < sizeof(bytes); i++)
        suffix[i] = letters[bytes[i] % (sizeof(letters) - 1)];
    return arena_join(api->arena, str_first(prefix, 58), str_of(suffix, sizeof(suffix)));
}

static void begin_metadata(struct api *api, struct val *object)
{
    static const char *const ours[] = {
            "uid",        "resourceVersion",   "creationTimestamp",
            "generation", "deletionTimestamp", "deletionGracePeriodSeconds",
            "selfLink"};
    struct val *metadata = val_ensure_map(api->arena, object, S("metadata"));

    for (size_t i = 0; i < COUNT(ours); i++)
        val_del(metadata, str_from(ours[i]));
    if (!api->kind->namespaced)
        val_del(metadata, S("namespace")); /* as kube-apiserver: cleared, not refused */
    if (str_is_empty(val_get_str(metadata, S("name"))) &&
        !str_is_empty(val_get_str(metadata, S("generateName")))) {
        val_set_str(api->arena, metadata, S("name"),
                    random_name(api, val_get_str(metadata, S("generateName"))));
        strategy_decode(api, object);
    }
    val_set_str(api->arena, metadata, S("uid"), object_new_uid(api->arena));
    val_set_str(api->arena, metadata, S("creationTimestamp"), now_text(api));
}

/* What only the server changes is as it was, whatever the body says. */
static bool keep_metadata(struct api *api, struct val *object, const struct val *live)
{
    static const char *const ours[] = {
            "uid",          "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
            "generateName", "generation",        "resourceVersion"};
    struct arena *arena = api->arena;
    struct val *metadata = val_ensure_map(arena, object, S("metadata"));
    str uid = val_get_str(metadata, S("uid"));

    if (!api->kind->namespaced)
        val_del(metadata, S("namespace"));
    str rv = val_get_str(metadata, S("resourceVersion"));

    if (!str_is_empty(uid) && !str_eq(uid, object_uid(live)))
        return api_fail(api, 409, "Conflict",
                        "Operation cannot be fulfilled on %.*s \"%.*s\": StorageError: invalid "
                        "object, Code: 4, Key: /registry/%.*s%s%.*s%s%.*s/%.*s, ResourceVersion: "
                        "0, AdditionalErrorMsg: Precondition failed: UID in precondition: %.*s, "
                        "UID in object meta: %.*s",
                        STR(api_qualified(api)), STR(api->q.name),
                        STR(api->kind->is_crd ? api->kind->group : STR_EMPTY),
                        api->kind->is_crd ? "/" : "", STR(api->kind->plural),
                        api->kind->namespaced ? "/" : "", STR(api->q.namespace_), STR(api->q.name),
                        STR(uid), STR(object_uid(live)));
    if (!str_is_empty(rv) && !str_eq(rv, S("0")) && !str_eq(rv, object_resource_version(live)))
        return api_fail(api, 409, "Conflict",
                        "Operation cannot be fulfilled on %.*s \"%.*s\": the object has been "
                        "modified; please apply your changes to the latest version and try again",
                        STR(api_qualified(api)), STR(api->q.name));
    for (size_t i = 0; i < COUNT(ours); i++) {
        str key = str_from(ours[i]);
        const struct val *value = VAL_AT(live, "metadata", ours[i]);

        if (value != NULL)
            val_set(arena, metadata, key, *value);
        else
            val_del(metadata, key);
    }
    val_del(metadata, S("selfLink"));
    return true;
}

/* An object that goes may lose finalizers, never gain them. */
static void check_finalizers(struct api *api, const struct val *object, const struct val *live,
                             struct val *problems)
{
    str added = STR_EMPTY;
    struct val_iter it = val_iter(VAL_AT(object, "metadata", "finalizers"));

    if (!object_is_deleting(live))
        return;
    while (val_next(&it))
        if (!object_has_finalizer(live, val_str(it.value)))
            added = arena_printf(api->arena, "%.*s%s\"%.*s\"", STR(added),
                                 str_is_empty(added) ? "" : ", ", STR(val_str(it.value)));
    if (!str_is_empty(added))
        validate_problem(api->arena, problems, "FieldValueForbidden", S("metadata.finalizers"),
                         "Forbidden: no new finalizers can be added if the object is being "
                         "deleted, found new finalizers []string{%.*s}",
                         STR(added));
}

/* ---- rules ---- */

/* A Service's name becomes a DNS label of the old rule, which begins with a letter. */
static void check_service_name(struct api *api, const struct val *object, struct val *problems)
{
    str name = object_name(object);
    bool good = name.len > 0 && name.len <= 63 && name.at[0] >= 'a' && name.at[0] <= 'z' &&
                name.at[name.len - 1] != '-';

    for (size_t i = 0; i < name.len && good; i++)
        good = (name.at[i] >= 'a' && name.at[i] <= 'z') ||
               (name.at[i] >= '0' && name.at[i] <= '9') || name.at[i] == '-';
    if (!good)
        validate_problem(api->arena, problems, "FieldValueInvalid", S("metadata.name"),
                         "Invalid value: \"%.*s\": a DNS-1035 label must consist of lower case "
                         "alphanumeric characters or '-', start with an alphabetic character, and "
                         "end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex "
                         "used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
                         STR(name));
}

static bool check_rules(struct api *api, struct val *object, const struct val *live)
{
    struct arena *arena = api->arena;
    struct val *problems = val_new(arena, val_list());

    if (str_eq(api->kind->key, S("/services")) && live == NULL)
        check_service_name(api, object, problems);
    if (val_count(problems) == 0)
        validate_metadata(arena, object, api->kind->namespaced,
                          /*label_name=*/str_eq(api->kind->key, S("/namespaces")), problems);
    if (live != NULL)
        check_finalizers(api, object, live, problems);
    if (str_eq(api->kind->key, CRD_KEY))
        crd_validate(arena, object, live, problems);
    else if (api->kind->is_crd)
        validate_structural(arena, api->version->type, object, problems);
    else
        validate_builtin(arena, write_gvk(api), object, live, problems);
    return val_count(problems) == 0 || api_fail_invalid(api, object_name(object), problems);
}

static bool check_namespace(struct api *api)
{
    struct val *namespace_ = NULL;
    str name = api->q.namespace_;

    if (!api->kind->namespaced)
        return true;
    const struct kind *kind = registry_find(api->server->registry, STR_EMPTY, S("namespaces"));
    switch (object_load(api, kind, STR_EMPTY, name, &namespace_)) {
    case OBJECT_FAILED:
        return false;
    case OBJECT_ABSENT: {
        const struct kind *asked = api->kind;
        str asked_name = api->q.name;

        api->kind = kind;
        api->q.name = name;
        api_fail_not_found(api, name);
        api->kind = asked;
        api->q.name = asked_name;
        return false;
    }
    case OBJECT_FOUND:
        break;
    }
    if (!object_is_deleting(namespace_))
        return true;
    struct val *causes = val_new(api->arena, val_list());
    struct val *cause = val_append(api->arena, causes, val_map());
    val_set_str(api->arena, cause, S("reason"), S("NamespaceTerminating"));
    val_set_str(api->arena, cause, S("message"),
                arena_printf(api->arena, "namespace %.*s is being terminated", STR(name)));
    val_set_str(api->arena, cause, S("field"), S("metadata.namespace"));
    return api_fail_causes(api, 403, "Forbidden", causes,
                           "%.*s \"%.*s\" is forbidden: unable to create new content in namespace "
                           "%.*s because it is being terminated",
                           STR(api_qualified(api)), STR(api->q.name), STR(name));
}

/* ---- ownership ---- */

static str manager_of(const struct api *api)
{
    str agent = api->user_agent;
    size_t slash = str_find_char(agent, '/');

    if (!str_is_empty(api->q.field_manager))
        return api->q.field_manager;
    agent = slash == SIZE_MAX ? agent : str_first(agent, slash);
    return str_is_empty(agent) ? S("unknown") : agent;
}

/* Fields that this endpoint puts back: nobody can own them through it. */
static const struct fieldset *reset_fields(struct api *api, const struct val *object)
{
    struct fieldset *set = fieldset_new(api->arena);
    struct path_element element = {.kind = PATH_FIELD};

    if (is_main(api)) {
        if (!api->version->has_status)
            return NULL;
        element.name = S("status");
        fieldset_insert(api->arena, set, (struct path){&element, 1});
        return set;
    }
    if (!is_status(api))
        return NULL;
    struct val_iter it = val_iter(object);
    while (val_next(&it)) {
        if (str_eq(it.key, S("status")) || str_eq(it.key, S("apiVersion")) ||
            str_eq(it.key, S("kind")))
            continue;
        element.name = it.key;
        fieldset_insert(api->arena, set, (struct path){&element, 1});
    }
    return set;
}

struct managed_request write_managed(struct api *api, const struct val *object)
{
    return (struct managed_request){
            .type = api->version->type,
            .gvk = write_gvk(api),
            .subresource = api->q.subresource,
            .manager = manager_of(api),
            .force = api->q.force,
            .now_ms = clock_wall_ms(),
            .ignore = reset_fields(api, object),
    };
}

/* ---- the way into the store ---- */

static struct val *without_managed(struct arena *arena, const struct val *object)
{
    struct val *copy = val_dup(arena, object);

    val_del(val_get(copy, S("metadata")), S("managedFields"));
    return copy;
}

/* Entries without their times: a write that changes nothing else is none. */
static bool same_owners(struct arena *arena, const struct val *a, const struct val *b)
{
    struct val *left = val_dup(arena, VAL_AT(a, "metadata", "managedFields"));
    struct val *right = val_dup(arena, VAL_AT(b, "metadata", "managedFields"));

    struct val_iter it = val_iter(left);
    while (val_next(&it))
        val_del(it.value, S("time"));
    it = val_iter(right);
    while (val_next(&it))
        val_del(it.value, S("time"));
    return val_eq(left, right);
}

static void tidy_metadata(struct val *object)
{
    static const char *const empty[] = {"labels", "annotations", "finalizers", "ownerReferences",
                                        "managedFields"};
    struct val *metadata = val_get(object, S("metadata"));

    for (size_t i = 0; i < COUNT(empty); i++) {
        const struct val *value = val_get(metadata, str_from(empty[i]));

        if (value != NULL && val_count(value) == 0)
            val_del(metadata, str_from(empty[i]));
    }
}

/* To the version in which the store keeps the kind. */
static struct val *to_storage(struct api *api, struct val *object)
{
    return object_in_version(api->arena, api->kind, kind_storage_version(api->kind), object);
}

static bool save_new(struct api *api, struct val *object)
{
    struct val *stored = to_storage(api, object);
    struct val *there = NULL;
    str name = object_name(object);

    switch (object_load(api, api->kind, api->q.namespace_, name, &there)) {
    case OBJECT_FAILED:
        return false;
    case OBJECT_FOUND:
        api->q.name = name;
        return api_fail(api, 409, "AlreadyExists", "%.*s \"%.*s\" already exists",
                        STR(api_qualified(api)), STR(name));
    case OBJECT_ABSENT:
        break;
    }
    if (api->q.dry_run) {
        api_answer(api, 201, object);
        return true;
    }
    if (!object_save(api, api->kind, stored, NULL))
        return false;
    api_answer(api, 201, object_in_version(api->arena, api->kind, api->version, stored));
    return true;
}

/* Go writes structs that are no pointers even when they are empty, and lists that must be there. */
static void zero_fields(struct arena *arena, const struct type *type, struct val *map, int depth)
{
    for (size_t i = 0; i < type->field_count && depth < LIMIT_DOC_DEPTH; i++) {
        const struct type_field *field = &type->fields[i];

        if (field->required && field->type->kind == TYPE_LIST)
            val_ensure_list(arena, map, field->name);
        else if (val_is(field->default_value, VAL_MAP) && val_count(field->default_value) == 0 &&
                 field->type->kind == TYPE_MAP)
            zero_fields(arena, field->type, val_ensure_map(arena, map, field->name), depth + 1);
    }
}

/* What an object holds before anybody said anything, such as the empty spec that Go always writes:
 * nobody owns that. NULL: nothing, as of custom kinds. */
static struct val *zero_object(struct api *api)
{
    struct val *zero = val_new(api->arena, val_map());

    if (api->kind->is_crd)
        return NULL;
    val_set_str(api->arena, zero, S("kind"), api->kind->name);
    val_set_str(api->arena, zero, S("apiVersion"),
                api_version_of(api->arena, api->kind, api->version));
    zero_fields(api->arena, api->version->type, zero, 0);
    return zero;
}

static bool create_object(struct api *api, struct write *write)
{
    struct val *object = write->object;

    begin_metadata(api, object);
    if (!check_namespace(api))
        return false;
    if (api->version->has_status && is_main(api))
        val_del(object, S("status"));
    set_defaults(api, object);
    if (!write->applied) {
        struct managed_request request = write_managed(api, object);

        request.is_create = true;
        val_del(val_get(object, S("metadata")), S("managedFields"));
        managed_update(api->arena, &request, zero_object(api), object);
    }
    tidy_metadata(object);
    return strategy_create(api, object) && check_rules(api, object, NULL) && save_new(api, object);
}

/* The last finalizer went: so does the object. */
static bool is_finished(const struct kind *kind, const struct val *object)
{
    if (!object_is_deleting(object) || val_count(VAL_AT(object, "metadata", "finalizers")) > 0)
        return false;
    if (str_eq(kind->key, S("/namespaces")))
        return val_count(VAL_AT(object, "spec", "finalizers")) == 0;
    /* a Pod waits for its node */
    return !str_eq(kind->key, S("/pods")) ||
           val_i64_or(VAL_AT(object, "metadata", "deletionGracePeriodSeconds"), 0) == 0;
}

static bool save_changed(struct api *api, struct write *write)
{
    struct val *object = write->object;
    struct val *stored = to_storage(api, object);

    if (api->q.dry_run) {
        api_answer(api, 200, object);
        return true;
    }
    if (is_finished(api->kind, stored)) {
        if (!object_erase(api, api->kind, stored))
            return false;
    } else if (!object_save(api, api->kind, stored, write->live)) {
        return false;
    }
    api_answer(api, 200, object_in_version(api->arena, api->kind, api->version, stored));
    return true;
}

/* What the endpoint may not touch is put back: status by the main one, all else by /status. */
static void put_back(struct api *api, struct val *object, const struct val *live)
{
    struct arena *arena = api->arena;

    if (is_status(api)) {
        struct val *status = val_get(object, S("status"));
        struct val kept = status == NULL ? val_null() : *status;
        const struct val *managed = VAL_AT(object, "metadata", "managedFields");
        struct val kept_managed = managed == NULL ? val_null() : *managed;

        struct val *annotations = VAL_AT(object, "metadata", "annotations");
        struct val kept_annotations = annotations == NULL ? val_null() : *annotations;

        *object = val_dup_value(arena, live);
        /* of built-in kinds a status may bring annotations: the Deployment controller's revision */
        if (!api->kind->is_crd) {
            struct val *metadata = val_get(object, S("metadata"));

            if (annotations != NULL)
                val_set(arena, metadata, S("annotations"), kept_annotations);
            else
                val_del(metadata, S("annotations"));
        }
        if (status != NULL)
            val_set(arena, object, S("status"), kept);
        else
            val_del(object, S("status"));
        if (managed != NULL)
            val_set(arena, val_get(object, S("metadata")), S("managedFields"), kept_managed);
        return;
    }
    if (is_main(api) && api->version->has_status) {
        const struct val *status = val_get(live, S("status"));

        if (status != NULL)
            val_set(arena, object, S("status"), val_dup_value(arena, status));
        else
            val_del(object, S("status"));
    }
}

static bool update_object(struct api *api, struct write *write)
{
    struct arena *arena = api->arena;
    struct val *object = write->object;
    const struct val *live = write->live_v;

    if (!keep_metadata(api, object, live))
        return false;
    put_back(api, object, live);
    set_defaults(api, object);
    tidy_metadata(object);
    if (!write->applied) {
        struct managed_request request = write_managed(api, object);

        managed_update(arena, &request, live, object);
        tidy_metadata(object);
    }
    /* behind ownership: what the server changes by itself is nobody's */
    if (!strategy_update(api, object, live))
        return false;
    if (!check_rules(api, object, live))
        return false;
    if (val_eq(without_managed(arena, object), without_managed(arena, live)) &&
        same_owners(arena, object, live)) {
        api_answer(api, 200, live);
        return true;
    }
    return save_changed(api, write);
}

static bool is_admitted(struct api *api, const struct write *write)
{
    const struct apiserver *server = api->server;
    struct apiserver_question question = {
            .user = api->user,
            .verb = write->live == NULL ? S("create") : S("update"),
            .group = api->q.gvr.group,
            .version = api->q.gvr.version,
            .resource = api->q.gvr.resource,
            .subresource = api->q.subresource,
            .namespace_ = api->q.namespace_,
            .name = object_name(write->object),
    };
    struct err err = {0};

    if (server->admit == NULL || escalate_is_master(&api->user) ||
        server->admit(server->admit_owner, &question, write->object, write->live_v, &err))
        return true;
    return api_fail(api, 403, "Forbidden", "%.*s \"%.*s\" is forbidden: %s",
                    STR(api_qualified(api)), STR(question.name), err.message);
}

bool write_object(struct api *api, struct write *write)
{
    if (!escalate_check(api, write->object, write->live_v) || !is_admitted(api, write))
        return false;
    if (write->live == NULL)
        return create_object(api, write);
    return update_object(api, write);
}
