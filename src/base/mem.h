/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Small fixed allocations of our own structs: they abort when memory is out, because nothing
 * sensible can follow. Memory sized by input comes from an arena or a buf with a limit.
 */
#include "base/str.h"

void *mem_new(size_t count, size_t size);            /* zeroed; aborts */
void *mem_grow(void *at, size_t count, size_t size); /* realloc; aborts */
char *mem_dup_z(str s);                              /* NUL-terminated copy; free() */
void mem_free(void *at);

#define new0(type) ((type *)mem_new(1, sizeof(type)))
#define new0_array(count, type) ((type *)mem_new((count), sizeof(type)))

/* An owned copy of a str; free with str_own_free. */
str str_own(str s);
void str_own_free(str *s);
