/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Map: str keys to pointers, in order of insertion.
 *
 * Owner:  the map owns copies of its keys; values stay the caller's.
 * Bounds: none of its own; whoever inserts from input bounds the count.
 */
#include "base/str.h"

struct map;

struct map_iter {
    const struct map *map;
    size_t at;
    str key;
    void *value;
};

struct map *map_new(void);
void map_free(struct map *map);
AUTO_DEFINE(map, map_free)
#define auto_map AUTO(map)

size_t map_count(const struct map *map);
void *map_get(const struct map *map, str key); /* NULL when absent */
bool map_has(const struct map *map, str key);
/* Returns the value that was there before, or NULL. */
void *map_set(struct map *map, str key, void *value);
/* Removes the key and returns its value, or NULL. Legal on the current key while iterating. */
void *map_del(struct map *map, str key);
void map_clear(struct map *map);

/* struct map_iter it = map_iter(m); while (map_next(&it)) … it.key … it.value */
struct map_iter map_iter(const struct map *map);
bool map_next(struct map_iter *it);
