/* SPDX-License-Identifier: Apache-2.0 */
/* Objects between store and verbs: reading, writing, versions, identity. */
#include "apiserver/api.h"

#include "apiserver/convert.h"
#include "apiserver/gc.h"
#include "base/mem.h"
#include "doc/json.h"

#include <sys/random.h>

str api_version_of(struct arena *arena, const struct kind *kind, const struct kind_version *version)
{
    return gvk_api_version(arena, kind->group, version->name);
}

str object_new_uid(struct arena *arena)
{
    unsigned char b[16];
    size_t got = 0;

    while (got < sizeof(b)) {
        ssize_t n = getrandom(b + got, sizeof(b) - got, 0);

        if (n > 0)
            got += (size_t)n;
    }
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40); /* RFC 4122 version 4 */
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    return arena_printf(arena,
                        "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                        b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11],
                        b[12], b[13], b[14], b[15]);
}

bool object_has_finalizer(const struct val *object, str finalizer)
{
    struct val_iter it = val_iter(VAL_AT(object, "metadata", "finalizers"));

    while (val_next(&it))
        if (str_eq(val_str(it.value), finalizer))
            return true;
    return false;
}

bool object_is_deleting(const struct val *object)
{
    return val_is(VAL_AT(object, "metadata", "deletionTimestamp"), VAL_STRING);
}

enum object_answer object_load(struct api *api, const struct kind *kind, str namespace_, str name,
                               struct val **ret_object)
{
    struct store_key key = {kind->key, kind->namespaced ? namespace_ : STR_EMPTY, name};
    struct store_row row;
    struct err err = {0};

    switch (store_get(api->server->store, &key, api->arena, &row, &err)) {
    case STORE_ABSENT:
        return OBJECT_ABSENT;
    case STORE_FAILED:
        api_fail_err(api, &err);
        return OBJECT_FAILED;
    case STORE_FOUND:
        break;
    }
    if (!json_parse(api->arena, row.json, NULL, ret_object, &err)) {
        err_wrap(&err, "stored object %.*s %.*s/%.*s", STR(kind->key), STR(namespace_), STR(name));
        api_fail(api, 500, "InternalError", "%s", err.message);
        return OBJECT_FAILED;
    }
    api->loaded = *ret_object;
    api->loaded_json = row.json;
    return OBJECT_FOUND;
}

/* kind and apiVersion first, in the order of the real server's encoders: typed for built-in kinds,
 * sorted for custom ones. Lists of built-in kinds leave the two out; a fixed start makes that a cut
 * (read.c). */
str object_json(struct arena *arena, const struct kind *kind, const struct val *object)
{
    static const char *const order[] = {"metadata", "spec", "data", "status"};
    struct val sorted = val_map();
    auto_buf struct buf out = {0};

    val_set(arena, &sorted, kind->is_crd ? S("apiVersion") : S("kind"),
            val_dup_value(arena, val_get(object, kind->is_crd ? S("apiVersion") : S("kind"))));
    val_set(arena, &sorted, kind->is_crd ? S("kind") : S("apiVersion"),
            val_dup_value(arena, val_get(object, kind->is_crd ? S("kind") : S("apiVersion"))));
    for (size_t i = 0; i < COUNT(order); i++) {
        const struct val *member = val_get(object, str_from(order[i]));

        if (member != NULL)
            val_set(arena, &sorted, str_from(order[i]), *member);
    }
    struct val_iter it = val_iter(object);
    while (val_next(&it))
        if (val_get(&sorted, it.key) == NULL)
            val_set(arena, &sorted, it.key, *it.value);
    buf_init(&out, LIMIT_DOC_BYTES);
    json_format(&out, &sorted, JSON_COMPACT);
    return arena_str(arena, buf_str(&out));
}

static size_t owners_of(struct arena *arena, const struct val *object, const str **ret_owners)
{
    const struct val *refs = VAL_AT(object, "metadata", "ownerReferences");
    str *owners = arena_array(arena, val_count(refs) + 1, str);
    size_t count = 0;

    struct val_iter it = val_iter(refs);
    while (val_next(&it))
        owners[count++] = val_get_str(it.value, S("uid"));
    *ret_owners = owners;
    return count;
}

static void set_version(struct api *api, struct val *object, int64_t rv)
{
    struct val *metadata = val_ensure_map(api->arena, object, S("metadata"));

    val_set_str(api->arena, metadata, S("resourceVersion"),
                arena_printf(api->arena, "%lld", (long long)rv));
}

/* The text that the object was loaded from, while it is unchanged. */
static str json_of(struct api *api, const struct kind *kind, const struct val *object)
{
    return object == api->loaded ? api->loaded_json : object_json(api->arena, kind, object);
}

bool object_save(struct api *api, const struct kind *kind, struct val *object,
                 const struct val *old)
{
    struct apiserver *server = api->server;
    const str *owners;
    struct err err = {0};
    str old_json = old == NULL ? STR_EMPTY : json_of(api, kind, old);
    int64_t rv = store_next_rv(server->store);

    set_version(api, object, rv);
    struct store_row row = {
            .key = {kind->key, object_namespace(object), object_name(object)},
            .uid = object_uid(object),
            .rv = rv,
            .json = object_json(api->arena, kind, object),
    };
    if (row.json.len > LIMIT_OBJECT_BYTES)
        return api_fail(api, 413, "RequestEntityTooLarge",
                        "the object has %zu bytes, the limit is %zu", row.json.len,
                        (size_t)LIMIT_OBJECT_BYTES);
    size_t owner_count = owners_of(api->arena, object, &owners);
    if (!store_put(server->store, &row, owners, owner_count, &err))
        return api_fail(api, 500, "InternalError", "%s", err.message);
    watch_note(server->hub,
               &(struct watch_change){rv, old == NULL ? KUBE_ADDED : KUBE_MODIFIED, kind->key,
                                      row.key.namespace_, row.json, old_json});
    collector_saved(server->collector, kind, object, old);
    return true;
}

bool object_erase(struct api *api, const struct kind *kind, struct val *object)
{
    struct apiserver *server = api->server;
    struct store_key key = {kind->key, object_namespace(object), object_name(object)};
    struct err err = {0};
    str old_json = json_of(api, kind, object);
    int64_t rv = store_next_rv(server->store);

    if (!store_delete(server->store, &key, &err))
        return api_fail(api, 500, "InternalError", "%s", err.message);
    set_version(api, object, rv);
    watch_note(server->hub,
               &(struct watch_change){rv, KUBE_DELETED, kind->key, key.namespace_,
                                      object_json(api->arena, kind, object), old_json});
    collector_erased(server->collector, kind, object);
    return true;
}

struct val *object_in_version(struct arena *arena, const struct kind *kind,
                              const struct kind_version *version, const struct val *object)
{
    struct val *copy = val_dup(arena, object);

    if (str_is_empty(val_get_str(copy, S("apiVersion"))) ||
        str_eq(gvk_of(copy).version, version->name))
        return copy;
    convert_object(arena, kind, version, copy);
    val_set_str(arena, copy, S("apiVersion"), api_version_of(arena, kind, version));
    return copy;
}
