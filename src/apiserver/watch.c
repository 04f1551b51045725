/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/watch.h"

#include "base/mem.h"
#include "doc/json.h"

struct change {
    struct watch_change facts; /* its texts are owned */
    struct arena *arena;       /* of the parsed forms, during a pump */
    struct val *object;
    struct val *old_object;
    uint64_t seq;
};

struct watcher {
    struct watch_hub *hub;
    struct watcher *next;
    str resource;
    str namespace_;
    uint64_t at; /* the seq that it sees next */
    struct watcher_events events;
    void *owner;
    bool paused;
    bool ended;
    bool dead; /* freed during a pump */
};

struct watch_hub {
    struct change **slots; /* a ring: the change of a seq is at seq & (slot_count - 1) */
    size_t slot_count;
    uint64_t first_seq;  /* the oldest change in history, or next_seq */
    uint64_t commit_seq; /* changes below are committed, those above are of this turn */
    uint64_t next_seq;
    int64_t since; /* every change after this version is in the history */
    int64_t rv;    /* version of the newest committed change */
    size_t bytes;
    struct watcher *watchers;
    uint64_t parsed_from; /* no change below holds its parsed form */
    bool pumping;
};

/* Changes given to one watcher in one pump: the others wait no longer than that. */
#define CHANGES_A_PUMP 500

struct watch_hub *watch_hub_new(int64_t rv)
{
    struct watch_hub *hub = new0(struct watch_hub);

    hub->since = rv;
    hub->rv = rv;
    return hub;
}

static size_t change_size(const struct change *change)
{
    return sizeof(*change) + change->facts.json.len + change->facts.old_json.len;
}

static void change_forget_tree(struct change *change)
{
    if (change->arena != NULL)
        arena_free(change->arena);
    change->arena = NULL;
    change->object = NULL;
    change->old_object = NULL;
}

static void change_free(struct change *change)
{
    change_forget_tree(change);
    str_own_free(&change->facts.resource);
    str_own_free(&change->facts.namespace_);
    str_own_free(&change->facts.json);
    str_own_free(&change->facts.old_json);
    mem_free(change);
}

static struct change *change_of(const struct watch_hub *hub, uint64_t seq)
{
    return hub->slots[seq & (hub->slot_count - 1)];
}

static void drop_first(struct watch_hub *hub)
{
    struct change *change = change_of(hub, hub->first_seq);

    hub->first_seq++;
    hub->since = change->facts.rv;
    hub->bytes -= change_size(change);
    change_free(change);
}

void watch_hub_free(struct watch_hub *hub)
{
    if (hub == NULL)
        return;
    while (hub->first_seq < hub->next_seq)
        drop_first(hub);
    while (hub->watchers != NULL) {
        struct watcher *watcher = hub->watchers;

        hub->watchers = watcher->next;
        str_own_free(&watcher->resource);
        str_own_free(&watcher->namespace_);
        mem_free(watcher);
    }
    mem_free(hub->slots);
    mem_free(hub);
}

static void grow(struct watch_hub *hub)
{
    size_t count = MAX(hub->slot_count * 2, (size_t)64);
    struct change **slots = new0_array(count, struct change *);

    for (uint64_t seq = hub->first_seq; seq < hub->next_seq; seq++)
        slots[seq & (count - 1)] = change_of(hub, seq);
    mem_free(hub->slots);
    hub->slots = slots;
    hub->slot_count = count;
}

void watch_note(struct watch_hub *hub, const struct watch_change *facts)
{
    struct change *change = new0(struct change);

    change->facts = *facts;
    change->facts.resource = str_own(facts->resource);
    change->facts.namespace_ = str_own(facts->namespace_);
    change->facts.json = str_own(facts->json);
    change->facts.old_json = str_own(facts->old_json);
    if (hub->next_seq - hub->first_seq == hub->slot_count)
        grow(hub);
    change->seq = hub->next_seq++;
    hub->slots[change->seq & (hub->slot_count - 1)] = change;
    hub->bytes += change_size(change);
}

bool watch_has_queued(const struct watch_hub *hub)
{
    return hub->commit_seq < hub->next_seq;
}

void watch_commit(struct watch_hub *hub)
{
    if (!watch_has_queued(hub))
        return;
    hub->commit_seq = hub->next_seq;
    hub->rv = change_of(hub, hub->next_seq - 1)->facts.rv;
}

/* Old history goes after the watchers have seen what was new. */
static void trim(struct watch_hub *hub)
{
    while (hub->first_seq < hub->commit_seq &&
           (hub->bytes > LIMIT_WATCH_HISTORY_BYTES ||
            hub->commit_seq - hub->first_seq > LIMIT_WATCH_HISTORY_EVENTS))
        drop_first(hub);
}

void watch_rollback(struct watch_hub *hub, int64_t rv)
{
    while (hub->first_seq < hub->next_seq)
        drop_first(hub);
    hub->commit_seq = hub->parsed_from = hub->next_seq;
    hub->since = rv;
    hub->rv = rv;
    for (struct watcher *watcher = hub->watchers; watcher != NULL; watcher = watcher->next)
        watcher->ended = true;
}

bool watch_reaches(const struct watch_hub *hub, int64_t rv)
{
    return rv >= hub->since;
}

static struct val *parse(struct change *change, str json)
{
    struct val *object = NULL;

    if (change->arena == NULL)
        change->arena = arena_new(LIMIT_OBJECT_ARENA);
    if (str_is_empty(json) || !json_parse(change->arena, json, NULL, &object, NULL))
        return NULL;
    return object;
}

/* What the watcher sees of a change: leaving a selector is a deletion to it, entering an addition.
 * false: nothing. */
static bool seen_as(struct watcher *watcher, struct change *change, enum kube_event_type *ret_type)
{
    enum kube_event_type type = change->facts.type;
    struct watch_hub *hub = watcher->hub;

    if (change->seq < hub->parsed_from)
        hub->parsed_from = change->seq;

    if (change->object == NULL)
        change->object = parse(change, change->facts.json);
    if (watcher->events.matches != NULL) {
        if (change->old_object == NULL)
            change->old_object = parse(change, change->facts.old_json);
        bool was = change->old_object != NULL &&
                   watcher->events.matches(watcher->owner, change->old_object);
        bool is = type != KUBE_DELETED && change->object != NULL &&
                  watcher->events.matches(watcher->owner, change->object);

        if (!was && !is)
            return false;
        type = is ? (was ? KUBE_MODIFIED : KUBE_ADDED) : KUBE_DELETED;
    }
    *ret_type = type;
    return true;
}

/* false: the watcher is full or gone. */
static bool give(struct watcher *watcher, struct change *change)
{
    enum kube_event_type type;

    if (!str_eq(watcher->resource, change->facts.resource) ||
        (!str_is_empty(watcher->namespace_) &&
         !str_eq(watcher->namespace_, change->facts.namespace_)) ||
        !seen_as(watcher, change, &type)) {
        watcher->at = change->seq + 1;
        return true;
    }
    if (!watcher->events.event(watcher->owner, type, change->object, change->facts.json,
                               change->facts.rv)) {
        watcher->paused = true;
        return false;
    }
    watcher->at = change->seq + 1;
    return !watcher->dead && !watcher->paused && !watcher->ended;
}

static bool pump_one(struct watch_hub *hub, struct watcher *watcher)
{
    if (watcher->ended || watcher->at < hub->first_seq) {
        watcher->ended = true;
        watcher->paused = true;
        void (*gone)(void *) = watcher->events.gone;
        watcher->events.gone = NULL;
        if (gone != NULL)
            gone(watcher->owner);
        return false;
    }

    for (int i = 0; i < CHANGES_A_PUMP && watcher->at < hub->commit_seq; i++)
        if (!give(watcher, change_of(hub, watcher->at)))
            return false;
    return watcher->at < hub->commit_seq;
}

static void bury(struct watch_hub *hub)
{
    for (struct watcher **at = &hub->watchers; *at != NULL;) {
        struct watcher *watcher = *at;

        if (!watcher->dead) {
            at = &watcher->next;
            continue;
        }
        *at = watcher->next;
        str_own_free(&watcher->resource);
        str_own_free(&watcher->namespace_);
        mem_free(watcher);
    }
}

bool watch_pump(struct watch_hub *hub)
{
    bool more = false;

    hub->pumping = true;
    for (struct watcher *watcher = hub->watchers; watcher != NULL; watcher = watcher->next) {
        if (!watcher->dead && (!watcher->paused || watcher->ended) &&
            (watcher->at < hub->commit_seq || watcher->ended))
            more |= pump_one(hub, watcher);
    }
    hub->pumping = false;
    for (uint64_t seq = hub->parsed_from; seq < hub->next_seq; seq++)
        change_forget_tree(change_of(hub, seq));
    hub->parsed_from = hub->next_seq;
    bury(hub);
    trim(hub);
    return more;
}

/* The seq of the first change after a version. */
static uint64_t seq_after(const struct watch_hub *hub, int64_t rv)
{
    uint64_t low = hub->first_seq, high = hub->next_seq;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (change_of(hub, middle)->facts.rv > rv)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

struct watcher *watcher_new(struct watch_hub *hub, str resource, str namespace_, int64_t rv,
                            const struct watcher_events *events, void *owner)
{
    struct watcher *watcher = new0(struct watcher);
    struct watcher **at = &hub->watchers;

    watcher->hub = hub;
    watcher->resource = str_own(resource);
    watcher->namespace_ = str_own(namespace_);
    watcher->at = seq_after(hub, rv);
    watcher->events = *events;
    watcher->owner = owner;
    while (*at != NULL)
        at = &(*at)->next;
    *at = watcher;
    return watcher;
}

void watcher_pause(struct watcher *watcher)
{
    watcher->paused = true;
}

void watcher_resume(struct watcher *watcher)
{
    if (!watcher->ended)
        watcher->paused = false;
}

bool watcher_caught_up(const struct watcher *watcher, int64_t *ret_rv)
{
    const struct watch_hub *hub = watcher->hub;

    *ret_rv = hub->rv;
    return !watcher->ended && !watcher->paused && watcher->at >= hub->commit_seq;
}

void watcher_end(struct watcher *watcher)
{
    watcher->ended = true;
}

void watcher_free(struct watcher *watcher)
{
    if (watcher == NULL)
        return;
    watcher->dead = true;
    if (!watcher->hub->pumping)
        bury(watcher->hub);
}

void watch_end_resource(struct watch_hub *hub, str resource)
{
    for (struct watcher *watcher = hub->watchers; watcher != NULL; watcher = watcher->next)
        if (str_eq(watcher->resource, resource))
            watcher->ended = true;
}
