/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * tree: read-only files of one source revision, the only way in which a renderer reads anything.
 * Two back ends: a Git tree in a bare cache (git/git_tree.h), a directory (render/dir_tree.h).
 *
 * Paths:  relative to the root of the tree, '/' separated; "" is the root. A path can never leave
 *         the tree: an absolute path and ".." above the root are ERR_FORBIDDEN; a symlink is
 *         followed inside the tree only, at most 40 in a row. ".." after a link means the parent of
 *         what the link names, as in POSIX. Submodules are not entered.
 * Reads:  everything that was looked at, also what was missing, is recorded as the read set. Links
 *         on the way are part of it, and what was missing is noted at the first missing component,
 *         so that a read set can be judged by the paths alone.
 * Owner:  bytes and names live as long as the tree.
 * Bounds: LIMIT_FILE_BYTES a file, LIMIT_TREE_ENTRIES a directory, LIMIT_PATH a path.
 */
#include "base/arena.h"
#include "base/map.h"

struct tree;

enum tree_kind { TREE_MISSING, TREE_FILE, TREE_DIR, TREE_LINK, TREE_SUBMODULE };

struct tree_entry {
    str name;
    enum tree_kind kind;
};

/* A back end is called with normalised paths that hold no link, except as the last component. */
struct tree_ops {
    /* What stands at a normalised path, without following a final link. */
    enum tree_kind (*kind)(struct tree *tree, str path);
    MUST_USE bool (*read)(struct tree *tree, str path, str *ret_bytes, struct err *err);
    /* Entries sorted by name (bytes). */
    MUST_USE bool (*list)(struct tree *tree, str path, const struct tree_entry **ret_entries,
                          size_t *ret_count, struct err *err);
    MUST_USE bool (*link)(struct tree *tree, str path, str *ret_target, struct err *err);
    /* A short text that changes exactly when what stands at path changes (the object id). */
    str (*identity)(struct tree *tree, str path);
    void (*free)(struct tree *tree);
};

struct tree {
    const struct tree_ops *ops;
    struct arena *arena;
    struct map *reads; /* path → enum tree_read_how bits */
};

void tree_init(struct tree *tree, const struct tree_ops *ops, size_t arena_limit);
void tree_free(struct tree *tree); /* NULL is fine */
AUTO_DEFINE(tree, tree_free)
#define auto_tree AUTO(tree)

/* Normal form of `path` seen from directory `base`: no ".", "..", "//" or leading '/'. Purely
 * lexical. */
MUST_USE bool tree_path_join(struct arena *arena, str base, str path, str *ret_path,
                             struct err *err);
str tree_path_dir(str path);  /* "a/b" → "a", "a" → "" */
str tree_path_base(str path); /* "a/b" → "b" */

/* Follows links; ret_real (may be NULL) is the path without links. TREE_LINK means a dangling,
 * circular or escaping link: tree_read then says which. */
enum tree_kind tree_kind(struct tree *tree, str path, str *ret_real);
MUST_USE bool tree_read(struct tree *tree, str path, str *ret_bytes, struct err *err);
MUST_USE bool tree_list(struct tree *tree, str path, const struct tree_entry **ret_entries,
                        size_t *ret_count, struct err *err);

/* How a path was looked at. */
enum tree_read_how {
    TREE_READ_MISS = 1,    /* nothing stood there */
    TREE_READ_KIND = 2,    /* a directory (or submodule) was seen, not its entries */
    TREE_READ_LIST = 4,    /* the names and kinds of its entries */
    TREE_READ_CONTENT = 8, /* the bytes of a file or the target of a link */
};

/* The read set, in order of the first look. identity: "missing", "dir", "list", or the object id
 * of a file or link. */
typedef void tree_read_fn(void *owner, str path, enum tree_read_how how, str identity);
void tree_reads_each(struct tree *tree, tree_read_fn *fn, void *owner);
str tree_identity(struct tree *tree, str path); /* does not record a read */
