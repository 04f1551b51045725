/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * node: the tree that Kustomize's steps work on, one resource each.
 *
 * struct val holds its children by value; Kustomize holds them by pointer, and its users see that:
 * labels that one transformer set in three places change together when a patch changes one. So
 * resources are pointer trees here, made from a parsed val and turned into one at the end. A scalar
 * keeps its spelling, its tag and its style apart, because each step changes only some of them.
 *
 * Owner:  the build's arena.
 * Bounds: the arena's limit, asked for in every copy.
 */
#include "doc/val.h"

enum node_kind { NODE_ZERO, NODE_SCALAR, NODE_MAP, NODE_LIST };

enum node_tag {
    TAG_NONE, /* found out when it is written */
    TAG_STR,
    TAG_INT,
    TAG_FLOAT,
    TAG_BOOL,
    TAG_NULL,
    TAG_TIME,
    TAG_BINARY,
    TAG_MAP,
    TAG_SEQ,
};

enum node_style {
    STYLE_PLAIN = 0,
    STYLE_QUOTED = 1, /* single or double */
    STYLE_LITERAL = 2,
    STYLE_FOLDED = 4,
    STYLE_FLOW = 8,
    STYLE_TAGGED = 16,
    STYLE_SINGLE = 32, /* with STYLE_QUOTED */
};

enum node_flags { NODE_TWICE = 1, NODE_ODD_KEY = 2 };

struct node;

struct node_member {
    str key;
    struct node *value;
};

/* A render is mostly these, so they are small: 24 bytes. */
struct node {
    uint32_t kind : 2;
    uint32_t tag : 4;
    uint32_t style : 6;
    uint32_t flags : 2;
    uint32_t file : 16;
    uint32_t place; /* of the source, as in val */
    union {
        str value; /* a scalar's spelling; node_spelling asks for the kind first */
        struct {
            union {
                struct node_member *members;
                struct node **items;
            };
            uint32_t count; /* members or items; node_count asks for the kind first */
            uint32_t size;
        };
    };
};

struct node *node_new(struct arena *arena, enum node_kind kind);
struct node *node_scalar(struct arena *arena, enum node_tag tag, str value); /* borrows value */
struct node *node_copy(struct arena *arena, const struct node *n);           /* deep */
/* Keys and short values that many objects have, once each. */
struct node_texts {
    str slots[2048];
};
/* From a tree parsed with keep_text. With `texts` nothing of it is needed any more afterwards;
 * without them its texts are borrowed. */
struct node *node_from_val(struct arena *arena, struct node_texts *texts, const struct val *v);
/* The JSON values that come out when Kustomize writes this node and reads it again. */
MUST_USE bool node_to_val(struct arena *arena, const struct node *n, struct val *ret,
                          struct err *err);

static inline bool node_is(const struct node *n, enum node_kind kind)
{
    return n != NULL && n->kind == kind;
}
static inline bool node_is_null(const struct node *n) /* also when missing */
{
    return n == NULL || n->tag == TAG_NULL;
}
uint32_t node_count(const struct node *n); /* members or items, else 0 */
bool node_is_empty(const struct node *n);  /* missing, null, {} or [] */
bool node_is_string(const struct node *n);
/* The scalar's text, "" for all else; node_text gives "" for null, node_spelling what stood there.
 */
str node_spelling(const struct node *n);
str node_text(const struct node *n);

struct node *node_get(const struct node *map, str key); /* NULL when absent or no map */
struct node *node_path(const struct node *n, const char *const *names, size_t count);
#define NODE_AT(n, ...)                                                                            \
    node_path((n), (const char *const[]){__VA_ARGS__}, COUNT(((const char *const[]){__VA_ARGS__})))

void node_add(struct arena *arena, struct node *map, str key, struct node *value);
/* Adds a key that is known to be new, as kyaml adds one: without a tag. */
void node_add_new(struct arena *arena, struct node *map, str key, struct node *value);
void node_append(struct arena *arena, struct node *list, struct node *item);
bool node_clear(struct node *map, str key);
/* The same for many keys: each is emptied, and all go at once. */
void node_blank(struct node *map, str key);
void node_drop_blanks(struct node *map);
/* Puts what `from` is into `to`; children are shared. */
void node_assign(struct node *to, const struct node *from);
/* Sets a field as kyaml does: null clears, a present field keeps its node and its style. */
struct node *node_set(struct arena *arena, struct node *map, str key, struct node *value);
/* The same for a null that is to stay. */
struct node *node_put(struct arena *arena, struct node *map, str key, struct node *value);
/* What comes back when a JSON step (a JSON patch) has read and written these values. Texts as in
 * node_from_val. */
struct node *node_from_json(struct arena *arena, struct node_texts *texts, const struct val *v);
/* The same into the memory of a tree that is done with and in which nothing stands twice. */
void node_into_json(struct arena *arena, struct node_texts *texts, const struct val *v,
                    struct node *n);
/* Sets a scalar's text in place, keeping its style. false when n is no scalar. */
bool node_set_scalar(struct node *n, enum node_tag tag, str value);
/* The map below `key`, made when missing; NULL when something else stands there. */
struct node *node_ensure_map(struct arena *arena, struct node *map, str key);
bool node_eq(const struct node *a, const struct node *b); /* spelling, tags and structure */
