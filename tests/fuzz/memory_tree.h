/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A tree of a few files in memory, for tests. Paths and bytes are borrowed. */
#include "base/map.h"
#include "base/mem.h"
#include "git/tree.h"

#define MEMORY_FILES_MAX 32

struct memory_tree {
    struct tree tree;
    size_t count;
    struct {
        str path;
        str bytes;
    } files[MEMORY_FILES_MAX];
};

static inline enum tree_kind memory_kind(struct tree *tree, str path)
{
    struct memory_tree *m = (struct memory_tree *)tree;

    if (path.len == 0)
        return TREE_DIR;
    for (size_t i = 0; i < m->count; i++) {
        if (str_eq(m->files[i].path, path))
            return TREE_FILE;
        if (m->files[i].path.len > path.len && str_starts(m->files[i].path, path) &&
            m->files[i].path.at[path.len] == '/')
            return TREE_DIR;
    }
    return TREE_MISSING;
}

static inline bool memory_read(struct tree *tree, str path, str *ret_bytes, struct err *err)
{
    struct memory_tree *m = (struct memory_tree *)tree;

    for (size_t i = 0; i < m->count; i++) {
        if (!str_eq(m->files[i].path, path))
            continue;
        *ret_bytes = m->files[i].bytes;
        return true;
    }
    return err_set(err, ERR_NOT_FOUND, "'%.*s' is not there", STR(path));
}

static inline bool memory_list(struct tree *tree, str path, const struct tree_entry **ret_entries,
                               size_t *ret_count, struct err *err)
{
    (void)tree;
    (void)ret_entries;
    (void)ret_count;
    return err_set(err, ERR_UNSUPPORTED, "'%.*s' cannot be listed", STR(path));
}

static inline bool memory_link(struct tree *tree, str path, str *ret_target, struct err *err)
{
    (void)tree;
    (void)ret_target;
    return err_set(err, ERR_INVALID, "'%.*s' is no link", STR(path));
}

/* A file's bytes tell it apart from any other. */
static inline str memory_identity(struct tree *tree, str path)
{
    struct memory_tree *m = (struct memory_tree *)tree;

    for (size_t i = 0; i < m->count; i++)
        if (str_eq(m->files[i].path, path))
            return m->files[i].bytes;
    return memory_kind(tree, path) == TREE_MISSING ? S("missing") : S("there");
}

static inline void memory_free(struct tree *tree)
{
    mem_free(tree);
}

static inline struct memory_tree *memory_tree_new(void)
{
    static const struct tree_ops ops = {.kind = memory_kind,
                                        .read = memory_read,
                                        .list = memory_list,
                                        .link = memory_link,
                                        .identity = memory_identity,
                                        .free = memory_free};
    struct memory_tree *m = new0(struct memory_tree);

    tree_init(&m->tree, &ops, 64 * LIMIT_MIB);
    return m;
}

static inline void memory_tree_add(struct memory_tree *m, str path, str bytes)
{
    if (m->count < MEMORY_FILES_MAX) {
        m->files[m->count].path = path;
        m->files[m->count++].bytes = bytes;
    }
}
