/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Children: what controllers made of the applications' objects (ReplicaSets, Jobs, Pods) and the
 * Warnings about them: the tree of an application, and the cause of its health, told at once
 * (PRODUCT section 3).
 *
 * Watches: ReplicaSets, Jobs, Pods and Warning Events, each object reduced (child.h); open from the
 *          first workload on, in all namespaces or in those of workloads (scope.h). Where they may
 * not be read, children and causes are absent, nothing else. Owner:   the cluster.
 */
#include "engine/child.h"
#include "engine/index.h"
#include "engine/scope.h"

struct children;

struct children_events {
    /* Something below the object with this uid changed; `cause`: also why it is not healthy. */
    void (*changed)(void *owner, str uid, bool cause);
};
struct children *children_new(struct kube *kube, const struct scope_limits *limits,
                              const struct children_events *events, void *owner);
void children_free(struct children *children); /* NULL is fine */
/* Opens what shows the children in this namespace, where there is none. */
void children_watch(struct children *children, str namespace_);
/* Why not all is known, or NULL. */
const struct err *children_trouble(const struct children *children);

/* What this object is the controller of, each a const struct child *, in no order; for a tree walk
 * down from the uid of a row, at most LIMIT_OWNER_DEPTH deep and LIMIT_APP_CHILDREN wide. Borrowed
 * until the loop's next turn. NULL children and an empty uid are fine. */
struct index_set children_of(const struct children *children, str uid);
const struct child *children_find(const struct children *children, str uid);
/* The newest Warning about the object, or NULL. */
const struct warning *children_warning(const struct children *children, str uid);

/* causes.c: "web: image cannot be pulled, 2 of 3 Pods", or empty. NULL children are fine. */
str children_cause(const struct children *children, str uid, struct arena *arena);
