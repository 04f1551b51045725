/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Session: one watch request being served: first the objects that exist, where the client asked for
 * them, then what changes, and bookmarks.
 *
 * Owner:  whoever started it frees it, in its callbacks too. It keeps a copy of what it needs of
 * the request. Order:  callbacks come after the COMMIT of what they tell, never inside session_new.
 */
#include "apiserver/turn.h"

struct session;

struct session_events {
    /* `json` is empty unless the request wants text. false: full; the same event comes again after
     * session_resume. */
    bool (*event)(void *owner, enum kube_event_type type, const struct val *object, str json);
    /* Nothing follows; an error event told why, if there was trouble. */
    void (*end)(void *owner);
};

/* `api` was opened (api_open); NULL: refused, the answer stands in it. `timeout_ms` 0 = none. */
struct session *session_new(struct api *api, int64_t timeout_ms,
                            const struct session_events *events, void *owner);
void session_resume(struct session *session);
void session_free(struct session *session); /* NULL is fine */
