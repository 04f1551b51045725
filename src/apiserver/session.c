/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/session.h"

#include "apiserver/select.h"
#include "apiserver/table.h"
#include "base/mem.h"
#include "doc/json.h"

struct session {
    struct turn_reply start; /* waits for a committed state to read */
    struct api api;          /* a copy of the request's, with an arena of its own */
    struct select select;
    struct watcher *watcher;
    struct loop_timer *bookmarks;
    struct loop_timer *deadline;
    struct session_events events;
    void *owner;
    int64_t rv;
    str kind_key;
    str version;
    str after_namespace; /* how far the existing objects were told */
    str after_name;
    struct arena *after_arena;
    bool initial;
    bool queued; /* `start` waits in the turn */
    bool ended;
    bool dead;
    int busy; /* depth of callbacks: freed at 0 */
};

/* Real servers send one a minute. */
#define BOOKMARK_MS 60000
/* Existing objects that are read at once. */
#define PAGE 100

static void destroy(struct session *session)
{
    loop_timer_free(session->bookmarks);
    loop_timer_free(session->deadline);
    if (session->after_arena != NULL)
        arena_free(session->after_arena);
    arena_free(session->api.arena);
    mem_free(session);
}

static void enter(struct session *session)
{
    session->busy++;
}

static void leave(struct session *session)
{
    if (--session->busy == 0 && session->dead && !session->queued)
        destroy(session);
}

static void end(struct session *session)
{
    if (session->ended || session->dead)
        return;
    session->ended = true;
    session->events.end(session->owner);
}

/* The kind as it is now: a CRD may have changed since the last event. */
static bool find_kind(struct session *session)
{
    session->api.kind = registry_find_key(session->api.server->registry, session->kind_key);
    session->api.version = session->api.kind == NULL
                                   ? NULL
                                   : kind_version_find(session->api.kind, session->version);
    return session->api.version != NULL;
}

/* Tells one event in the form that was asked for. */
static bool tell(struct session *session, enum kube_event_type type, const struct val *object,
                 str json)
{
    auto_arena struct arena *arena = arena_new(LIMIT_OBJECT_ARENA);
    struct api *api = &session->api;
    bool same = kind_storage_version(api->kind) == api->version;

    if (!same && type != KUBE_BOOKMARK) {
        object = object_in_version(arena, api->kind, api->version, object);
        json = STR_EMPTY;
    }
    if (api->q.want_table && type != KUBE_BOOKMARK) {
        struct api row = *api;

        row.arena = arena;
        struct table *table = table_new(&row);
        table_add(table, object);
        object = table_finish(table, object_resource_version(object), STR_EMPTY, -1);
        json = STR_EMPTY;
    }
    if (api->want_text && str_is_empty(json))
        json = json_text(arena, object, JSON_COMPACT);
    return session->events.event(session->owner, type, object, json);
}

static bool on_change(void *owner, enum kube_event_type type, const struct val *object, str json,
                      UNUSED int64_t rv)
{
    struct session *session = owner;
    bool more = true;

    if (session->ended || session->dead || object == NULL)
        return true;
    enter(session);
    if (find_kind(session))
        more = tell(session, type, object, json);
    leave(session);
    return more;
}

static bool matches(void *owner, const struct val *object)
{
    struct session *session = owner;

    return select_matches(&session->select, object);
}

static void tell_gone(struct session *session)
{
    struct api api = session->api;

    api.arena = arena_new(LIMIT_OBJECT_ARENA);
    api.kind = NULL;
    api_fail(&api, 410, "Expired", "too old resource version: %lld (%lld)", (long long)session->rv,
             (long long)store_rv(api.server->store));
    str json = api.want_text ? json_text(api.arena, api.object, JSON_COMPACT) : STR_EMPTY;
    session->events.event(session->owner, KUBE_EVENT_ERROR, api.object, json);
    arena_free(api.arena);
}

static void on_gone(void *owner)
{
    struct session *session = owner;

    if (session->ended || session->dead)
        return;
    enter(session);
    tell_gone(session);
    end(session);
    leave(session);
}

static void tell_bookmark(struct session *session, int64_t rv, bool initial_end)
{
    auto_arena struct arena *arena = arena_new(LIMIT_OBJECT_ARENA);
    struct api *api = &session->api;
    struct val *object = val_new(arena, val_map());

    if (!find_kind(session))
        return;
    val_set_str(arena, object, S("kind"), api->kind->name);
    val_set_str(arena, object, S("apiVersion"), api_version_of(arena, api->kind, api->version));
    struct val *metadata = val_ensure_map(arena, object, S("metadata"));
    val_set_str(arena, metadata, S("resourceVersion"), arena_printf(arena, "%lld", (long long)rv));
    if (initial_end)
        val_set_str(arena, val_ensure_map(arena, metadata, S("annotations")),
                    S("k8s.io/initial-events-end"), S("true"));
    (void)tell(session, KUBE_BOOKMARK, object, STR_EMPTY);
}

static void on_bookmark(void *owner)
{
    struct session *session = owner;
    int64_t rv;

    enter(session);
    loop_timer_start(session->bookmarks, BOOKMARK_MS);
    if (!session->ended && session->watcher != NULL && watcher_caught_up(session->watcher, &rv))
        tell_bookmark(session, rv, /*initial_end=*/false);
    leave(session);
}

static void on_deadline(void *owner)
{
    struct session *session = owner;
    int64_t rv;

    enter(session);
    /* a last mark, so that the next watch begins where this one ends */
    if (session->api.q.allow_bookmarks && session->watcher != NULL &&
        watcher_caught_up(session->watcher, &rv))
        tell_bookmark(session, rv, /*initial_end=*/false);
    end(session);
    leave(session);
}

/* ---- existing objects ---- */

struct existing {
    struct session *session;
    struct arena *arena;
    struct store_row rows[PAGE];
    size_t count;
};

static bool note_row(void *owner, const struct store_row *row)
{
    struct existing *existing = owner;
    struct store_row *copy = &existing->rows[existing->count++];

    *copy = *row;
    copy->key.namespace_ = arena_str(existing->arena, row->key.namespace_);
    copy->key.name = arena_str(existing->arena, row->key.name);
    copy->json = arena_str(existing->arena, row->json);
    return existing->count < PAGE;
}

static void remember(struct session *session, const struct store_row *row)
{
    struct arena *arena = arena_new(LIMIT_MIB);

    session->after_namespace = arena_str(arena, row->key.namespace_);
    session->after_name = arena_str(arena, row->key.name);
    if (session->after_arena != NULL)
        arena_free(session->after_arena);
    session->after_arena = arena;
}

/* One page. false: stop here, because the client is full or gone. */
static bool tell_page(struct session *session, bool *ret_last)
{
    auto_arena struct arena *arena = arena_new(LIMIT_LIST_ARENA);
    struct existing *existing = arena_new0(arena, struct existing);
    struct store_range range = {session->kind_key, session->api.q.namespace_,
                                session->after_namespace, session->after_name};

    existing->session = session;
    existing->arena = arena;
    if (!store_each(session->api.server->store, &range, note_row, existing, NULL)) {
        end(session);
        return false;
    }
    *ret_last = existing->count < PAGE;
    for (size_t i = 0; i < existing->count; i++) {
        struct val *object = NULL;

        if (json_parse(arena, existing->rows[i].json, NULL, &object, NULL) &&
            select_matches(&session->select, object) &&
            !tell(session, KUBE_ADDED, object, existing->rows[i].json))
            return false;
        if (session->dead || session->ended)
            return false;
        remember(session, &existing->rows[i]);
    }
    return true;
}

static void tell_existing(struct session *session)
{
    bool last = false;

    while (!last)
        if (!find_kind(session) || !tell_page(session, &last))
            return;
    session->initial = false;
    if (session->api.send_initial && session->api.q.allow_bookmarks)
        tell_bookmark(session, session->rv, /*initial_end=*/true);
    if (!session->dead && session->watcher != NULL)
        watcher_resume(session->watcher);
}

static void wait_for_commit(struct session *session)
{
    if (session->queued)
        return;
    session->queued = true;
    session->start.api = &session->api;
    turn_defer(session->api.server->turn, &session->start);
}

/* Runs behind a commit. If another answer of this turn wrote meanwhile, what can be read is not
 * committed: the next turn then. */
static void on_committed(struct turn_reply *reply)
{
    struct session *session = CONTAINER_OF(reply, struct session, start);
    struct apiserver *server = session->api.server;

    session->queued = false;
    enter(session);
    if (session->dead) {
        leave(session);
        return;
    }
    if (session->api.status == 503) {
        end(session); /* the server goes */
    } else if (session->initial && store_pending_writes(server->store) > 0) {
        wait_for_commit(session);
    } else {
        if (session->watcher == NULL) {
            static const struct watcher_events events = {NULL, on_change, on_gone};
            struct watcher_events chosen = events;

            if (!session->select.all)
                chosen.matches = matches;
            if (session->initial)
                session->rv = store_rv(server->store);
            session->watcher =
                    watcher_new(server->hub, session->kind_key, session->api.q.namespace_,
                                session->rv, &chosen, session);
            if (!watch_reaches(server->hub, session->rv))
                watcher_end(session->watcher);
            else if (session->initial)
                watcher_pause(session->watcher);
        }
        if (session->initial)
            tell_existing(session);
        turn_wake(server->turn);
    }
    leave(session);
}

static bool read_version(struct api *api, int64_t *ret_rv, bool *ret_initial)
{
    str rv = api->q.resource_version;

    *ret_rv = 0;
    *ret_initial = api->send_initial || str_is_empty(rv) || str_eq(rv, S("0"));
    if (*ret_initial)
        return true;
    if (!str_to_i64(rv, ret_rv) || *ret_rv < 0)
        return api_fail(api, 500, "",
                        "resourceVersion: Invalid value: \"%.*s\": strconv.ParseUint: parsing "
                        "\"%.*s\": invalid syntax",
                        STR(rv), STR(rv));
    if (*ret_rv > store_rv(api->server->store))
        return api_fail(api, 504, "Timeout", "Too large resource version: %lld, current: %lld",
                        (long long)*ret_rv, (long long)store_rv(api->server->store));
    return true;
}

struct session *session_new(struct api *api, int64_t timeout_ms,
                            const struct session_events *events, void *owner)
{
    struct session *session;
    int64_t rv;
    bool initial;

    if (!read_version(api, &rv, &initial))
        return NULL;
    struct arena *arena = arena_new(LIMIT_OBJECT_ARENA);
    struct select select;
    if (!select_open(api, arena, &select)) {
        arena_free(arena);
        return NULL;
    }
    session = new0(struct session);
    session->api = *api;
    session->api.arena = arena;
    session->api.status = 0;
    session->api.warnings = NULL;
    session->api.q.body = NULL;
    session->api.q.namespace_ = arena_str(arena, api->q.namespace_);
    session->api.q.name = STR_EMPTY;
    session->api.include_object = arena_str(arena, api->include_object);
    session->kind_key = arena_str(arena, api->kind->key);
    session->version = arena_str(arena, api->version->name);
    session->select = select;
    session->start.send = on_committed;
    session->events = *events;
    session->owner = owner;
    session->rv = rv;
    session->initial = initial;
    if (api->q.allow_bookmarks) {
        session->bookmarks =
                loop_timer_new(api->server->loop, "watch bookmark", on_bookmark, session);
        loop_timer_start(session->bookmarks, BOOKMARK_MS);
    }
    if (timeout_ms > 0) {
        session->deadline =
                loop_timer_new(api->server->loop, "watch deadline", on_deadline, session);
        loop_timer_start(session->deadline, timeout_ms);
    }
    wait_for_commit(session);
    return session;
}

void session_resume(struct session *session)
{
    if (session->initial)
        wait_for_commit(session);
    else if (session->watcher != NULL)
        watcher_resume(session->watcher);
    turn_wake(session->api.server->turn);
}

void session_free(struct session *session)
{
    if (session == NULL || session->dead)
        return;
    session->dead = true;
    watcher_free(session->watcher);
    session->watcher = NULL;
    if (session->busy == 0 && !session->queued)
        destroy(session);
}
