/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Project: what an AppProject permits (spec/argocd.md 1.4). Empty lists permit nothing, `*` permits
 * all, a leading `!` denies and wins. Asked before every render and before every request.
 *
 * Owner:  borrows the AppProject's tree.
 */
#include "engine/app_spec.h"

/* The four questions; false fills err with a sentence that names project and list. */
MUST_USE bool project_permits_namespace(const struct val *project, str control_namespace,
                                        str app_namespace, struct err *err);
MUST_USE bool project_permits_source(const struct val *project, str repo_url, struct err *err);
/* Namespaces of the home cluster that nobody deploys into but from the control namespace, whatever
 * the lists say: who can write there has every right there is. */
struct project_home {
    str control_namespace;
    /* Whether it is the namespace of a DevOps Project. */
    bool (*is_devops)(void *owner, str namespace_);
    void *owner;
};
struct project_target {
    str server;
    str name; /* of the cluster */
    str namespace_;
    const struct project_home *home; /* NULL: another cluster, or from the control namespace */
};
MUST_USE bool project_permits_destination(const struct val *project,
                                          const struct project_target *target, struct err *err);
MUST_USE bool project_permits_kind(const struct val *project, str group, str kind, str name,
                                   bool namespaced, struct err *err);
/* Parts of a project that are not built (sync windows): ERR_UNSUPPORTED. */
MUST_USE bool project_check(const struct val *project, struct err *err);
