/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Sandbox: controllers that bring an embedded API server to life, so that a cluster without nodes
 * looks like one: scheduler and kubelet (Pods run, fail as asked, end), Deployments, ReplicaSets,
 * StatefulSets, DaemonSets, Jobs, CronJobs, claims, end points, and node ports that answer on
 * 127.0.0.1.
 *
 * Never a production target. `sandbox.taut.dev/fail` (annotation or label of a Pod template) is one
 * of image-pull, crash-loop, oom, unschedulable, slow.
 * Owner:  free it before its kube.
 * Runs:   on the loop, in slices of at most 10 ms; it only speaks through `struct kube`.
 */
#include "kube/kube.h"

struct sandbox;

struct sandbox_options {
    bool no_node_ports; /* do not listen (tests) */
    int speed;          /* how much faster than usual things go; 0 = 1 (tests: 20) */
};

struct sandbox *sandbox_new(struct kube *kube, const struct sandbox_options *options);
void sandbox_free(struct sandbox *sandbox);
AUTO_DEFINE(sandbox, sandbox_free)
#define auto_sandbox AUTO(sandbox)
/* All kinds were listed once and nothing waits to be done at once. */
bool sandbox_is_idle(const struct sandbox *sandbox);
