/* SPDX-License-Identifier: Apache-2.0 */
#include "git/tree.h"

enum { LINKS_MAX = 40 };

void tree_init(struct tree *tree, const struct tree_ops *ops, size_t arena_limit)
{
    tree->ops = ops;
    tree->arena = arena_new(arena_limit);
    tree->reads = map_new();
}

void tree_free(struct tree *tree)
{
    if (tree == NULL)
        return;

    struct arena *arena = tree->arena;
    struct map *reads = tree->reads;

    tree->ops->free(tree);
    map_free(reads);
    arena_free(arena);
}

static bool path_is_sane(str path, struct err *err)
{
    if (path.len > LIMIT_PATH)
        return err_set(err, ERR_LIMIT, "a path is longer than %d bytes: '%.60s…'", LIMIT_PATH,
                       path.at);
    if (str_find_char(path, '\0') != SIZE_MAX)
        return err_set(err, ERR_INVALID, "a path holds a NUL byte");
    return true;
}

static str child_path(struct arena *arena, str dir, str name)
{
    if (str_is_empty(dir))
        return name;
    return arena_printf(arena, "%.*s/%.*s", STR(dir), STR(name));
}

str tree_path_dir(str path)
{
    size_t slash = str_rfind_char(path, '/');

    return slash == SIZE_MAX ? STR_EMPTY : str_first(path, slash);
}

str tree_path_base(str path)
{
    size_t slash = str_rfind_char(path, '/');

    return slash == SIZE_MAX ? path : str_from_index(path, slash + 1);
}

bool tree_path_join(struct arena *arena, str base, str path, str *ret_path, struct err *err)
{
    if (!path_is_sane(path, err))
        return false;
    if (str_starts(path, S("/")))
        return err_set(err, ERR_FORBIDDEN,
                       "'%.*s' is an absolute path: only paths inside the "
                       "repository can be read",
                       STR(path));

    char *out = arena_bytes(arena, base.len + path.len + 2);
    size_t len = 0;
    str parts[2] = {base, path};

    for (size_t i = 0; i < COUNT(parts); i++) {
        str rest = parts[i];
        str part;
        while (str_split(&rest, '/', &part)) {
            if (str_is_empty(part) || str_eq(part, S(".")))
                continue;
            if (str_eq(part, S(".."))) {
                if (len == 0)
                    return err_set(err, ERR_FORBIDDEN, "'%.*s' leaves the repository", STR(path));
                len = tree_path_dir(str_of(out, len)).len;
                continue;
            }
            if (len > 0)
                out[len++] = '/';
            memcpy(out + len, part.at, part.len);
            len += part.len;
        }
    }
    out[len] = '\0';
    if (len > LIMIT_PATH)
        return err_set(err, ERR_LIMIT, "the path '%.60s…' is longer than %d bytes", out,
                       LIMIT_PATH);
    *ret_path = str_of(out, len);
    return true;
}

static void note(struct tree *tree, str path, enum tree_read_how how)
{
    uintptr_t bits = (uintptr_t)map_get(tree->reads, path);

    if ((bits & how) == how)
        return;
    map_set(tree->reads, path, (void *)(bits | how));
}

/* A walk from the root, component by component. */
struct walk {
    struct tree *tree;
    str asked; /* for messages */
    str real;  /* where we are: holds no link */
    str rest;  /* what is still to go */
    str via;   /* the last link that was followed, "" = none */
    int links;
    enum tree_kind kind; /* of real */
};

static bool walk_link(struct walk *w, str at, str rest, struct err *err)
{
    struct arena *arena = w->tree->arena;
    str target;

    note(w->tree, at, TREE_READ_CONTENT);
    w->via = at;
    if (++w->links > LINKS_MAX)
        return err_set(err, ERR_INVALID, "'%.*s' is a link of more than %d links", STR(w->asked),
                       LINKS_MAX);
    if (!w->tree->ops->link(w->tree, at, &target, err))
        return false;
    if (!path_is_sane(target, err))
        return err_wrap(err, "the link '%.*s'", STR(at));
    if (str_starts(target, S("/")))
        return err_set(err, ERR_FORBIDDEN,
                       "the link '%.*s' points to '%.*s', outside of the "
                       "repository",
                       STR(at), STR(target));
    w->rest =
            str_is_empty(rest) ? target : arena_printf(arena, "%.*s/%.*s", STR(target), STR(rest));
    if (w->rest.len > 2 * LIMIT_PATH)
        return err_set(err, ERR_LIMIT, "the link '%.*s' expands to more than %d bytes", STR(at),
                       LIMIT_PATH);
    return true;
}

/* One component further. true with kind MISSING ends the walk. */
static bool walk_step(struct walk *w, str part, struct err *err)
{
    if (str_is_empty(part) || str_eq(part, S(".")))
        return true;
    if (w->kind != TREE_DIR) { /* a file or submodule has no entries */
        note(w->tree, w->real, w->kind == TREE_FILE ? TREE_READ_CONTENT : TREE_READ_KIND);
        if (w->kind == TREE_SUBMODULE)
            return err_set(err, ERR_UNSUPPORTED,
                           "not supported yet: '%.*s' is inside the "
                           "submodule '%.*s'",
                           STR(w->asked), STR(w->real));
        w->kind = TREE_MISSING;
        return true;
    }
    if (str_eq(part, S(".."))) {
        if (str_is_empty(w->real)) {
            if (str_is_empty(w->via))
                return err_set(err, ERR_FORBIDDEN, "'%.*s' leaves the repository", STR(w->asked));
            return err_set(err, ERR_FORBIDDEN, "the link '%.*s' points outside of the repository",
                           STR(w->via));
        }
        w->real = tree_path_dir(w->real);
        return true;
    }

    str at = child_path(w->tree->arena, w->real, part);
    enum tree_kind kind = w->tree->ops->kind(w->tree, at);

    if (kind == TREE_LINK)
        return walk_link(w, at, w->rest.at == NULL ? STR_EMPTY : w->rest, err);
    if (kind == TREE_MISSING)
        note(w->tree, at, TREE_READ_MISS);
    w->real = at;
    w->kind = kind;
    return true;
}

/* Where `path` really is. true: *ret_kind is FILE, DIR, SUBMODULE or MISSING. */
static bool resolve(struct tree *tree, str path, struct walk *ret_walk, struct err *err)
{
    struct walk w = {
            .tree = tree, .asked = path, .real = STR_EMPTY, .via = STR_EMPTY, .kind = TREE_DIR};
    str part;

    if (!path_is_sane(path, err))
        return false;
    if (str_starts(path, S("/")))
        return err_set(err, ERR_FORBIDDEN,
                       "'%.*s' is an absolute path: only paths inside the "
                       "repository can be read",
                       STR(path));
    w.rest = path;
    while (w.kind != TREE_MISSING && w.rest.at != NULL && str_split(&w.rest, '/', &part)) {
        if (!walk_step(&w, part, err)) {
            *ret_walk = w;
            return false;
        }
        if (!arena_check(tree->arena, "the files that one render reads", err))
            return false;
    }
    *ret_walk = w;
    return true;
}

enum tree_kind tree_kind(struct tree *tree, str path, str *ret_real)
{
    struct walk w = {.via = STR_EMPTY};

    if (!resolve(tree, path, &w, NULL))
        return str_is_empty(w.via) ? TREE_MISSING : TREE_LINK;
    if (ret_real != NULL)
        *ret_real = w.real;
    switch (w.kind) {
    case TREE_MISSING:
        return str_is_empty(w.via) ? TREE_MISSING : TREE_LINK;
    case TREE_FILE:
        note(tree, w.real, TREE_READ_CONTENT);
        return w.kind;
    case TREE_DIR:
    case TREE_SUBMODULE:
    case TREE_LINK:
        note(tree, w.real, TREE_READ_KIND);
        return w.kind;
    }
    return w.kind;
}

static bool is_missing(const struct walk *w, struct err *err)
{
    if (!str_is_empty(w->via))
        return err_set(err, ERR_NOT_FOUND, "the link '%.*s' points to nothing", STR(w->via));
    return err_set(err, ERR_NOT_FOUND, "'%.*s' does not exist in the repository", STR(w->asked));
}

static bool wrong_kind(const struct walk *w, const char *wanted, struct err *err)
{
    switch (w->kind) {
    case TREE_FILE:
        return err_set(err, ERR_INVALID, "'%.*s' is a file, not %s", STR(w->asked), wanted);
    case TREE_DIR:
        return err_set(err, ERR_INVALID, "'%.*s' is a directory, not %s", STR(w->asked), wanted);
    case TREE_SUBMODULE:
        return err_set(err, ERR_UNSUPPORTED, "not supported yet: '%.*s' is a submodule",
                       STR(w->asked));
    case TREE_MISSING:
    case TREE_LINK:
        break;
    }
    return is_missing(w, err);
}

bool tree_read(struct tree *tree, str path, str *ret_bytes, struct err *err)
{
    struct walk w;

    if (!resolve(tree, path, &w, err))
        return false;
    if (w.kind == TREE_DIR || w.kind == TREE_SUBMODULE)
        note(tree, w.real, TREE_READ_KIND);
    if (w.kind != TREE_FILE)
        return wrong_kind(&w, "a file", err);
    note(tree, w.real, TREE_READ_CONTENT);
    if (!tree->ops->read(tree, w.real, ret_bytes, err))
        return false;
    return arena_check(tree->arena, "the files that one render reads", err);
}

bool tree_list(struct tree *tree, str path, const struct tree_entry **ret_entries,
               size_t *ret_count, struct err *err)
{
    struct walk w;

    if (!resolve(tree, path, &w, err))
        return false;
    if (w.kind == TREE_FILE)
        note(tree, w.real, TREE_READ_CONTENT);
    if (w.kind != TREE_DIR)
        return wrong_kind(&w, "a directory", err);
    note(tree, w.real, TREE_READ_LIST);
    return tree->ops->list(tree, w.real, ret_entries, ret_count, err);
}

str tree_identity(struct tree *tree, str path)
{
    if (tree->ops->kind(tree, path) == TREE_MISSING)
        return S("missing");
    return tree->ops->identity(tree, path);
}

void tree_reads_each(struct tree *tree, tree_read_fn *fn, void *owner)
{
    struct map_iter it = map_iter(tree->reads);

    while (map_next(&it)) {
        enum tree_read_how how = (enum tree_read_how)(uintptr_t)it.value;
        str identity = S("dir");

        if (how & TREE_READ_MISS)
            identity = S("missing");
        else if (how & TREE_READ_CONTENT)
            identity = tree_identity(tree, it.key);
        else if (how & TREE_READ_LIST)
            identity = S("list");
        fn(owner, it.key, how, identity);
    }
}
