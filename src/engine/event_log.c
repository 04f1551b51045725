/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/event_log.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/ring.h"
#include "doc/hash.h"

#define COMPONENT "taut"
/* Transitions that come this close together are one. */
#define FLUSH_MS 500
/* While applications are delivered, for so long at most. */
#define HOLD_MS 60000

static const struct gvr events = {S_INIT(""), S_INIT("v1"), S_INIT("events")};

struct pending {
    struct ring ring; /* in `sending` once it is asked for */
    struct event_log *log;
    struct arena *arena; /* of all below */
    str key;             /* in the map: application's uid and what it is about */
    str namespace_;
    str name;
    const struct val *about; /* involvedObject */
    const char *type;
    const char *reason;
    const char *what; /* of a transition: "sync" or "health" */
    str from;
    str to;
    str message; /* of anything else */
    struct val *body;
    struct ask *ask;
};

struct event_log {
    struct event_log_options options;
    struct map *pending; /* key → struct pending that was not sent yet */
    struct ring sending;
    size_t count; /* of both */
    struct loop_timer *flush;
    int64_t since_ms; /* the first that is pending */
    bool is_refused;  /* told once */
};

static void pending_free(struct pending *pending)
{
    pending->log->count--;
    ring_unlink(&pending->ring);
    ask_cancel(pending->ask);
    arena_free(pending->arena);
}

/* ---- writing ---- */

static struct val *event_body(struct pending *pending, str message, str event_name)
{
    struct arena *arena = pending->arena;
    char now[CLOCK_RFC3339_SIZE];
    struct val *event = val_new(arena, val_map());
    struct val *metadata;

    clock_format(clock_wall_ms(), now);
    val_set_str(arena, event, S("apiVersion"), S("v1"));
    val_set_str(arena, event, S("kind"), S("Event"));
    metadata = val_set(arena, event, S("metadata"), val_map());
    val_set_str(arena, metadata, S("name"), event_name);
    val_set_str(arena, metadata, S("namespace"), pending->namespace_);
    val_set(arena, event, S("involvedObject"), val_dup_value(arena, pending->about));
    val_set_str(arena, event, S("type"), str_from(pending->type));
    val_set_str(arena, event, S("reason"), str_from(pending->reason));
    val_set_str(arena, event, S("message"), message);
    val_set_str(arena, val_ensure_map(arena, event, S("source")), S("component"), S(COMPONENT));
    val_set_str(arena, event, S("reportingComponent"), S(COMPONENT));
    val_set_str(arena, event, S("reportingInstance"), S(COMPONENT));
    val_set_str(arena, event, S("firstTimestamp"), arena_str(arena, str_from(now)));
    val_set_str(arena, event, S("lastTimestamp"), arena_str(arena, str_from(now)));
    val_set(arena, event, S("count"), val_int(arena, 1));
    return event;
}

static str event_message(struct pending *pending)
{
    if (pending->what == NULL)
        return pending->message;
    return arena_printf(pending->arena, "Updated %s status: %.*s -> %.*s", pending->what,
                        STR(pending->from), STR(pending->to));
}

/* The same Event has the same name. */
static str event_name(struct pending *pending, str message)
{
    char hex[HASH_HEX_SIZE];
    struct hash hash = hash_bytes(arena_printf(pending->arena, "%.*s %s %.*s", STR(pending->key),
                                               pending->reason, STR(message)));

    hash_hex(&hash, hex);
    return arena_printf(pending->arena, "%.*s.%.16s", STR(pending->name), hex);
}

static struct kube_request event_request(const struct pending *pending, enum kube_verb verb)
{
    return (struct kube_request){.verb = verb,
                                 .gvr = events,
                                 .namespace_ = pending->namespace_,
                                 .name = VAL_STR(pending->body, "metadata", "name"),
                                 .field_manager = S(COMPONENT)};
}

static void pending_send(struct pending *pending, const struct kube_request *request,
                         kube_done_fn *done)
{
    struct ask_options options = {request->verb == KUBE_GET ? ASK_READ : ASK_WRITE, ASK_BACKGROUND};

    pending->ask =
            ask_start(cluster_queue(pending->log->options.home), request, &options, done, pending);
}

static void event_counted(void *owner, UNUSED struct kube_response *response)
{
    struct pending *pending = owner;

    pending->ask = NULL;
    pending_free(pending);
}

static void event_read(void *owner, struct kube_response *response)
{
    struct pending *pending = owner;
    struct kube_request request = event_request(pending, KUBE_PATCH_MERGE);
    struct arena *arena = pending->arena;
    struct val *patch;
    int64_t count;

    pending->ask = NULL;
    if (!response->ok) {
        pending_free(pending);
        return;
    }
    count = val_i64_or(val_get(response->object, S("count")), 1);
    patch = val_new(arena, val_map());
    val_set(arena, patch, S("count"), val_int(arena, count + 1));
    val_set_str(arena, patch, S("lastTimestamp"), val_get_str(pending->body, S("lastTimestamp")));
    request.body = patch;
    pending_send(pending, &request, event_counted);
}

static void event_created(void *owner, struct kube_response *response)
{
    struct pending *pending = owner;
    struct kube_request request = event_request(pending, KUBE_GET);

    pending->ask = NULL;
    if (response->status == 409) {
        pending_send(pending, &request, event_read);
        return;
    }
    if (!response->ok && response->status != 404 && !pending->log->is_refused) {
        pending->log->is_refused = true;
        log_warn("engine", "events of applications cannot be written: %s", response->err.message);
    }
    pending_free(pending);
}

static void log_flush(void *owner)
{
    struct event_log *log = owner;
    struct map_iter it = map_iter(log->pending);
    bool is_busy = log->options.is_busy(log->options.owner);

    if (is_busy && clock_mono_ms() - log->since_ms < HOLD_MS) {
        loop_timer_start(log->flush, FLUSH_MS);
        return;
    }
    log->since_ms = 0;
    while (map_next(&it)) {
        struct pending *pending = it.value;
        struct kube_request request;
        str message = event_message(pending);

        pending->body = event_body(pending, message, event_name(pending, message));
        request = event_request(pending, KUBE_CREATE);
        request.body = pending->body;
        map_del(log->pending, it.key);
        ring_append(&log->sending, &pending->ring);
        pending_send(pending, &request, event_created);
    }
}

/* ---- what is told ---- */

static struct val *about_of(struct arena *arena, const struct val *app)
{
    struct val *about = val_new(arena, val_map());

    val_set_str(arena, about, S("apiVersion"), val_get_str(app, S("apiVersion")));
    val_set_str(arena, about, S("kind"), S("Application"));
    val_set_str(arena, about, S("name"), object_name(app));
    val_set_str(arena, about, S("namespace"), object_namespace(app));
    val_set_str(arena, about, S("uid"), object_uid(app));
    val_set_str(arena, about, S("resourceVersion"), object_resource_version(app));
    return about;
}

/* NULL: as many as may be are pending. An earlier one about the same thing is given back while it
 * was not sent. */
static struct pending *pending_get(struct event_log *log, const struct val *app, const char *topic,
                                   str of)
{
    auto_arena struct arena *scratch = arena_new(LIMIT_KEY_ARENA);
    str key = arena_printf(scratch, "%.*s %s %.*s", STR(object_uid(app)), topic, STR(of));
    struct pending *pending = map_get(log->pending, key);
    struct arena *arena;

    if (pending != NULL)
        return pending;
    if (log->count >= LIMIT_EVENTS_PENDING)
        return NULL;
    arena = arena_new(LIMIT_EVENT_ARENA);
    pending = arena_new0(arena, struct pending);
    *pending = (struct pending){.log = log,
                                .arena = arena,
                                .key = arena_str(arena, key),
                                .namespace_ = arena_str(arena, object_namespace(app)),
                                .name = arena_str(arena, object_name(app)),
                                .about = about_of(arena, app),
                                .type = "Normal"};
    ring_init(&pending->ring);
    map_set(log->pending, pending->key, pending);
    log->count++;
    if (log->since_ms == 0)
        log->since_ms = clock_mono_ms();
    if (!loop_timer_is_running(log->flush))
        loop_timer_start(log->flush, FLUSH_MS);
    return pending;
}

static void tell_transition(struct event_log *log, const struct val *was, const struct val *is,
                            const char *what)
{
    str from = VAL_STR(was, "status", what, "status");
    str to = VAL_STR(is, "status", what, "status");
    struct pending *pending;

    if (str_eq(from, to) || str_is_empty(to))
        return;
    pending = pending_get(log, is, what, STR_EMPTY);
    if (pending == NULL)
        return;
    if (pending->what == NULL)
        pending->from = arena_str(pending->arena, from);
    pending->what = what;
    pending->reason = "ResourceUpdated";
    pending->to = arena_str(pending->arena, to);
}

static str operation_revision(const struct val *state)
{
    str revision = VAL_STR(state, "syncResult", "revision");

    return str_is_empty(revision) ? VAL_STR(state, "operation", "sync", "revision") : revision;
}

static void tell_started(struct event_log *log, const struct val *is, const struct val *state)
{
    const struct val *by = VAL_AT(state, "operation", "initiatedBy");
    str user = val_get_str(by, S("username"));
    struct pending *pending = pending_get(log, is, "started", val_get_str(state, S("startedAt")));

    if (pending == NULL)
        return;
    pending->reason = "OperationStarted";
    if (val_get_bool(by, S("automated"), false))
        pending->message = arena_printf(pending->arena, "Initiated automated sync to '%.*s'",
                                        STR(operation_revision(state)));
    else
        pending->message =
                arena_printf(pending->arena, "%.*s%sinitiated sync to '%.*s'", STR(user),
                             str_is_empty(user) ? "" : " ", STR(operation_revision(state)));
}

static void tell_completed(struct event_log *log, const struct val *is, const struct val *state)
{
    bool is_part = val_count(VAL_AT(state, "operation", "sync", "resources")) > 0;
    bool is_good = str_eq(val_get_str(state, S("phase")), S("Succeeded"));
    str message = val_get_str(state, S("message"));
    struct pending *pending = pending_get(log, is, "finished", val_get_str(state, S("finishedAt")));

    if (pending == NULL)
        return;
    pending->reason = "OperationCompleted";
    pending->type = is_good ? "Normal" : "Warning";
    pending->message = arena_printf(
            pending->arena, "%s to %.*s %s%.*s",
            is_part ? "Partial sync operation" : "Sync operation", STR(operation_revision(state)),
            is_good ? "succeeded" : "failed: ",
            STR(is_good ? STR_EMPTY
                        : str_first(message, str_utf8_clip(message, LIMIT_EVENT_MESSAGE))));
}

/* Began, or ended: a state that the object did not have. */
static bool is_news(const struct val *was, const struct val *is, const char *key)
{
    str now = val_get_str(is, str_from(key));

    return !str_is_empty(now) && !str_eq(now, val_get_str(was, str_from(key)));
}

void event_log_tell(struct event_log *log, const struct val *was, const struct val *is)
{
    const struct val *old_state = VAL_AT(was, "status", "operationState");
    const struct val *state = VAL_AT(is, "status", "operationState");

    tell_transition(log, was, is, "sync");
    tell_transition(log, was, is, "health");
    if (VAL_AT(state, "operation", "sync") == NULL)
        return;
    if (is_news(old_state, state, "startedAt"))
        tell_started(log, is, state);
    if (is_news(old_state, state, "finishedAt"))
        tell_completed(log, is, state);
}

/* ---- life ---- */

struct event_log *event_log_new(const struct event_log_options *options)
{
    struct event_log *log = new0(struct event_log);

    log->options = *options;
    log->pending = map_new();
    ring_init(&log->sending);
    log->flush = loop_timer_new(cluster_kube(options->home)->loop, "events of applications",
                                log_flush, log);
    return log;
}

void event_log_free(struct event_log *log)
{
    struct map_iter it;

    if (log == NULL)
        return;
    it = map_iter(log->pending);
    while (map_next(&it))
        pending_free(it.value);
    while (!ring_is_empty(&log->sending))
        pending_free(RING_FIRST(&log->sending, struct pending, ring));
    map_free(log->pending);
    loop_timer_free(log->flush);
    mem_free(log);
}
