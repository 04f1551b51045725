/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Namespace look: does a namespace hold anything that would be lost with it? What a cluster puts
 * into every namespace, what is owned by another object, what is being deleted and what carries our
 * label does not count. When not everything can be listed, the answer is "it holds something".
 *
 * Owner:  whoever started it; namespace_look_cancel is legal until `done` ran.
 */
#include "engine/cluster.h"

struct namespace_look;

/* `held` names the first thing that would be lost; empty: nothing would. */
typedef void namespace_look_fn(void *owner, str held);
struct namespace_look *namespace_look_start(struct cluster *cluster, str name, str label,
                                            namespace_look_fn *done, void *owner);
void namespace_look_cancel(struct namespace_look *look); /* NULL is fine */
