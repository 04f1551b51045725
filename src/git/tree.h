/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * tree: read-only files of one source revision, the only way in which a renderer reads anything.
 * Two back ends: a Git tree in a bare cache (git/git_tree.h), a directory (render/dir_tree.h).
 *
 * Paths:  relative to the root of the tree, '/' separated, normalised by tree_path_join; "" is the
 *         root. A path can never leave the tree: ".." above the root is ERR_FORBIDDEN, a symlink is
 *         followed inside the tree only, at most 40 deep.
 * Reads:  everything that was looked at, also what was missing, is recorded as the read set.
 * Owner:  bytes and names live as long as the tree.
 * Bounds: LIMIT_FILE_BYTES a file.
 */
#include "base/arena.h"
#include "base/map.h"

struct tree;

enum tree_kind { TREE_MISSING, TREE_FILE, TREE_DIR, TREE_LINK, TREE_SUBMODULE };

struct tree_entry {
    str name;
    enum tree_kind kind;
};

struct tree_ops {
    /* What stands at a normalised path, without following a final link. */
    enum tree_kind (*kind)(struct tree *tree, str path);
    MUST_USE bool (*read)(struct tree *tree, str path, str *ret_bytes, struct err *err);
    /* Entries sorted by name (bytes). */
    MUST_USE bool (*list)(struct tree *tree, str path, const struct tree_entry **ret_entries,
                          size_t *ret_count, struct err *err);
    MUST_USE bool (*link)(struct tree *tree, str path, str *ret_target, struct err *err);
    /* A short text that changes exactly when what stands at path changes (object id, or a hash of
     * the bytes); "missing" for what is not there. For the read set. */
    str (*identity)(struct tree *tree, str path);
    void (*free)(struct tree *tree);
};

struct tree {
    const struct tree_ops *ops;
    struct arena *arena;
    struct map *reads; /* path → (void *)1: looked at; value tells file/dir/miss by identity */
};

void tree_init(struct tree *tree, const struct tree_ops *ops, size_t arena_limit);
void tree_free(struct tree *tree);
AUTO_DEFINE(tree, tree_free)
#define auto_tree AUTO(tree)

/* Normal form of `path` seen from directory `base`: no ".", "..", "//" or leading '/'. */
MUST_USE bool tree_path_join(struct arena *arena, str base, str path, str *ret_path,
                             struct err *err);
str tree_path_dir(str path);  /* "a/b" → "a", "a" → "" */
str tree_path_base(str path); /* "a/b" → "b" */

/* Follows links; ret_real (may be NULL) is the path without links. TREE_LINK means a dangling or
 * escaping link: tree_read then says which. */
enum tree_kind tree_kind(struct tree *tree, str path, str *ret_real);
MUST_USE bool tree_read(struct tree *tree, str path, str *ret_bytes, struct err *err);
MUST_USE bool tree_list(struct tree *tree, str path, const struct tree_entry **ret_entries,
                        size_t *ret_count, struct err *err);
/* The read set: path and identity of everything looked at, sorted by path. */
typedef void tree_read_fn(void *owner, str path, str identity);
void tree_reads_each(struct tree *tree, tree_read_fn *fn, void *owner);
str tree_identity(struct tree *tree, str path); /* does not record a read */
