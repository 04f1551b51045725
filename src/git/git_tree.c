/* SPDX-License-Identifier: Apache-2.0 */
#include "git/git_tree.h"

#include "base/buf.h"
#include "base/mem.h"

#include <git2.h>

struct entry {
    git_oid oid;
    enum tree_kind kind;
};

/* A directory that was looked into: entries sorted by name, with their object ids beside. */
struct folder {
    struct tree_entry *names;
    struct entry *objects;
    size_t count;
};

struct cache_tree {
    struct tree tree;
    git_repository *repo;
    git_odb *odb;
    git_oid root;
    struct map *folders; /* path → struct folder * */
    struct map *bytes;   /* path → str * */
};

void git_tree_init(void)
{
    static bool done;

    if (done)
        return;
    done = true;
    git_libgit2_init();
    git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, GIT_CONFIG_LEVEL_SYSTEM, "");
    git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, GIT_CONFIG_LEVEL_XDG, "");
    git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, GIT_CONFIG_LEVEL_GLOBAL, "");
    git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, GIT_CONFIG_LEVEL_PROGRAMDATA, "");
    /* Caches are our own folders; within a container the owner may be another number. */
    git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
}

static struct cache_tree *of(struct tree *tree)
{
    return CONTAINER_OF(tree, struct cache_tree, tree);
}

/* What a fetched commit names is in the cache; when it is not, the cache is damaged: ERR_IO. */
static bool git_fail(struct err *err, const char *what)
{
    const git_error *last = git_error_last();

    return err_set(err, ERR_IO, "%s: %s", what,
                   last != NULL && last->message != NULL ? last->message : "unknown trouble");
}

static enum tree_kind kind_of_filemode(git_filemode_t mode)
{
    switch (mode) {
    case GIT_FILEMODE_TREE:
        return TREE_DIR;
    case GIT_FILEMODE_BLOB:
    case GIT_FILEMODE_BLOB_EXECUTABLE:
        return TREE_FILE;
    case GIT_FILEMODE_LINK:
        return TREE_LINK;
    case GIT_FILEMODE_COMMIT:
        return TREE_SUBMODULE;
    case GIT_FILEMODE_UNREADABLE:
        break;
    }
    return TREE_MISSING;
}

/* Names that a tree may not hold: they would be read as something else in a path. */
static bool name_is_sane(str name)
{
    return !str_is_empty(name) && !str_eq(name, S(".")) && !str_eq(name, S("..")) &&
           str_find_char(name, '/') == SIZE_MAX;
}

static int by_name(const void *a, const void *b)
{
    const git_tree_entry *x = *(const git_tree_entry *const *)a;
    const git_tree_entry *y = *(const git_tree_entry *const *)b;

    return str_cmp(str_from(git_tree_entry_name(x)), str_from(git_tree_entry_name(y)));
}

static void object_tree_auto(git_tree **t)
{
    git_tree_free(*t);
}
#define auto_object_tree __attribute__((cleanup(object_tree_auto)))

static bool folder_fill(struct cache_tree *git, const git_tree *object, struct folder *folder)
{
    struct arena *arena = git->tree.arena;
    size_t count = git_tree_entrycount(object);
    const git_tree_entry **sorted = arena_array(arena, count + 1, const git_tree_entry *);

    for (size_t i = 0; i < count; i++)
        sorted[i] = git_tree_entry_byindex(object, i);
    qsort(sorted, count, sizeof(*sorted), by_name);

    folder->names = arena_array(arena, count + 1, struct tree_entry);
    folder->objects = arena_array(arena, count + 1, struct entry);
    for (size_t i = 0; i < count; i++) {
        str name = str_from(git_tree_entry_name(sorted[i]));
        enum tree_kind kind = kind_of_filemode(git_tree_entry_filemode(sorted[i]));

        if (!name_is_sane(name) || kind == TREE_MISSING)
            continue;
        folder->names[folder->count] = (struct tree_entry){arena_str(arena, name), kind};
        folder->objects[folder->count] = (struct entry){*git_tree_entry_id(sorted[i]), kind};
        folder->count++;
    }
    return true;
}

static bool folder_load(struct cache_tree *git, const git_oid *oid, str path,
                        struct folder **ret_folder, struct err *err)
{
    auto_object_tree git_tree *object = NULL;
    struct folder *folder;
    int code = git_tree_lookup(&object, git->repo, oid);

    if (code != 0)
        return git_fail(err, "a directory cannot be read from the Git cache");
    if (git_tree_entrycount(object) > LIMIT_TREE_ENTRIES)
        return err_set(err, ERR_LIMIT, "the directory '%.*s' has more than %d entries", STR(path),
                       LIMIT_TREE_ENTRIES);
    folder = arena_new0(git->tree.arena, struct folder);
    folder_fill(git, object, folder);
    if (!arena_check(git->tree.arena, "the files that one render reads", err))
        return false;
    map_set(git->folders, path, folder);
    *ret_folder = folder;
    return true;
}

static const struct entry *folder_find(const struct folder *folder, str name)
{
    size_t low = 0;
    size_t high = folder->count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = str_cmp(name, folder->names[middle].name);
        if (order == 0)
            return &folder->objects[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static bool lookup(struct cache_tree *git, str path, struct entry *ret_entry, struct err *err);

/* Depth of the recursion is that of the path, which LIMIT_PATH bounds; parents are cached. */
static bool folder_get(struct cache_tree *git, str path, struct folder **ret_folder,
                       struct err *err)
{
    struct folder *known = map_get(git->folders, path);
    struct entry entry;

    if (known != NULL) {
        *ret_folder = known;
        return true;
    }
    if (str_is_empty(path))
        return folder_load(git, &git->root, path, ret_folder, err);
    if (!lookup(git, path, &entry, err))
        return false;
    if (entry.kind != TREE_DIR)
        return err_set(err, ERR_NOT_FOUND, "'%.*s' is not a directory", STR(path));
    return folder_load(git, &entry.oid, path, ret_folder, err);
}

static bool lookup(struct cache_tree *git, str path, struct entry *ret_entry, struct err *err)
{
    struct folder *folder;

    if (str_is_empty(path)) {
        *ret_entry = (struct entry){git->root, TREE_DIR};
        return true;
    }
    if (!folder_get(git, tree_path_dir(path), &folder, err))
        return false;

    const struct entry *entry = folder_find(folder, tree_path_base(path));
    if (entry == NULL)
        return err_set(err, ERR_NOT_FOUND, "'%.*s' does not exist in the repository", STR(path));
    *ret_entry = *entry;
    return true;
}

static enum tree_kind git_kind(struct tree *tree, str path)
{
    struct entry entry;

    return lookup(of(tree), path, &entry, NULL) ? entry.kind : TREE_MISSING;
}

static bool blob_read(struct cache_tree *git, const struct entry *entry, str path, str *ret_bytes,
                      struct err *err)
{
    size_t size = 0;
    git_object_t type;
    git_odb_object *object = NULL;
    int code = git_odb_read_header(&size, &type, git->odb, &entry->oid);

    if (code != 0)
        return git_fail(err, "a file cannot be read from the Git cache");
    if (type != GIT_OBJECT_BLOB)
        return err_set(err, ERR_INVALID, "'%.*s' is not a file in Git", STR(path));
    if (size > LIMIT_FILE_BYTES)
        return err_set(err, ERR_LIMIT, "'%.*s' has more than %zu MiB, the limit of one file",
                       STR(path), LIMIT_FILE_BYTES / LIMIT_MIB);
    code = git_odb_read(&object, git->odb, &entry->oid);
    if (code != 0)
        return git_fail(err, "a file cannot be read from the Git cache");

    *ret_bytes = arena_str(git->tree.arena,
                           str_of(git_odb_object_data(object), git_odb_object_size(object)));
    git_odb_object_free(object);
    return true;
}

static bool git_read(struct tree *tree, str path, str *ret_bytes, struct err *err)
{
    struct cache_tree *git = of(tree);
    const str *known = map_get(git->bytes, path);
    struct entry entry;

    if (known == NULL) {
        str *kept = arena_new0(tree->arena, str);
        if (!lookup(git, path, &entry, err) || !blob_read(git, &entry, path, kept, err))
            return false;
        map_set(git->bytes, path, kept);
        known = kept;
    }
    *ret_bytes = *known;
    return true;
}

static bool git_list(struct tree *tree, str path, const struct tree_entry **ret_entries,
                     size_t *ret_count, struct err *err)
{
    struct folder *folder;

    if (!folder_get(of(tree), path, &folder, err))
        return false;
    *ret_entries = folder->names;
    *ret_count = folder->count;
    return true;
}

static str git_identity(struct tree *tree, str path)
{
    char hex[GIT_OID_HEXSZ + 1];
    struct entry entry;

    if (!lookup(of(tree), path, &entry, NULL))
        return S("missing");
    git_oid_tostr(hex, sizeof(hex), &entry.oid);
    return arena_str(tree->arena, str_from(hex));
}

static void git_free(struct tree *tree)
{
    struct cache_tree *git = of(tree);

    git_odb_free(git->odb);
    git_repository_free(git->repo);
    map_free(git->folders);
    map_free(git->bytes);
    mem_free(git);
}

static const struct tree_ops git_ops = {
        .kind = git_kind,
        .read = git_read,
        .list = git_list,
        .link = git_read, /* the bytes of a link's blob are its target */
        .identity = git_identity,
        .free = git_free,
};

static bool root_of(git_repository *repo, str commit, git_oid *ret_root, struct err *err)
{
    git_commit *object = NULL;
    git_oid oid;
    int code;

    if (commit.len != GIT_OID_HEXSZ || git_oid_fromstrn(&oid, commit.at, commit.len) != 0)
        return err_set(err, ERR_INVALID, "'%.*s' is not a full commit id", STR(commit));
    code = git_commit_lookup(&object, repo, &oid);
    if (code != 0)
        return git_fail(err, "the commit is not in the Git cache");
    *ret_root = *git_commit_tree_id(object);
    git_commit_free(object);
    return true;
}

bool git_tree_open(const char *cache, str commit, struct tree **ret_tree, struct err *err)
{
    struct cache_tree *git = new0(struct cache_tree);
    auto_tree struct tree *tree = &git->tree;
    int code;

    git_tree_init();
    tree_init(&git->tree, &git_ops, LIMIT_TREE_ARENA);
    git->folders = map_new();
    git->bytes = map_new();

    code = git_repository_open_bare(&git->repo, cache);
    if (code == 0)
        code = git_repository_odb(&git->odb, git->repo);
    if (code != 0)
        return git_fail(err, "the Git cache cannot be opened");
    if (!root_of(git->repo, commit, &git->root, err))
        return false;
    *ret_tree = TAKE(tree);
    return true;
}

/* ---- what changed ---- */

struct changes {
    git_repository *repo;
    git_change_fn *fn;
    void *owner;
    size_t count;
    int depth;
};

static bool changes_tell(struct changes *c, str path, enum git_change change, struct err *err)
{
    if (++c->count > LIMIT_TREE_CHANGES)
        return err_set(err, ERR_LIMIT, "two commits differ in more than %d files",
                       LIMIT_TREE_CHANGES);
    c->fn(c->owner, path, change);
    return true;
}

static bool changes_walk(struct changes *c, str dir, const git_oid *from, const git_oid *to,
                         struct err *err);

static bool changes_entry(struct changes *c, str dir, const git_tree_entry *a,
                          const git_tree_entry *b, struct err *err)
{
    str name = str_from(git_tree_entry_name(a != NULL ? a : b));
    auto_buf struct buf path = {0};

    buf_init(&path, LIMIT_PATH * 2);
    if (!str_is_empty(dir))
        buf_addf(&path, "%.*s/", STR(dir));
    buf_add(&path, name);
    if (!buf_check(&path, "a path in the repository", err))
        return false;
    if (a == NULL || b == NULL)
        return changes_tell(c, buf_str(&path), GIT_CHANGE_ENTRY, err);

    enum tree_kind kind = kind_of_filemode(git_tree_entry_filemode(a));
    if (kind != kind_of_filemode(git_tree_entry_filemode(b)))
        return changes_tell(c, buf_str(&path), GIT_CHANGE_ENTRY, err);
    if (git_oid_equal(git_tree_entry_id(a), git_tree_entry_id(b)))
        return true;
    if (kind != TREE_DIR)
        return changes_tell(c, buf_str(&path), GIT_CHANGE_CONTENT, err);
    return changes_walk(c, buf_str(&path), git_tree_entry_id(a), git_tree_entry_id(b), err);
}

/* Both lists are read in Git's own order; names that one side lacks are found by look-up. */
static bool changes_walk(struct changes *c, str dir, const git_oid *from, const git_oid *to,
                         struct err *err)
{
    auto_object_tree git_tree *old = NULL;
    auto_object_tree git_tree *new = NULL;

    if (c->depth >= LIMIT_TREE_DEPTH)
        return err_set(err, ERR_LIMIT, "directories are nested more than %d deep",
                       LIMIT_TREE_DEPTH);
    int code = git_tree_lookup(&old, c->repo, from);
    if (code == 0)
        code = git_tree_lookup(&new, c->repo, to);
    if (code != 0)
        return git_fail(err, "a directory cannot be read from the Git cache");

    bool ok = true;
    c->depth++;
    for (size_t i = 0; ok && i < git_tree_entrycount(old); i++) {
        const git_tree_entry *a = git_tree_entry_byindex(old, i);
        ok = changes_entry(c, dir, a, git_tree_entry_byname(new, git_tree_entry_name(a)), err);
    }
    for (size_t i = 0; ok && i < git_tree_entrycount(new); i++) {
        const git_tree_entry *b = git_tree_entry_byindex(new, i);
        if (git_tree_entry_byname(old, git_tree_entry_name(b)) == NULL)
            ok = changes_entry(c, dir, NULL, b, err);
    }
    c->depth--;
    return ok;
}

bool git_tree_changes(const char *cache, str from_commit, str to_commit, git_change_fn *fn,
                      void *owner, struct err *err)
{
    struct changes c = {.fn = fn, .owner = owner};
    git_oid from;
    git_oid to;

    git_tree_init();
    int code = git_repository_open_bare(&c.repo, cache);
    if (code != 0)
        return git_fail(err, "the Git cache cannot be opened");

    bool ok = root_of(c.repo, from_commit, &from, err) && root_of(c.repo, to_commit, &to, err) &&
              (git_oid_equal(&from, &to) || changes_walk(&c, STR_EMPTY, &from, &to, err));
    git_repository_free(c.repo);
    return ok;
}
