/* SPDX-License-Identifier: Apache-2.0 */
#include "base/stop.h"
#include "engine/approval.h"
#include "engine/sync.h"

/* The deletes of an operation: approved, written down, then sent. */

bool sync_prune_is_left(const struct sync *sync, bool last)
{
    for (size_t i = 0; i < sync->task_count; i++)
        if (sync->tasks[i].kind == TASK_PRUNE && sync->tasks[i].last == last &&
            sync->tasks[i].state != TASK_DONE)
            return true;
    return false;
}

/* Nothing of the group is pruned before all of it may be. */
static bool prune_is_approved(struct sync *sync, bool last)
{
    const struct row *first = NULL;
    size_t count = 0;

    for (size_t i = 0; i < sync->task_count; i++) {
        const struct task *task = &sync->tasks[i];

        if (!task_is_pending(task, TASK_PRUNE) || task->last != last || !task->confirm ||
            task->intended)
            continue;
        first = first == NULL ? task->row : first;
        count++;
    }
    sync->message = STR_EMPTY;
    if (count == 0 || approval_is_given(sync->app->object, sync->started_at))
        return true;
    sync->message = approval_sentence(sync->arena, "pruning", first, count);
    return false;
}

/* Rows of intent first, in one write; then the deletes, in parallel. */
void sync_prune(struct sync *sync, bool last, enum sync_state next)
{
    bool recorded = true;

    if (sync->busy > 0)
        return;
    if (!sync_prune_is_left(sync, last)) {
        sync->state = next;
        sync_poke(sync);
        return;
    }
    if (!prune_is_approved(sync, last))
        return; /* poked when the application changes */
    for (size_t i = 0; i < sync->task_count; i++) {
        struct task *task = &sync->tasks[i];

        if (task_is_pending(task, TASK_PRUNE) && task->last == last && !task->intended) {
            task->intended = true;
            recorded = false;
        }
    }
    if (!recorded)
        sync_record(sync, "Running");
    if (sync->app->written < sync->need)
        return;
    STOP_POINT("after-intent-before-delete");
    for (size_t i = 0; i < sync->task_count; i++)
        if (task_is_pending(&sync->tasks[i], TASK_PRUNE) && sync->tasks[i].last == last)
            job_prune(&sync->jobs[i]);
}
