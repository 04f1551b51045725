/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Apply: one server-side apply, real or dry, with what "Skip schema validation" needs around it
 * (ENGINE section 5): a field that the schema does not know is taken out of a copy and the apply
 * is repeated; with duplicate list keys the last entry wins.
 *
 * Owner:  the body must live until it is done or cancelled.
 * Bounds: LIMIT_APPLY_REPEATS requests.
 */
#include "base/buf.h"
#include "engine/ask.h"

struct apply;

struct apply_request {
    struct gvr gvr;
    str namespace_;
    str name;
    const struct val *body;
    bool dry_run;
    bool skip_validation;
};

/* `removed` names, for people, what was taken out; empty = nothing. */
typedef void apply_done_fn(void *owner, struct kube_response *response, str removed);

struct apply *apply_start(struct ask_queue *queue, const struct apply_request *request,
                          enum ask_order order, apply_done_fn *done, void *owner);
void apply_cancel(struct apply *apply); /* NULL is fine */

/* Takes every field that the message calls undeclared, and all but the last of every duplicate key,
 * out of the body; adds what it took to `removed`. False when the message names none. */
bool apply_strip(struct arena *arena, struct val *body, str message, struct buf *removed);
