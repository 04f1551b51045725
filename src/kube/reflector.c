/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/reflector.h"

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>

/* A page of large objects that goes over LIMIT_RESPONSE_BYTES is asked for in smaller pieces. */
#define PAGE_DIVISOR 5
#define BACKOFF_MIN_MS 200
#define BACKOFF_MAX_MS 30000
/* A server that sends bookmarks does so about every minute. Silence beyond this means that the
 * server hangs or somebody on the way forgot the connection. */
#define SILENCE_MS 200000
/* A watch that lived so long was a good one, even if nothing happened. */
#define GOOD_WATCH_MS 10000

enum state {
    STATE_LISTING,
    STATE_WATCHING,
    STATE_WAITING, /* backing off */
};

struct entry {
    void *kept;
    bool seen; /* by the list that is being taken over */
    char resource_version[];
};

struct reflector {
    struct kube *kube;
    struct kube_selector what; /* owned texts */
    struct reflector_events events;
    void *owner;
    enum state state;
    struct kube_call *call;
    struct loop_timer *timer; /* the pause after a failure, or the silence of a watch */
    struct map *cache;        /* "namespace/name" → struct entry */
    struct map *pending;      /* the list that is coming in */
    void *was;                /* what changed() is being told of */
    str resource_version;
    str continue_;
    int64_t page;
    bool is_complete;
    bool has_trouble;
    bool relist; /* after the pause: list anew instead of going on watching */
    struct err trouble;
    int failures; /* in a row */
    int64_t watch_began_ms;
    int callbacks; /* of the owner that run */
    bool is_dead;
};

static void list_page(struct reflector *r);
static void watch(struct reflector *r);

/* ---- entries ---- */

static void drop_kept(struct reflector *r, void *kept)
{
    if (kept != NULL && r->events.drop != NULL)
        r->events.drop(r->owner, kept);
}

static void entry_free(struct reflector *r, struct entry *entry)
{
    if (entry == NULL)
        return;
    drop_kept(r, entry->kept);
    mem_free(entry);
}

static void entries_free(struct reflector *r, struct map *entries)
{
    if (entries == NULL)
        return;
    struct map_iter it = map_iter(entries);
    while (map_next(&it))
        entry_free(r, it.value);
    map_free(entries);
}

static struct entry *entry_new(void *kept, str resource_version)
{
    struct entry *entry = mem_new(1, sizeof(struct entry) + resource_version.len + 1);

    entry->kept = kept;
    memcpy(entry->resource_version, resource_version.at, resource_version.len);
    return entry;
}

static str key_of(struct arena *arena, str namespace_, str name)
{
    return arena_printf(arena, "%.*s/%.*s", STR(namespace_), STR(name));
}

static void key_split(str key, str *ret_namespace, str *ret_name)
{
    size_t slash = str_find_char(key, '/');

    *ret_namespace = str_first(key, slash);
    *ret_name = str_from_index(key, slash + 1);
}

/* ---- the owner; each of these may free the reflector, so their callers look at is_dead ---- */

static void destroy_when_left(struct reflector *r)
{
    if (r->is_dead && r->callbacks == 0)
        mem_free(r);
}

static void *ask_keep(struct reflector *r, const struct val *object)
{
    r->callbacks++;
    void *kept = r->events.keep(r->owner, object);
    r->callbacks--;
    return kept;
}

/* Takes `was` over. */
static void tell_changed(struct reflector *r, str key, void *was, const void *is)
{
    str namespace_;
    str name;

    if (was == NULL && is == NULL)
        return;
    key_split(key, &namespace_, &name);
    r->was = was;
    r->callbacks++;
    if (r->events.changed != NULL)
        r->events.changed(r->owner, namespace_, name, was, is);
    r->callbacks--;
    if (!r->is_dead)
        drop_kept(r, TAKE(r->was));
}

static void tell_trouble(struct reflector *r, const struct err *err)
{
    bool is_news = err == NULL ? r->has_trouble
                               : !r->has_trouble || strcmp(err->message, r->trouble.message) != 0;

    if (!is_news)
        return;
    r->has_trouble = err != NULL;
    if (err != NULL)
        r->trouble = *err;
    r->callbacks++;
    if (r->events.trouble != NULL)
        r->events.trouble(r->owner, err == NULL ? NULL : &r->trouble);
    r->callbacks--;
}

/* ---- the pause after a failure ---- */

static void on_timer(void *owner)
{
    struct reflector *r = owner;

    if (r->state == STATE_WATCHING)
        kube_cancel(TAKE(r->call));
    if (r->relist)
        list_page(r);
    else
        watch(r);
}

/* 200 ms doubling to 30 s, each between half and whole, so that many do not come back together. */
static void pause_then(struct reflector *r, bool relist, int64_t at_least_ms)
{
    int doublings = MIN(MAX(r->failures - 1, 0), 10);
    int64_t longest = MIN((int64_t)BACKOFF_MIN_MS << doublings, (int64_t)BACKOFF_MAX_MS);
    int64_t wait = longest / 2 + (int64_t)arc4random_uniform((uint32_t)(longest / 2 + 1));

    r->state = STATE_WAITING;
    r->relist = relist;
    loop_timer_start(r->timer, MAX(wait, at_least_ms));
}

/* ---- list ---- */

static void begin_list(struct reflector *r)
{
    r->is_complete = false;
    entries_free(r, r->pending);
    r->pending = map_new();
    str_own_free(&r->continue_);
}

/* Items of a list of a built-in kind do not say their kind: the list does ("ConfigMapList"). */
static void name_kind(struct arena *arena, const struct val *list, struct val *item)
{
    str kind = val_get_str(list, S("kind"));

    if (val_get(item, S("kind")) != NULL || !val_is(item, VAL_MAP) || !str_chop(&kind, S("List")))
        return;
    val_set_str(arena, item, S("apiVersion"), val_get_str(list, S("apiVersion")));
    val_set_str(arena, item, S("kind"), kind);
}

static void take_page(struct reflector *r, const struct val *list)
{
    auto_arena struct arena *arena = arena_new(LIMIT_RESPONSE_BYTES);
    struct val_iter it = val_iter(val_get(list, S("items")));

    while (val_next(&it)) {
        name_kind(arena, list, it.value);
        str key = key_of(arena, object_namespace(it.value), object_name(it.value));
        void *kept = ask_keep(r, it.value);

        if (r->is_dead)
            return;
        if (kept == NULL)
            continue;
        entry_free(r, map_set(r->pending, key, entry_new(kept, object_resource_version(it.value))));
    }
}

/* The first half of taking a whole list over: what came or changed. */
static bool take_present(struct reflector *r)
{
    struct map_iter it = map_iter(r->pending);

    while (map_next(&it)) {
        struct entry *is = it.value;
        struct entry *was = map_get(r->cache, it.key);

        if (was != NULL && strcmp(was->resource_version, is->resource_version) == 0) {
            was->seen = true;
            continue; /* `is` is dropped with the rest of pending */
        }
        str key = str_own(it.key);
        struct entry *moved = entry_new(TAKE(is->kept), str_from(is->resource_version));
        moved->seen = true;
        map_set(r->cache, key, moved);
        void *old = was == NULL ? NULL : was->kept;
        mem_free(was);
        tell_changed(r, key, old, moved->kept);
        str_own_free(&key);
        if (r->is_dead)
            return false;
    }
    return true;
}

/* The second half: what is no longer there. */
static bool take_absent(struct reflector *r)
{
    struct map_iter it = map_iter(r->cache);

    while (map_next(&it)) {
        struct entry *entry = it.value;

        if (entry->seen) {
            entry->seen = false;
            continue;
        }
        str key = str_own(it.key);
        void *was = entry->kept;
        map_del(r->cache, it.key);
        mem_free(entry);
        tell_changed(r, key, was, NULL);
        str_own_free(&key);
        if (r->is_dead)
            return false;
    }
    return true;
}

static void take_list(struct reflector *r, const struct val *list)
{
    str_own_free(&r->resource_version);
    r->resource_version = str_own(VAL_STR(list, "metadata", "resourceVersion"));
    if (!take_present(r))
        return;
    entries_free(r, TAKE(r->pending));
    if (!take_absent(r))
        return;
    r->is_complete = true;
    r->failures = 0;
    tell_trouble(r, NULL);
    if (r->is_dead)
        return;
    r->callbacks++;
    if (r->events.complete != NULL)
        r->events.complete(r->owner);
    r->callbacks--;
    if (!r->is_dead)
        watch(r);
}

static void list_failed(struct reflector *r, const struct kube_response *response)
{
    bool is_expired = response->status == 410 && r->continue_.len > 0;

    /* A page token that grew too old on a slow network: from the start, at once, but only once. */
    if (is_expired && r->failures == 0) {
        r->failures++;
        begin_list(r);
        list_page(r);
        return;
    }
    if (response->err.code == ERR_LIMIT && r->page > 1) {
        r->page = MAX((int64_t)1, r->page / PAGE_DIVISOR);
        list_page(r);
        return;
    }
    r->failures++;
    tell_trouble(r, &response->err);
    if (r->is_dead)
        return;
    begin_list(r);
    pause_then(r, /*relist=*/true, response->retry_after_ms);
}

static void on_list_done(void *owner, struct kube_response *response)
{
    struct reflector *r = owner;

    r->call = NULL;
    r->callbacks++; /* keeps r alive through everything below */
    if (!response->ok) {
        list_failed(r, response);
    } else {
        take_page(r, response->object);
        if (!r->is_dead) {
            str_own_free(&r->continue_);
            r->continue_ = str_own(VAL_STR(response->object, "metadata", "continue"));
            if (r->continue_.len > 0)
                list_page(r);
            else
                take_list(r, response->object);
        }
    }
    r->callbacks--;
    destroy_when_left(r);
}

static void list_page(struct reflector *r)
{
    struct kube_request request = {
            .verb = KUBE_LIST,
            .gvr = r->what.gvr,
            .namespace_ = r->what.namespace_,
            .label_selector = r->what.label_selector,
            .field_selector = r->what.field_selector,
            .limit = r->page,
            .continue_ = r->continue_,
            .timeout_ms = 60000,
    };

    if (r->pending == NULL)
        begin_list(r);
    r->state = STATE_LISTING;
    r->call = kube_start(r->kube, &request, on_list_done, r);
}

/* ---- watch ---- */

static void relist_now(struct reflector *r)
{
    kube_cancel(TAKE(r->call));
    begin_list(r);
    list_page(r);
}

static void set_version(struct reflector *r, const struct val *object)
{
    str version = object_resource_version(object);

    if (version.len == 0 || str_eq(version, r->resource_version))
        return;
    str_own_free(&r->resource_version);
    r->resource_version = str_own(version);
}

static void take_event(struct reflector *r, const struct val *object, bool is_deleted)
{
    auto_arena struct arena *arena = arena_new(LIMIT_KEY_ARENA);
    str key = key_of(arena, object_namespace(object), object_name(object));
    str version = object_resource_version(object);
    struct entry *entry = map_get(r->cache, key);

    if (!is_deleted && entry != NULL && str_eq(str_from(entry->resource_version), version))
        return;
    void *kept = is_deleted ? NULL : ask_keep(r, object);
    if (r->is_dead)
        return;
    void *was = entry == NULL ? NULL : entry->kept;
    if (kept != NULL)
        map_set(r->cache, key, entry_new(kept, version));
    else if (entry != NULL)
        map_del(r->cache, key);
    mem_free(entry);
    tell_changed(r, key, was, kept);
}

static void watch_failed(struct reflector *r, const struct err *err, int status,
                         int64_t retry_after_ms)
{
    bool is_gone = status == 410 || err->code == ERR_GONE;

    r->failures++;
    if (is_gone && r->failures <= 1) {
        relist_now(r);
        return;
    }
    /* The first break is met by watching again; a second, or a refusal, is trouble and is met by
     * listing, whose success says that it is over. */
    bool is_refused = status >= 400 && status < 500;
    bool is_trouble = r->failures > 1 || is_refused;
    if (is_trouble) {
        tell_trouble(r, err);
        if (r->is_dead)
            return;
        begin_list(r);
    }
    pause_then(r, /*relist=*/is_trouble, retry_after_ms);
}

static void on_event(void *owner, const struct kube_event *event)
{
    struct reflector *r = owner;
    struct err err;

    r->callbacks++;
    switch (event->type) {
    case KUBE_ADDED:
    case KUBE_MODIFIED:
    case KUBE_DELETED:
        r->failures = 0;
        set_version(r, event->object);
        take_event(r, event->object, event->type == KUBE_DELETED);
        break;
    case KUBE_BOOKMARK:
        r->failures = 0;
        set_version(r, event->object);
        loop_timer_start(r->timer, SILENCE_MS);
        break;
    case KUBE_EVENT_ERROR:
        loop_timer_stop(r->timer);
        kube_status_error(event->object, 0, &err);
        kube_cancel(TAKE(r->call));
        watch_failed(r, &err, (int)val_i64_or(val_get(event->object, S("code")), 0), 0);
        break;
    }
    r->callbacks--;
    destroy_when_left(r);
}

static void on_watch_done(void *owner, struct kube_response *response)
{
    struct reflector *r = owner;
    bool was_open = response->ok || response->status == 200;
    bool was_good = was_open && clock_mono_ms() - r->watch_began_ms >= GOOD_WATCH_MS;

    r->call = NULL;
    loop_timer_stop(r->timer);
    r->callbacks++;
    if (was_good)
        r->failures = 0;
    if (response->ok && (was_good || r->failures == 0)) {
        /* The server ends watches now and then; one that it ends at once costs a pause. */
        r->failures = was_good ? 0 : 1;
        pause_then(r, /*relist=*/false, 0);
    } else if (response->ok) {
        err_set(&response->err, ERR_UNAVAILABLE, "%s ends every watch at once", r->kube->name);
        watch_failed(r, &response->err, 0, 0);
    } else {
        watch_failed(r, &response->err, response->status, response->retry_after_ms);
    }
    r->callbacks--;
    destroy_when_left(r);
}

static void watch(struct reflector *r)
{
    struct kube_request request = {
            .verb = KUBE_WATCH,
            .gvr = r->what.gvr,
            .namespace_ = r->what.namespace_,
            .label_selector = r->what.label_selector,
            .field_selector = r->what.field_selector,
            .resource_version = r->resource_version,
            .allow_bookmarks = true,
    };

    r->state = STATE_WATCHING;
    r->relist = false;
    r->watch_began_ms = clock_mono_ms();
    r->call = kube_watch(r->kube, &request, on_event, on_watch_done, r);
}

/* ---- life ---- */

struct reflector *reflector_new(struct kube *kube, const struct kube_selector *what,
                                const struct reflector_events *events, void *owner)
{
    struct reflector *r = new0(struct reflector);

    r->kube = kube;
    r->what.gvr.group = str_own(what->gvr.group);
    r->what.gvr.version = str_own(what->gvr.version);
    r->what.gvr.resource = str_own(what->gvr.resource);
    r->what.namespace_ = str_own(what->namespace_);
    r->what.label_selector = str_own(what->label_selector);
    r->what.field_selector = str_own(what->field_selector);
    r->events = *events;
    r->owner = owner;
    r->cache = map_new();
    r->page = LIMIT_LIST_PAGE;
    r->timer = loop_timer_new(kube->loop, "reflector", on_timer, r);
    list_page(r);
    return r;
}

void reflector_free(struct reflector *r)
{
    if (r == NULL)
        return;
    assert(!r->is_dead);
    kube_cancel(r->call);
    loop_timer_free(r->timer);
    drop_kept(r, TAKE(r->was));
    entries_free(r, TAKE(r->cache));
    entries_free(r, TAKE(r->pending));
    str_own_free(&r->what.gvr.group);
    str_own_free(&r->what.gvr.version);
    str_own_free(&r->what.gvr.resource);
    str_own_free(&r->what.namespace_);
    str_own_free(&r->what.label_selector);
    str_own_free(&r->what.field_selector);
    str_own_free(&r->resource_version);
    str_own_free(&r->continue_);
    r->is_dead = true;
    destroy_when_left(r);
}

bool reflector_is_complete(const struct reflector *r)
{
    return r->is_complete && !r->has_trouble;
}

const struct err *reflector_trouble(const struct reflector *r)
{
    return r->has_trouble ? &r->trouble : NULL;
}

void *reflector_get(const struct reflector *r, str namespace_, str name)
{
    auto_arena struct arena *arena = arena_new(LIMIT_KEY_ARENA);
    struct entry *entry = map_get(r->cache, key_of(arena, namespace_, name));

    return entry == NULL ? NULL : entry->kept;
}

size_t reflector_count(const struct reflector *r)
{
    return map_count(r->cache);
}

void reflector_each(const struct reflector *r, reflector_each_fn *fn, void *owner)
{
    struct map_iter it = map_iter(r->cache);
    str namespace_;
    str name;

    while (map_next(&it)) {
        struct entry *entry = it.value;

        key_split(it.key, &namespace_, &name);
        fn(owner, namespace_, name, entry->kept);
    }
}

str reflector_resource_version(const struct reflector *r)
{
    return r->resource_version;
}
