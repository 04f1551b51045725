/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Causes: why a workload is not healthy, told at once from its Pods (PRODUCT section 3), without
 * waiting for a progress deadline.
 *
 * Watches: Pods and ReplicaSets of the whole cluster, each reduced to its owner and one line; open
 *          from the first workload on. Where they may not be read, causes are absent, nothing else.
 * Owner:   the cluster.
 */
#include "kube/reflector.h"

struct causes;

/* The cause of the workload with this uid may be another now. */
typedef void causes_changed_fn(void *owner, str uid);
struct causes *causes_new(struct kube *kube, causes_changed_fn *changed, void *owner);
void causes_free(struct causes *causes); /* NULL is fine */

/* "web: image cannot be pulled, 2 of 3 Pods", or empty. */
str causes_of(const struct causes *causes, str uid, struct arena *arena);
