/* SPDX-License-Identifier: Apache-2.0 */
/* What each verb does to the fake world. */
#include "base/clock.h"
#include "doc/json_patch.h"
#include "doc/merge_patch.h"
#include "kube/fake_store.h"
#include "schema/managed.h"
#include "schema/selector.h"

#include <assert.h>
#include <stdlib.h>

/* ---- answers ---- */

struct fake_answer fake_status(struct arena *arena, int code, str reason, str message)
{
    struct val *status = val_new(arena, val_map());

    val_set_str(arena, status, S("kind"), S("Status"));
    val_set_str(arena, status, S("apiVersion"), S("v1"));
    val_set(arena, status, S("metadata"), val_map());
    val_set_str(arena, status, S("status"), code < 300 ? S("Success") : S("Failure"));
    if (message.len > 0)
        val_set_str(arena, status, S("message"), message);
    if (reason.len > 0)
        val_set_str(arena, status, S("reason"), reason);
    val_set(arena, status, S("code"), val_int(arena, code));
    return (struct fake_answer){code, status};
}

static str full_name(struct arena *arena, struct gvr gvr, str name)
{
    if (gvr.group.len == 0)
        return arena_printf(arena, "%.*s \"%.*s\"", STR(gvr.resource), STR(name));
    return arena_printf(arena, "%.*s.%.*s \"%.*s\"", STR(gvr.resource), STR(gvr.group), STR(name));
}

static struct fake_answer not_found(struct arena *arena, struct gvr gvr, str name)
{
    return fake_status(arena, 404, S("NotFound"),
                       arena_printf(arena, "%.*s not found", STR(full_name(arena, gvr, name))));
}

static struct fake_answer conflict(struct arena *arena, struct gvr gvr, str name, str why)
{
    return fake_status(arena, 409, S("Conflict"),
                       arena_printf(arena, "Operation cannot be fulfilled on %.*s: %.*s",
                                    STR(full_name(arena, gvr, name)), STR(why)));
}

static struct fake_answer version_conflict(struct arena *arena, struct gvr gvr, str name)
{
    return conflict(arena, gvr, name,
                    S("the object has been modified; please apply your changes to the latest "
                      "version and try again"));
}

/* ---- writing ---- */

static const struct type *type_of(struct gvk gvk)
{
    const struct type *type = type_builtin(gvk);

    return type == NULL ? type_unknown() : type;
}

/* What one write is about. */
struct write {
    struct fake_store *store;
    const struct kube_request *request;
    struct arena *arena; /* of the answer */
    const struct fake_kind *kind;
    struct gvr gvr;
    struct val *was; /* NULL = not there */
};

static bool same_without_versions(struct arena *arena, const struct val *a, const struct val *b)
{
    static const char *const skip[] = {"resourceVersion", "managedFields", "generation"};
    struct val *left = val_dup(arena, a);
    struct val *right = val_dup(arena, b);

    for (size_t i = 0; i < COUNT(skip); i++) {
        val_del(val_get(left, S("metadata")), str_from(skip[i]));
        val_del(val_get(right, S("metadata")), str_from(skip[i]));
    }
    return val_eq(left, right);
}

static bool same_spec(struct arena *arena, const struct val *a, const struct val *b)
{
    struct val *left = val_dup(arena, a);
    struct val *right = val_dup(arena, b);

    val_del(left, S("metadata"));
    val_del(right, S("metadata"));
    val_del(left, S("status"));
    val_del(right, S("status"));
    return val_eq(left, right);
}

/* What only the server sets is as it was; a main write leaves the status, a status write the rest.
 */
static void keep_server_fields(const struct write *write, struct val *is)
{
    struct arena *arena = write->store->arena;
    static const char *const kept[] = {"uid",        "creationTimestamp", "deletionTimestamp",
                                       "generation", "selfLink",          "resourceVersion"};
    struct val *metadata = val_ensure_map(arena, is, S("metadata"));

    for (size_t i = 0; i < COUNT(kept); i++) {
        const struct val *old = val_get(val_get(write->was, S("metadata")), str_from(kept[i]));

        val_del(metadata, str_from(kept[i]));
        if (old != NULL)
            val_set(arena, metadata, str_from(kept[i]), val_dup_value(arena, old));
    }
    /* Argo CD's Applications and AppProjects have no status sub-resource. */
    if (write->was == NULL || str_eq(gvk_of(is).group, S("argoproj.io")))
        return;
    const struct val *status = val_get(write->was, S("status"));
    val_del(is, S("status"));
    if (status != NULL)
        val_set(arena, is, S("status"), val_dup_value(arena, status));
}

static struct val *only_status(const struct write *write, const struct val *is)
{
    struct arena *arena = write->store->arena;
    struct val *object = val_dup(arena, write->was);
    const struct val *status = val_get(is, S("status"));

    val_del(object, S("status"));
    if (status != NULL)
        val_set(arena, object, S("status"), val_dup_value(arena, status));
    return object;
}

static bool has_finalizers(const struct val *object)
{
    return val_count(VAL_AT(object, "metadata", "finalizers")) > 0;
}

/* Stores the new object (in the store's arena), or only answers with it on a dry run. */
static struct fake_answer finish(const struct write *write, struct val *is)
{
    struct fake_store *store = write->store;
    struct arena *arena = store->arena;
    bool is_new = write->was == NULL;
    int status = is_new ? 201 : 200;

    if (is_new) {
        fake_store_set_birth(store, is);
    } else if (!same_spec(arena, write->was, is)) {
        int64_t generation = val_i64_or(VAL_AT(write->was, "metadata", "generation"), 1);

        val_set(arena, val_ensure_map(arena, is, S("metadata")), S("generation"),
                val_int(arena, generation + 1));
    }
    bool is_same = !is_new && same_without_versions(arena, write->was, is) &&
                   val_eq(VAL_AT(write->was, "metadata", "managedFields"),
                          VAL_AT(is, "metadata", "managedFields"));
    if (is_same)
        return (struct fake_answer){status, val_dup(write->arena, write->was)};
    if (write->request->dry_run)
        return (struct fake_answer){status, val_dup(write->arena, is)};
    bool goes = VAL_AT(is, "metadata", "deletionTimestamp") != NULL && !has_finalizers(is);
    fake_store_commit(store, write->gvr, write->was, is);
    if (goes)
        fake_store_drop(store, write->gvr, is, /*orphan=*/false);
    return (struct fake_answer){status, val_dup(write->arena, is)};
}

/* Answers 0 when the write may go on. */
static struct fake_answer check_create(const struct write *write)
{
    str namespace_ = write->request->namespace_;
    struct gvr namespaces = {STR_EMPTY, S("v1"), S("namespaces")};

    if (write->kind->namespaced &&
        fake_store_get(write->store, namespaces, STR_EMPTY, namespace_) == NULL)
        return not_found(write->arena, namespaces, namespace_);
    return (struct fake_answer){0, NULL};
}

static void set_identity(const struct write *write, struct val *object, str name)
{
    struct arena *arena = write->store->arena;
    struct val *metadata = val_ensure_map(arena, object, S("metadata"));

    val_set_str(arena, object, S("apiVersion"),
                gvk_api_version(arena, write->kind->gvk.group, write->kind->gvk.version));
    val_set_str(arena, object, S("kind"), write->kind->gvk.kind);
    if (name.len > 0)
        val_set_str(arena, metadata, S("name"), name);
    if (write->kind->namespaced)
        val_set_str(arena, metadata, S("namespace"), write->request->namespace_);
}

static struct managed_request managed_request_of(const struct write *write)
{
    return (struct managed_request){
            .type = type_of(write->kind->gvk),
            .gvk = write->kind->gvk,
            .subresource = write->request->subresource,
            .manager = write->request->field_manager,
            .force = write->request->force,
            .now_ms = clock_wall_ms(),
    };
}

static struct fake_answer do_create(struct write *write)
{
    struct arena *arena = write->store->arena;
    struct fake_answer refused = check_create(write);
    struct val *is = val_dup(arena, write->request->body);
    str name = object_name(is);
    str generate = VAL_STR(is, "metadata", "generateName");

    if (refused.status != 0)
        return refused;
    if (name.len == 0 && generate.len > 0)
        name = arena_printf(arena, "%.*sx%llu", STR(generate),
                            (unsigned long long)++write->store->uids);
    if (fake_store_get(write->store, write->gvr, write->request->namespace_, name) != NULL)
        return fake_status(write->arena, 409, S("AlreadyExists"),
                           arena_printf(write->arena, "%.*s already exists",
                                        STR(full_name(write->arena, write->gvr, name))));
    set_identity(write, is, name);
    keep_server_fields(write, is);
    struct managed_request managed = managed_request_of(write);
    managed_update(arena, &managed, NULL, is);
    return finish(write, is);
}

static struct fake_answer do_replace(struct write *write, struct val *is)
{
    struct arena *arena = write->store->arena;
    str version = object_resource_version(is);
    struct managed_request managed = managed_request_of(write);

    if (version.len > 0 && !str_eq(version, object_resource_version(write->was)))
        return version_conflict(write->arena, write->gvr, write->request->name);
    set_identity(write, is, write->request->name);
    if (str_eq(write->request->subresource, S("status")))
        is = only_status(write, is);
    else
        keep_server_fields(write, is);
    managed_update(arena, &managed, write->was, is);
    return finish(write, is);
}

static struct fake_answer do_patch(struct write *write)
{
    struct arena *arena = write->store->arena;
    struct val *is = val_dup(arena, write->was);
    const struct val *body = write->request->body;
    struct err err;

    if (write->request->verb == KUBE_PATCH_JSON) {
        if (!json_patch_apply(arena, is, body, &err))
            return fake_status(write->arena, 422, S("Invalid"), err_message(&err));
    } else if (write->request->verb == KUBE_PATCH_STRATEGIC) {
        return fake_status(write->arena, 415, S("UnsupportedMediaType"),
                           S("the body of the request was in an unknown format - accepted media "
                             "types include: application/json-patch+json, "
                             "application/merge-patch+json, application/apply-patch+yaml"));
    } else {
        merge_patch_apply(arena, is, body);
    }
    return do_replace(write, is);
}

static struct fake_answer do_apply(struct write *write)
{
    struct arena *arena = write->store->arena;
    struct managed_request managed = managed_request_of(write);
    struct managed_result result = {NULL, false, NULL};
    struct val *patch = val_dup(arena, write->request->body);
    struct err err;

    if (write->was == NULL) {
        struct fake_answer refused = check_create(write);

        if (refused.status != 0)
            return refused;
    }
    str version = object_resource_version(patch);
    if (version.len > 0 && !str_eq(version, object_resource_version(write->was)))
        return version_conflict(write->arena, write->gvr, write->request->name);
    set_identity(write, patch, write->request->name);
    if (!managed_apply(arena, &managed, write->was, patch, &result, &err)) {
        int code = err.code == ERR_CONFLICT ? 409 : err.code == ERR_INVALID ? 400 : 500;

        return fake_status(write->arena, code,
                           code == 409   ? S("Conflict")
                           : code == 400 ? S("BadRequest")
                                         : S("InternalError"),
                           err_message(&err));
    }
    struct val *is = val_dup(arena, result.object);
    if (str_eq(write->request->subresource, S("status"))) {
        const struct val *managers = VAL_AT(is, "metadata", "managedFields");
        struct val *whole = only_status(write, is);

        if (managers != NULL)
            val_set(arena, val_ensure_map(arena, whole, S("metadata")), S("managedFields"),
                    val_dup_value(arena, managers));
        is = whole;
    } else {
        keep_server_fields(write, is);
    }
    return finish(write, is);
}

static struct fake_answer do_delete(struct write *write)
{
    struct fake_store *store = write->store;
    struct arena *arena = store->arena;
    const struct kube_request *request = write->request;
    str uid = request->precondition_uid;
    str version = request->precondition_resource_version;

    if (uid.len > 0 && !str_eq(uid, object_uid(write->was)))
        return conflict(write->arena, write->gvr, request->name,
                        arena_printf(write->arena,
                                     "Precondition failed: UID in precondition: %.*s, UID in "
                                     "object meta: %.*s",
                                     STR(uid), STR(object_uid(write->was))));
    if (version.len > 0 && !str_eq(version, object_resource_version(write->was)))
        return conflict(write->arena, write->gvr, request->name,
                        S("Precondition failed: ResourceVersion differs"));
    if (request->dry_run)
        return (struct fake_answer){200, val_dup(write->arena, write->was)};
    if (!has_finalizers(write->was)) {
        fake_store_drop(store, write->gvr, write->was, str_eq(request->propagation, S("Orphan")));
        return fake_status(write->arena, 200, STR_EMPTY, STR_EMPTY);
    }
    struct val *is = val_dup(arena, write->was);
    if (VAL_AT(is, "metadata", "deletionTimestamp") == NULL) {
        char now[CLOCK_RFC3339_SIZE];

        clock_format(clock_wall_ms(), now);
        val_set_str(arena, val_ensure_map(arena, is, S("metadata")), S("deletionTimestamp"),
                    str_from(now));
        fake_store_commit(store, write->gvr, write->was, is);
    }
    return (struct fake_answer){200, val_dup(write->arena, is)};
}

/* ---- reading ---- */

bool fake_selects(const struct kube_request *request, struct gvr gvr, const struct val *object)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct selector *labels;
    struct selector *fields;

    if (object == NULL || !str_eq(gvr.group, request->gvr.group) ||
        !str_eq(gvr.resource, request->gvr.resource))
        return false;
    if (request->namespace_.len > 0 && !str_eq(request->namespace_, object_namespace(object)))
        return false;
    if (!selector_parse(arena, request->label_selector, &labels, NULL) ||
        !selector_parse_fields(arena, request->field_selector, &fields, NULL))
        return false;
    return selector_matches_labels(labels, VAL_AT(object, "metadata", "labels")) &&
           selector_matches_fields(fields, object);
}

struct selected {
    const struct kube_request *request;
    struct arena *arena;
    const struct val **objects;
    size_t count;
};

static void select_one(void *owner, struct gvr gvr, const struct val *object)
{
    struct selected *selected = owner;

    if (fake_selects(selected->request, gvr, object))
        selected->objects[selected->count++] = object;
}

static int by_name(const void *a, const void *b)
{
    const struct val *left = *(const struct val *const *)a;
    const struct val *right = *(const struct val *const *)b;
    int order = str_cmp(object_namespace(left), object_namespace(right));

    return order != 0 ? order : str_cmp(object_name(left), object_name(right));
}

static struct selected select_all(struct fake_store *store, const struct kube_request *request,
                                  struct arena *arena)
{
    struct selected selected = {.request = request, .arena = arena};

    selected.objects =
            arena_alloc_array(arena, map_count(store->objects) + 1, sizeof(struct val *));
    fake_store_each(store, select_one, &selected);
    qsort(selected.objects, selected.count, sizeof(struct val *), by_name);
    return selected;
}

/* A continue token is "<version>:<index of the next object>"; tests change little in between. */
static bool read_token(const struct fake_store *store, str token, size_t *ret_from)
{
    uint64_t version;
    uint64_t from;
    str rest = token;
    str first;

    *ret_from = 0;
    if (token.len == 0)
        return true;
    if (!str_split(&rest, ':', &first) || !str_to_u64(first, &version) || !str_to_u64(rest, &from))
        return false;
    *ret_from = (size_t)from;
    return !fake_store_is_expired(store, version);
}

static struct fake_answer do_list(struct fake_store *store, const struct kube_request *request,
                                  const struct fake_kind *kind, struct arena *arena)
{
    struct selected selected = select_all(store, request, arena);
    struct val *list = val_new(arena, val_map());
    struct val *metadata = val_ensure_map(arena, list, S("metadata"));
    struct val *items = val_ensure_list(arena, list, S("items"));
    size_t from;

    if (!read_token(store, request->continue_, &from))
        return fake_status(arena, 410, S("Expired"),
                           S("The provided continue parameter is too old"));
    size_t to = request->limit > 0 ? MIN(selected.count, from + (size_t)request->limit)
                                   : selected.count;
    for (size_t i = from; i < to; i++)
        val_append(arena, items, val_dup_value(arena, selected.objects[i]));
    val_set_str(arena, list, S("apiVersion"),
                gvk_api_version(arena, kind->gvk.group, kind->gvk.version));
    val_set_str(arena, list, S("kind"), arena_printf(arena, "%.*sList", STR(kind->gvk.kind)));
    val_set_str(arena, metadata, S("resourceVersion"),
                arena_printf(arena, "%llu", (unsigned long long)store->version));
    if (to < selected.count)
        val_set_str(arena, metadata, S("continue"),
                    arena_printf(arena, "%llu:%zu", (unsigned long long)store->version, to));
    return (struct fake_answer){200, list};
}

static struct fake_answer do_delete_collection(struct fake_store *store,
                                               const struct kube_request *request,
                                               const struct fake_kind *kind, struct arena *arena)
{
    struct selected selected = select_all(store, request, arena);

    for (size_t i = 0; i < selected.count; i++) {
        struct fake_object *object =
                fake_store_get(store, fake_kind_gvr(kind), object_namespace(selected.objects[i]),
                               object_name(selected.objects[i]));
        struct write write = {store, request, arena, kind, fake_kind_gvr(kind), NULL};

        if (object == NULL)
            continue;
        write.was = object->v;
        do_delete(&write);
    }
    return fake_status(arena, 200, STR_EMPTY, STR_EMPTY);
}

/* ---- discovery ---- */

static void add_resource(struct arena *arena, struct val *list, const struct fake_kind *kind)
{
    static const char *const verbs[] = {"create", "delete", "deletecollection", "get",
                                        "list",   "patch",  "update",           "watch"};
    struct val *resource = val_append(arena, list, val_map());
    struct val *response_kind = val_ensure_map(arena, resource, S("responseKind"));
    struct val *verb_list = val_ensure_list(arena, resource, S("verbs"));

    val_set_str(arena, resource, S("resource"), kind->resource);
    val_set_str(arena, resource, S("scope"), kind->namespaced ? S("Namespaced") : S("Cluster"));
    val_set_str(arena, response_kind, S("kind"), kind->gvk.kind);
    for (size_t i = 0; i < COUNT(verbs); i++)
        val_append(arena, verb_list, val_string_borrow(str_from(verbs[i])));
}

static struct val *ensure_named(struct arena *arena, struct val *list, const char *key, str name)
{
    struct val_iter it = val_iter(list);

    while (val_next(&it)) {
        str have = str_eq(str_from(key), S("version")) ? val_get_str(it.value, S("version"))
                                                       : object_name(it.value);

        if (str_eq(have, name))
            return it.value;
    }
    struct val *item = val_append(arena, list, val_map());
    if (str_eq(str_from(key), S("version")))
        val_set_str(arena, item, S("version"), name);
    else
        val_set_str(arena, val_ensure_map(arena, item, S("metadata")), S("name"), name);
    return item;
}

static struct fake_answer do_discovery(struct fake_store *store, bool core, struct arena *arena)
{
    struct val *root = val_new(arena, val_map());
    struct val *items = val_ensure_list(arena, root, S("items"));

    val_set_str(arena, root, S("kind"), S("APIGroupDiscoveryList"));
    val_set_str(arena, root, S("apiVersion"), S("apidiscovery.k8s.io/v2"));
    for (size_t i = 0; i < store->kind_count; i++) {
        const struct fake_kind *kind = &store->kinds[i];

        if ((kind->gvk.group.len == 0) != core)
            continue;
        struct val *group = ensure_named(arena, items, "name", kind->gvk.group);
        struct val *version = ensure_named(arena, val_ensure_list(arena, group, S("versions")),
                                           "version", kind->gvk.version);
        val_set_str(arena, version, S("freshness"), S("Current"));
        add_resource(arena, val_ensure_list(arena, version, S("resources")), kind);
    }
    return (struct fake_answer){200, root};
}

static struct fake_answer do_raw(struct fake_store *store, const struct kube_request *request,
                                 struct arena *arena)
{
    if (str_eq(request->path, S("/api")) || str_eq(request->path, S("/apis")))
        return do_discovery(store, str_eq(request->path, S("/api")), arena);
    if (str_eq(request->path, S("/version"))) {
        struct val *version = val_new(arena, val_map());

        val_set_str(arena, version, S("gitVersion"), S("v1.34.4"));
        return (struct fake_answer){200, version};
    }
    return fake_status(arena, 404, S("NotFound"),
                       S("the server could not find the requested resource"));
}

/* ---- all verbs ---- */

struct fake_answer fake_store_serve(struct fake_store *store, const struct kube_request *request,
                                    struct arena *arena)
{
    if (request->verb == KUBE_RAW_GET)
        return do_raw(store, request, arena);
    const struct fake_kind *kind = fake_store_kind(store, request->gvr);
    if (kind == NULL)
        return fake_status(arena, 404, S("NotFound"),
                           S("the server could not find the requested resource"));
    struct fake_kind copy = *kind; /* a CRD among the changes may move the table */
    struct write write = {store, request, arena, &copy, fake_kind_gvr(&copy), NULL};
    struct fake_object *object =
            fake_store_get(store, request->gvr, request->namespace_, request->name);
    write.was = object == NULL ? NULL : object->v;
    bool needs_object = request->verb != KUBE_LIST && request->verb != KUBE_CREATE &&
                        request->verb != KUBE_APPLY && request->verb != KUBE_DELETE_COLLECTION;
    bool is_status = request->subresource.len > 0;
    if (write.was == NULL && (needs_object || (is_status && request->verb == KUBE_APPLY)))
        return not_found(arena, request->gvr, request->name);

    switch (request->verb) {
    case KUBE_GET:
        return (struct fake_answer){200, val_dup(arena, write.was)};
    case KUBE_LIST:
        return do_list(store, request, &copy, arena);
    case KUBE_CREATE:
        return do_create(&write);
    case KUBE_UPDATE:
        return do_replace(&write, val_dup(store->arena, request->body));
    case KUBE_PATCH_JSON:
    case KUBE_PATCH_MERGE:
    case KUBE_PATCH_STRATEGIC:
        return do_patch(&write);
    case KUBE_APPLY:
        return do_apply(&write);
    case KUBE_DELETE:
        return do_delete(&write);
    case KUBE_DELETE_COLLECTION:
        return do_delete_collection(store, request, &copy, arena);
    case KUBE_WATCH:
    case KUBE_RAW_GET:
        break;
    }
    assert(false);
    return fake_status(arena, 500, S("InternalError"), STR_EMPTY);
}
