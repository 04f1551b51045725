/* SPDX-License-Identifier: Apache-2.0 */
#include "render/dir_tree.h"

#include "base/fd.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <git2.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

struct dir_tree {
    struct tree tree;
    int root;
    struct map *bytes; /* path → str *: files read so far */
    struct map *kinds; /* path → enum tree_kind + 1: looked at so far */
};

static struct dir_tree *of(struct tree *tree)
{
    return CONTAINER_OF(tree, struct dir_tree, tree);
}

static int open_beneath(struct dir_tree *dir, str path, int flags)
{
    struct open_how how = {
            .flags = (uint64_t)(flags | O_CLOEXEC | O_NOFOLLOW),
            .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    const char *name = str_is_empty(path) ? "." : arena_z(dir->tree.arena, path);
    int fd;

    do {
        fd = (int)syscall(SYS_openat2, dir->root, name, &how, sizeof(how));
    } while (fd < 0 && (errno == EINTR || errno == EAGAIN));
    return fd;
}

static bool is_hidden(str path)
{
    return str_eq(path, S(".git")) || str_starts(path, S(".git/"));
}

static enum tree_kind kind_of_mode(mode_t mode)
{
    if (S_ISREG(mode))
        return TREE_FILE;
    if (S_ISDIR(mode))
        return TREE_DIR;
    return S_ISLNK(mode) ? TREE_LINK : TREE_MISSING;
}

static enum tree_kind look(struct dir_tree *dir, str path)
{
    struct stat st;

    if (is_hidden(path))
        return TREE_MISSING;
    auto_fd int fd = open_beneath(dir, path, O_PATH);
    if (fd < 0 || fstat(fd, &st) != 0)
        return TREE_MISSING;
    return kind_of_mode(st.st_mode);
}

/* Every path is asked for by each that begins with it. */
static enum tree_kind dir_kind(struct tree *tree, str path)
{
    struct dir_tree *dir = of(tree);
    uintptr_t known = (uintptr_t)map_get(dir->kinds, path);

    if (known == 0) {
        known = (uintptr_t)look(dir, path) + 1;
        map_set(dir->kinds, path, (void *)known);
    }
    return (enum tree_kind)(known - 1);
}

static bool io_error(const char *what, str path, struct err *err)
{
    return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s '%.*s': %s", what, STR(path),
                   strerror(errno));
}

static bool dir_read(struct tree *tree, str path, str *ret_bytes, struct err *err)
{
    struct dir_tree *dir = of(tree);
    const str *known = map_get(dir->bytes, path);
    struct stat st;

    if (known != NULL) {
        *ret_bytes = *known;
        return true;
    }

    auto_fd int fd = open_beneath(dir, path, O_RDONLY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) != 0)
        return io_error("cannot read", path, err);
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_INVALID, "'%.*s' is not a file", STR(path));
    if ((size_t)st.st_size > LIMIT_FILE_BYTES)
        return err_set(err, ERR_LIMIT, "'%.*s' has more than %zu MiB, the limit of one file",
                       STR(path), LIMIT_FILE_BYTES / LIMIT_MIB);

    size_t size = (size_t)st.st_size;
    char *at = arena_bytes(tree->arena, size + 1);
    size_t len = 0;
    while (len < size) {
        ssize_t n = read(fd, at + len, size - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return io_error("cannot read", path, err);
        if (n == 0)
            break;
        len += (size_t)n;
    }
    at[len] = '\0';

    str *kept = arena_new0(tree->arena, str);
    *kept = str_of(at, len);
    map_set(dir->bytes, path, kept);
    *ret_bytes = *kept;
    return true;
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct tree_entry *)a)->name, ((const struct tree_entry *)b)->name);
}

static void stream_close(DIR **stream)
{
    if (*stream != NULL)
        closedir(*stream);
}

static bool dir_list(struct tree *tree, str path, const struct tree_entry **ret_entries,
                     size_t *ret_count, struct err *err)
{
    struct dir_tree *dir = of(tree);
    struct tree_entry *entries = NULL;
    size_t count = 0;
    size_t room = 0;

    auto_fd int fd = open_beneath(dir, path, O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return io_error("cannot list", path, err);
    __attribute__((cleanup(stream_close))) DIR *stream = fdopendir(fd);
    if (stream == NULL)
        return io_error("cannot list", path, err);
    fd_take(&fd);

    for (struct dirent *e = readdir(stream); e != NULL; e = readdir(stream)) {
        str name = str_from(e->d_name);
        struct stat st;

        if (str_eq(name, S(".")) || str_eq(name, S("..")) ||
            (str_is_empty(path) && is_hidden(name)))
            continue;
        if (fstatat(dirfd(stream), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (kind_of_mode(st.st_mode) == TREE_MISSING)
            continue;
        if (count == LIMIT_TREE_ENTRIES)
            return err_set(err, ERR_LIMIT, "the directory '%.*s' has more than %d entries",
                           STR(path), LIMIT_TREE_ENTRIES);
        if (count == room) {
            struct tree_entry *wider =
                    arena_array(tree->arena, room == 0 ? 32 : room * 2, struct tree_entry);
            if (count > 0)
                memcpy(wider, entries, count * sizeof(*entries));
            entries = wider;
            room = room == 0 ? 32 : room * 2;
        }
        entries[count++] =
                (struct tree_entry){arena_str(tree->arena, name), kind_of_mode(st.st_mode)};
    }
    if (count > 0)
        qsort(entries, count, sizeof(*entries), by_name);
    *ret_entries = entries;
    *ret_count = count;
    return true;
}

static bool dir_link(struct tree *tree, str path, str *ret_target, struct err *err)
{
    char target[LIMIT_PATH + 1];

    auto_fd int fd = open_beneath(of(tree), path, O_PATH);
    if (fd < 0)
        return io_error("cannot read the link", path, err);
    ssize_t len = readlinkat(fd, "", target, sizeof(target));
    if (len < 0)
        return io_error("cannot read the link", path, err);
    if ((size_t)len == sizeof(target))
        return err_set(err, ERR_LIMIT, "the link '%.*s' is too long", STR(path));
    *ret_target = arena_str(tree->arena, str_of(target, (size_t)len));
    return true;
}

static str dir_identity(struct tree *tree, str path)
{
    char hex[GIT_OID_HEXSZ + 1];
    git_oid oid;
    str bytes;
    bool known = false;

    switch (dir_kind(tree, path)) {
    case TREE_FILE:
        known = dir_read(tree, path, &bytes, NULL);
        break;
    case TREE_LINK:
        known = dir_link(tree, path, &bytes, NULL);
        break;
    case TREE_DIR:
        return S("dir");
    case TREE_MISSING:
    case TREE_SUBMODULE:
        break;
    }
    if (!known || git_odb_hash(&oid, bytes.at, bytes.len, GIT_OBJECT_BLOB) != 0)
        return S("missing");
    git_oid_tostr(hex, sizeof(hex), &oid);
    return arena_str(tree->arena, str_from(hex));
}

static void dir_free(struct tree *tree)
{
    struct dir_tree *dir = of(tree);

    fd_close(&dir->root);
    map_free(dir->bytes);
    map_free(dir->kinds);
    mem_free(dir);
}

static const struct tree_ops dir_ops = {
        .kind = dir_kind,
        .read = dir_read,
        .list = dir_list,
        .link = dir_link,
        .identity = dir_identity,
        .free = dir_free,
};

bool dir_tree_open(const char *root, struct tree **ret_tree, struct err *err)
{
    auto_fd int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO,
                       "cannot open the directory '%s': %s", root, strerror(errno));

    struct dir_tree *dir = new0(struct dir_tree);
    tree_init(&dir->tree, &dir_ops, LIMIT_TREE_ARENA);
    dir->root = fd_take(&fd);
    dir->bytes = map_new();
    dir->kinds = map_new();
    *ret_tree = &dir->tree;
    return true;
}
