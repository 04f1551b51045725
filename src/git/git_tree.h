/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * git_tree: the Git back end of git/tree.h. Reads commits, trees and blobs of a bare cache through
 * libgit2; nothing is ever checked out.
 *
 * Owner:  the caller frees the tree; it holds its own handle of the cache.
 * Bounds: LIMIT_FILE_BYTES a blob (asked before it is inflated), LIMIT_TREE_ENTRIES a directory,
 *         LIMIT_TREE_ARENA in all.
 * Runs:   in the render process. Trees and blobs are hostile; libgit2 checks object ids.
 */
#include "git/tree.h"

/* Once a process, before anything else here: no configuration of the machine or the user is read.
 */
void git_tree_init(void);

/* cache: path of a bare repository (also /proc/self/fd/N); commit: a full id. */
MUST_USE bool git_tree_open(const char *cache, str commit, struct tree **ret_tree, struct err *err);

/* What differs between two commits of one cache, for judging read sets. */
enum git_change {
    GIT_CHANGE_ENTRY,   /* added, removed or of another kind: its directory's listing changed */
    GIT_CHANGE_CONTENT, /* a file or link with other bytes, a submodule at another commit */
};
typedef void git_change_fn(void *owner, str path, enum git_change change);
/* Directories are entered; a directory that was added or removed is told once, without what is
 * beneath it. ERR_LIMIT beyond LIMIT_TREE_CHANGES. */
MUST_USE bool git_tree_changes(const char *cache, str from_commit, str to_commit, git_change_fn *fn,
                               void *owner, struct err *err);
