/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The ClusterRoles that Taut brings: taut:viewer, taut:operator, taut:admin (PRODUCT section 2).
 * None of them carries a verb on Secrets. Private to auth/. */
#include "doc/val.h"

#define ROLES_COUNT 3
/* The ClusterRole number `index`, to be applied to the home. */
struct val *roles_object(struct arena *arena, size_t index);
