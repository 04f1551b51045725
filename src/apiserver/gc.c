/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/gc.h"

#include "apiserver/api.h"
#include "apiserver/crd.h"
#include "apiserver/turn.h"
#include "base/map.h"
#include "base/mem.h"
#include "doc/json.h"

/* What there is to do about the object of a uid, or a namespace's name. */
enum chore {
    CHORE_OWNER_GONE, /* its dependents may have to go */
    CHORE_FOREGROUND, /* it waits for its dependents */
    CHORE_ORPHAN,     /* its dependents are to be cut loose */
    CHORE_ORPHANED,   /* it names owners: do they exist? */
    CHORE_NAMESPACE,  /* its contents go */
    CHORE_CRD,        /* its instances go */
    CHORE_COUNT
};

struct collector {
    struct apiserver *server;
    struct loop_timer *timer;
    struct map *chores[CHORE_COUNT]; /* keys alone */
    struct map *terminating;         /* names of namespaces */
    struct map *waiting;             /* uids of objects in foreground deletion */
};

/* Objects touched in one turn. */
#define BATCH 200

static char mark;

static void run(void *owner);

struct collector *collector_new(struct apiserver *server)
{
    struct collector *collector = new0(struct collector);

    collector->server = server;
    collector->timer = loop_timer_new(server->loop, "apiserver collector", run, collector);
    for (int i = 0; i < CHORE_COUNT; i++)
        collector->chores[i] = map_new();
    collector->terminating = map_new();
    collector->waiting = map_new();
    return collector;
}

void collector_free(struct collector *collector)
{
    if (collector == NULL)
        return;
    loop_timer_free(collector->timer);
    for (int i = 0; i < CHORE_COUNT; i++)
        map_free(collector->chores[i]);
    map_free(collector->terminating);
    map_free(collector->waiting);
    mem_free(collector);
}

static void add(struct collector *collector, enum chore chore, str key)
{
    if (str_is_empty(key))
        return;
    map_set(collector->chores[chore], key, &mark);
    if (!loop_timer_is_running(collector->timer))
        loop_timer_start(collector->timer, 0);
}

static void note(struct collector *collector, const struct kind *kind, const struct val *object)
{
    str uid = object_uid(object);

    if (!object_is_deleting(object))
        return;
    if (object_has_finalizer(object, S("foregroundDeletion"))) {
        map_set(collector->waiting, uid, &mark);
        add(collector, CHORE_FOREGROUND, uid);
    }
    if (object_has_finalizer(object, S("orphan")))
        add(collector, CHORE_ORPHAN, uid);
    if (str_eq(kind->key, S("/namespaces"))) {
        map_set(collector->terminating, object_name(object), &mark);
        add(collector, CHORE_NAMESPACE, object_name(object));
    }
    if (str_eq(kind->key, CRD_KEY))
        add(collector, CHORE_CRD, object_name(object));
}

void collector_saved(struct collector *collector, const struct kind *kind, const struct val *object,
                     const struct val *old)
{
    note(collector, kind, object);
    if (val_count(VAL_AT(object, "metadata", "ownerReferences")) > 0 &&
        (old == NULL || !val_eq(VAL_AT(object, "metadata", "ownerReferences"),
                                VAL_AT(old, "metadata", "ownerReferences"))))
        add(collector, CHORE_ORPHANED, object_uid(object));
    if (str_eq(kind->key, CRD_KEY))
        crd_saved(collector->server, object);
}

static bool uses(const struct val *object, str uid)
{
    struct val_iter it = val_iter(VAL_AT(object, "metadata", "ownerReferences"));

    while (val_next(&it))
        if (str_eq(val_get_str(it.value, S("uid")), uid))
            return true;
    return false;
}

void collector_erased(struct collector *collector, const struct kind *kind,
                      const struct val *object)
{
    str namespace_ = object_namespace(object);

    add(collector, CHORE_OWNER_GONE, object_uid(object));
    map_del(collector->waiting, object_uid(object));
    if (!str_is_empty(namespace_) && map_has(collector->terminating, namespace_))
        add(collector, CHORE_NAMESPACE, namespace_);
    struct val_iter it = val_iter(VAL_AT(object, "metadata", "ownerReferences"));
    while (val_next(&it))
        if (map_has(collector->waiting, val_get_str(it.value, S("uid"))))
            add(collector, CHORE_FOREGROUND, val_get_str(it.value, S("uid")));
    if (str_eq(kind->key, S("/namespaces")))
        map_del(collector->terminating, object_name(object));
    if (str_eq(kind->key, CRD_KEY))
        crd_erased(collector->server, object);
    if (kind->is_crd) {
        char name[600];
        int len = snprintf(name, sizeof(name), "%.*s.%.*s", STR(kind->plural), STR(kind->group));

        add(collector, CHORE_CRD, str_of(name, (size_t)len));
    }
}

/* ---- start ---- */

struct scan {
    struct collector *collector;
    const struct kind *kind;
};

static bool scan_row(void *owner, const struct store_row *row)
{
    struct scan *scan = owner;
    auto_arena struct arena *arena = arena_new(LIMIT_OBJECT_ARENA);
    struct val *object = NULL;

    /* most objects are neither going nor owned: their text alone says so */
    bool going = str_contains(row->json, S("\"deletionTimestamp\""));
    bool owned = str_contains(row->json, S("\"ownerReferences\""));
    if ((!going && !owned) || !json_parse(arena, row->json, NULL, &object, NULL))
        return true;
    note(scan->collector, scan->kind, object);
    if (owned)
        add(scan->collector, CHORE_ORPHANED, object_uid(object));
    return true;
}

struct scan_all {
    struct collector *collector;
    struct err *err;
    bool ok;
};

static void scan_kind(void *owner, const struct kind *kind)
{
    struct scan_all *all = owner;
    struct scan scan = {all->collector, kind};
    struct store_range range = {.resource = kind->key};

    all->ok =
            all->ok && store_each(all->collector->server->store, &range, scan_row, &scan, all->err);
}

bool collector_start(struct collector *collector, struct err *err)
{
    struct scan_all all = {collector, err, true};

    for (int i = 0; i < CHORE_COUNT; i++)
        map_clear(collector->chores[i]);
    map_clear(collector->terminating);
    map_clear(collector->waiting);
    registry_each(collector->server->registry, scan_kind, &all);
    return all.ok;
}

/* ---- chores ---- */

struct found {
    struct api *api;
    struct val *objects;
    size_t max;
};

static bool collect(void *owner, const struct store_row *row)
{
    struct found *found = owner;
    struct val *object = NULL;

    if (json_parse(found->api->arena, row->json, NULL, &object, NULL)) {
        /* the kind is found by the store's key, which versions do not change */
        val_set_str(found->api->arena, object, S("\x01key"), row->key.resource);
        val_append(found->api->arena, found->objects, *object);
    }
    return val_count(found->objects) < found->max;
}

/* The kind of a collected object; takes the mark off. */
static const struct kind *kind_of(struct api *api, struct val *object)
{
    str key = arena_str(api->arena, val_get_str(object, S("\x01key")));

    val_del(object, S("\x01key"));
    return registry_find_key(api->server->registry, key);
}

static struct val *dependents_of(struct api *api, str uid)
{
    struct found found = {api, val_new(api->arena, val_list()), BATCH};

    if (!store_each_dependent(api->server->store, uid, collect, &found, NULL))
        return NULL;
    return found.objects;
}

static struct val *object_of(struct api *api, str uid, const struct kind **ret_kind)
{
    struct store_row row;
    struct val *object = NULL;

    if (store_find_uid(api->server->store, uid, api->arena, &row, NULL) != STORE_FOUND ||
        !json_parse(api->arena, row.json, NULL, &object, NULL))
        return NULL;
    *ret_kind = registry_find_key(api->server->registry, row.key.resource);
    return *ret_kind == NULL ? NULL : object;
}

static bool exists(struct api *api, str uid)
{
    struct store_row row;

    return store_find_uid(api->server->store, uid, api->arena, &row, NULL) != STORE_ABSENT;
}

static void remove_one(struct api *api, const struct kind *kind, struct val *object,
                       str propagation)
{
    struct remove_options options = {propagation, -1};
    bool gone;

    if (kind != NULL && !object_is_deleting(object))
        object_remove(api, kind, object, &options, &gone);
}

/* Removes a finalizer and, when it was the last, the object. */
static void finish(struct api *api, const struct kind *kind, struct val *object, str finalizer)
{
    struct val *next = val_dup(api->arena, object);
    struct val *list = VAL_AT(next, "metadata", "finalizers");

    for (size_t i = 0; i < val_count(list);)
        if (str_eq(val_str(val_item(list, i)), finalizer))
            val_remove(list, i);
        else
            i++;
    bool held = val_count(list) > 0 || (str_eq(kind->key, S("/namespaces")) &&
                                        val_count(VAL_AT(next, "spec", "finalizers")) > 0);
    if (val_count(list) == 0)
        val_del(val_get(next, S("metadata")), S("finalizers"));
    if (held)
        object_save(api, kind, next, object);
    else
        object_erase(api, kind, next);
}

static void drop_owner(struct api *api, const struct kind *kind, struct val *object, str uid)
{
    struct val *next = val_dup(api->arena, object);
    struct val *refs = VAL_AT(next, "metadata", "ownerReferences");

    for (size_t i = 0; i < val_count(refs);)
        if (str_eq(val_get_str(val_item(refs, i), S("uid")), uid))
            val_remove(refs, i);
        else
            i++;
    if (val_count(refs) == 0)
        val_del(val_get(next, S("metadata")), S("ownerReferences"));
    object_save(api, kind, next, object);
}

static bool has_owner_left(struct api *api, const struct val *object)
{
    struct val_iter it = val_iter(VAL_AT(object, "metadata", "ownerReferences"));

    while (val_next(&it))
        if (exists(api, val_get_str(it.value, S("uid"))))
            return true;
    return false;
}

/* true: there may be more of it. */
static bool owner_gone(struct api *api, str uid)
{
    struct val *objects = dependents_of(api, uid);
    bool changed = false;

    struct val_iter it = val_iter(objects);
    while (val_next(&it)) {
        const struct kind *kind = kind_of(api, it.value);

        if (kind == NULL || object_is_deleting(it.value))
            continue;
        changed = true;
        if (has_owner_left(api, it.value))
            drop_owner(api, kind, it.value, uid);
        else
            remove_one(api, kind, it.value, STR_EMPTY);
    }
    return changed && val_count(objects) == BATCH;
}

static bool blocks(const struct val *object, str uid)
{
    struct val_iter it = val_iter(VAL_AT(object, "metadata", "ownerReferences"));

    while (val_next(&it))
        if (str_eq(val_get_str(it.value, S("uid")), uid))
            return val_get_bool(it.value, S("blockOwnerDeletion"), false);
    return false;
}

static bool foreground(struct api *api, str uid)
{
    const struct kind *owner_kind = NULL;
    struct val *owner = object_of(api, uid, &owner_kind);
    bool blocked = false;

    if (owner == NULL || !object_has_finalizer(owner, S("foregroundDeletion")))
        return false;
    struct val *objects = dependents_of(api, uid);
    struct val_iter it = val_iter(objects);
    while (val_next(&it)) {
        const struct kind *kind = kind_of(api, it.value);
        struct val *own = dependents_of(api, object_uid(it.value));

        blocked |= blocks(it.value, uid);
        remove_one(api, kind, it.value, val_count(own) > 0 ? S("Foreground") : S("Background"));
    }
    /* what was removed just now comes back as a chore when it is out of the store */
    if (!blocked && objects != NULL)
        finish(api, owner_kind, owner, S("foregroundDeletion"));
    return false;
}

static bool orphan(struct api *api, str uid)
{
    const struct kind *owner_kind = NULL;
    struct val *owner = object_of(api, uid, &owner_kind);

    if (owner == NULL || !object_has_finalizer(owner, S("orphan")))
        return false;
    struct val *objects = dependents_of(api, uid);
    struct val_iter it = val_iter(objects);
    while (val_next(&it)) {
        const struct kind *kind = kind_of(api, it.value);

        if (kind != NULL && uses(it.value, uid))
            drop_owner(api, kind, it.value, uid);
    }
    if (objects == NULL || val_count(objects) == BATCH)
        return true;
    finish(api, owner_kind, owner, S("orphan"));
    return false;
}

static bool orphaned(struct api *api, str uid)
{
    const struct kind *kind = NULL;
    struct val *object = object_of(api, uid, &kind);

    if (object != NULL && val_count(VAL_AT(object, "metadata", "ownerReferences")) > 0 &&
        !has_owner_left(api, object))
        remove_one(api, kind, object, STR_EMPTY);
    return false;
}

struct keys {
    struct arena *arena;
    struct val *list;
};

static void note_key(void *owner, str resource)
{
    struct keys *keys = owner;

    val_append(keys->arena, keys->list, val_string(keys->arena, resource));
}

/* Marks or removes the objects of one kind (in a namespace, or all); how many are left. */
static size_t clear(struct api *api, const struct kind *kind, str namespace_)
{
    struct found found = {api, val_new(api->arena, val_list()), SIZE_MAX};
    struct store_range range = {.resource = kind->key, .namespace_ = namespace_};
    size_t left = 0, touched = 0;

    if (!store_each(api->server->store, &range, collect, &found, NULL))
        return 1;
    struct val_iter it = val_iter(found.objects);
    while (val_next(&it)) {
        struct remove_options options = {STR_EMPTY, 0};
        bool gone = false;

        (void)kind_of(api, it.value);
        if (touched < BATCH && !object_is_deleting(it.value)) {
            touched++;
            object_remove(api, kind, it.value, &options, &gone);
        }
        left += gone ? 0 : 1;
    }
    if (touched == BATCH)
        return SIZE_MAX;
    return left;
}

static bool namespace_chore(struct api *api, str name)
{
    const struct kind *kind = registry_find(api->server->registry, STR_EMPTY, S("namespaces"));
    struct keys keys = {api->arena, val_new(api->arena, val_list())};
    struct val *object = NULL;
    size_t left = 0;

    if (object_load(api, kind, STR_EMPTY, name, &object) != OBJECT_FOUND ||
        !object_is_deleting(object))
        return false;
    if (!store_each_resource(api->server->store, name, note_key, &keys, NULL))
        return true;
    struct val_iter it = val_iter(keys.list);
    while (val_next(&it)) {
        const struct kind *of = registry_find_key(api->server->registry, val_str(it.value));
        size_t count = of == NULL ? 0 : clear(api, of, name);

        if (count == SIZE_MAX)
            return true;
        left += count;
    }
    if (left > 0)
        return false; /* erasing the last one comes back here */
    struct val *next = val_dup(api->arena, object);
    val_del(val_get(next, S("spec")), S("finalizers"));
    if (val_count(VAL_AT(next, "metadata", "finalizers")) > 0)
        object_save(api, kind, next, object);
    else
        object_erase(api, kind, next);
    return false;
}

static bool crd_chore(struct api *api, str name)
{
    const struct kind *kind = registry_find_key(api->server->registry, CRD_KEY);
    struct val *crd = NULL;

    if (kind == NULL || object_load(api, kind, STR_EMPTY, name, &crd) != OBJECT_FOUND ||
        !object_is_deleting(crd))
        return false;
    const struct kind *instances =
            registry_find(api->server->registry, VAL_STR(crd, "spec", "group"),
                          VAL_STR(crd, "spec", "names", "plural"));
    size_t left = instances == NULL ? 0 : clear(api, instances, STR_EMPTY);
    if (left == SIZE_MAX)
        return true;
    if (left == 0)
        finish(api, kind, crd, S("customresourcecleanup.apiextensions.k8s.io"));
    return false;
}

static bool (*const chore_fns[CHORE_COUNT])(struct api *api, str key) = {
        [CHORE_OWNER_GONE] = owner_gone,
        [CHORE_FOREGROUND] = foreground,
        [CHORE_ORPHAN] = orphan,
        [CHORE_ORPHANED] = orphaned,
        [CHORE_NAMESPACE] = namespace_chore,
        [CHORE_CRD] = crd_chore,
};

static bool first_key(const struct map *map, struct arena *arena, str *ret_key)
{
    struct map_iter it = map_iter(map);

    if (!map_next(&it))
        return false;
    *ret_key = arena_str(arena, it.key);
    return true;
}

static void run(void *owner)
{
    struct collector *collector = owner;
    bool more = false;

    for (int chore = 0; chore < CHORE_COUNT; chore++)
        for (int i = 0; i < BATCH; i++) {
            auto_arena struct arena *arena = arena_new(LIMIT_LIST_ARENA);
            struct api api = api_internal(collector->server, arena);
            str key;

            if (!first_key(collector->chores[chore], arena, &key))
                break;
            map_del(collector->chores[chore], key);
            if (chore_fns[chore](&api, key)) {
                map_set(collector->chores[chore], key, &mark);
                more = true;
                break;
            }
        }
    for (int chore = 0; chore < CHORE_COUNT; chore++)
        more |= map_count(collector->chores[chore]) > 0;
    if (more)
        loop_timer_start(collector->timer, 1);
    turn_wake(collector->server->turn);
}
