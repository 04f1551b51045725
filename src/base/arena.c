/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include "base/mem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ONE_MALLOC_EACH 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ONE_MALLOC_EACH 1
#endif
#endif
#ifndef ARENA_ONE_MALLOC_EACH
#define ARENA_ONE_MALLOC_EACH 0
#endif

enum {
    ARENA_CHUNK_FIRST = 4096,
    ARENA_CHUNK_MAX = 256 * 1024,
    ARENA_ALIGN = 16,
};

struct chunk {
    struct chunk *next;
    size_t size;
    _Alignas(ARENA_ALIGN) char bytes[];
};

struct arena {
    struct chunk *chunks;
    char *free_at;
    size_t free_len;
    size_t next_chunk;
    size_t used;
    size_t limit;
    bool over;
};

struct arena *arena_new(size_t limit)
{
    struct arena *arena = new0(struct arena);

    arena->limit = limit;
    arena->next_chunk = ARENA_CHUNK_FIRST;
    return arena;
}

void arena_free(struct arena *arena)
{
    if (arena == NULL)
        return;
    for (struct chunk *c = arena->chunks; c != NULL;) {
        struct chunk *next = c->next;
        free(c);
        c = next;
    }
    free(arena);
}

static struct chunk *chunk_add(struct arena *arena, size_t size)
{
    struct chunk *c = calloc(1, sizeof(*c) + size);

    if (c == NULL) {
        fputs("taut: out of memory\n", stderr);
        abort();
    }
    c->size = size;
    c->next = arena->chunks;
    arena->chunks = c;
    return c;
}

static void account(struct arena *arena, size_t size)
{
    arena->used += size;
    if (arena->used <= arena->limit)
        return;
    arena->over = true;
    if (arena->used / 2 > arena->limit + 32 * LIMIT_MIB) {
        fputs("taut: an arena ran far beyond its limit: a loop over input does not ask "
              "arena_is_over()\n",
              stderr);
        abort();
    }
}

/* Texts need no alignment, so they pack tightly behind each other. */
static void *alloc_aligned(struct arena *arena, size_t size, size_t align)
{
    size_t wanted = MAX(size, 1u);
    size_t skip = (size_t)(-(uintptr_t)arena->free_at) & (align - 1);

    account(arena, wanted + align / 2);
    if (ARENA_ONE_MALLOC_EACH)
        return chunk_add(arena, wanted)->bytes;
    if (skip > arena->free_len || wanted > arena->free_len - skip) {
        if (wanted > ARENA_CHUNK_MAX / 4)
            return chunk_add(arena, wanted)->bytes;
        size_t chunk_size = MAX(arena->next_chunk, wanted);
        arena->free_at = chunk_add(arena, chunk_size)->bytes;
        arena->free_len = chunk_size;
        arena->next_chunk = MIN(arena->next_chunk * 2, (size_t)ARENA_CHUNK_MAX);
        skip = 0;
    }
    void *at = arena->free_at + skip;
    arena->free_at += skip + wanted;
    arena->free_len -= skip + wanted;
    return at;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    return alloc_aligned(arena, size, size >= ARENA_ALIGN ? ARENA_ALIGN : 8);
}

void *arena_words(struct arena *arena, size_t size)
{
    return alloc_aligned(arena, size, sizeof(void *));
}

char *arena_bytes(struct arena *arena, size_t size)
{
    return alloc_aligned(arena, size, 1);
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t size)
{
    size_t total = 0;

    /* Our own mistake: counts come from what is already in memory. */
    assert(!__builtin_mul_overflow(count, size, &total));
    return arena_alloc(arena, total);
}

void *arena_grow(struct arena *arena, void *at, size_t count, size_t *room, size_t size)
{
    if (count <= *room)
        return at;
    size_t wanted = MAX(count, *room * 2);
    void *grown = arena_alloc_array(arena, wanted, size);
    if (*room > 0)
        memcpy(grown, at, *room * size);
    *room = wanted;
    return grown;
}

bool arena_is_over(const struct arena *arena)
{
    return arena->over;
}

size_t arena_used(const struct arena *arena)
{
    return arena->used;
}

size_t arena_limit(const struct arena *arena)
{
    return arena->limit;
}

bool arena_check(const struct arena *arena, const char *what, struct err *err)
{
    if (!arena->over)
        return true;
    return err_set(err, ERR_LIMIT, "%s needs more than the allowed %zu bytes of memory", what,
                   arena->limit);
}

str arena_str(struct arena *arena, str s)
{
    char *copy = arena_bytes(arena, s.len + 1);

    if (s.len > 0)
        memcpy(copy, s.at, s.len);
    return str_of(copy, s.len);
}

const char *arena_z(struct arena *arena, str s)
{
    return arena_str(arena, s).at;
}

str arena_printf(struct arena *arena, const char *format, ...)
{
    char small[256];
    va_list args;
    va_list again;

    va_start(args, format);
    va_copy(again, args);
    int wanted = vsnprintf(small, sizeof(small), format, args);
    va_end(args);
    size_t len = wanted < 0 ? 0 : (size_t)wanted;
    char *text = arena_bytes(arena, len + 1);
    if (len < sizeof(small))
        memcpy(text, small, len + 1);
    else
        (void)vsnprintf(text, len + 1, format, again);
    va_end(again);
    return str_of(text, len);
}

str arena_join(struct arena *arena, str a, str b)
{
    char *text = arena_bytes(arena, a.len + b.len + 1);

    if (a.len > 0)
        memcpy(text, a.at, a.len);
    if (b.len > 0)
        memcpy(text + a.len, b.at, b.len);
    return str_of(text, a.len + b.len);
}
