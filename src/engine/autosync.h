/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Autosync: whether a comparison leads to an operation by itself (spec/argocd.md 1.2.2). Pure.
 */
#include "engine/compare.h"

enum autosync_answer {
    AUTOSYNC_NOTHING,
    AUTOSYNC_SYNC,  /* start a full sync */
    AUTOSYNC_HEAL,  /* start a partial sync of what is not as it should be */
    AUTOSYNC_WAIT,  /* a heal is due in wait_ms */
    AUTOSYNC_ERROR, /* the message is a SyncError */
};

struct autosync_input {
    const struct app_spec *spec;
    const struct val *operation;       /* `.operation` */
    const struct val *operation_state; /* `.status.operationState` */
    const struct compare *compare;
    str revision;
    int64_t since_last_ms; /* since the last operation ended, as far as known; <0 = unknown */
};

struct autosync_output {
    enum autosync_answer answer;
    int64_t wait_ms;
    int64_t attempt; /* autoHealAttemptsCount of the heal */
    str message;
};

struct autosync_output autosync_decide(const struct autosync_input *input, struct arena *arena);
/* The `.operation` that the answer asks for. */
struct val autosync_operation(const struct autosync_input *input,
                              const struct autosync_output *output, struct arena *arena);
/* Did the last operation already try this revision and source? */
bool autosync_is_attempted(const struct autosync_input *input);
