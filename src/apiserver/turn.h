/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Turn: all writes of one turn of the loop are one transaction, and what the turn wants to say
 * waits for its COMMIT. If that fails, each waiting answer becomes a 500, memory is read again from
 * the database and every watch ends with 410.
 *
 * Bounds: LIMIT_COMMIT_WRITES and LIMIT_COMMIT_BYTES a transaction; more is committed in parts.
 */
#include "apiserver/api.h"

struct turn;

/* What waits for the commit; embedded in the face's own struct. */
struct turn_reply {
    struct turn_reply *next;
    struct api *api;
    void (*send)(struct turn_reply *reply); /* frees it */
};

struct turn *turn_new(struct apiserver *server);
void turn_free(struct turn *turn); /* waiting answers are sent as failures */
void turn_defer(struct turn *turn, struct turn_reply *reply);
/* Something happened that the end of this turn must see: a write, a new watch. */
void turn_wake(struct turn *turn);
/* Commits now: at start, before the loop runs. */
MUST_USE bool turn_commit_now(struct turn *turn, struct err *err);
