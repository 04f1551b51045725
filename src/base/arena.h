/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Arena: memory of one unit of work (a request, a document, a render, a reconcile pass). All of it
 * is freed at once.
 *
 * Bounds: `limit` bytes. Going over sets a sticky flag and allocation goes on, so that no caller
 *         needs a NULL check; therefore every loop over input asks arena_is_over() each turn and
 *         stops with ERR_LIMIT. An arena that runs to twice its limit plus 64 MiB has met a loop of
 *         ours without that question, and aborts.
 * ASan:   each allocation is a malloc of its own, so that overruns are seen.
 */
#include "base/err.h"

struct arena;

struct arena *arena_new(size_t limit);
void arena_free(struct arena *arena);
AUTO_DEFINE(arena, arena_free)
#define auto_arena AUTO(arena)

void *arena_alloc(struct arena *arena,
                  size_t size); /* zeroed, aligned for any object, never NULL */
void *arena_words(struct arena *arena, size_t size); /* aligned for pointers, no more */
char *arena_bytes(struct arena *arena, size_t size); /* the same without alignment, for texts */
bool arena_is_over(const struct arena *arena);
size_t arena_used(const struct arena *arena);
size_t arena_limit(const struct arena *arena);
/* Fills err with ERR_LIMIT naming the size and `what` when the arena is over. true = still within.
 */
MUST_USE bool arena_check(const struct arena *arena, const char *what, struct err *err);

str arena_str(struct arena *arena, str s); /* copy, NUL-terminated behind its length */
const char *arena_z(struct arena *arena, str s);
str arena_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);
str arena_join(struct arena *arena, str a, str b);

#define arena_new0(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define arena_array(arena, count, type) ((type *)arena_alloc_array((arena), (count), sizeof(type)))
void *arena_alloc_array(struct arena *arena, size_t count, size_t size);
/* An array with room for `count` elements: as it is, or moved to at least twice the room, which
 * begins as 0. */
void *arena_grow(struct arena *arena, void *at, size_t count, size_t *room, size_t size);
