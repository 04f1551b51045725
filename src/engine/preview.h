/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Preview: what a sync or a deletion of an application would do, asked and never done. For files
 * preview*.c alone; others use engine_preview of engine.h.
 *
 *   wait for lists and cluster → pull → compare → look at the namespace → dry runs of what is new
 *   wait for lists and cluster → compare what is live → count what follows (a deletion)
 *
 * Owner:  the engine holds the list; the preview owns all its questions and its arena.
 * Bounds: LIMIT_PREVIEWS at once, LIMIT_PREVIEW_MS each; one row an object of the set.
 */
#include "engine/delete_rule.h"
#include "engine/engine_state.h"
#include "engine/namespace_look.h"
#include "engine/sync_task.h"

enum preview_stage {
    PREVIEW_WAITING,
    PREVIEW_PULLING,
    PREVIEW_COMPARING,
    PREVIEW_ASKING, /* dry runs, or counts */
    PREVIEW_TOLD,
};

/* One resource of the answer, and the question about it that is under way. */
struct preview_row {
    struct preview_row *next;
    struct engine_preview *preview;
    const struct row *row;
    const char *effect;
    const char *reason; /* a code of reason_names or delete_rule_name */
    str message;
    int64_t objects; /* of a definition: how many go with it; -1 = not known */
    bool objects_are_more;
    str held; /* of a namespace: what lives in it */
    struct apply *dry;
    struct ask *ask;
    struct namespace_look *look;
};

struct engine_preview {
    struct engine *engine;
    struct engine_preview *next;
    struct engine_preview **link;
    struct arena *arena;
    engine_answer_fn *done;
    void *owner;
    struct loop_task *tell;
    struct loop_timer *late;
    enum preview_stage stage;
    bool is_deletion;

    const struct val *application;
    const struct val *sync; /* operation.sync, or NULL: as the spec says */
    str revision;
    struct app_spec spec;
    struct mark mark;
    struct task_options options;
    struct cluster *cluster;
    struct pull *pull;
    struct desired *desired; /* counted */
    struct compare *compare;
    struct ask *namespace_ask;
    bool namespace_absent;
    struct preview_row *rows;
    size_t row_count;
    size_t busy;

    const char *failed_at; /* part of the answer: where it ended, or NULL */
    struct err err;
    struct val *answer;
};

/* ---- preview.c ---- */
/* The rest is told as it is, with the reason why there is not more. */
void preview_fail(struct engine_preview *preview, const char *where, const struct err *err);
void preview_end_question(struct engine_preview *preview);
struct compare_options preview_compare_options(struct engine_preview *preview);

/* ---- preview_delete.c ---- */
void preview_delete(struct engine_preview *preview);

/* ---- preview_answer.c ---- */
void preview_tasks(struct engine_preview *preview); /* rows of a compared sync */
struct val *preview_answer(struct engine_preview *preview);
