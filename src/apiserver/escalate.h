/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Escalate: nobody grants what he does not hold. A role may be written by whoever holds all its
 * rules, or has the verb `escalate` on it; a binding by whoever holds all rules of its role, or has
 * the verb `bind` on that; https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-
 * escalation-prevention-and-bootstrapping.
 *
 * Bounds: a role that takes more than five million comparisons of single rights is refused, unless
 *         one rule of the asker covers each of its rules.
 */
#include "apiserver/api.h"

bool escalate_is_master(const struct apiserver_user *user);
/* `live` NULL = it is new. false: refused, the answer stands. Of other kinds: true. */
MUST_USE bool escalate_check(struct api *api, const struct val *object, const struct val *live);
