/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Sync: one operation, from `.operation` to its end (spec/argocd.md 2.4 and 3, ENGINE 5 to 7).
 *
 *   record Running → pull → compare → look at the namespace → dry runs → make the namespace
 *   → prune → apply → (prune last: wait for health → prune) → settle → record the end
 *
 * Its whole state is status.operationState, so that a new process goes on where this one ended.
 * Before a delete its row is written; applies need no intent.
 * Owner:  the app. sync_free is legal in any state and leaves the written state as it is.
 */
#include "engine/app.h"
#include "engine/sync_task.h"

enum sync_state {
    SYNC_RECORDING,
    SYNC_PULLING,
    SYNC_COMPARING,
    SYNC_LOOKING, /* is the namespace there? */
    SYNC_VALIDATING,
    SYNC_MAKING_NAMESPACE,
    SYNC_PRUNING,
    SYNC_APPLYING,
    SYNC_WAITING_HEALTHY,
    SYNC_PRUNING_LAST,
    SYNC_SETTLING,
    SYNC_ENDED,
};

struct job;

struct sync {
    struct app *app;
    struct arena *arena;
    enum sync_state state;
    const struct val *object;    /* a copy: the application as it was at the start */
    const struct val *operation; /* in it */
    struct app_spec spec;        /* of the copy, with the operation's options */
    struct task_options options;
    bool automated;
    str started_at;
    str revision;              /* resolved, or empty */
    const struct val *resumed; /* rows of the process before */
    struct cluster *cluster;
    struct pull *pull;
    struct compare *compare;
    struct ask *ask; /* of the namespace */
    struct val *namespace_body;
    bool namespace_absent;
    struct task *tasks;
    size_t task_count;
    struct job *jobs; /* one a task */
    size_t busy;
    bool is_lazy; /* automated and new: Running is written when it takes long, or before a delete */
    uint64_t need; /* this change must be written before the next step */
    int64_t recorded_ms;
    int64_t begun_ms;
    struct loop_task *step;
    struct loop_timer *tick;
    int64_t settle_until_ms;
    bool stepping;
    bool terminating;
    str message; /* of the running phase */
};

/* An automated operation that ends within this is written once, at its end. */
#define SYNC_LAZY_MS 3000

struct sync *sync_start(struct app *app);
void sync_free(struct sync *sync); /* NULL is fine */
void sync_poke(struct sync *sync);
/* The object says Terminating. */
void sync_terminate(struct sync *sync);

/* ---- between sync.c, sync_job.c, sync_prune.c and sync_state.c ---- */
bool sync_prune_is_left(const struct sync *sync, bool last); /* of what is pruned last, or first */
void sync_prune(struct sync *sync, bool last, enum sync_state next);
void sync_record(struct sync *sync, const char *phase); /* Running, with the rows as they are */
void sync_record_later(struct sync *sync); /* Running, within SYNC_LAZY_MS; nothing waits for it */
void sync_end(struct sync *sync, const char *phase, str message);
struct ask_options sync_ask_options(const struct sync *sync, enum ask_class class);
/* A namespace that this operation makes, or that comes with it and is not there yet. */
bool sync_namespace_is_coming(const struct sync *sync, const struct row *row);

/* sync_job.c: one task's requests */
struct job {
    struct sync *sync;
    struct task *task;
    struct ask *ask;
    struct apply *apply;
    struct loop_timer *timer;
    struct arena *body_arena;
    const struct val *body; /* what is applied: D, or a copy that keeps live values */
    bool body_is_copy;
    bool dry_run;
    bool was_deleted; /* force: deleted, to be made again */
    bool was_created; /* replace: by a POST, adopted by a further patch */
    bool needs_intent;
    uint64_t need;
    int tries;
    int64_t deadline_ms;
};
void job_init(struct job *job, struct sync *sync, struct task *task);
void job_done(struct job *job);
void job_validate(struct job *job);
void job_apply(struct job *job);
void job_prune(struct job *job);
void job_poke(struct job *job); /* a write that it waits for may have come */
