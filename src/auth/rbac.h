/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * RBAC: the roles and bindings of the home cluster, kept in memory, and what follows from them, by
 * the rules of https://kubernetes.io/docs/reference/access-authn-authz/rbac/ (aggregation of
 * ClusterRoles is what the controller of a cluster writes into `rules`).
 *
 * Live:   four watches; a changed binding counts as soon as the watch has brought it.
 * Closed: until all four are whole, nobody but system:masters may anything.
 * Bounds: LIMIT_RBAC_RULES a role, LIMIT_RBAC_SUBJECTS a binding; what is beyond does not count.
 */
#include "auth/auth.h"

struct rbac;

/* `changed` runs inside the watch's callback each time that a role or binding has changed. */
typedef void rbac_changed_fn(void *owner);
struct rbac *rbac_new(struct kube *home, rbac_changed_fn *changed, void *owner);
void rbac_free(struct rbac *rbac); /* NULL is fine */
AUTO_DEFINE(rbac, rbac_free)
#define auto_rbac AUTO(rbac)

bool rbac_is_complete(const struct rbac *rbac);
bool rbac_allows(const struct rbac *rbac, const struct auth_user *user,
                 const struct auth_question *question);
/* Each rule that the user holds cluster-wide and, when it is not empty, in the namespace. */
void rbac_rules_each(const struct rbac *rbac, const struct auth_user *user, str namespace_,
                     auth_rule_fn *fn, void *owner);
/* Whether the user has any right in that namespace by a RoleBinding there: is a member. */
bool rbac_is_member(const struct rbac *rbac, const struct auth_user *user, str namespace_);
/* Whether a subject User of that name stands in the ClusterRoleBinding. */
bool rbac_names_user(const struct rbac *rbac, str cluster_binding, str user);
/* Each subject of a RoleBinding to a project role; empty namespace_: of all namespaces. */
void rbac_each_member(const struct rbac *rbac, str namespace_, auth_member_fn *fn, void *owner);
