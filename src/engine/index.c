/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/index.h"
#include "base/mem.h"

struct bucket {
    size_t count;
    size_t size;
    void **at;
};

struct index {
    struct map *buckets;
};

struct index *index_new(void)
{
    struct index *index = new0(struct index);

    index->buckets = map_new();
    return index;
}

static void bucket_free(struct bucket *bucket)
{
    mem_free(bucket->at);
    mem_free(bucket);
}

void index_free(struct index *index)
{
    struct map_iter it;

    if (index == NULL)
        return;
    it = map_iter(index->buckets);
    while (map_next(&it))
        bucket_free(it.value);
    map_free(index->buckets);
    mem_free(index);
}

void index_add(struct index *index, str key, void *thing)
{
    struct bucket *bucket = map_get(index->buckets, key);

    if (bucket == NULL) {
        bucket = new0(struct bucket);
        map_set(index->buckets, key, bucket);
    }
    if (bucket->count == bucket->size) {
        bucket->size = MAX(bucket->size * 2, 2u);
        bucket->at = mem_grow(bucket->at, bucket->size, sizeof(*bucket->at));
    }
    bucket->at[bucket->count++] = thing;
}

void index_del(struct index *index, str key, const void *thing)
{
    struct bucket *bucket = map_get(index->buckets, key);

    for (size_t i = 0; bucket != NULL && i < bucket->count; i++)
        if (bucket->at[i] == thing) {
            bucket->at[i] = bucket->at[--bucket->count];
            break;
        }
    if (bucket != NULL && bucket->count == 0) {
        map_del(index->buckets, key);
        bucket_free(bucket);
    }
}

struct index_set index_get(const struct index *index, str key)
{
    const struct bucket *bucket = map_get(index->buckets, key);

    return bucket == NULL ? (struct index_set){0} : (struct index_set){bucket->at, bucket->count};
}
