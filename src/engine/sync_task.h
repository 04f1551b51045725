/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Sync tasks: what one operation does to each object, in which order, and what its result says
 * (spec/argocd.md 3.2, 3.4). Pure: built from a comparison, run by sync.c.
 */
#include "engine/compare.h"

enum task_kind {
    TASK_APPLY,
    TASK_PRUNE,
    TASK_NOTHING, /* only a result row */
};

enum task_state {
    TASK_PENDING,
    TASK_BUSY, /* a request is under way */
    TASK_DONE, /* the result says how */
};

enum task_result { RESULT_NONE, RESULT_SYNCED, RESULT_FAILED, RESULT_PRUNED, RESULT_PRUNE_SKIPPED };
const char *task_result_name(enum task_result result); /* Synced, SyncFailed, … */

struct task {
    enum task_kind kind;
    enum task_state state;
    enum task_result result;
    const struct row *row;
    int order; /* place of its kind */
    bool replace;
    bool force;
    bool last;     /* prune after all the rest is healthy */
    bool confirm;  /* prune only when a person approves (approval.h) */
    bool intended; /* a row Running stands in the written operationState */
    bool changed;  /* the cluster was changed */
    bool hide;     /* leave it out of the result (apply out of sync only) */
    enum sync_propagation propagation;
    str message;
    str uid;              /* of what is to be deleted */
    str resource_version; /* after the apply */
};

struct task_options {
    bool prune;
    bool dry_run;
    bool force;
    struct sync_options options;
    const struct val *resources; /* the filter, or NULL for all */
};

/* Tasks in the order in which they run. */
struct task *task_build(struct arena *arena, const struct compare *compare,
                        const struct task_options *options, size_t *ret_count);
/* Place of a kind in Kubernetes' order of creation; unknown kinds are last. */
int task_kind_order(str kind);
/* "deployment.apps/web" */
str task_label(struct arena *arena, const struct row *row);
/* One row of syncResult.resources; running: the intent of a delete. */
struct val task_val(struct arena *arena, const struct task *task);
bool task_is_pending(const struct task *task, enum task_kind kind);
void task_finish(struct task *task, enum task_result result, str message);
