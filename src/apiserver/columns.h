/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Columns of the built-in kinds' tables: the ones that `kubectl get` shows of a real server.
 */
#include "doc/val.h"

struct column {
    const char *name;
    const char *type; /* string, integer, date, boolean */
    int priority;     /* above 0: with -o wide alone */
    struct val (*cell)(struct arena *arena, const struct val *object, const char *path);
    const char *path; /* for `cell` */
};

/* Columns behind Name; those of a kind that is not listed are Age alone. */
const struct column *columns_of(str kind_key, size_t *ret_count);
/* "5m", "3h12m", "2d": how long ago an RFC 3339 time was, as kubectl says it. */
str columns_age(struct arena *arena, str time);
