/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "engine/sync.h"

/* What an operation writes: operationState while it runs and at its end, history, update time. */

/* The final state waits this long for the comparison that is written with it. */
#define END_WITHIN_MS 1500

static void state_add_rows(const struct sync *sync, struct arena *arena, struct val *result)
{
    struct val *rows = val_set(arena, result, S("resources"), val_list());

    for (size_t i = 0; i < sync->task_count; i++) {
        const struct task *task = &sync->tasks[i];

        if (task->hide || (task->result == RESULT_NONE && !task->intended))
            continue;
        val_append(arena, rows, task_val(arena, task));
    }
    /* Before there are tasks, the rows of the process before are all that is known. */
    if (sync->tasks == NULL && sync->resumed != NULL)
        *rows = val_dup_value(arena, sync->resumed);
    if (val_count(rows) == 0)
        val_del(result, S("resources"));
}

static struct val *state_make(const struct sync *sync, struct arena *arena, const char *phase,
                              str message)
{
    struct val *state = val_new(arena, val_map());
    struct val *result;

    val_set(arena, state, S("operation"), val_dup_value(arena, sync->operation));
    val_set_str(arena, state, S("phase"), str_from(phase));
    if (!str_is_empty(message))
        val_set_str(arena, state, S("message"), message);
    val_set_str(arena, state, S("startedAt"), sync->started_at);
    result = val_set(arena, state, S("syncResult"), val_map());
    val_set_str(arena, result, S("revision"), sync->revision);
    val_set(arena, result, S("source"), val_dup_value(arena, sync->spec.source));
    if (sync->spec.namespace_metadata != NULL)
        val_set(arena, result, S("managedNamespaceMetadata"),
                val_dup_value(arena, sync->spec.namespace_metadata));
    state_add_rows(sync, arena, result);
    return state;
}

void sync_record(struct sync *sync, const char *phase)
{
    auto_arena struct arena *arena = arena_new(LIMIT_RENDER_ARENA);

    app_operation_changed(sync->app, state_make(sync, arena, phase, sync->message));
    sync->need = sync->app->change;
    sync->recorded_ms = clock_mono_ms();
}

void sync_record_later(struct sync *sync)
{
    auto_arena struct arena *arena = arena_new(LIMIT_RENDER_ARENA);

    app_operation_changed_later(sync->app, state_make(sync, arena, "Running", sync->message),
                                SYNC_LAZY_MS);
    sync->recorded_ms = clock_mono_ms();
}

static bool sync_changed_something(const struct sync *sync)
{
    for (size_t i = 0; i < sync->task_count; i++)
        if (sync->tasks[i].changed)
            return true;
    return false;
}

static void end_add_history(struct sync *sync, str now)
{
    struct arena *arena = app_operation_arena(sync->app);
    struct val *entry = val_new(arena, val_map());
    const struct val *by = val_get(sync->operation, S("initiatedBy"));

    val_set_str(arena, entry, S("revision"), sync->revision);
    val_set(arena, entry, S("source"), val_dup_value(arena, sync->spec.source));
    val_set_str(arena, entry, S("deployedAt"), now);
    val_set_str(arena, entry, S("deployStartedAt"), sync->started_at);
    if (by != NULL)
        val_set(arena, entry, S("initiatedBy"), val_dup_value(arena, by));
    sync->app->history_entry = entry;
}

void sync_end(struct sync *sync, const char *phase, str message)
{
    auto_arena struct arena *arena = arena_new(LIMIT_RENDER_ARENA);
    struct app *app = sync->app;
    bool succeeded = str_eq(str_from(phase), S("Succeeded"));
    char text[CLOCK_RFC3339_SIZE];
    struct val *state;
    str now;

    clock_format(clock_wall_ms(), text);
    now = arena_str(app_operation_arena(app), str_from(text));
    state = state_make(sync, arena, phase, message);
    val_set_str(arena, state, S("finishedAt"), now);
    app->clear_operation = true;
    app->new_operation = NULL;
    if (succeeded && !sync->options.dry_run && val_count(sync->options.resources) == 0)
        end_add_history(sync, now);
    if (!sync->options.dry_run && sync_changed_something(sync))
        app->updated_at = now;
    app->operation_ended_ms = clock_mono_ms();
    app->has_attempt_failed = !succeeded;
    sync->state = SYNC_ENDED;
    app_operation_changed_later(app, state, END_WITHIN_MS);
    app_refresh(app, sync->automated ? APP_SAME_REVISION : APP_KNOWN_REVISION, /*hard=*/false);
    loop_task_post(sync->step); /* frees the sync, outside of what called us */
}
