/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Wholes: what is watched whole in a cluster, without our label, because it decides verdicts:
 * definitions, admission, autoscalers (ENGINE sections 3 and 4). Each object is one line of text.
 * Where they may not be read, verdicts live on without them.
 *
 * Owner:  the cluster.
 */
#include "doc/hash.h"
#include "engine/scope.h"
#include "kube/discovery.h"

struct wholes;

struct wholes_events {
    void (*told)(void *owner);               /* a list came, or trouble */
    void (*definition_changed)(void *owner); /* other kinds may be served now */
};
struct wholes *wholes_new(struct kube *kube, const struct scope_limits *limits,
                          const struct wholes_events *events, void *owner);
void wholes_free(struct wholes *wholes);
void wholes_close(struct wholes *wholes); /* ends all watches */
/* Watches of what the cluster serves; again after each discovery. */
void wholes_open(struct wholes *wholes, const struct discovery *discovery);
bool wholes_are_settled(const struct wholes *wholes);
/* What of it is in this namespace is known, or cannot be. */
bool wholes_know(struct wholes *wholes, str namespace_);
uint64_t wholes_generation(const struct wholes *wholes); /* grows with each change */
/* Mixes in what decides verdicts of the kind. */
void wholes_add_hash(const struct wholes *wholes, struct gvk gvk, struct hash *sum);
/* Is the replica count of `target` an autoscaler's? */
bool wholes_is_scaled(const struct wholes *wholes, struct gvk target, str namespace_, str name);
