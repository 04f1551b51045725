/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * App: one Application, its comparison, and what is done about it.
 *
 * A pass compares: spec and project → pull (levels 2, 3) → compare → report → automated sync. An
 * operation (sync.h) or a deletion (delete.h) runs beside it. Whatever is to be written meets in
 * app_write.c, so that one application has one writer and sends minimal patches.
 *
 * Levels: 1 compares the revision compared last, 2 the newest known one, 3 asks Git anew
 *         (spec/argocd.md 1.7).
 * Owner:  the engine. Everything is cancelled by app_free, in any state.
 */
#include "engine/app_context.h"
#include "engine/compare.h"
#include "engine/pull.h"

struct sync;
struct deletion;

enum app_level { APP_IDLE, APP_SAME_REVISION, APP_KNOWN_REVISION, APP_ASK_GIT };

enum app_pass {
    PASS_NONE,
    PASS_WAITING, /* for the engine's lists or the cluster */
    PASS_PULLING,
    PASS_COMPARING,
};

struct app {
    const struct app_context *context;

    /* The object as the home cluster has it. */
    struct arena *object_arena;
    const struct val *object;
    struct app_spec spec;
    bool spec_is_good;
    struct err spec_err;
    struct arena *mark_arena;
    struct mark mark;
    struct hash spec_hash; /* of spec: a change is a refresh */
    struct hash pass_hash; /* of the spec that the running pass works on */

    /* The pass. */
    enum app_pass pass;
    enum app_level level;  /* of the running pass */
    enum app_level wanted; /* of the next one */
    bool hard;
    bool wanted_hard;
    bool asked; /* a person or a webhook asked: the listing of refs must be new */
    bool wanted_asked;
    bool saw_refresh;    /* the running pass answers the refresh annotation */
    bool cluster_failed; /* the last pass ended because of the cluster */
    enum app_level retry_level;
    struct loop_timer *start;
    struct loop_timer *retry;
    int64_t retry_ms;
    struct pull *pull;
    struct compare *comparing;
    struct app_spec pass_spec; /* of a copy of the object, in pass_arena: pull and compare use it */
    struct arena *pass_arena;

    /* What the last passes found. */
    struct repo *repo;
    struct desired *desired;
    struct hash desired_for; /* the spec that desired was pulled for */
    struct cluster *cluster; /* of the last comparison */
    struct compare *last;
    int64_t checked_wall_ms;
    bool has_attempt_failed; /* the last operation failed for this revision: ask dry runs again */
    int64_t operation_ended_ms; /* monotonic, 0 = not in this process */

    /* What is to be written (app_write.c). */
    struct arena *report_arena; /* NULL: nothing */
    struct val *report;         /* parts of status by name; null = remove */
    bool report_answers_refresh;
    struct arena *operation_arena; /* of the following; NULL: nothing */
    const struct val *operation_state;
    const struct val *new_operation; /* set `.operation` to this */
    bool clear_operation;
    const struct val *history_entry; /* to append */
    str updated_at;                  /* taut.dev/updated-at to set */
    bool drop_finalizers;
    uint64_t change; /* grows with every change of the above */
    uint64_t report_change;
    uint64_t operation_change;
    bool hurry;         /* somebody waits for the write */
    int64_t yielded_ms; /* since when it lets others go first; 0 = it does not */
    uint64_t sent;      /* the change that the running write carries */
    uint64_t written;   /* the change that the home cluster has */
    struct kube_call *write;
    struct arena *write_arena;
    struct loop_task *flush;
    struct loop_timer *write_retry;
    struct loop_timer *write_late;
    int64_t late_at_ms; /* when it runs */
    int64_t write_retry_ms;

    struct sync *sync;
    struct deletion *deletion;
};

struct app *app_new(const struct app_context *context, const struct val *object);
void app_free(struct app *app);
/* The object changed at the home cluster. */
void app_take_object(struct app *app, const struct val *object);
/* Something outside changed (cluster, lists): waiting work looks again. */
void app_poke(struct app *app);
/* Reachability, discovery or a watch of a cluster changed. */
void app_cluster_changed(struct app *app, struct cluster *cluster);
/* A live object of ours changed. */
void app_live_changed(struct app *app);
/* Compares, at this level at least, soon. */
void app_refresh(struct app *app, enum app_level level, bool hard);

/* ---- between the app's own files ---- */
bool app_is_written(const struct app *app); /* nothing is pending */
void app_pass_done(struct app *app);
const struct val *app_operation(const struct app *app);       /* `.operation`, or NULL */
const struct val *app_operation_state(const struct app *app); /* newest, written or not */
void app_start_sync(struct app *app);                         /* when `.operation` asks for one */
bool app_instance_exists(void *owner, str instance);
/* Copies what must outlive the object and the project into the arena. */
struct compare_options app_compare_options(struct app *app, const struct app_spec *spec,
                                           struct arena *arena);

/* app_report.c */
void app_report_error(struct app *app, const char *type, const struct err *err);
void app_report_compare(struct app *app);
void app_report_condition(struct app *app, const char *type, str message);

/* app_write.c: what is set is sent soon, in one patch */
void app_report_changed(struct app *app);
/* Sent within so many ms, or with the next write that is in more of a hurry. */
void app_report_changed_later(struct app *app, int64_t within_ms);
/* A copy of the state goes into operation_arena, where the other parts of an operation's change are
 * to be made. */
struct arena *app_operation_arena(struct app *app);
void app_operation_changed(struct app *app, const struct val *state);
/* The same, but sent with the next report, or after `within_ms` at the latest. */
void app_operation_changed_later(struct app *app, const struct val *state, int64_t within_ms);
void app_write_init(struct app *app);
void app_write_done(struct app *app);
/* The status that the object gets when everything pending is written. */
struct val *app_next_status(const struct app *app, struct arena *arena, str now);
