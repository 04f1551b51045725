/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Pods: making them from a template, counting them, and the life that scheduler and kubelet give
 * them. */
#include "sandbox/world.h"

#define POD_NODE "sandbox"

/* A Pod of `owner` (its controller) named `name`, from a Pod template. `hash` becomes the label
 * `hash_label`; both may be empty. */
struct val *pod_from_template(struct world_key *key, const struct val *owner,
                              const struct val *template_, str name, const char *hash_label,
                              str hash);
/* NAME-xxxxx with five random characters, as the API server makes them. */
str pod_random_name(struct arena *arena, str name);
/* The first ten characters of a template's hash, in Kubernetes' safe alphabet. */
str pod_template_hash(struct arena *arena, const struct val *template_);
/* An ownerReferences entry that says controller. */
struct val pod_owner_reference(struct arena *arena, const struct val *owner);

struct pod_counts {
    int64_t active; /* neither ended nor being deleted */
    int64_t ready;
    int64_t succeeded;
    int64_t failed;
    int64_t deleting;
};
struct pod_counts pod_count(const struct world *world, str owner_uid);

/* Sets or keeps a condition: its lastTransitionTime changes with its status alone. `old` are the
 * conditions so far. */
void pod_condition(struct world_key *key, struct val *conditions, const struct val *old,
                   const char *type, bool status, const char *reason, str message);

world_fn pod_reconcile;
