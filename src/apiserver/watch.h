/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Watch hub: the recent changes of one instance, and who wants to hear of them.
 *
 * Flow:   watch_note queues a change of the turn under way; watch_commit makes the queued ones
 *         history (or watch_rollback forgets them); watch_pump gives each watcher what it has not
 *         seen. A watcher is a cursor into the history, so a slow one costs nothing.
 * Bounds: LIMIT_WATCH_HISTORY_EVENTS and LIMIT_WATCH_HISTORY_BYTES; a watcher that falls behind
 *         them ends with `gone`, as does one that asks for an older version.
 * Owner:  the hub owns changes. A watcher is freed with watcher_free, in its own callback too.
 */
#include "apiserver/store.h"
#include "kube/kube.h"

struct watch_hub;
struct watcher;

struct watch_change {
    int64_t rv;
    enum kube_event_type type; /* KUBE_ADDED, KUBE_MODIFIED, KUBE_DELETED */
    str resource;              /* as in store_key */
    str namespace_;
    str json;     /* the object after the change; of a deletion: its last state at this rv */
    str old_json; /* before it; empty for KUBE_ADDED */
};

struct watcher_events {
    /* Whether the watcher's selectors take the object; NULL: they take all. */
    bool (*matches)(void *owner, const struct val *object);
    /* false: enough for now; the same change comes again after watcher_resume. */
    bool (*event)(void *owner, enum kube_event_type type, const struct val *object, str json,
                  int64_t rv);
    void (*gone)(void *owner); /* the history does not reach back so far; no event follows */
};

struct watch_hub *watch_hub_new(int64_t rv); /* a history that begins at rv */
void watch_hub_free(struct watch_hub *hub);
AUTO_DEFINE(watch_hub, watch_hub_free)
#define auto_watch_hub AUTO(watch_hub)

void watch_note(struct watch_hub *hub, const struct watch_change *change); /* copies */
bool watch_has_queued(const struct watch_hub *hub);
void watch_commit(struct watch_hub *hub);
/* Forgets the queued changes and all history; every watcher ends with `gone`. */
void watch_rollback(struct watch_hub *hub, int64_t rv);
/* true: somebody still has changes waiting for the next turn. */
bool watch_pump(struct watch_hub *hub);
bool watch_reaches(const struct watch_hub *hub, int64_t rv); /* changes after rv are all known */

/* Hears of changes after `rv`. An empty namespace is all of them. Texts are copied. */
struct watcher *watcher_new(struct watch_hub *hub, str resource, str namespace_, int64_t rv,
                            const struct watcher_events *events, void *owner);
void watcher_pause(struct watcher *watcher);
void watcher_resume(struct watcher *watcher); /* goes on with the next pump */
/* Whether it has seen everything up to *ret_rv, the newest committed version: bookmarks. */
bool watcher_caught_up(const struct watcher *watcher, int64_t *ret_rv);
void watcher_end(struct watcher *watcher);                    /* `gone` with the next pump */
void watcher_free(struct watcher *watcher);                   /* NULL is fine */
void watch_end_resource(struct watch_hub *hub, str resource); /* its kind is served no more */
