/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/expire.h"

#include "apiserver/turn.h"
#include "base/clock.h"
#include "base/mem.h"
#include "doc/json.h"

struct expire {
    struct apiserver *server;
    struct loop_timer *timer;
};

#define EVENT_MS ((int64_t)60 * 60 * 1000)
#define LOOK_MS (5 * 60 * 1000)
/* Events removed in one turn. */
#define BATCH 200

struct old {
    struct api *api;
    struct val *objects;
    int64_t before_ms;
};

/* When it was last seen. */
static bool seen_at(const struct val *event, int64_t *ret_ms)
{
    str times[] = {VAL_STR(event, "series", "lastObservedTime"),
                   val_get_str(event, S("lastTimestamp")), val_get_str(event, S("eventTime")),
                   VAL_STR(event, "metadata", "creationTimestamp")};

    for (size_t i = 0; i < COUNT(times); i++)
        if (!str_is_empty(times[i]))
            return clock_parse(times[i], ret_ms);
    return false;
}

static bool note_old(void *owner, const struct store_row *row)
{
    struct old *old = owner;
    auto_arena struct arena *scratch = arena_new(LIMIT_OBJECT_ARENA);
    struct val *event = NULL;
    int64_t when;

    if (json_parse(scratch, row->json, NULL, &event, NULL) && seen_at(event, &when) &&
        when < old->before_ms)
        val_append(old->api->arena, old->objects, val_dup_value(old->api->arena, event));
    return val_count(old->objects) < BATCH;
}

bool expire_run(struct apiserver *server, int64_t now_ms)
{
    auto_arena struct arena *arena = arena_new(LIMIT_LIST_ARENA);
    struct api api = api_internal(server, arena);
    const struct kind *kind = registry_find(server->registry, STR_EMPTY, S("events"));
    struct old old = {&api, val_new(arena, val_list()), now_ms - EVENT_MS};
    struct store_range range = {.resource = S("/events")};

    if (kind == NULL || !store_each(server->store, &range, note_old, &old, NULL))
        return false;
    struct val_iter it = val_iter(old.objects);
    while (val_next(&it))
        object_erase(&api, kind, it.value);
    if (val_count(old.objects) > 0)
        turn_wake(server->turn);
    return val_count(old.objects) == BATCH;
}

static void look(void *owner)
{
    struct expire *expire = owner;
    bool more = expire_run(expire->server, clock_wall_ms());

    loop_timer_start(expire->timer, more ? 1 : LOOK_MS);
}

struct expire *expire_new(struct apiserver *server)
{
    struct expire *expire = new0(struct expire);

    expire->server = server;
    expire->timer = loop_timer_new(server->loop, "apiserver expiry", look, expire);
    loop_timer_start(expire->timer, LOOK_MS);
    return expire;
}

void expire_free(struct expire *expire)
{
    if (expire == NULL)
        return;
    loop_timer_free(expire->timer);
    mem_free(expire);
}
