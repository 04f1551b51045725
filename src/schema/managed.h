/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Managed fields: who owns which field of an object, and server-side apply on top of it
 * (Kubernetes' fieldmanager package, KEP-555).
 *
 * Owner: everything is in the arena; results may share nodes with the inputs.
 */
#include "doc/hash.h"
#include "schema/merge.h"

struct managed_request {
    const struct type *type;
    struct gvk gvk;  /* version of the endpoint that was asked */
    str subresource; /* "", "status", "scale" */
    str manager;     /* field manager; empty = "unknown" */
    bool force;      /* apply only */
    int64_t now_ms;  /* wall clock */
    bool is_create;  /* `live` is what an empty object of the kind holds, and nobody's */
    const struct fieldset *ignore; /* fields that this endpoint resets ("status" or all but it);
                                      they are neither owned nor compared. NULL = none */
};

struct managed_result {
    struct val *object; /* with new metadata.managedFields */
    bool changed;       /* false: the apply changed nothing and `object` equals live */
    const struct val
            *causes; /* after ERR_CONFLICT: [{reason, message, field}], for Status.details */
};

/* Apply: `live` NULL = the object is created. The result is not yet defaulted or validated.
 * ERR_CONFLICT: other managers own fields (message and causes are the API server's). ERR_INVALID:
 * the patch's form (400). ERR_INTERNAL with "failed to create typed patch object (…): …": what the
 * server answers with 500. On false, only ret_result->causes may be set. */
MUST_USE bool managed_apply(struct arena *arena, const struct managed_request *request,
                            const struct val *live, const struct val *patch,
                            struct managed_result *ret_result, struct err *err);
/* After create, update and the other patches: sets metadata.managedFields of `object`, which lives
 * in the arena and replaces `live` (NULL = it is created). */
void managed_update(struct arena *arena, const struct managed_request *request,
                    const struct val *live, struct val *object);

/* ---- reading ---- */
/* What the entry owns; NULL when it cannot be read. */
struct fieldset *managed_entry_fields(struct arena *arena, const struct val *entry);
/* The entry of a manager: operation "Apply" or "Update", subresource "" for the main one. */
const struct val *managed_find(const struct val *object, str manager, str operation,
                               str subresource);
/* The entry that holds the path; the newest when several do. */
const struct val *managed_owner_of(struct arena *arena, const struct val *object, struct path path);
/* Hash of who owns what, without times and without entries of the status subresource. */
struct hash managed_hash(const struct val *object);
/* Takes over: the named managers' entries (Update and Apply) go and what they own joins `manager`'s
 * Apply entry. `object` lives in the arena. false = nothing to take over. */
bool managed_take_over(struct arena *arena, struct val *object, const str *managers, size_t count,
                       str manager);
