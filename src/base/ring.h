/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Ring: a list threaded through its elements, with a sentinel. An element leaves whichever list it
 * is in without knowing it, so lists of live things survive callbacks that free their neighbours.
 *
 * Owner: nobody; the elements belong to whoever made them. RING_ELEMENT gives the struct around.
 */
#include "base/macros.h"

struct ring {
    struct ring *prev;
    struct ring *next;
};

#define RING_ELEMENT(at, type, member) CONTAINER_OF((at), type, member)
#define RING_FIRST(ring, type, member)                                                             \
    (ring_is_empty(ring) ? NULL : CONTAINER_OF((ring)->next, type, member))

static inline void ring_init(struct ring *ring)
{
    ring->prev = ring->next = ring;
}

static inline bool ring_is_empty(const struct ring *ring)
{
    return ring->next == ring;
}

/* Also legal for an element that is in no list. */
static inline void ring_unlink(struct ring *at)
{
    at->prev->next = at->next;
    at->next->prev = at->prev;
    ring_init(at);
}

static inline void ring_append(struct ring *ring, struct ring *at)
{
    at->prev = ring->prev;
    at->next = ring;
    ring->prev->next = at;
    ring->prev = at;
}

/* Moves all elements of `from` behind the sentinel `to`, which is overwritten. */
static inline void ring_move(struct ring *from, struct ring *to)
{
    ring_init(to);
    if (ring_is_empty(from))
        return;
    *to = *from;
    to->prev->next = to;
    to->next->prev = to;
    ring_init(from);
}
