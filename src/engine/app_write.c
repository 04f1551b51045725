/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/stop.h"
#include "doc/merge_patch.h"
#include "engine/app.h"
#include "engine/sync.h"

/*
 * Writing one Application: what is pending becomes one merge patch against the object that we know,
 * guarded by its resourceVersion. A conflict reads the object again and makes a new patch.
 */

#define WRITE_RETRY_MS 500
#define WRITE_RETRY_MAX_MS 30000
#define WRITE_YIELD_MS 200
#define WRITE_YIELD_MAX_MS 10000
/* reconciledAt alone is written this seldom. */
#define RECONCILED_MS ((int64_t)30 * 60 * 1000)

static const struct gvr applications = {S_INIT("argoproj.io"), S_INIT("v1alpha1"),
                                        S_INIT("applications")};

static void write_flush(void *owner);

void app_report_changed(struct app *app)
{
    app->report_change = ++app->change;
    loop_task_post(app->flush);
}

/* Sooner than it was is what counts. */
static void write_within(struct app *app, int64_t ms)
{
    int64_t at = clock_mono_ms() + ms;

    if (loop_timer_is_running(app->write_late) && app->late_at_ms <= at)
        return;
    app->late_at_ms = at;
    loop_timer_start(app->write_late, ms);
}

void app_report_changed_later(struct app *app, int64_t within_ms)
{
    app->report_change = ++app->change;
    write_within(app, within_ms);
}

struct arena *app_operation_arena(struct app *app)
{
    if (app->operation_arena == NULL)
        app->operation_arena = arena_new(LIMIT_STATUS_ARENA);
    return app->operation_arena;
}

void app_operation_changed(struct app *app, const struct val *state)
{
    struct arena *arena = app_operation_arena(app);

    if (state != NULL)
        app->operation_state = val_dup(arena, state);
    app->operation_change = ++app->change;
    app->hurry = true;
    loop_task_post(app->flush);
}

void app_operation_changed_later(struct app *app, const struct val *state, int64_t within_ms)
{
    app->operation_state = val_dup(app_operation_arena(app), state);
    app->operation_change = ++app->change;
    write_within(app, within_ms);
}

bool app_is_written(const struct app *app)
{
    return app->written == app->change;
}

/* ---- the next status ---- */

/* The time of the same condition in the old status, or now. */
static str condition_time(const struct val *old, const struct val *condition, str now)
{
    struct val_iter it = val_iter(old);

    while (val_next(&it))
        if (str_eq(val_get_str(it.value, S("type")), val_get_str(condition, S("type"))) &&
            str_eq(val_get_str(it.value, S("message")), val_get_str(condition, S("message"))) &&
            !str_is_empty(val_get_str(it.value, S("lastTransitionTime"))))
            return val_get_str(it.value, S("lastTransitionTime"));
    return now;
}

static void status_add_times(struct arena *arena, struct val *status, const struct val *old,
                             str now)
{
    struct val_iter it = val_iter(val_get(status, S("conditions")));
    struct val *health = val_get(status, S("health"));
    const struct val *old_health = val_get(old, S("health"));
    str old_time = val_get_str(old_health, S("lastTransitionTime"));
    bool same = str_eq(val_get_str(health, S("status")), val_get_str(old_health, S("status")));

    while (val_next(&it))
        val_set_str(arena, it.value, S("lastTransitionTime"),
                    condition_time(val_get(old, S("conditions")), it.value, now));
    if (health != NULL)
        val_set_str(arena, health, S("lastTransitionTime"),
                    same && !str_is_empty(old_time) ? old_time : now);
}

static void status_add_history(const struct app *app, struct arena *arena, struct val *status)
{
    struct val *history = val_ensure_list(arena, status, S("history"));
    int64_t last = val_i64_or(val_get(val_item(history, val_count(history) - 1), S("id")), -1);
    struct val entry = val_dup_value(arena, app->history_entry);

    val_set(arena, &entry, S("id"), val_int(arena, val_count(history) == 0 ? 0 : last + 1));
    val_append(arena, history, entry);
    while (val_count(history) > (size_t)MAX(app->spec.history_limit, (int64_t)0))
        val_remove(history, 0);
    if (val_count(history) == 0)
        val_del(status, S("history"));
}

struct val *app_next_status(const struct app *app, struct arena *arena, str now)
{
    const struct val *old = val_get(app->object, S("status"));
    struct val *status = val_is(old, VAL_MAP) ? val_dup(arena, old) : val_new(arena, val_map());
    struct val_iter it = val_iter(app->report);

    while (val_next(&it)) {
        if (val_kind(it.value) == VAL_NULL)
            val_del(status, it.key);
        else
            val_set(arena, status, it.key, val_dup_value(arena, it.value));
    }
    if (app->report != NULL)
        status_add_times(arena, status, old, now);
    if (app->operation_state != NULL)
        val_set(arena, status, S("operationState"), val_dup_value(arena, app->operation_state));
    if (app->history_entry != NULL)
        status_add_history(app, arena, status);
    return status;
}

/* ---- the patch ---- */

static bool reconciled_is_due(const struct val *old, int64_t now_ms)
{
    int64_t then;

    return !clock_parse(val_get_str(old, S("reconciledAt")), &then) ||
           now_ms - then >= RECONCILED_MS || now_ms < then;
}

static void patch_add_metadata(const struct app *app, struct arena *arena, struct val *patch)
{
    struct val *metadata = val_ensure_map(arena, patch, S("metadata"));
    struct val_iter it;

    if (app->report_answers_refresh &&
        !str_is_empty(object_annotation(app->object, S("argocd.argoproj.io/refresh"))))
        val_set(arena, val_ensure_map(arena, metadata, S("annotations")),
                S("argocd.argoproj.io/refresh"), val_null());
    if (!str_is_empty(app->updated_at))
        val_set_str(arena, val_ensure_map(arena, metadata, S("annotations")),
                    S("taut.dev/updated-at"), app->updated_at);
    if (app->drop_finalizers) {
        struct val *kept = val_set(arena, metadata, S("finalizers"), val_list());

        it = val_iter(VAL_AT(app->object, "metadata", "finalizers"));
        while (val_next(&it))
            if (!app_finalizer_is_cascade(val_str(it.value)))
                val_append(arena, kept, val_dup_value(arena, it.value));
    }
}

/* NULL when there is nothing to say. */
static struct val *write_patch(const struct app *app, struct arena *arena)
{
    char now[CLOCK_RFC3339_SIZE];
    int64_t now_ms = clock_wall_ms();
    const struct val *old = val_get(app->object, S("status"));
    struct val *patch = val_new(arena, val_map());
    struct val *status;
    struct val difference;

    clock_format(now_ms, now);
    status = app_next_status(app, arena, str_from(now));
    difference = val_is(old, VAL_MAP) ? merge_patch_make(arena, old, status) : *status;
    patch_add_metadata(app, arena, patch);
    if (app->clear_operation && val_get(app->object, S("operation")) != NULL)
        val_set(arena, patch, S("operation"), val_null());
    else if (!app->clear_operation && app->new_operation != NULL)
        val_set(arena, patch, S("operation"), val_dup_value(arena, app->new_operation));
    if (app->report != NULL && val_get(app->report, S("reconciledAt")) == NULL &&
        app->checked_wall_ms != 0 && (val_count(&difference) > 0 || reconciled_is_due(old, now_ms)))
        val_set_str(arena, &difference, S("reconciledAt"), arena_str(arena, str_from(now)));
    if (val_count(&difference) > 0)
        val_set(arena, patch, S("status"), difference);
    if (val_count(val_get(patch, S("metadata"))) == 0 && val_count(patch) == 1)
        return NULL;
    val_set_str(arena, val_get(patch, S("metadata")), S("resourceVersion"),
                object_resource_version(app->object));
    return patch;
}

/* Everything up to `change` is on the home cluster. */
static void write_settled(struct app *app, uint64_t change)
{
    app->written = change;
    if (app->report_change <= change && app->report_arena != NULL) {
        arena_free(app->report_arena);
        app->report_arena = NULL;
        app->report = NULL;
        app->report_answers_refresh = false;
    }
    if (app->operation_change <= change && app->operation_arena != NULL) {
        arena_free(app->operation_arena);
        app->operation_arena = NULL;
        app->operation_state = NULL;
        app->new_operation = NULL;
        app->clear_operation = false;
        app->history_entry = NULL;
        app->updated_at = STR_EMPTY;
    }
}

static void write_later(struct app *app)
{
    loop_timer_start(app->write_retry, app->write_retry_ms);
    app->write_retry_ms = MIN(app->write_retry_ms * 2, (int64_t)WRITE_RETRY_MAX_MS);
}

/* The watch may have been faster than the answer, and tell of a later change by somebody else. */
static void write_take(struct app *app, const struct val *object)
{
    uint64_t have;
    uint64_t told;

    if (str_to_u64(object_resource_version(app->object), &have) &&
        str_to_u64(object_resource_version(object), &told) && told < have)
        return;
    app_take_object(app, object);
}

static void write_reread(void *owner, struct kube_response *response)
{
    struct app *app = owner;

    app->write = NULL;
    app->report_answers_refresh = false; /* a newer request may stand there */
    if (response->ok)
        write_take(app, response->object);
    if (response->ok || response->status != 404)
        write_later(app);
}

static void write_answered(void *owner, struct kube_response *response)
{
    struct app *app = owner;
    struct kube_request get = {.verb = KUBE_GET,
                               .gvr = applications,
                               .namespace_ = app->spec.namespace_,
                               .name = app->spec.name};

    app->write = NULL;
    arena_free(app->write_arena);
    app->write_arena = NULL;
    if (response->ok) {
        bool ended = app->clear_operation;

        app->write_retry_ms = WRITE_RETRY_MS;
        write_settled(app, app->sent);
        if (ended)
            STOP_POINT("after-finish-before-status");
        write_take(app, response->object);
        app_poke(app); /* also when the watch was faster than the answer */
        if (app->change != app->written)
            loop_task_post(app->flush);
    } else if (response->status == 404) {
        return; /* it is gone; the watch tells the engine */
    } else if (response->status == 409) {
        app->write = kube_start(app->context->home, &get, write_reread, app);
    } else {
        log_warn("engine", "application %.*s/%.*s: its status cannot be written: %s",
                 STR(app->spec.namespace_), STR(app->spec.name), response->err.message);
        write_later(app);
    }
}

/* A status that nobody waits for lets applies to a busy home cluster go first, for a while. */
static bool write_yields(struct app *app)
{
    int64_t now = clock_mono_ms();

    if (app->hurry || !ask_is_crowded(cluster_queue(app->context->home_cluster), ASK_WRITE))
        return false;
    if (app->yielded_ms == 0)
        app->yielded_ms = now;
    if (now - app->yielded_ms >= WRITE_YIELD_MAX_MS)
        return false;
    write_within(app, WRITE_YIELD_MS);
    return true;
}

static void write_flush(void *owner)
{
    struct app *app = owner;
    struct kube_request request = {.verb = KUBE_PATCH_MERGE,
                                   .gvr = applications,
                                   .namespace_ = app->spec.namespace_,
                                   .name = app->spec.name,
                                   .field_manager = S("taut")};

    if (app->write != NULL || loop_timer_is_running(app->write_retry) || app_is_written(app) ||
        write_yields(app))
        return;
    app->hurry = false;
    app->yielded_ms = 0;
    app->write_arena = arena_new(LIMIT_STATUS_ARENA);
    request.body = write_patch(app, app->write_arena);
    app->sent = app->change;
    if (request.body == NULL) {
        arena_free(app->write_arena);
        app->write_arena = NULL;
        write_settled(app, app->sent);
        app_poke(app);
        return;
    }
    app->write = kube_start(app->context->home, &request, write_answered, app);
}

void app_write_init(struct app *app)
{
    app->flush = loop_task_new(app->context->loop, "application write", write_flush, app);
    app->write_retry =
            loop_timer_new(app->context->loop, "application write again", write_flush, app);
    app->write_late =
            loop_timer_new(app->context->loop, "application write late", write_flush, app);
    app->write_retry_ms = WRITE_RETRY_MS;
    app->updated_at = STR_EMPTY;
}

void app_write_done(struct app *app)
{
    kube_cancel(app->write);
    if (app->write_arena != NULL)
        arena_free(app->write_arena);
    if (app->report_arena != NULL)
        arena_free(app->report_arena);
    if (app->operation_arena != NULL)
        arena_free(app->operation_arena);
    loop_task_free(app->flush);
    loop_timer_free(app->write_retry);
    loop_timer_free(app->write_late);
}
