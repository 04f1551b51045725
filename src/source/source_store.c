/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Store: the latest rendered set of each key, in memory (the most recently used) and on disk, so
 * that a restart renders nothing that has not changed. Losing it costs time and nothing else.
 *
 * On disk: one file a key: SHA-256 of what follows, the commit, the number of sources, the remote
 * bases with their commits, and the result as render/message.h writes it. A file whose hash does
 * not fit is removed.
 */
#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"
#include "doc/hash.h"
#include "git/cache.h"
#include "render/message.h"
#include "source/inside.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

struct entry {
    struct entry *older;
    struct entry *newer;
    str key; /* owned */
    char commit[ID_SIZE];
    struct render_result *result;
    size_t cost;
};

struct source_store {
    char *dir;
    struct map *entries;
    struct entry *newest;
    struct entry *oldest;
    size_t cost;
    size_t disk_bytes; /* about */
};

/* ---- memory ---- */

static void entry_unlink(struct source_store *store, struct entry *entry)
{
    *(entry->newer == NULL ? &store->newest : &entry->newer->older) = entry->older;
    *(entry->older == NULL ? &store->oldest : &entry->older->newer) = entry->newer;
    entry->newer = entry->older = NULL;
}

static void entry_front(struct source_store *store, struct entry *entry)
{
    entry->older = store->newest;
    if (store->newest != NULL)
        store->newest->newer = entry;
    store->newest = entry;
    if (store->oldest == NULL)
        store->oldest = entry;
}

static void entry_drop(struct source_store *store, struct entry *entry)
{
    entry_unlink(store, entry);
    map_del(store->entries, entry->key);
    store->cost -= entry->cost;
    render_result_unref(entry->result);
    str_own_free(&entry->key);
    mem_free(entry);
}

static void remember(struct source_store *store, str key, str commit, struct render_result *result)
{
    struct entry *entry = map_get(store->entries, key);

    if (entry == NULL) {
        entry = new0(struct entry);
        entry->key = str_own(key);
        map_set(store->entries, key, entry);
    } else {
        entry_unlink(store, entry);
        store->cost -= entry->cost;
    }
    struct render_result *before = entry->result;
    entry->result = render_result_ref(result);
    render_result_unref(before);
    snprintf(entry->commit, sizeof(entry->commit), "%.*s", STR(commit));
    entry->cost = arena_used(result->base == NULL ? result->arena : result->base->arena) + 512;
    store->cost += entry->cost;
    entry_front(store, entry);
    while (store->cost > LIMIT_STORE_MEMORY && store->oldest != entry)
        entry_drop(store, store->oldest);
}

/* ---- disk ---- */

static bool path_of(const struct source_store *store, str key, char out[PATH_MAX])
{
    int len = snprintf(out, PATH_MAX, "%s/%.*s", store->dir, STR(key));

    return len > 0 && len < PATH_MAX;
}

static void put_bases(struct buf *out, const struct render_result *result)
{
    wire_put_u64(out, result->base_count);
    for (size_t i = 0; i < result->base_count; i++) {
        wire_put_str(out, result->bases[i].url);
        wire_put_str(out, result->bases[i].revision);
        wire_put_str(out, result->bases[i].commit);
        wire_put_bool(out, result->bases[i].is_file);
    }
}

/* Borrowed from the file's bytes. */
static size_t get_bases(struct wire *w, struct render_base *bases)
{
    size_t count = wire_count(w, LIMIT_RENDER_SOURCES);

    for (size_t i = 0; i < count && !w->bad; i++) {
        bases[i].url = wire_str(w);
        bases[i].revision = wire_str(w);
        bases[i].commit = wire_str(w);
        bases[i].is_file = wire_bool(w);
    }
    return count;
}

static void keep_bases(struct render_result *result, const struct render_base *bases, size_t count)
{
    struct render_base *kept = arena_array(result->arena, count + 1, struct render_base);

    for (size_t i = 0; i < count; i++)
        kept[i] = (struct render_base){arena_str(result->arena, bases[i].url),
                                       arena_str(result->arena, bases[i].revision),
                                       arena_str(result->arena, bases[i].commit), bases[i].is_file};
    result->bases = kept;
    result->base_count = count;
}

static void save(struct source_store *store, str key, str commit,
                 const struct render_result *result)
{
    auto_buf struct buf body = {0};
    char path[PATH_MAX];
    char fresh[PATH_MAX + 8];
    size_t sources = 1;

    if (!path_of(store, key, path))
        return;
    for (size_t i = 0; i < result->read_count; i++)
        sources = MAX(sources, result->reads[i].source + 1);
    buf_init(&body, LIMIT_STORE_FILE);
    wire_put_str(&body, commit);
    wire_put_u64(&body, sources);
    put_bases(&body, result);
    message_put_result(&body, result);
    if (buf_is_over(&body)) { /* rendered again after a restart */
        unlink(path);
        return;
    }

    struct hash hash = hash_bytes(buf_str(&body));
    snprintf(fresh, sizeof(fresh), "%s.new", path);
    auto_fd int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return;
    if (fd_write_all(fd, str_of((const char *)hash.bytes, HASH_SIZE)) &&
        fd_write_all(fd, buf_str(&body)))
        (void)rename(fresh, path);
    else
        unlink(fresh);
    store->disk_bytes += body.len;
}

static bool load_file(const char *path, struct buf *out)
{
    auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return false;
    char *at = buf_reserve(out, (size_t)st.st_size);
    while (at != NULL && out->len < (size_t)st.st_size) {
        ssize_t got = read(fd, out->at + out->len, (size_t)st.st_size - out->len);
        if (got <= 0)
            return false;
        out->len += (size_t)got;
    }
    return at != NULL && out->len > HASH_SIZE;
}

static bool load(struct source_store *store, str key, struct render_result **ret_result,
                 char ret_commit[ID_SIZE])
{
    auto_buf struct buf file = {0};
    char path[PATH_MAX];
    struct err err;

    buf_init(&file, LIMIT_STORE_FILE + HASH_SIZE);
    if (!path_of(store, key, path) || !load_file(path, &file))
        return false;

    str body = str_from_index(buf_str(&file), HASH_SIZE);
    struct hash hash = hash_bytes(body);
    struct wire w = wire_of(body, NULL);
    str commit = wire_str(&w);
    size_t sources = (size_t)wire_u64_most(&w, LIMIT_RENDER_SOURCES);
    struct render_base bases[LIMIT_RENDER_SOURCES];
    size_t base_count = get_bases(&w, bases);
    struct render_source own = {.commit = commit};
    struct render_request request = {.sources = &own, .source_count = sources};
    if (memcmp(hash.bytes, file.at, HASH_SIZE) != 0 || w.bad || commit.len != ID_SIZE - 1 ||
        !message_get_result(w.rest, &request, ret_result, &err)) {
        unlink(path);
        return false;
    }
    keep_bases(*ret_result, bases, base_count);
    memcpy(ret_commit, commit.at, commit.len);
    ret_commit[commit.len] = '\0';
    return true;
}

struct old_file {
    char name[80];
    int64_t used_s;
    size_t bytes;
};

static int by_age(const void *a, const void *b)
{
    int64_t x = ((const struct old_file *)a)->used_s;
    int64_t y = ((const struct old_file *)b)->used_s;

    return x < y ? -1 : x > y;
}

/* Counts the files, and removes the oldest beyond the limit, down to three quarters of it. */
static void tidy(struct source_store *store)
{
    DIR *stream = opendir(store->dir);
    struct old_file *files = NULL;
    size_t count = 0;
    size_t room = 0;

    store->disk_bytes = 0;
    if (stream == NULL)
        return;
    for (struct dirent *e = readdir(stream); e != NULL; e = readdir(stream)) {
        struct stat st;
        if (strlen(e->d_name) >= sizeof(files[0].name) ||
            fstatat(dirfd(stream), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISREG(st.st_mode))
            continue;
        if (count == room) {
            room = MAX(room * 2, (size_t)64);
            files = mem_grow(files, room, sizeof(*files));
        }
        snprintf(files[count].name, sizeof(files[count].name), "%s", e->d_name);
        files[count].used_s = st.st_mtime;
        files[count].bytes = (size_t)st.st_size;
        store->disk_bytes += files[count++].bytes;
    }
    if (store->disk_bytes > LIMIT_STORE_DISK) {
        qsort(files, count, sizeof(*files), by_age);
        for (size_t i = 0; i < count && store->disk_bytes > LIMIT_STORE_DISK / 4 * 3; i++) {
            unlinkat(dirfd(stream), files[i].name, 0);
            store->disk_bytes -= files[i].bytes;
        }
    }
    closedir(stream);
    mem_free(files);
}

/* ---- the face ---- */

struct source_store *source_store_new(const char *dir)
{
    struct source_store *store = new0(struct source_store);

    store->dir = mem_dup_z(str_from(dir));
    store->entries = map_new();
    if (cache_make_dir(dir, NULL)) /* without it there is only memory */
        tidy(store);
    return store;
}

void source_store_free(struct source_store *store)
{
    if (store == NULL)
        return;
    while (store->newest != NULL)
        entry_drop(store, store->newest);
    map_free(store->entries);
    mem_free(store->dir);
    mem_free(store);
}

struct render_result *source_store_get(struct source_store *store, str key,
                                       char ret_commit[ID_SIZE])
{
    struct entry *entry = map_get(store->entries, key);
    struct render_result *result = NULL;

    if (entry == NULL) {
        if (!load(store, key, &result, ret_commit))
            return NULL;
        remember(store, key, str_from(ret_commit), result);
        render_result_unref(result);
        return result; /* the entry holds it */
    }
    entry_unlink(store, entry);
    entry_front(store, entry);
    memcpy(ret_commit, entry->commit, ID_SIZE);
    return entry->result;
}

void source_store_put(struct source_store *store, str key, str commit, struct render_result *result)
{
    struct entry *entry = map_get(store->entries, key);
    bool is_same = entry != NULL && entry->result == result;

    remember(store, key, commit, result);
    if (is_same)
        return; /* carried over: the file's older commit leads to the same answer */
    save(store, key, commit, result);
    if (store->disk_bytes > LIMIT_STORE_DISK)
        tidy(store);
}
