/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Index: many things under one key: the Pods of a controller, the warnings about an object.
 *
 * Owner:  the things stay the caller's. Order within a key is not kept.
 */
#include "base/map.h"

struct index;

struct index_set {
    void **at;
    size_t count;
};

struct index *index_new(void);
void index_free(struct index *index); /* NULL is fine */
void index_add(struct index *index, str key, void *thing);
void index_del(struct index *index, str key, const void *thing);
/* Borrowed until the index changes; empty when there is none. */
struct index_set index_get(const struct index *index, str key);
