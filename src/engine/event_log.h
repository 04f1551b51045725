/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Event log: what became of an application, as Kubernetes Events on it, in Argo CD's words:
 * OperationStarted, OperationCompleted, ResourceUpdated (kubectl get events).
 *
 * Told:    by comparing two states of the object, so that every writer counts and a restart repeats
 *          nothing. Transitions of one kind that come close together are one Event, from the first
 *          state to the last.
 * Written: a moment later, and below all other work; while applications are being delivered, after
 *          that. The same Event again raises its count.
 * Bounds:  LIMIT_EVENTS_PENDING; beyond it the newest are left out.
 * Owner:   the engine.
 */
#include "engine/cluster.h"

struct event_log;

struct event_log_options {
    struct cluster *home; /* borrowed */
    bool (*is_busy)(void *owner);
    void *owner;
};
struct event_log *event_log_new(const struct event_log_options *options);
void event_log_free(struct event_log *log); /* NULL is fine */
/* The application was `was` and is `is`. */
void event_log_tell(struct event_log *log, const struct val *was, const struct val *is);
