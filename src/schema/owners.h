/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Owners: metadata.managedFields as a list of managers and their sets. Only managed.c uses it.
 *
 * Owner: the arena; pointers to an owner are good until the next owners_add or owners_drop_empty.
 */
#include "base/clock.h"
#include "schema/fieldset.h"

struct owner {
    str manager;
    str operation; /* "Apply" or "Update" */
    str api_version;
    str subresource;
    char time[CLOCK_RFC3339_SIZE]; /* "" = unknown */
    const struct fieldset *set;
};

struct owners {
    struct arena *arena;
    struct owner *at;
    size_t count;
    size_t size;
};

bool owner_is_apply(const struct owner *owner);
/* Whether two are one entry: appliers are one whatever their version. */
bool owner_same(const struct owner *a, const struct owner *b);

/* Of an object (NULL = none). An object whose managedFields cannot be read has none. */
struct owners owners_parse(struct arena *arena, const struct val *object);
struct owners owners_copy(const struct owners *owners);
struct owner *owners_find(struct owners *owners, const struct owner *like);
struct owner *owners_add(struct owners *owners, const struct owner *owner);
/* Owners of nothing go, except `keep` (may be NULL). */
void owners_drop_empty(struct owners *owners, const struct owner *keep);
bool owners_same_sets(const struct owners *a, const struct owners *b);
/* Old updaters beyond the tenth become one, "ancient-changes". */
void owners_cap(struct owners *owners);
/* Without what is nobody's: apiVersion, kind, name, uid and the like. */
struct fieldset *owners_strip(struct arena *arena, const struct fieldset *set);
/* Sets or removes metadata.managedFields; texts are copied. */
void owners_write(const struct owners *owners, struct val *object);
