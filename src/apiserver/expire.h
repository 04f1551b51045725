/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Expire: Events go an hour after they were last seen, as on a usual kube-apiserver
 * (--event-ttl=1h); nothing else would ever take them away.
 *
 * Bounds: a part of them a turn; the rest in the next ones.
 */
#include "apiserver/registry.h"

struct expire;

struct expire *expire_new(struct apiserver *server); /* looks every few minutes */
void expire_free(struct expire *expire);
/* Removes what is too old at `now_ms` of the wall clock; true: there is more of it. */
bool expire_run(struct apiserver *server, int64_t now_ms);
