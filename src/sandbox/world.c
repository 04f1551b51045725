/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/thing.h"

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "doc/hash.h"
#include "doc/json.h"
#include "kube/reflector.h"

#include <stdlib.h>

enum { SLICE_MS = 8, RETRY_MS = 500, RETRY_DOUBLINGS = 6, DEAD_MAX = 4096 };

static const struct gvr kinds[WORLD_KINDS] = {
        [WORLD_NAMESPACE] = {S_INIT(""), S_INIT("v1"), S_INIT("namespaces")},
        [WORLD_NODE] = {S_INIT(""), S_INIT("v1"), S_INIT("nodes")},
        [WORLD_POD] = {S_INIT(""), S_INIT("v1"), S_INIT("pods")},
        [WORLD_DEPLOYMENT] = {S_INIT("apps"), S_INIT("v1"), S_INIT("deployments")},
        [WORLD_REPLICA_SET] = {S_INIT("apps"), S_INIT("v1"), S_INIT("replicasets")},
        [WORLD_STATEFUL_SET] = {S_INIT("apps"), S_INIT("v1"), S_INIT("statefulsets")},
        [WORLD_DAEMON_SET] = {S_INIT("apps"), S_INIT("v1"), S_INIT("daemonsets")},
        [WORLD_JOB] = {S_INIT("batch"), S_INIT("v1"), S_INIT("jobs")},
        [WORLD_CRON_JOB] = {S_INIT("batch"), S_INIT("v1"), S_INIT("cronjobs")},
        [WORLD_SERVICE] = {S_INIT(""), S_INIT("v1"), S_INIT("services")},
        [WORLD_CLAIM] = {S_INIT(""), S_INIT("v1"), S_INIT("persistentvolumeclaims")},
        [WORLD_ENDPOINT_SLICE] = {S_INIT("discovery.k8s.io"), S_INIT("v1"),
                                  S_INIT("endpointslices")},
        [WORLD_INGRESS] = {S_INIT("networking.k8s.io"), S_INIT("v1"), S_INIT("ingresses")},
        [WORLD_AUTOSCALER] = {S_INIT("autoscaling"), S_INIT("v2"),
                              S_INIT("horizontalpodautoscalers")},
};

struct cache {
    struct world *world;
    enum world_kind kind;
    struct map *things; /* "namespace/name" → struct thing */
    struct map *keys;   /* the same → struct world_key */
    struct reflector *reflector;
};

/* A write under way. */
struct write {
    struct world_key *key;
    enum world_kind kind;
    bool is_cached; /* the answer goes into the cache */
    bool is_quiet;  /* "already exists" and "not found" are fine, and nothing is tried again */
    struct kube_call *call;
    struct write *next;
    struct write **at;
};

struct world {
    struct kube *kube;
    struct world_options options;
    world_fn *controllers[WORLD_KINDS];
    void *owner;
    struct cache caches[WORLD_KINDS];
    struct map *by_owner; /* uid → the first thing with that controller */
    struct map *dead;     /* uids of what went lately: late answers do not bring it back */
    struct world_key **queue;
    size_t queue_first;
    size_t queue_count;
    size_t queue_size;
    struct loop_task *task;
    struct write *writes;
    size_t timers;
    bool is_closing;
};

/* ---- things ---- */

/* "namespace/name" on the stack; names are at most 63 and 253 bytes. */
struct key_name {
    char at[384];
};

static str key_text(struct key_name *buffer, str namespace_, str name)
{
    int len = snprintf(buffer->at, sizeof(buffer->at), "%.*s/%.*s", STR(namespace_), STR(name));

    return str_of(buffer->at, MIN((size_t)MAX(len, 0), sizeof(buffer->at) - 1));
}

static void link_thing(struct world *w, struct thing *thing)
{
    if (str_is_empty(thing->owner_uid))
        return;
    thing->next_sibling = map_get(w->by_owner, thing->owner_uid);
    map_set(w->by_owner, thing->owner_uid, thing);
}

static void unlink_thing(struct world *w, struct thing *thing)
{
    struct thing *first = map_get(w->by_owner, thing->owner_uid);

    if (first == thing) {
        if (thing->next_sibling != NULL)
            map_set(w->by_owner, thing->owner_uid, thing->next_sibling);
        else
            map_del(w->by_owner, thing->owner_uid);
    }
    for (struct thing *at = first; at != NULL && at != thing; at = at->next_sibling)
        if (at->next_sibling == thing)
            at->next_sibling = thing->next_sibling;
    thing->next_sibling = NULL;
}

/* ---- keys and the queue ---- */

static void run_queue(void *owner);

static struct world_key *key_of(struct world *w, enum world_kind kind, str namespace_, str name)
{
    struct key_name buffer;
    str text = key_text(&buffer, namespace_, name);
    struct world_key *key = map_get(w->caches[kind].keys, text);

    if (key != NULL)
        return key;
    key = new0(struct world_key);
    key->world = w;
    key->kind = kind;
    key->namespace_ = str_own(namespace_);
    key->name = str_own(name);
    map_set(w->caches[kind].keys, text, key);
    return key;
}

static void stop_timer(struct world_key *key)
{
    if (key->timer == NULL)
        return;
    loop_timer_free(TAKE(key->timer));
    key->world->timers--;
}

static void key_free(struct world_key *key)
{
    stop_timer(key);
    mem_free(key->memo);
    str_own_free(&key->memo_uid);
    str_own_free(&key->namespace_);
    str_own_free(&key->name);
    mem_free(key);
}

static void queue_key(struct world_key *key)
{
    struct world *w = key->world;

    if (key->in_flight > 0) {
        key->again = true;
        return;
    }
    if (key->queued || w->is_closing || w->controllers[key->kind] == NULL)
        return;
    if (w->queue_count == w->queue_size) {
        size_t size = MAX(w->queue_size * 2, (size_t)64);
        struct world_key **queue = new0_array(size, struct world_key *);
        for (size_t i = 0; i < w->queue_count; i++)
            queue[i] = w->queue[(w->queue_first + i) % w->queue_size];
        mem_free(w->queue);
        w->queue = queue;
        w->queue_first = 0;
        w->queue_size = size;
    }
    w->queue[(w->queue_first + w->queue_count++) % w->queue_size] = key;
    key->queued = true;
    loop_task_post(w->task);
}

void world_queue(struct world *w, enum world_kind kind, str namespace_, str name)
{
    if (w->controllers[kind] != NULL)
        queue_key(key_of(w, kind, namespace_, name));
}

static void timer_ran(void *owner)
{
    struct world_key *key = owner;

    stop_timer(key);
    queue_key(key);
}

void world_later(struct world_key *key, int64_t delay_ms)
{
    int64_t due = clock_mono_ms() + MAX(delay_ms, (int64_t)1);

    if (key->timer != NULL && loop_timer_is_running(key->timer) && key->due_ms <= due)
        return;
    key->due_ms = due;
    if (key->timer == NULL) {
        key->timer = loop_timer_new(key->world->kube->loop, "sandbox", timer_ran, key);
        key->world->timers++;
    }
    loop_timer_start(key->timer, MAX(delay_ms, (int64_t)1));
}

/* A key of an object that is gone and that nothing holds goes too. */
static void tidy_key(struct world_key *key)
{
    struct world *w = key->world;
    struct key_name buffer;
    str text = key_text(&buffer, key->namespace_, key->name);

    if (key->in_flight > 0 || key->queued || map_has(w->caches[key->kind].things, text))
        return;
    map_del(w->caches[key->kind].keys, text);
    key_free(key);
}

static void run_key(struct world_key *key)
{
    struct world *w = key->world;
    auto_arena struct arena *arena = arena_new(LIMIT_SANDBOX_ARENA);
    struct thing *thing = world_find(w, key->kind, key->namespace_, key->name);
    struct val *object = NULL;

    key->queued = false;
    key->at = arena;
    if (thing != NULL)
        object = world_parse(key, thing);
    /* Notes are about one object; another of the same name begins anew. */
    if (thing == NULL || !str_eq(key->memo_uid, thing->uid)) {
        if (key->memo != NULL)
            w->controllers[key->kind](key, NULL);
        mem_free(TAKE(key->memo));
        str_own_free(&key->memo_uid);
        key->memo_uid = thing == NULL ? (str){0} : str_own(thing->uid);
    }
    if (object != NULL)
        w->controllers[key->kind](key, object);
    key->at = NULL;
    tidy_key(key);
}

/* Half of the truth makes controllers create what is there already. */
static bool is_whole(const struct world *w)
{
    for (int i = 0; i < WORLD_KINDS; i++)
        if (!reflector_is_complete(w->caches[i].reflector))
            return false;
    return true;
}

static void run_queue(void *owner)
{
    struct world *w = owner;
    int64_t end = clock_mono_ms() + SLICE_MS;

    if (!is_whole(w))
        return; /* came_whole posts again */
    while (w->queue_count > 0 && clock_mono_ms() <= end) {
        struct world_key *key = w->queue[w->queue_first];
        w->queue_first = (w->queue_first + 1) % w->queue_size;
        w->queue_count--;
        run_key(key);
    }
    if (w->queue_count > 0)
        loop_task_post(w->task);
}

/* ---- what changes ---- */

struct queue_services {
    struct world *world;
    const struct thing *pod;
};

static void queue_service(void *owner, struct thing *thing)
{
    struct queue_services *q = owner;

    if (world_selects(thing, q->pod))
        world_queue(q->world, WORLD_SERVICE, thing->namespace_, thing->name);
}

static void tell_others(struct world *w, const struct thing *thing)
{
    world_queue(w, thing->kind, thing->namespace_, thing->name);
    if (thing->owner_kind != WORLD_KINDS)
        world_queue(w, thing->owner_kind, thing->namespace_, thing->owner_name);
    if (thing->kind == WORLD_POD) {
        struct queue_services q = {w, thing};
        world_each(w, WORLD_SERVICE, queue_service, &q);
    }
}

/* Takes a reference of its own. Older news than what is known already is no news. */
static void store_thing(struct world *w, struct thing *thing)
{
    struct key_name buffer;
    struct cache *cache = &w->caches[thing->kind];
    str text = key_text(&buffer, thing->namespace_, thing->name);
    struct thing *was = map_get(cache->things, text);

    if (map_has(w->dead, thing->uid) ||
        (was != NULL && str_eq(was->uid, thing->uid) && was->version >= thing->version))
        return;
    thing->refs++;
    if (was != NULL) {
        unlink_thing(w, was);
        if (was->kind == WORLD_POD) {
            struct queue_services q = {w, was};
            world_each(w, WORLD_SERVICE, queue_service, &q);
        }
    }
    map_set(cache->things, text, thing);
    link_thing(w, thing);
    thing_unref(was);
    tell_others(w, thing);
}

static void forget_thing(struct world *w, enum world_kind kind, str namespace_, str name, str uid)
{
    struct key_name buffer;
    str text = key_text(&buffer, namespace_, name);
    struct thing *was = map_get(w->caches[kind].things, text);

    if (was == NULL || (!str_is_empty(uid) && !str_eq(was->uid, uid)))
        return;
    if (map_count(w->dead) >= DEAD_MAX)
        map_clear(w->dead);
    map_set(w->dead, was->uid, w);
    map_del(w->caches[kind].things, text);
    unlink_thing(w, was);
    tell_others(w, was);
    thing_unref(was);
}

static void *keep(void *owner, const struct val *object)
{
    struct cache *cache = owner;
    uint64_t version = 0;
    struct thing *known =
            world_find(cache->world, cache->kind, object_namespace(object), object_name(object));

    /* Mostly it is the echo of a write of ours. */
    if (known != NULL && str_to_u64(object_resource_version(object), &version) &&
        known->version == version && str_eq(known->uid, object_uid(object))) {
        known->refs++;
        return known;
    }
    return thing_new(cache->kind, object);
}

static void drop(UNUSED void *owner, void *kept)
{
    thing_unref(kept);
}

static void changed(void *owner, str namespace_, str name, const void *was, const void *is)
{
    struct cache *cache = owner;
    const struct thing *old = was;

    if (is != NULL)
        store_thing(cache->world, (struct thing *)(uintptr_t)is);
    else
        forget_thing(cache->world, cache->kind, namespace_, name, old->uid);
}

static void came_whole(void *owner)
{
    struct cache *cache = owner;

    loop_task_post(cache->world->task);
}

/* ---- looking ---- */

struct thing *world_find(const struct world *w, enum world_kind kind, str namespace_, str name)
{
    struct key_name buffer;

    return map_get(w->caches[kind].things, key_text(&buffer, namespace_, name));
}

struct val *world_parse(struct world_key *key, const struct thing *thing)
{
    struct val *object = NULL;

    return json_parse(key->at, thing->json, NULL, &object, NULL) ? object : NULL;
}

struct thing *world_children(const struct world *w, str owner_uid)
{
    return map_get(w->by_owner, owner_uid);
}

void world_each(const struct world *w, enum world_kind kind, world_each_fn *fn, void *owner)
{
    struct map_iter it = map_iter(w->caches[kind].things);

    while (map_next(&it))
        fn(owner, it.value);
}

struct kube *world_kube(const struct world *w)
{
    return w->kube;
}

void *world_owner(const struct world *w)
{
    return w->owner;
}

int64_t world_delay(const struct world *w, int64_t usual_ms)
{
    return MAX(usual_ms / MAX(w->options.speed, 1), (int64_t)1);
}

str world_now(struct world_key *key)
{
    char text[CLOCK_RFC3339_SIZE];

    clock_format(clock_wall_ms(), text);
    return arena_str(key->at, str_from(text));
}

/* ---- writing ---- */

static void written(void *owner, struct kube_response *response)
{
    struct write *write = owner;
    struct world_key *key = write->key;
    bool was_there = str_eq(response->reason, S("AlreadyExists")) || response->status == 404;

    *write->at = write->next;
    if (write->next != NULL)
        write->next->at = write->at;
    key->in_flight--;
    if (response->ok && write->is_cached && object_uid(response->object).len > 0) {
        struct thing *thing = thing_new(write->kind, response->object);
        store_thing(key->world, thing);
        thing_unref(thing);
    }
    if (response->ok || (write->is_quiet && was_there)) {
        key->failures = 0;
    } else {
        world_later(key, (int64_t)RETRY_MS << MIN(key->failures, RETRY_DOUBLINGS));
        key->failures++;
    }
    mem_free(write);
    if (key->in_flight == 0 && key->again) {
        key->again = false;
        queue_key(key);
    }
    if (key->in_flight == 0)
        tidy_key(key);
}

static void start(struct world_key *key, enum world_kind kind, bool is_cached, bool is_quiet,
                  const struct kube_request *request)
{
    struct world *w = key->world;
    struct write *write = new0(struct write);

    write->key = key;
    write->kind = kind;
    write->is_cached = is_cached;
    write->is_quiet = is_quiet;
    write->next = w->writes;
    write->at = &w->writes;
    if (write->next != NULL)
        write->next->at = &write->next;
    w->writes = write;
    key->in_flight++;
    write->call = kube_start(w->kube, request, written, write);
}

void world_create(struct world_key *key, enum world_kind kind, const char *manager,
                  const struct val *object)
{
    struct kube_request request = {.verb = KUBE_CREATE,
                                   .gvr = kinds[kind],
                                   .namespace_ = object_namespace(object),
                                   .body = object,
                                   .field_manager = str_from(manager)};

    start(key, kind, /*is_cached=*/true, /*is_quiet=*/false, &request);
}

void world_create_other(struct world_key *key, struct gvr gvr, const struct val *object)
{
    struct kube_request request = {.verb = KUBE_CREATE,
                                   .gvr = gvr,
                                   .namespace_ = object_namespace(object),
                                   .body = object,
                                   .field_manager = S("kube-controller-manager")};

    start(key, key->kind, /*is_cached=*/false, /*is_quiet=*/true, &request);
}

void world_patch_other(struct world_key *key, struct gvr gvr, str name, const struct val *patch)
{
    struct kube_request request = {.verb = KUBE_PATCH_MERGE,
                                   .gvr = gvr,
                                   .namespace_ = key->namespace_,
                                   .name = name,
                                   .body = patch,
                                   .field_manager = S("kube-controller-manager")};

    start(key, key->kind, /*is_cached=*/false, /*is_quiet=*/true, &request);
}

void world_patch(struct world_key *key, const struct thing *thing, const char *subresource,
                 const char *manager, const struct val *patch)
{
    struct kube_request request = {.verb = KUBE_PATCH_MERGE,
                                   .gvr = kinds[thing->kind],
                                   .namespace_ = thing->namespace_,
                                   .name = thing->name,
                                   .subresource = str_from(subresource),
                                   .body = patch,
                                   .field_manager = str_from(manager)};

    start(key, thing->kind, /*is_cached=*/true, /*is_quiet=*/true, &request);
}

/* A merge patch keeps what it does not name: members that are no longer there become null. */
static struct val status_patch(struct arena *arena, const struct val *was, const struct val *is)
{
    struct val patch = val_map();
    struct val status = val_dup_value(arena, is);
    struct val_iter it = val_iter(was);

    while (val_next(&it))
        if (val_get(is, it.key) == NULL)
            val_add(arena, &status, it.key, val_null());
    val_add(arena, &patch, S("status"), status);
    return patch;
}

void world_status(struct world_key *key, const struct val *object, const char *manager,
                  const struct val *status)
{
    const struct val *was = val_get(object, S("status"));
    struct thing *thing = world_find(key->world, key->kind, key->namespace_, key->name);

    if (thing == NULL || val_eq(was, status))
        return;
    struct val patch = status_patch(key->at, was, status);
    world_patch(key, thing, "status", manager, &patch);
}

void world_delete(struct world_key *key, struct thing *thing, bool at_once)
{
    struct val body = val_map();
    struct kube_request request = {.verb = KUBE_DELETE,
                                   .gvr = kinds[thing->kind],
                                   .namespace_ = thing->namespace_,
                                   .name = thing->name,
                                   .propagation = S("Background"),
                                   .precondition_uid = thing->uid,
                                   .body = &body};

    val_add(key->at, &body, S("apiVersion"), val_string_borrow(S("v1")));
    val_add(key->at, &body, S("kind"), val_string_borrow(S("DeleteOptions")));
    if (at_once)
        val_add(key->at, &body, S("gracePeriodSeconds"), val_int(key->at, 0));
    /* Known at once; if the delete fails, the pause and the next news tell otherwise. */
    thing->deleting = true;
    start(key, thing->kind, /*is_cached=*/false, /*is_quiet=*/true, &request);
}

/* ---- events ---- */

static const struct gvr events_gvr = {S_INIT(""), S_INIT("v1"), S_INIT("events")};

void world_event(struct world_key *key, const struct val *object, const char *component,
                 const char *type, const char *reason, str message)
{
    struct arena *arena = key->at;
    struct val event = val_map();
    struct gvk gvk = gvk_of(object);
    char hex[HASH_HEX_SIZE];
    struct hash hash = hash_bytes(
            arena_printf(arena, "%.*s %s %.*s", STR(object_uid(object)), reason, STR(message)));

    hash_hex(&hash, hex);
    str name = arena_printf(arena, "%.*s.%.16s", STR(object_name(object)), hex);
    str space = object_namespace(object);
    if (str_is_empty(space))
        space = S("default");
    val_set_str(arena, &event, S("apiVersion"), S("v1"));
    val_set_str(arena, &event, S("kind"), S("Event"));
    struct val *metadata = val_ensure_map(arena, &event, S("metadata"));
    val_set_str(arena, metadata, S("name"), name);
    val_set_str(arena, metadata, S("namespace"), space);
    struct val *about = val_ensure_map(arena, &event, S("involvedObject"));
    val_set_str(arena, about, S("apiVersion"), gvk_api_version(arena, gvk.group, gvk.version));
    val_set_str(arena, about, S("kind"), gvk.kind);
    val_set_str(arena, about, S("name"), object_name(object));
    val_set_str(arena, about, S("namespace"), object_namespace(object));
    val_set_str(arena, about, S("uid"), object_uid(object));
    val_set_str(arena, &event, S("type"), str_from(type));
    val_set_str(arena, &event, S("reason"), str_from(reason));
    val_set_str(arena, &event, S("message"), message);
    val_set_str(arena, val_ensure_map(arena, &event, S("source")), S("component"),
                str_from(component));
    val_set_str(arena, &event, S("reportingComponent"), str_from(component));
    val_set_str(arena, &event, S("firstTimestamp"), world_now(key));
    val_set_str(arena, &event, S("lastTimestamp"), world_now(key));
    val_set(arena, &event, S("count"), val_int(arena, 1));
    world_create_other(key, events_gvr, &event);
}

/* ---- life ---- */

struct world *world_new(struct kube *kube, const struct world_options *options,
                        world_fn *const controllers[WORLD_KINDS], void *owner)
{
    struct world *w = new0(struct world);
    static const struct reflector_events events = {
            .keep = keep, .drop = drop, .changed = changed, .complete = came_whole};

    w->kube = kube;
    w->options = *options;
    w->owner = owner;
    w->by_owner = map_new();
    w->dead = map_new();
    w->task = loop_task_new(kube->loop, "sandbox", run_queue, w);
    for (int i = 0; i < WORLD_KINDS; i++) {
        struct kube_selector selector = {.gvr = kinds[i]};
        w->controllers[i] = controllers[i];
        w->caches[i] = (struct cache){
                .world = w, .kind = (enum world_kind)i, .things = map_new(), .keys = map_new()};
        w->caches[i].reflector = reflector_new(kube, &selector, &events, &w->caches[i]);
    }
    return w;
}

void world_free(struct world *w)
{
    if (w == NULL)
        return;
    w->is_closing = true;
    while (w->writes != NULL) {
        struct write *write = w->writes;
        w->writes = write->next;
        kube_cancel(write->call);
        mem_free(write);
    }
    for (int i = 0; i < WORLD_KINDS; i++) {
        reflector_free(w->caches[i].reflector);
        struct map_iter it = map_iter(w->caches[i].keys);
        while (map_next(&it))
            key_free(it.value);
        it = map_iter(w->caches[i].things);
        while (map_next(&it))
            thing_unref(it.value);
        map_free(w->caches[i].keys);
        map_free(w->caches[i].things);
    }
    map_free(w->by_owner);
    map_free(w->dead);
    loop_task_free(w->task);
    mem_free(w->queue);
    mem_free(w);
}

bool world_is_idle(const struct world *w)
{
    return is_whole(w) && w->queue_count == 0 && w->writes == NULL;
}
