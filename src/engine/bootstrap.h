/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Bootstrap: what a home cluster must have before the engine runs: our CustomResourceDefinitions,
 * the control namespace, the project `default`, the installation id; and no running Argo CD.
 *
 * Owner:  whoever started it; bootstrap_cancel is legal until `done` ran.
 */
#include "kube/kube.h"

struct bootstrap;

typedef void bootstrap_done_fn(void *owner, str installation, const struct err *err);
struct bootstrap *bootstrap_start(struct kube *home, str control_namespace, bootstrap_done_fn *done,
                                  void *owner);
void bootstrap_cancel(struct bootstrap *bootstrap); /* NULL is fine */
