/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Field set: the paths that a manager owns, as managedFields keep them (fieldsV1).
 *
 * A set is a tree of nodes sorted as structured-merge-diff sorts: fields, then keys, values and
 * indexes. A node is a member (it is in the set itself, ".") or has children, or both.
 * Owner:  an arena. Results may share nodes with their operands: treat sets as immutable, except
 *         one that you are filling with fieldset_insert.
 * Bounds: LIMIT_DOC_DEPTH levels; the arena's limit.
 */
#include "doc/val.h"

enum path_kind {
    PATH_FIELD, /* f:name */
    PATH_KEY,   /* k:{"name":"x"}: the item of a list by its keys */
    PATH_VALUE, /* v:"x": the item of a set */
    PATH_INDEX, /* i:0 */
};

struct path_element {
    enum path_kind kind;
    str name;                /* PATH_FIELD */
    const struct val *value; /* PATH_KEY: a map sorted by key; PATH_VALUE: a scalar */
    int64_t index;           /* PATH_INDEX */
};

struct path {
    const struct path_element *at;
    size_t count;
};

struct fieldset;

struct fieldset *fieldset_new(struct arena *arena); /* empty */
/* From a fieldsV1 map. */
MUST_USE bool fieldset_parse(struct arena *arena, const struct val *fields_v1,
                             struct fieldset **ret_set, struct err *err);
struct val fieldset_format(struct arena *arena, const struct fieldset *set); /* a fieldsV1 map */
void fieldset_insert(struct arena *arena, struct fieldset *set, struct path path);
bool fieldset_is_empty(const struct fieldset *set); /* also for NULL */
size_t fieldset_count(const struct fieldset *set);  /* members at any depth */
bool fieldset_has(const struct fieldset *set, struct path path);
/* The path itself or something below it is in the set. */
bool fieldset_touches(const struct fieldset *set, struct path path);
bool fieldset_eq(const struct fieldset *a, const struct fieldset *b);
struct fieldset *fieldset_union(struct arena *arena, const struct fieldset *a,
                                const struct fieldset *b);
struct fieldset *fieldset_intersection(struct arena *arena, const struct fieldset *a,
                                       const struct fieldset *b);
struct fieldset *fieldset_difference(struct arena *arena, const struct fieldset *a,
                                     const struct fieldset *b);
/* A member of b takes with it everything below it. */
struct fieldset *fieldset_recursive_difference(struct arena *arena, const struct fieldset *a,
                                               const struct fieldset *b);

/* One level, for walks beside a value: the node of an element, its children and membership. */
struct fieldset_node {
    struct path_element element;
    bool member;
    const struct fieldset *children; /* NULL = none */
};
const struct fieldset_node *fieldset_find(const struct fieldset *set,
                                          const struct path_element *element);
size_t fieldset_nodes(const struct fieldset *set); /* at this level */
const struct fieldset_node *fieldset_node(const struct fieldset *set, size_t index);

typedef void fieldset_each_fn(void *owner, struct path path);
void fieldset_each(const struct fieldset *set, fieldset_each_fn *fn, void *owner); /* members */

int path_element_cmp(const struct path_element *a, const struct path_element *b);
/* As the API server prints it: .spec.containers[name="app"].image */
str path_text(struct arena *arena, struct path path);
/* The value at the path, or NULL; list items are found by key, value or index. */
struct val *path_get(const struct val *root, struct path path);
