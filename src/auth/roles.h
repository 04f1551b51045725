/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The built-in roles, applied at each start: what a member of a DevOps Project may (bound by
 * RoleBindings in its namespace) and what somebody may on the platform (one ClusterRoleBinding a
 * role, whose subjects are people's).
 */
#include "auth/auth.h"

/* Roles and platform bindings, in the order in which they are applied. */
#define ROLES_OBJECTS 9
struct val *roles_object(struct arena *arena, size_t index, struct gvr *ret_gvr);
