/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Scope: the watch of one kind in one cluster, over all namespaces, or namespace by namespace where
 * no more may be seen (ENGINE section 3): because the cluster's Secret lists `namespaces`, or
 * because the list over all namespaces is forbidden. What is known whole is then said for each
 * namespace by itself.
 *
 * Keep:   what the reflector's events keep; `changed` names each object once, also when the watch
 *         moves from namespaces to the whole.
 */
#include "kube/reflector.h"

enum watch_state { WATCH_LOADING, WATCH_WHOLE, WATCH_BROKEN };

/* What a cluster's Secret permits. */
struct scope_limits {
    bool limited;           /* only these namespaces */
    str namespaces;         /* separated by commas */
    bool cluster_resources; /* also what is in no namespace */
    str cluster;            /* its name, for people */
};
/* NULL = permitted; else err says what is missing. */
bool scope_permits(const struct scope_limits *limits, str resource, str namespace_,
                   struct err *err);

struct scope;

/* Opens nothing by itself. `limits` and `events` are borrowed for its life. */
struct scope *scope_new(struct kube *kube, const struct kube_selector *what,
                        const struct scope_limits *limits, const struct reflector_events *events,
                        void *owner);
void scope_free(struct scope *scope); /* NULL is fine */
/* Opens the watch that shows this namespace (empty: what is in none) where there is none.
 * WATCH_BROKEN fills err, ERR_FORBIDDEN when a right is missing: absence must not be concluded. */
enum watch_state scope_watch(struct scope *scope, str namespace_, struct err *err);
/* Tries the list over all namespaces again where it was forbidden; by itself it does so every
 * LIMIT_FORBIDDEN_AGAIN_MS. */
void scope_retry(struct scope *scope);
void *scope_get(const struct scope *scope, str namespace_, str name); /* NULL: not known */
void scope_each(const struct scope *scope, reflector_each_fn *fn, void *owner);
/* The first open watch's trouble, or NULL. */
const struct err *scope_trouble(const struct scope *scope);
/* The watch over all namespaces, if there is one, is whole or in trouble. */
bool scope_is_settled(const struct scope *scope);
