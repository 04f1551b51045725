/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Rules of roles and subjects of bindings: the pure part of RBAC. Private to auth/.
 */
#include "auth/auth.h"

/* What is kept in memory of a role or a binding. */
struct kept {
    struct arena *arena;
    const struct val *rules;
    const struct val *subjects;
    const struct val *role_ref;
};

/* Whether one of a role's `rules` allows what is asked. */
bool rule_any_allows(const struct val *rules, const struct auth_question *question);
/* Whether the user, one of his groups, or system:authenticated stands among `subjects`. A service
 * account without a namespace is one of `namespace_`. */
bool rule_has_subject(const struct val *subjects, const struct auth_user *user, str namespace_);
