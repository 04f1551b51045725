/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Things: how the world keeps an object, and what it notes of it so that looking is cheap. */
#include "sandbox/world.h"

/* One reference, which is the caller's. managedFields are left out. */
struct thing *thing_new(enum world_kind kind, const struct val *object);
void thing_unref(struct thing *thing); /* NULL is fine */
