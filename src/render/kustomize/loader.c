/* SPDX-License-Identifier: Apache-2.0 */
#include "render/kustomize/loader.h"

enum { LOADER_DEPTH_MAX = 100 };

bool is_remote_file(str path)
{
    return str_eq_nocase(str_first(path, 7), S("http://")) ||
           str_eq_nocase(str_first(path, 8), S("https://"));
}

/* Is `dir` the same as or below `above`? */
static bool is_below(str dir, str above)
{
    return above.len == 0 || str_eq(dir, above) ||
           (dir.len > above.len && str_starts(dir, above) && dir.at[above.len] == '/');
}

bool loader_new(struct build *b, struct tree *tree, str path, struct loader *ret)
{
    str joined = STR_EMPTY;
    str real = STR_EMPTY;

    if (!tree_path_join(b->arena, STR_EMPTY, path, &joined, b->err)) {
        b->error_class = KUSTOMIZE_ERROR_LOAD;
        return false;
    }
    if (tree_kind(tree, joined, &real) != TREE_DIR)
        return build_fail(b, KUSTOMIZE_ERROR_LOAD,
                          "must build at directory: '%.*s' is not a directory", STR(path));
    *ret = (struct loader){.tree = tree,
                           .root = arena_str(b->arena, real),
                           .restricted = !b->options->no_load_restriction};
    return true;
}

str loader_file_name(struct build *b, const struct loader *l, str path)
{
    str joined = STR_EMPTY;
    struct err ignored = {0};

    if (is_remote_file(path) || !tree_path_join(b->arena, l->root, path, &joined, &ignored))
        return path;
    return joined;
}

static struct tree *find_tree(const struct build *b, str url, str revision)
{
    for (size_t i = 1; i < b->trees->count; i++)
        if (str_eq(b->trees->entries[i].url, url) &&
            str_eq(b->trees->entries[i].revision, revision))
            return b->trees->entries[i].tree;
    return NULL;
}

/* A file from the network stands as the only file of a tree of its own. */
static bool read_remote(struct build *b, str url, str *ret_bytes)
{
    struct tree *tree = find_tree(b, url, STR_EMPTY);
    const struct tree_entry *entries = NULL;
    size_t count = 0;

    if (tree == NULL) {
        build_need(b, url, STR_EMPTY, /*is_file=*/true);
        return build_fail(b, KUSTOMIZE_ERROR_LOAD, "'%.*s' has not been fetched", STR(url));
    }
    if (!tree_list(tree, STR_EMPTY, &entries, &count, b->err)) {
        b->error_class = KUSTOMIZE_ERROR_LOAD;
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (entries[i].kind != TREE_FILE)
            continue;
        b->error_class = KUSTOMIZE_ERROR_LOAD;
        return tree_read(tree, entries[i].name, ret_bytes, b->err);
    }
    return build_fail(b, KUSTOMIZE_ERROR_LOAD, "'%.*s' gave no file", STR(url));
}

static bool resolve_file(struct build *b, const struct loader *l, str path, str *ret_path)
{
    str joined = STR_EMPTY;
    str real = STR_EMPTY;

    b->malformed_yaml = false;
    b->error_class = KUSTOMIZE_ERROR_LOAD;
    if (path.len == 0)
        return build_fail(b, KUSTOMIZE_ERROR_LOAD, "a file name is empty");
    if (memchr(path.at, '\0', path.len) != NULL)
        return build_fail(b, KUSTOMIZE_ERROR_LOAD, "a file name holds a NUL");
    str base = path.at[0] == '/' ? STR_EMPTY : l->root;
    if (!tree_path_join(b->arena, base, path, &joined, b->err))
        return false;
    switch (tree_kind(l->tree, joined, &real)) {
    case TREE_FILE:
        break;
    case TREE_DIR:
        return build_fail(b, KUSTOMIZE_ERROR_LOAD, "'%.*s' must resolve to a file", STR(joined));
    case TREE_MISSING:
        return build_fail(b, KUSTOMIZE_ERROR_LOAD, "'%.*s': no such file or directory",
                          STR(joined));
    case TREE_SUBMODULE:
        return build_fail(b, KUSTOMIZE_ERROR_LOAD, "'%.*s' is a submodule", STR(joined));
    case TREE_LINK: {
        str unused = STR_EMPTY;
        if (tree_read(l->tree, joined, &unused, b->err))
            return build_fail(b, KUSTOMIZE_ERROR_LOAD, "'%.*s' is a dangling link", STR(joined));
        return false;
    }
    }
    if ((l->restricted || l->is_remote) && !is_below(tree_path_dir(real), l->root))
        return build_fail(b, KUSTOMIZE_ERROR_LOAD,
                          "security; file '%.*s' is not in or below '%.*s'", STR(joined),
                          STR(l->root.len == 0 ? S(".") : l->root));
    *ret_path = real;
    return true;
}

bool loader_has(struct build *b, const struct loader *l, str path)
{
    str unused = STR_EMPTY;
    struct err *err = b->err;
    struct err ignored = {0};

    b->err = &ignored;
    bool found = resolve_file(b, l, path, &unused);
    b->err = err;
    return found;
}

bool loader_read(struct build *b, const struct loader *l, str path, str *ret_bytes)
{
    str real = STR_EMPTY;

    if (is_remote_file(path))
        return read_remote(b, path, ret_bytes);
    if (!resolve_file(b, l, path, &real))
        return false;
    b->error_class = KUSTOMIZE_ERROR_LOAD;
    return tree_read(l->tree, real, ret_bytes, b->err);
}

/* ---- directories and repositories ---- */

static bool is_cycle(const struct loader *l, const struct tree *tree, str candidate)
{
    for (; l != NULL; l = l->referrer)
        if (l->tree == tree && is_below(l->root, candidate))
            return true;
    return false;
}

static enum load_outcome failed(struct build *b, enum kustomize_error_class class_)
{
    b->error_class = class_;
    return LOAD_FAILED;
}

static unsigned depth_of(const struct loader *l)
{
    unsigned depth = 0;

    for (; l != NULL; l = l->referrer)
        depth++;
    return depth;
}

static struct loader *child_at(struct build *b, const struct loader *l, struct tree *tree, str root)
{
    struct loader *child = arena_new0(b->arena, struct loader);

    *child = *l;
    child->referrer = l;
    child->tree = tree;
    child->root = arena_str(b->arena, root);
    return child;
}

static enum load_outcome remote_child(struct build *b, const struct loader *l, str path,
                                      const struct repo_spec *spec, struct loader **ret)
{
    str url = arena_join(b->arena, spec->host, spec->repo_path);
    struct tree *tree = find_tree(b, url, spec->ref);
    str joined = STR_EMPTY;
    str real = STR_EMPTY;

    for (const struct loader *up = l; up != NULL; up = up->referrer)
        if (up->repository.at != NULL && str_starts(up->repository, path)) {
            build_fail(b, KUSTOMIZE_ERROR_CYCLE,
                       "cycle detected: URI '%.*s' referenced by previous URI '%.*s'", STR(path),
                       STR(up->repository));
            return LOAD_FAILED;
        }
    if (tree == NULL) {
        build_need(b, url, spec->ref, /*is_file=*/false);
        build_fail(b, KUSTOMIZE_ERROR_LOAD, "'%.*s' has not been fetched", STR(url));
        return LOAD_NEEDED;
    }
    if (!tree_path_join(b->arena, STR_EMPTY, spec->directory, &joined, b->err))
        return failed(b, KUSTOMIZE_ERROR_LOAD);
    if (tree_kind(tree, joined, &real) != TREE_DIR) {
        build_fail(b, KUSTOMIZE_ERROR_LOAD, "'%.*s' of %.*s is not a directory",
                   STR(spec->directory), STR(url));
        return LOAD_FAILED;
    }
    struct loader *child = child_at(b, l, tree, real);
    child->repository = path;
    child->is_remote = true;
    child->restricted = true;
    *ret = child;
    return LOAD_OK;
}

enum load_outcome loader_child(struct build *b, const struct loader *l, str path,
                               struct loader **ret)
{
    struct repo_spec spec = {0};
    str joined = STR_EMPTY;
    str real = STR_EMPTY;

    b->malformed_yaml = false;
    if (path.len == 0) {
        build_fail(b, KUSTOMIZE_ERROR_LOAD, "a resource's path is empty");
        return LOAD_FAILED;
    }
    if (depth_of(l) > LOADER_DEPTH_MAX) {
        build_fail(b, KUSTOMIZE_ERROR_LIMIT, "kustomizations are nested more than %d deep",
                   LOADER_DEPTH_MAX);
        return LOAD_FAILED;
    }
    if (repo_spec_parse(b->arena, path, &spec))
        return remote_child(b, l, path, &spec, ret);
    if (path.at[0] == '/') {
        build_fail(b, KUSTOMIZE_ERROR_LOAD, "new root '%.*s' cannot be absolute", STR(path));
        return LOAD_FAILED;
    }
    if (memchr(path.at, '\0', path.len) != NULL ||
        !tree_path_join(b->arena, l->root, path, &joined, b->err)) {
        build_fail(b, KUSTOMIZE_ERROR_LOAD,
                   l->is_remote ? "security; the base '%.*s' is outside of its repository"
                                : "'%.*s' is outside of the repository",
                   STR(path));
        return LOAD_FAILED;
    }
    if (tree_kind(l->tree, joined, &real) != TREE_DIR) {
        build_fail(b, KUSTOMIZE_ERROR_LOAD, "must build at directory: '%.*s' is not a directory",
                   STR(joined));
        return LOAD_FAILED;
    }
    if (is_cycle(l, l->tree, real)) {
        build_fail(b, KUSTOMIZE_ERROR_CYCLE,
                   "cycle detected: candidate root '%.*s' contains visited root '%.*s'", STR(real),
                   STR(l->root));
        return LOAD_FAILED;
    }
    *ret = child_at(b, l, l->tree, real);
    return LOAD_OK;
}
