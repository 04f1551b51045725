/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the handlers about people share. Private to web/. */
#include "auth/users.h"
#include "web/call.h"

typedef void web_step_fn(struct web_call *call);

/* Patches the user's Secret; a refusal ends the call. */
void web_patch_user(struct web_call *call, str name, const struct val *patch, web_step_fn *then);

/* Goes on once auth has seen what was written (`known`), so that who asks next is told of it; after
 * a few seconds anyway. */
typedef bool web_known_fn(struct web_call *call);
void web_when_known(struct web_call *call, web_known_fn *known, web_step_fn *then);

/* One binding that a user is put into or taken out of. One that is missing is made, or fine. An
 * empty namespace: a ClusterRoleBinding. */
struct binding_edit {
    str namespace_;
    str name;
    str role; /* the ClusterRole, when it has to be made */
    bool add;
};
/* One after the other, again on conflicts; a refusal ends the call. `edits` lives in the arena. A
 * RoleBinding that nobody stands in any more is deleted. */
void web_edit_bindings(struct web_call *call, str user, const struct binding_edit *edits,
                       size_t count, web_step_fn *then);
/* Takes the user out of every platform role but `role`, after having put him into that. */
size_t web_platform_edits(struct web_call *call, enum auth_platform_role role,
                          struct binding_edit **ret_edits);

MUST_USE bool web_check_language(str language, struct err *err);

/* {name, role, language, disabled, sessions, tokens, created, memberships}; never a hash. */
struct val *web_user_row(struct web_call *call, const struct user *user);
/* False: the call is ended with 404. */
MUST_USE bool web_find_user(struct web_call *call, str name, const struct user **ret_user);
