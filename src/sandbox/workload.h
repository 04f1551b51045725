/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Workloads: the controllers that make Pods, and the one that makes ReplicaSets. */
#include "sandbox/world.h"

world_fn deployment_reconcile;
world_fn replica_set_reconcile;
world_fn stateful_set_reconcile;
world_fn daemon_set_reconcile;
world_fn job_reconcile;
world_fn cron_job_reconcile;
/* edge.c */
world_fn ingress_reconcile;
world_fn autoscaler_reconcile;

/* Number or "25%" of `total`; `up`: rounded up. */
int64_t workload_share(const struct val *v, int64_t total, bool up, int64_t otherwise);
