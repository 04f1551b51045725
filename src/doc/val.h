/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * val: the one tree for JSON and YAML. Kubernetes objects stay such trees.
 *
 * Owner:  an arena. Nodes and texts live as long as it does; there is no free.
 * Order:  maps keep the order of their members; keys are unique.
 * Stable: a pointer to a child stays valid while members and items are added; val_del, val_remove,
 *         val_insert and val_sort of its parent invalidate it.
 * Number: the source text is kept; nothing is rounded on the way through.
 * Place:  each parsed node knows file, line and column (1-based, 0 = unknown).
 * Every reader takes NULL as "absent": val_get_str(val_get(o, S("metadata")), S("name")) is safe.
 */
#include "base/arena.h"

enum val_kind { VAL_NULL, VAL_BOOL, VAL_NUMBER, VAL_STRING, VAL_LIST, VAL_MAP };

/* How a scalar stood in YAML; the emitters and Kustomize's merge need it. Bits. */
enum val_style {
    VAL_PLAIN = 0,
    VAL_QUOTED = 1,  /* single or double quotes */
    VAL_BLOCK = 2,   /* | or > */
    VAL_FLOAT = 4,   /* a number that YAML calls !!float */
    VAL_EMPTY = 8,   /* a null written as nothing at all */
    VAL_TAGGED = 16, /* an explicit tag stood there */
    VAL_MARK_A = 64, /* free for the owner of a tree */
    VAL_MARK_B = 128,
};

struct val_key {
    uint32_t len;
    char text[];
};

struct val_block;

struct val {
    uint8_t kind;   /* enum val_kind */
    uint8_t style;  /* enum val_style bits */
    uint16_t file;  /* val_file() */
    uint32_t place; /* line * 4096 + column, saturating */
    uint32_t count; /* bytes of a text, members, items; a bool's value */
    uint32_t spare;
    union {
        const char *text; /* NUL-terminated behind `count` bytes */
        struct val_block *first;
    };
};

/* ---- making ---- */
struct val val_null(void);
struct val val_bool(bool value);
struct val val_string(struct arena *arena, str text); /* copies */
struct val val_string_borrow(str text); /* text must outlive the tree, need not end in NUL */
struct val val_number(struct arena *arena, str text); /* copies; text must be a JSON number */
struct val val_int(struct arena *arena, int64_t value);
struct val val_list(void);
struct val val_map(void);
struct val *val_new(struct arena *arena, struct val value);    /* a root of its own */
struct val *val_dup(struct arena *arena, const struct val *v); /* deep */
struct val val_dup_value(struct arena *arena, const struct val *v);

/* ---- reading ---- */
static inline enum val_kind val_kind(const struct val *v)
{
    return v == NULL ? VAL_NULL : (enum val_kind)v->kind;
}
static inline bool val_is(const struct val *v, enum val_kind kind)
{
    return v != NULL && v->kind == kind;
}
const char *val_kind_name(enum val_kind kind); /* "null", "bool", "number", … */
str val_str(const struct val *v);              /* text of a string, else "" */
str val_text(const struct val *v);             /* text of any scalar ("true", "12"), else "" */
bool val_is_true(const struct val *v);         /* the bool true */
MUST_USE bool val_to_i64(const struct val *v, int64_t *ret); /* a whole number, also 1e3 and 2.0 */
int64_t val_i64_or(const struct val *v, int64_t otherwise);
size_t val_count(const struct val *v);               /* members or items, else 0 */
struct val *val_get(const struct val *map, str key); /* NULL when absent or no map */
str val_get_str(const struct val *map, str key);
bool val_get_bool(const struct val *map, str key, bool otherwise);
struct val *val_item(const struct val *list, size_t index);
/* Walks maps by names: VAL_AT(o, "metadata", "labels"). */
struct val *val_walk(const struct val *v, const char *const *names, size_t count);
#define VAL_AT(v, ...)                                                                             \
    val_walk((v), (const char *const[]){__VA_ARGS__}, COUNT(((const char *const[]){__VA_ARGS__})))
#define VAL_STR(v, ...) val_str(VAL_AT((v), __VA_ARGS__))
/* Deep equality: members in any order, numbers by value, strings by bytes; style is ignored. */
bool val_eq(const struct val *a, const struct val *b);

struct val_iter {
    struct val_block *block;
    uint32_t at;
    bool is_map;
    size_t index; /* of the current item or member */
    str key;      /* "" in a list */
    struct val *value;
};
/* struct val_iter it = val_iter(v); while (val_next(&it)) … The current member may not be deleted.
 */
struct val_iter val_iter(const struct val *v);
bool val_next(struct val_iter *it);

/* ---- changing ---- */
/* Sets or replaces; returns the member's place. */
struct val *val_set(struct arena *arena, struct val *map, str key, struct val value);
struct val *val_set_str(struct arena *arena, struct val *map, str key, str text);
/* Adds without looking for the key; the caller knows that it is new (parsers). */
struct val *val_add(struct arena *arena, struct val *map, str key, struct val value);
struct val *val_add_key(struct arena *arena, struct val *map, const struct val_key *key,
                        struct val value);
bool val_del(struct val *map, str key);
bool val_rename(struct arena *arena, struct val *map, str from, str to); /* keeps the place */
struct val *val_append(struct arena *arena, struct val *list, struct val value);
struct val *val_insert(struct arena *arena, struct val *list, size_t index, struct val value);
bool val_remove(struct val *list, size_t index);
/* The child map or list, made (or replaced, when of another kind) on the way. */
struct val *val_ensure_map(struct arena *arena, struct val *map, str key);
struct val *val_ensure_list(struct arena *arena, struct val *map, str key);
void val_sort_keys(struct arena *arena, struct val *map, bool deep); /* by bytes */
void val_sort_list(struct arena *arena, struct val *list,
                   int (*compare)(const struct val *a, const struct val *b));
/* A key record that several maps can share; parsers intern them. */
const struct val_key *val_key_new(struct arena *arena, str text);
/* Storage of exactly `count` members or items, filled by the parser: see json.c. */
void val_fill_list(struct arena *arena, struct val *list, const struct val *items, size_t count);
struct val_member_init {
    const struct val_key *key;
    struct val value;
};
void val_fill_map(struct arena *arena, struct val *map, const struct val_member_init *members,
                  size_t count);

/* ---- place ---- */
/* A number for a file name, for the process's life; 0 when 65,535 names are known already. */
uint16_t val_file_add(str name);
str val_file(const struct val *v); /* "" = unknown */
uint32_t val_line(const struct val *v);
uint32_t val_column(const struct val *v);
void val_set_place(struct val *v, uint16_t file, size_t line, size_t column);
/* "file:12:3" for messages, or "" when nothing is known. */
str val_place(struct arena *arena, const struct val *v);
