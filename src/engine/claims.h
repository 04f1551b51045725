/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Claims: which application wants an object that is another's. Both are told of it
 * (SharedResourceWarning); nobody is given it.
 */
#include "base/arena.h"

struct claims;

/* `changed` hears of a holder whose claims are others now. */
typedef void claims_changed_fn(void *owner, str holder);
struct claims *claims_new(claims_changed_fn *changed, void *owner);
void claims_free(struct claims *claims);

/* A claimer tells all of its claims anew: begin, add each, end. */
void claims_begin(struct claims *claims, str claimer);
void claims_add(struct claims *claims, str holder, str claimer, str object);
void claims_end(struct claims *claims, str claimer);
/* "application X wants Kind/name too", for each. */
void claims_each(const struct claims *claims, str holder, void (*fn)(void *to, str sentence),
                 void *to);
