/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

static void *must(void *at)
{
    if (at == NULL) {
        fputs("taut: out of memory\n", stderr);
        abort();
    }
    return at;
}

void *mem_new(size_t count, size_t size)
{
    return must(calloc(MAX(count, 1u), MAX(size, 1u)));
}

void *mem_grow(void *at, size_t count, size_t size)
{
    return must(reallocarray(at, MAX(count, 1u), MAX(size, 1u)));
}

char *mem_dup_z(str s)
{
    char *copy = must(malloc(s.len + 1));

    if (s.len > 0)
        memcpy(copy, s.at, s.len);
    copy[s.len] = '\0';
    return copy;
}

void mem_free(void *at)
{
    free(at);
}

str str_own(str s)
{
    return str_of(mem_dup_z(s), s.len);
}

void str_own_free(str *s)
{
    free((void *)(uintptr_t)s->at);
    *s = (str){NULL, 0};
}
