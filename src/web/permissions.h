/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the caller may, as lists of words such as "sync applications". Private to web/. */
#include "web/call.h"

struct permissions; /* in the call's arena */

/* Adds `rights` (on the platform) and `rightSets` to the answer. */
struct permissions *permissions_new(struct web_call *call, struct val *answer);
/* Which of the rightSets the caller has in that namespace. */
int64_t permissions_in(struct permissions *permissions, str namespace_);
