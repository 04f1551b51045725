/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

#include "base/mem.h"

/* Entries stand in insertion order; `slots` is an open-addressed index into them, 0 = free,
 * i + 1 = entry i. A removed entry keeps its place (key.at NULL) until the next rebuild. */
struct entry {
    str key;
    uint64_t hash;
    void *value;
};

struct map {
    struct entry *entries;
    size_t used;
    size_t size;
    size_t count;
    uint32_t *slots;
    size_t slot_count;
};

struct map *map_new(void)
{
    return new0(struct map);
}

void map_clear(struct map *map)
{
    for (size_t i = 0; i < map->used; i++)
        str_own_free(&map->entries[i].key);
    mem_free(map->entries);
    mem_free(map->slots);
    *map = (struct map){0};
}

void map_free(struct map *map)
{
    if (map == NULL)
        return;
    map_clear(map);
    mem_free(map);
}

size_t map_count(const struct map *map)
{
    return map->count;
}

static size_t find_slot(const struct map *map, str key, uint64_t hash)
{
    size_t mask = map->slot_count - 1;

    for (size_t at = hash & mask;; at = (at + 1) & mask) {
        uint32_t slot = map->slots[at];
        if (slot == 0)
            return at;
        const struct entry *e = &map->entries[slot - 1];
        if (e->key.at != NULL && e->hash == hash && str_eq(e->key, key))
            return at;
    }
}

static struct entry *find(const struct map *map, str key)
{
    if (map->count == 0)
        return NULL;
    uint32_t slot = map->slots[find_slot(map, key, str_hash(key))];
    return slot == 0 ? NULL : &map->entries[slot - 1];
}

void *map_get(const struct map *map, str key)
{
    const struct entry *e = find(map, key);
    return e == NULL ? NULL : e->value;
}

bool map_has(const struct map *map, str key)
{
    return find(map, key) != NULL;
}

/* Drops removed entries and makes room for one more. */
static void rebuild(struct map *map)
{
    size_t kept = 0;

    for (size_t i = 0; i < map->used; i++) {
        if (map->entries[i].key.at != NULL)
            map->entries[kept++] = map->entries[i];
    }
    map->used = kept;
    if (kept + 1 > map->size / 2) {
        map->size = MAX(map->size * 2, (size_t)8);
        map->entries = mem_grow(map->entries, map->size, sizeof(struct entry));
    }
    mem_free(map->slots);
    map->slot_count = map->size * 2;
    map->slots = new0_array(map->slot_count, uint32_t);
    for (size_t i = 0; i < kept; i++) {
        size_t at = find_slot(map, map->entries[i].key, map->entries[i].hash);
        map->slots[at] = (uint32_t)(i + 1);
    }
}

void *map_set(struct map *map, str key, void *value)
{
    struct entry *known = find(map, key);

    if (known != NULL) {
        void *before = known->value;
        known->value = value;
        return before;
    }
    if (map->used == map->size)
        rebuild(map);
    uint64_t hash = str_hash(key);
    size_t at = find_slot(map, key, hash);
    map->entries[map->used] = (struct entry){str_own(key), hash, value};
    map->slots[at] = (uint32_t)(++map->used);
    map->count++;
    return NULL;
}

void *map_del(struct map *map, str key)
{
    struct entry *e = find(map, key);

    if (e == NULL)
        return NULL;
    void *value = e->value;
    str_own_free(&e->key);
    e->value = NULL;
    map->count--;
    return value;
}

struct map_iter map_iter(const struct map *map)
{
    return (struct map_iter){.map = map};
}

bool map_next(struct map_iter *it)
{
    while (it->at < it->map->used) {
        const struct entry *e = &it->map->entries[it->at++];
        if (e->key.at != NULL) {
            it->key = e->key;
            it->value = e->value;
            return true;
        }
    }
    return false;
}
