/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Collector: what kube-controller-manager's garbage collector and namespace controller do: objects
 * go when their owners are gone, and with their namespace; foreground deletion waits for those that
 * block it; orphaning cuts them loose.
 *
 * Runs:   in later turns than the change that caused it, a bounded number of deletes a turn.
 * Crash:  nothing is kept but the objects' own finalizers and deletionTimestamps: collector_start
 *         finds what was under way.
 */
#include "apiserver/registry.h"

struct collector;

struct collector *collector_new(struct apiserver *server);
void collector_free(struct collector *collector);
/* Looks through the whole store for what a crash interrupted. */
MUST_USE bool collector_start(struct collector *collector, struct err *err);
void collector_saved(struct collector *collector, const struct kind *kind, const struct val *object,
                     const struct val *old);
void collector_erased(struct collector *collector, const struct kind *kind,
                      const struct val *object);
