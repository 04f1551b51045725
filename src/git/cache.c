/* SPDX-License-Identifier: Apache-2.0 */
#include "git/cache.h"

#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

enum { DEPTH_MAX = 64 };

static bool path_of(char out[PATH_MAX], const char *dir, const char *name)
{
    int len = snprintf(out, PATH_MAX, "%s/%s", dir, name);

    return len > 0 && len < PATH_MAX;
}

static bool exists(const char *dir, const char *name)
{
    char path[PATH_MAX];
    struct stat st;

    return path_of(path, dir, name) && lstat(path, &st) == 0;
}

bool cache_is_made(const char *cache)
{
    return exists(cache, "HEAD") && exists(cache, "objects") && exists(cache, "config");
}

typedef void entry_fn(int dir, const char *name, void *owner);

static void entries_each(const char *path, entry_fn *fn, void *owner)
{
    DIR *stream = opendir(path);

    if (stream == NULL)
        return;
    for (struct dirent *e = readdir(stream); e != NULL; e = readdir(stream))
        fn(dirfd(stream), e->d_name, owner);
    closedir(stream);
}

static void count_pack(int dir, const char *name, void *owner)
{
    (void)dir;
    if (str_ends(str_from(name), S(".pack")))
        ++*(size_t *)owner;
}

size_t cache_packs(const char *cache)
{
    char path[PATH_MAX];
    size_t count = 0;

    if (path_of(path, cache, "objects/pack"))
        entries_each(path, count_pack, &count);
    return count;
}

static void drop_lock(int dir, const char *name, void *owner)
{
    str s = str_from(name);

    (void)owner;
    if (str_ends(s, S(".lock")) || str_starts(s, S("tmp_")))
        unlinkat(dir, name, 0);
}

void cache_drop_locks(const char *cache)
{
    static const char *const places[] = {"",     "refs/taut",    "refs/heads",
                                         "refs", "objects/pack", "objects"};
    char path[PATH_MAX];

    for (size_t i = 0; i < COUNT(places); i++) {
        if (path_of(path, cache, places[i]))
            entries_each(path, drop_lock, NULL);
    }
}

bool cache_has(const char *cache, str commit)
{
    char name[PATH_MAX];
    int len = snprintf(name, sizeof(name), "refs/taut/%.*s", STR(commit));

    return len > 0 && len < PATH_MAX && exists(cache, name);
}

bool cache_has_file(const char *cache, str id)
{
    char name[PATH_MAX];
    int len = snprintf(name, sizeof(name), "%.*s/file", STR(id));

    return len > 0 && len < PATH_MAX && exists(cache, name);
}

bool cache_make_dir(const char *path, struct err *err)
{
    char part[PATH_MAX];
    size_t len = strlen(path);

    if (len >= sizeof(part))
        return err_set(err, ERR_INVALID, "the path of the data folder is too long");
    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST)
            return err_set(err, ERR_IO, "the directory '%s' cannot be made: %s", part,
                           strerror(errno));
    }
    return true;
}

static bool remove_at(int dir, const char *name, int depth, size_t *left)
{
    if (*left == 0 || depth > DEPTH_MAX)
        return false;
    --*left;
    if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
        return true;

    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (stream == NULL) {
        fd_close(&fd);
        return true; /* not ours to remove: nothing more can be done */
    }
    bool all = true;
    for (struct dirent *e = readdir(stream); e != NULL; e = readdir(stream)) {
        if (!str_eq(str_from(e->d_name), S(".")) && !str_eq(str_from(e->d_name), S("..")))
            all = remove_at(fd, e->d_name, depth + 1, left) && all;
    }
    closedir(stream);
    if (all)
        unlinkat(dir, name, AT_REMOVEDIR);
    return all;
}

bool cache_remove_some(const char *path, size_t entries)
{
    return remove_at(AT_FDCWD, path, 0, &entries);
}

void cache_remove(const char *path)
{
    size_t all = SIZE_MAX;

    remove_at(AT_FDCWD, path, 0, &all);
}
