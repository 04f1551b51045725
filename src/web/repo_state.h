/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Repository state: what the last question to each code repository found, for the list. It lives in
 * memory: a test after a start fills it again.
 *
 * Owner:  the web; private to web/. Bounds: LIMIT_REPO_STATES, then it is emptied.
 */
#include "web/call.h"

/* err NULL: it answered. */
void web_repo_state_put(struct web_call *call, str name, const struct err *err);
void web_repo_state_drop(struct web_call *call, str name);
/* {state, message?, checkedAt} into row as `connection`; nothing when it is not known. */
void web_repo_state_add(struct web_call *call, struct val *row, str name);
void web_repo_states_free(struct web *web);
