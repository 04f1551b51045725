/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which git process runs next, and where its objects go.
 *
 * For each repository at most one listing, one look-up of a short id and one fetch run at a time;
 * for the server at most PROCESSES_MAX. What waits is not kept in a queue of its own: the waits say
 * what they are waiting for, and source_on_kick looks at them.
 *
 * Objects lie in generations, data/git/<repository>/gen-<n>: each a bare repository that only ever
 * grows. Past LIMIT_GIT_PACKS, or near LIMIT_CACHE_BYTES, the next fetch goes to a new one; the old
 * one is removed after its last reader.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "git/cache.h"
#include "source/inside.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

enum {
    PROCESSES_MAX = 8,
    FOUND_MAX = 1000,
    SWEEP_MS = 20,
    SWEEP_ENTRIES = 20,
    CACHE_KEPT_S = 30 * 86400
};

/* ---- caches ---- */

str source_repo_cache(struct source_repo *repo, struct arena *arena, unsigned generation)
{
    return arena_printf(arena, "%.*s/gen-%u", STR(repo->dir), generation);
}

str source_repo_content(struct source_repo *repo, struct arena *arena, unsigned generation,
                        str commit)
{
    str cache = source_repo_cache(repo, arena, generation);

    return repo->is_file ? arena_printf(arena, "%.*s/%.*s", STR(cache), STR(commit)) : cache;
}

static struct generation *generation_at(struct source_repo *repo, unsigned number)
{
    for (size_t i = 0; i < GENERATIONS_MAX; i++) {
        if (repo->generations[i].number == number)
            return &repo->generations[i];
    }
    return NULL;
}

/* Out of the way at once, off the disk when there is time. */
static void doom(struct source_repo *repo, const char *name)
{
    char from[PATH_MAX];
    char to[PATH_MAX];

    snprintf(from, sizeof(from), "%.*s/%s", STR(repo->dir), name);
    snprintf(to, sizeof(to), "%.*s/gone-%s", STR(repo->dir), name);
    if (str_starts(str_from(name), S("gone-")))
        memcpy(to, from, sizeof(to));
    else if (rename(from, to) != 0)
        return;
    map_set(repo->source->doomed, str_from(to), repo->source);
    loop_timer_start(repo->source->sweep, SWEEP_MS);
}

void source_on_sweep(void *owner)
{
    struct source *source = owner;
    struct map_iter it = map_iter(source->doomed);

    if (!map_next(&it))
        return;
    str path = str_own(it.key);
    if (cache_remove_some(path.at, SWEEP_ENTRIES))
        map_del(source->doomed, path);
    str_own_free(&path);
    if (map_count(source->doomed) > 0)
        loop_timer_start(source->sweep, SWEEP_MS);
}

/* Caches that nothing was fetched into for a month belong to repositories that nobody uses, or that
 * do not change: then one fetch brings them back. Called before the first repository is opened. */
void source_tidy_caches(struct source *source)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/git", source->data_dir);
    DIR *stream = opendir(path);
    for (struct dirent *e = stream == NULL ? NULL : readdir(stream); e != NULL;
         e = readdir(stream)) {
        struct stat st;
        char gone[320];
        bool is_gone = str_starts(str_from(e->d_name), S("gone-"));
        if (e->d_name[0] == '.' ||
            fstatat(dirfd(stream), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISDIR(st.st_mode) ||
            (!is_gone && clock_wall_ms() / 1000 - st.st_mtime < CACHE_KEPT_S))
            continue;
        snprintf(gone, sizeof(gone), "%s%s", is_gone ? "" : "gone-", e->d_name);
        if (!is_gone && renameat(dirfd(stream), e->d_name, dirfd(stream), gone) != 0)
            continue;
        snprintf(path, sizeof(path), "%s/git/%s", source->data_dir, gone);
        map_set(source->doomed, str_from(path), source);
        loop_timer_start(source->sweep, SWEEP_MS);
    }
    if (stream != NULL)
        closedir(stream);
}

/* So that the time of the directory says when it was last of use. */
static void touch(struct source_repo *repo)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%.*s", STR(repo->dir));
    (void)utimensat(AT_FDCWD, path, NULL, 0);
}

static void remove_generation(struct source_repo *repo, unsigned number)
{
    char name[32];

    snprintf(name, sizeof(name), "gen-%u", number);
    doom(repo, name);
}

/* Takes up what an earlier run left: the newest generation; older ones and scratch go. */
void source_repo_open_caches(struct source_repo *repo)
{
    char path[PATH_MAX];
    unsigned newest = 0;

    snprintf(path, sizeof(path), "%.*s", STR(repo->dir));
    DIR *stream = opendir(path);
    for (struct dirent *e = stream == NULL ? NULL : readdir(stream); e != NULL;
         e = readdir(stream)) {
        uint64_t number = 0;
        str name = str_from(e->d_name);
        if (str_skip(&name, S("gen-")) && str_to_u64(name, &number) && number <= 1000000000)
            newest = MAX(newest, (unsigned)number);
        if (str_starts(str_from(e->d_name), S("gone-")) ||
            str_eq(str_from(e->d_name), S("scratch")))
            doom(repo, e->d_name);
    }
    if (stream != NULL)
        closedir(stream);
    for (unsigned n = newest > 8 ? newest - 8 : 1; n < newest; n++)
        remove_generation(repo, n);
    repo->current = newest == 0 ? 1 : newest;
    repo->generations[0].number = repo->current;
    snprintf(path, sizeof(path), "%.*s/gen-%u", STR(repo->dir), repo->current);
    repo->packs = cache_packs(path);
    touch(repo);
}

unsigned source_repo_holds(struct source_repo *repo, str commit)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%.*s/gen-%u", STR(repo->dir), repo->current);
    bool holds = repo->is_file ? cache_has_file(path, commit) : cache_has(path, commit);
    return holds ? repo->current : 0;
}

void source_repo_read_begin(struct source_repo *repo, unsigned generation)
{
    struct generation *g = generation_at(repo, generation);

    if (g != NULL)
        g->readers++;
}

void source_repo_read_end(struct source_repo *repo, unsigned generation)
{
    struct generation *g = generation_at(repo, generation);

    if (g == NULL || g->readers == 0)
        return;
    g->readers--;
    if (g->readers == 0 && g->number != repo->current) {
        remove_generation(repo, g->number);
        g->number = 0;
    }
}

/* The next fetch goes to a new directory, if there is a place for one more. */
void source_repo_next_generation(struct source_repo *repo)
{
    struct generation *free_slot = generation_at(repo, 0);
    struct generation *old = generation_at(repo, repo->current);

    if (free_slot == NULL)
        return; /* readers of three old ones: the present one grows on */
    free_slot->number = repo->current + 1;
    repo->current++;
    repo->packs = 0;
    repo->cache_bytes = 0;
    if (old != NULL && old->readers == 0) {
        remove_generation(repo, old->number);
        old->number = 0;
    }
}

/* ---- git ---- */

/* Whom we talk to: where the last redirect led, and there without the credential unless it is the
 * same host. */
void source_repo_aim(struct source_repo *repo, struct transport_request *request,
                     struct transport_credential *ret_bare)
{
    bool same = str_eq(repo->moved.host, repo->url.host) &&
                str_eq(git_url_port(&repo->moved), git_url_port(&repo->url)) &&
                repo->moved.scheme == repo->url.scheme;

    request->url = &repo->moved;
    *ret_bare = repo->credential;
    if (!same)
        ret_bare->password = ret_bare->bearer = ret_bare->ssh_key = ret_bare->passphrase = NULL;
    request->credential = ret_bare;
}

static bool batch_has(const struct source_repo *repo, const char *commit)
{
    for (size_t i = 0; i < repo->batch_count; i++) {
        if (str_eq(str_from(repo->batch[i]), str_from(commit)))
            return true;
    }
    return false;
}

/* Git said that all is well: then the commits are there, or asking again is no use. */
static void check_batch(struct source_repo *repo)
{
    struct err err;

    if (repo->fetching != repo->current)
        return; /* a new cache was begun in the meantime */
    err_set(&err, ERR_INTERNAL, "the commit was fetched, but the Git cache does not hold it");
    for (struct source_wait *w = repo->waits; w != NULL; w = w->next) {
        if (w->state == STATE_FETCH && batch_has(repo, w->commit) &&
            source_repo_holds(repo, str_from(w->commit)) == 0)
            source_wait_fail(w, &err);
    }
}

static void on_fetched(void *owner, const struct transport_result *result, const struct err *err)
{
    struct source_repo *repo = owner;

    repo->fetch_job = NULL;
    repo->source->running--;
    loop_task_post(repo->source->kick);
    if (result != NULL) {
        repo->packs = result->packs;
        repo->cache_bytes = result->cache_bytes;
        source_repo_moved(repo, result->moved_to);
        check_batch(repo);
        touch(repo);
    } else if (repo->batch_count > 1) {
        repo->one_by_one = true;
    } else {
        for (struct source_wait *w = repo->waits; w != NULL; w = w->next) {
            if (w->state == STATE_FETCH && str_eq(str_from(w->commit), str_from(repo->batch[0])))
                source_wait_fail(w, err);
        }
    }
    repo->batch_count = 0;
    source_repo_wake(repo, STATE_FETCH);
}

/* A wait that has got what it waited for, and only has not run since, wants no process more. */
static bool is_waiting(struct source_repo *repo, const struct source_wait *w, enum wait_state state)
{
    if (w->state != state || w->has_failed)
        return false;
    return state == STATE_FIND ? w->commit[0] == '\0'
                               : source_repo_holds(repo, str_from(w->commit)) == 0;
}

static bool fetch_start(struct source_repo *repo, struct err *err)
{
    struct transport_want wants[BATCH_MAX];
    struct transport_request request = {.op = TRANSPORT_FETCH, .wants = wants};
    struct transport_credential bare;
    size_t most = repo->one_by_one ? 1 : BATCH_MAX;
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);

    repo->batch_count = 0;
    for (struct source_wait *w = repo->waits; w != NULL && repo->batch_count < most; w = w->next) {
        if (!is_waiting(repo, w, STATE_FETCH) || batch_has(repo, w->commit))
            continue;
        memcpy(repo->batch[repo->batch_count], w->commit, ID_SIZE);
        wants[repo->batch_count] = (struct transport_want){
                .ref = w->ref, .commit = str_from(repo->batch[repo->batch_count])};
        repo->batch_count++;
    }
    if (repo->packs >= LIMIT_GIT_PACKS || repo->cache_bytes > LIMIT_CACHE_BYTES / 4 * 3)
        source_repo_next_generation(repo);
    repo->fetching = repo->current;
    request.want_count = repo->batch_count;
    request.cache = source_repo_cache(repo, arena, repo->current);
    source_repo_aim(repo, &request, &bare);
    return cache_make_dir(request.cache.at, err) &&
           transport_start(repo->source->loop, &repo->source->transport, &request, on_fetched, repo,
                           &repo->fetch_job, err);
}

static void on_found(void *owner, const struct transport_result *result, const struct err *err)
{
    struct source_repo *repo = owner;
    repo->find_job = NULL;
    repo->source->running--;
    loop_task_post(repo->source->kick);
    doom(repo, "scratch");
    if (result != NULL && map_count(repo->found) < FOUND_MAX)
        mem_free(map_set(repo->found, repo->finding, mem_dup_z(result->commit)));
    for (struct source_wait *w = repo->waits; w != NULL; w = w->next) {
        if (w->state != STATE_FIND || !str_eq(w->revision, repo->finding))
            continue;
        if (result == NULL)
            source_wait_fail(w, err);
        else
            snprintf(w->commit, sizeof(w->commit), "%.*s", STR(result->commit));
    }
    str_own_free(&repo->finding);
    source_repo_wake(repo, STATE_FIND);
}

static bool find_start(struct source_repo *repo, str prefix, struct err *err)
{
    struct transport_request request = {.op = TRANSPORT_FIND, .prefix = prefix};
    struct transport_credential bare;
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);

    request.cache = arena_printf(arena, "%.*s/scratch", STR(repo->dir));
    cache_remove(request.cache.at);
    source_repo_aim(repo, &request, &bare);
    if (!cache_make_dir(request.cache.at, err) ||
        !transport_start(repo->source->loop, &repo->source->transport, &request, on_found, repo,
                         &repo->find_job, err))
        return false;
    repo->finding = str_own(prefix);
    return true;
}

void source_repo_cancel_jobs(struct source_repo *repo)
{
    struct transport_job **jobs[] = {&repo->list_job, &repo->find_job, &repo->fetch_job};

    for (size_t i = 0; i < COUNT(jobs); i++) {
        if (*jobs[i] == NULL)
            continue;
        transport_cancel(*jobs[i]);
        *jobs[i] = NULL;
        repo->source->running--;
    }
    str_own_free(&repo->finding);
    for (size_t i = 0; i < CHANGES_KEPT; i++) {
        render_cancel(repo->changes[i].job);
        arena_free(repo->changes[i].arena);
        repo->changes[i] = (struct changes){0};
    }
}

/* ---- what runs next ---- */

static struct source_wait *first_in(struct source_repo *repo, enum wait_state state)
{
    struct source_wait *w = repo->waits;

    while (w != NULL && !is_waiting(repo, w, state))
        w = w->next;
    return w;
}

static void fail_all(struct source_repo *repo, enum wait_state state, const struct err *err)
{
    for (struct source_wait *w = repo->waits; w != NULL; w = w->next) {
        if (w->state == state)
            source_wait_fail(w, err);
    }
}

static void repo_kick(struct source_repo *repo)
{
    struct source *source = repo->source;
    struct source_wait *w;
    struct err err;

    if (repo->list_job == NULL && source->running < PROCESSES_MAX &&
        source_repo_listing_is_wanted(repo)) {
        repo->list_wanted = false;
        if (source_repo_list_start(repo, &err))
            source->running++;
        else
            fail_all(repo, STATE_LIST, &err);
    }
    w = first_in(repo, STATE_FIND);
    if (w != NULL && repo->find_job == NULL && source->running < PROCESSES_MAX) {
        if (find_start(repo, w->revision, &err))
            source->running++;
        else
            source_wait_fail(w, &err);
    }
    if (first_in(repo, STATE_FETCH) == NULL) {
        if (repo->fetch_job == NULL)
            repo->one_by_one = false;
        return;
    }
    if (repo->is_file) { /* what the listing brought is gone: it is asked for again */
        err_set(&err, ERR_GONE, "the fetched file is not there any more");
        fail_all(repo, STATE_FETCH, &err);
    } else if (repo->fetch_job == NULL && source->running < PROCESSES_MAX) {
        if (fetch_start(repo, &err))
            source->running++;
        else
            fail_all(repo, STATE_FETCH, &err);
    }
}

void source_on_kick(void *owner)
{
    struct source *source = owner;

    for (struct map_iter it = map_iter(source->repos); map_next(&it);)
        repo_kick(it.value);
}

/* ---- what differs between two commits ---- */

static void on_changes(void *owner, const struct render_changes *changes, const struct err *err)
{
    struct changes *c = owner;

    (void)err; /* then everything is rendered: slower, never wrong */
    c->job = NULL;
    c->has_failed = changes == NULL;
    if (changes != NULL) {
        struct render_change *items =
                arena_array(c->arena, changes->count + 1, struct render_change);
        for (size_t i = 0; i < changes->count; i++)
            items[i] = (struct render_change){arena_str(c->arena, changes->items[i].path),
                                              changes->items[i].is_entry};
        c->list = (struct render_changes){items, changes->count};
    }
    source_repo_wake(c->repo, STATE_CHANGES);
}

struct changes *source_repo_changes(struct source_repo *repo, unsigned generation, str from, str to)
{
    struct changes *c = NULL;

    for (size_t i = 0; i < CHANGES_KEPT; i++) {
        c = &repo->changes[i];
        if (c->arena != NULL && str_eq(str_from(c->from), from) && str_eq(str_from(c->to), to))
            return c;
    }
    for (size_t i = 0; i < CHANGES_KEPT; i++) {
        c = &repo->changes[repo->changes_next++ % CHANGES_KEPT];
        if (c->job == NULL)
            break;
    }
    if (c->job != NULL)
        return NULL;
    arena_free(c->arena);
    *c = (struct changes){.repo = repo, .arena = arena_new(LIMIT_RENDER_ARENA)};
    snprintf(c->from, sizeof(c->from), "%.*s", STR(from));
    snprintf(c->to, sizeof(c->to), "%.*s", STR(to));
    c->job = render_changes_start(repo->source->pool, source_repo_cache(repo, c->arena, generation),
                                  from, to, on_changes, c);
    return c;
}
