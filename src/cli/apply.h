/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Apply: one run of `taut apply`: a directory of manifests against one cluster, with the engine's
 * marks, form and verdicts, without a server and without pruning.
 *
 * Order:  the calls below, each once, in the order in which they stand; each turns the loop until
 *         it has its answer. apply_run_free is legal after any of them.
 * Owner:  the run owns everything; rows and texts live as long.
 * Bounds: those of rendering a directory; APPLY_WAIT_MS for each step that waits for the cluster.
 */
#include "engine/sync_task.h"
#include "kube/remote.h"
#include "render/render.h"

struct apply_run;

struct apply_run_options {
    const char *dir;
    str kubeconfig;
    str context;
    str name;
    str namespace_;
    bool recurse;
    bool dry_run; /* nothing at all is written, not even the installation id */
};

/* Reads the directory and the kubeconfig; nothing is sent yet. */
MUST_USE bool apply_run_new(const struct apply_run_options *options, struct apply_run **ret_run,
                            struct err *err);
void apply_run_free(struct apply_run *run);
AUTO_DEFINE(apply_run, apply_run_free)
#define auto_apply_run AUTO(apply_run)

/* Reaches the cluster, marks the objects and compares them. */
MUST_USE bool apply_run_compare(struct apply_run *run, struct err *err);
/* Applies what is out of sync, kind after kind. False only when nothing could be tried; what
 * failed shows in the tasks. */
MUST_USE bool apply_run_apply(struct apply_run *run, struct err *err);

const struct render_result *apply_run_rendered(const struct apply_run *run);
const struct compare *apply_run_rows(const struct apply_run *run);
/* Of the apply, in the order in which they ran. */
const struct task *apply_run_tasks(const struct apply_run *run, size_t *ret_count);
