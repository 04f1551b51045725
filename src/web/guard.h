/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Guard: answers that stay open (watches, streams) end as soon as the session or the token that
 * they began with has ended, or the right that they need is gone.
 *
 * Use:    call web_guard before web_take_request, or before the request is passed on. The client's
 *         connection is cut, and whoever answers hears `closed` as if it had left.
 * Bounds: those of the connections; what is over is forgotten at the next change, or in a minute.
 */
#include "web/call.h"

struct guard;

struct guard *guard_new(struct loop *loop, struct auth *auth);
void guard_free(struct guard *guard); /* NULL is fine */
/* `question` NULL: only the session or token is looked at (the answer checks rights itself). */
void web_guard(struct web_call *call, const struct auth_question *question);
