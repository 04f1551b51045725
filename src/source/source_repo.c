/* SPDX-License-Identifier: Apache-2.0 */
/* Repositories: who they are, what their refs are, and who wants to hear of changes. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "doc/hash.h"
#include "git/cache.h"
#include "source/inside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>

enum {
    INTERVAL_MS = 60000,
    INTERVAL_FILE_MS = 1000,
    INTERVAL_FAILED_MS = 10000,
    MARK_ENTRIES_MAX = 4000,
};

/* ---- the one source of a server ---- */

static bool read_salt(const char *data_dir, struct secret **ret_salt, struct err *err)
{
    char path[PATH_MAX];
    char bytes[32];

    snprintf(path, sizeof(path), "%s/git/salt", data_dir);
    auto_fd int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_set(err, ERR_IO, "'%s' cannot be opened: %s", path, strerror(errno));
    if (read(fd, bytes, sizeof(bytes)) != sizeof(bytes)) {
        if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes) ||
            pwrite(fd, bytes, sizeof(bytes), 0) != sizeof(bytes))
            return err_set(err, ERR_IO, "'%s' cannot be written: %s", path, strerror(errno));
    }
    *ret_salt = secret_new(str_of(bytes, sizeof(bytes)));
    secret_wipe(bytes, sizeof(bytes));
    return true;
}

/* Another program may render otherwise: its size and time stand for it. */
static str renderer_of(const char *program)
{
    char text[64];
    struct stat st = {0};

    (void)stat(program == NULL ? "/proc/self/exe" : program, &st);
    snprintf(text, sizeof(text), "%lld-%lld-%ld", (long long)st.st_size,
             (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
    return str_own(str_from(text));
}

/* The processes that use them have another working directory. */
static char *absolute(str path)
{
    char *z = mem_dup_z(path);
    char real[PATH_MAX];

    if (realpath(z, real) == NULL)
        return z;
    mem_free(z);
    return mem_dup_z(str_from(real));
}

static char *absolute_roots(const char *roots)
{
    auto_buf struct buf out = {0};
    str rest = str_from(roots);
    str root;

    if (roots == NULL)
        return NULL;
    buf_init(&out, LIMIT_MIB);
    while (str_split(&rest, ':', &root)) {
        char *path = absolute(root);
        if (out.len > 0)
            buf_addc(&out, ':');
        if (!str_is_empty(root))
            buf_add(&out, str_from(path));
        mem_free(path);
    }
    return mem_dup_z(buf_str(&out));
}

struct source *source_new(struct loop *loop, struct render_pool *pool,
                          const struct source_options *options, struct err *err)
{
    char dir[PATH_MAX];
    struct secret *salt = NULL;

    snprintf(dir, sizeof(dir), "%s/git", options->data_dir);
    if (!cache_make_dir(dir, err) || !read_salt(options->data_dir, &salt, err))
        return NULL;

    struct source *source = new0(struct source);
    source->loop = loop;
    source->pool = pool;
    source->salt = salt;
    source->data_dir = absolute(str_from(options->data_dir));
    source->program = options->program == NULL ? NULL : mem_dup_z(str_from(options->program));
    source->file_roots = absolute_roots(options->file_roots);
    source->transport = (struct transport_options){.program = source->program,
                                                   .file_roots = source->file_roots,
                                                   .allow_link_local = options->allow_link_local};
    source_set_interval(source, options->interval_ms);
    source->repos = map_new();
    source->doomed = map_new();
    source->sweep = loop_timer_new(loop, "git sweep", source_on_sweep, source);
    source->kick = loop_task_new(loop, "git queue", source_on_kick, source);
    source->renderer = renderer_of(source->program);
    source_tidy_caches(source);
    snprintf(dir, sizeof(dir), "%s/renders", options->data_dir);
    source->store = source_store_new(dir);
    return source;
}

void source_set_interval(struct source *source, int64_t interval_ms)
{
    int64_t before = source->interval_ms;

    source->interval_ms = interval_ms <= 0 ? INTERVAL_MS : interval_ms;
    if (source->repos == NULL || before == source->interval_ms)
        return;
    for (struct map_iter it = map_iter(source->repos); map_next(&it);)
        source_repo_rearm(it.value);
}

static void repo_free(struct source_repo *repo);

/* Ends what repositories want of each other; some go with it. */
static void source_close(struct source *source)
{
    size_t count = 0;
    struct source_repo **repos = new0_array(map_count(source->repos) + 1, struct source_repo *);

    for (struct map_iter it = map_iter(source->repos); map_next(&it);)
        repos[count++] = source_repo_hold(it.value);
    for (size_t i = 0; i < count; i++) {
        while (repos[i]->waits != NULL)
            source_cancel(repos[i]->waits);
        source_repo_drop_bases(repos[i]);
    }
    for (size_t i = 0; i < count; i++)
        source_repo_unref(repos[i]);
    mem_free(repos);
}

void source_free(struct source *source)
{
    if (source == NULL)
        return;
    source_close(source);
    for (struct map_iter it = map_iter(source->repos); map_next(&it);)
        repo_free(it.value);
    map_free(source->repos);
    loop_task_free(source->kick);
    loop_timer_free(source->sweep);
    map_free(source->doomed);
    source_store_free(source->store);
    secret_free(source->salt);
    str_own_free(&source->renderer);
    mem_free(source->data_dir);
    mem_free(source->program);
    mem_free(source->file_roots);
    mem_free(source);
}

bool source_url_normalize(struct arena *arena, str url, str *ret_url, struct err *err)
{
    struct git_url parsed;

    if (!git_url_parse(arena, url, &parsed, err))
        return false;
    *ret_url = parsed.key;
    return true;
}

/* ---- identity ---- */

static void add_part(struct buf *out, str part)
{
    buf_addf(out, "%zu:", part.len);
    buf_add(out, part);
}

static str secret_text(const struct secret *secret)
{
    return secret_is_empty(secret) ? STR_EMPTY : secret_reveal(secret);
}

/* One cache for each pair of repository and credential: what one credential fetched is not for
 * another to read. */
static str identity_of(struct source *source, struct arena *arena, str url,
                       const struct source_credential *c, bool is_file)
{
    auto_buf struct buf text = {0};
    char hex[HASH_HEX_SIZE];

    buf_init(&text, 32 * LIMIT_MIB);
    add_part(&text, url);
    if (is_file)
        buf_addc(&text, 'f');
    if (c != NULL) {
        add_part(&text, c->username);
        add_part(&text, secret_text(c->password));
        add_part(&text, secret_text(c->bearer));
        add_part(&text, secret_text(c->ssh_key));
        add_part(&text, secret_text(c->passphrase));
        add_part(&text, c->known_hosts);
        add_part(&text, c->ca_bundle);
        buf_addc(&text, c->insecure ? '1' : '0');
    }
    struct hash hash = hash_hmac(secret_reveal(source->salt), buf_str(&text));
    secret_wipe(text.at, text.size);
    hash_hex(&hash, hex);
    return arena_str(arena, str_of(hex, 40));
}

static void copy_credential(struct source_repo *repo, const struct source_credential *c)
{
    if (c == NULL)
        return;
    repo->password = secret_dup(c->password);
    repo->bearer = secret_dup(c->bearer);
    repo->ssh_key = secret_dup(c->ssh_key);
    repo->passphrase = secret_dup(c->passphrase);
    repo->credential = (struct transport_credential){
            .username = arena_str(repo->arena, c->username),
            .password = repo->password,
            .bearer = repo->bearer,
            .ssh_key = repo->ssh_key,
            .passphrase = repo->passphrase,
            .known_hosts = arena_str(repo->arena, c->known_hosts),
            .ca_bundle = arena_str(repo->arena, c->ca_bundle),
            .insecure = c->insecure,
    };
}

static void on_timer(void *owner);

static struct source_repo *repo_open(struct source *source, str url,
                                     const struct source_credential *credential, bool is_file,
                                     struct err *err)
{
    struct arena *arena = arena_new(LIMIT_FILE_BYTES);
    struct git_url parsed;

    if (!git_url_parse(arena, url, &parsed, err)) {
        arena_free(arena);
        return NULL;
    }
    /* By the URL as it is spelled: "x" and "x.git" may be two repositories on an odd server. */
    str identity = identity_of(source, arena, parsed.remote, credential, is_file);
    struct source_repo *known = map_get(source->repos, identity);
    if (known != NULL) {
        arena_free(arena);
        return source_repo_hold(known);
    }

    struct source_repo *repo = new0(struct source_repo);
    repo->source = source;
    repo->references = 1;
    repo->is_file = is_file;
    repo->arena = arena;
    repo->identity = identity;
    repo->url = parsed;
    repo->moved = parsed;
    repo->dir = arena_printf(arena, "%s/git/%.*s", source->data_dir, STR(identity));
    repo->resolved = map_new();
    repo->resolved_arena = arena_new(LIMIT_FILE_BYTES);
    repo->found = map_new();
    repo->timer = loop_timer_new(source->loop, "list refs", on_timer, repo);
    copy_credential(repo, credential);
    source_repo_open_caches(repo);
    map_set(source->repos, identity, repo);
    return repo;
}

struct source_repo *source_repo_get(struct source *source, str url,
                                    const struct source_credential *credential, struct err *err)
{
    return repo_open(source, url, credential, /*is_file=*/false, err);
}

struct source_repo *source_file_get(struct source *source, str url,
                                    const struct source_credential *credential, struct err *err)
{
    return repo_open(source, url, credential, /*is_file=*/true, err);
}

struct source_repo *source_repo_hold(struct source_repo *repo)
{
    repo->references++;
    return repo;
}

static void repo_free(struct source_repo *repo)
{
    source_repo_cancel_jobs(repo);
    loop_timer_free(repo->timer);
    for (struct map_iter it = map_iter(repo->found); map_next(&it);)
        mem_free(it.value);
    map_free(repo->found);
    map_free(repo->resolved);
    arena_free(repo->resolved_arena);
    arena_free(repo->refs_arena);
    arena_free(repo->moved_arena);
    secret_free(repo->password);
    secret_free(repo->bearer);
    secret_free(repo->ssh_key);
    secret_free(repo->passphrase);
    mem_free(repo->subscribers);
    arena_free(repo->arena);
    mem_free(repo);
}

void source_repo_unref(struct source_repo *repo)
{
    if (repo == NULL)
        return;
    /* Only others that it is a base of hold it: it has no deployments to watch bases for. */
    if (repo->references - 1 == repo->base_of)
        source_repo_drop_bases(repo);
    if (--repo->references > 0)
        return;
    map_del(repo->source->repos, repo->identity);
    repo_free(repo);
}

str source_repo_url(const struct source_repo *repo)
{
    return repo->url.key;
}

int64_t source_repo_listed_ms(const struct source_repo *repo)
{
    return repo->listed_ms;
}

str source_repo_moved_to(const struct source_repo *repo)
{
    return str_eq(repo->moved.key, repo->url.key) ? STR_EMPTY : repo->moved.remote;
}

void source_repo_moved(struct source_repo *repo, str url)
{
    struct arena *arena = arena_new(LIMIT_MIB);
    struct git_url parsed;

    if (str_is_empty(url) || !git_url_parse(arena, url, &parsed, NULL)) {
        arena_free(arena);
        return;
    }
    arena_free(repo->moved_arena);
    repo->moved_arena = arena;
    repo->moved = parsed;
}

/* ---- subscribers ---- */

static int64_t interval_of(const struct source_repo *repo)
{
    int64_t interval = repo->source->interval_ms;
    uint32_t noise = 0;

    if (repo->url.scheme == GIT_FILE)
        return MIN(interval, (int64_t)INTERVAL_FILE_MS);
    if (repo->has_failed)
        interval = MIN(interval, (int64_t)INTERVAL_FAILED_MS);
    if (getrandom(&noise, sizeof(noise), GRND_NONBLOCK) != sizeof(noise))
        return interval;
    return interval - interval / 10 + (int64_t)(noise % (uint32_t)(interval / 5 + 1));
}

static void arm(struct source_repo *repo)
{
    if (repo->subscriber_count > 0)
        loop_timer_start(repo->timer, interval_of(repo));
}

void source_repo_rearm(struct source_repo *repo)
{
    int64_t since = clock_mono_ms() - MAX(repo->listed_ms, repo->failed_ms);

    if (loop_timer_is_running(repo->timer))
        loop_timer_start(repo->timer, MAX(interval_of(repo) - since, 0));
}

void source_repo_subscribe(struct source_repo *repo, source_changed_fn *fn, void *owner)
{
    repo->subscribers =
            mem_grow(repo->subscribers, repo->subscriber_count + 1, sizeof(*repo->subscribers));
    repo->subscribers[repo->subscriber_count++] = (struct subscriber){fn, owner};
    if (!loop_timer_is_running(repo->timer))
        arm(repo);
}

void source_repo_unsubscribe(struct source_repo *repo, void *owner)
{
    size_t kept = 0;

    for (size_t i = 0; i < repo->subscriber_count; i++) {
        if (repo->subscribers[i].owner != owner)
            repo->subscribers[kept++] = repo->subscribers[i];
    }
    repo->subscriber_count = kept;
    if (kept == 0)
        loop_timer_stop(repo->timer);
}

/* Subscribers may come and go while they are told. */
void source_repo_tell(struct source_repo *repo)
{
    size_t count = repo->subscriber_count;
    struct subscriber *copy = new0_array(count + 1, struct subscriber);

    if (count > 0)
        memcpy(copy, repo->subscribers, count * sizeof(*copy));
    source_repo_hold(repo);
    for (size_t i = 0; i < count; i++) {
        bool still = false;
        for (size_t k = 0; k < repo->subscriber_count; k++)
            still = still || (repo->subscribers[k].owner == copy[i].owner &&
                              repo->subscribers[k].fn == copy[i].fn);
        if (still)
            copy[i].fn(copy[i].owner, repo);
    }
    source_repo_unref(repo);
    mem_free(copy);
}

/* ---- a repository on this disk ---- */

struct mark {
    uint64_t sum;
    size_t entries;
};

static void mark_stat(struct mark *mark, const struct stat *st)
{
    uint64_t parts[] = {(uint64_t)st->st_mtim.tv_sec, (uint64_t)st->st_mtim.tv_nsec,
                        (uint64_t)st->st_ino, (uint64_t)st->st_size};

    for (size_t i = 0; i < COUNT(parts); i++)
        mark->sum = (mark->sum ^ parts[i]) * 0x100000001b3ULL;
    mark->entries++;
}

static void mark_dir(struct mark *mark, int dir, const char *name, int depth)
{
    struct stat st;
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);

    if (stream == NULL) {
        fd_close(&fd);
        return;
    }
    if (fstat(fd, &st) == 0)
        mark_stat(mark, &st);
    for (struct dirent *e = readdir(stream); e != NULL && mark->entries < MARK_ENTRIES_MAX;
         e = readdir(stream)) {
        if (e->d_name[0] == '.')
            continue;
        if (fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        mark_stat(mark, &st);
        if (S_ISDIR(st.st_mode) && depth > 0)
            mark_dir(mark, fd, e->d_name, depth - 1);
    }
    closedir(stream);
}

/* Changes when a ref of a repository on this disk does; 0 = cannot tell. So that looking every
 * second starts no process every second. */
static uint64_t disk_mark(const struct source_repo *repo)
{
    static const char *const files[] = {"HEAD", "packed-refs"};
    char path[PATH_MAX];
    struct mark mark = {.sum = 0xcbf29ce484222325ULL};
    struct stat st;

    if (repo->url.scheme != GIT_FILE ||
        snprintf(path, sizeof(path), "%.*s", STR(repo->url.path)) >= (int)sizeof(path))
        return 0;
    auto_fd int top = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (top < 0)
        return 0;
    auto_fd int inner = openat(top, ".git", O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    int dir = inner >= 0 ? inner : top;
    for (size_t i = 0; i < COUNT(files); i++) {
        if (fstatat(dir, files[i], &st, AT_SYMLINK_NOFOLLOW) == 0)
            mark_stat(&mark, &st);
    }
    mark_dir(&mark, dir, "refs", 8);
    return mark.entries >= MARK_ENTRIES_MAX ? 0 : mark.sum;
}

/* ---- listing ---- */

const struct transport_ref *source_repo_ref(const struct source_repo *repo, str name)
{
    size_t low = 0;
    size_t high = repo->ref_count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = str_cmp(name, repo->refs[middle].name);
        if (order == 0)
            return &repo->refs[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

void source_repo_resolved(struct source_repo *repo, str ref, str commit)
{
    const str *before = map_get(repo->resolved, ref);

    if (before != NULL && str_eq(*before, commit))
        return;
    str *kept = arena_new0(repo->resolved_arena, str);
    *kept = arena_str(repo->resolved_arena, commit);
    map_set(repo->resolved, ref, kept);
}

/* Did a ref that was given out move? Also forgets what it was, so that it is told once. */
static bool has_moved(struct source_repo *repo)
{
    struct arena *fresh = arena_new(LIMIT_FILE_BYTES);
    bool moved = false;

    for (struct map_iter it = map_iter(repo->resolved); map_next(&it);) {
        const struct transport_ref *ref = source_repo_ref(repo, it.key);
        const str *before = it.value;
        str now = ref == NULL ? STR_EMPTY : ref->commit;
        if (!str_eq(*before, now))
            moved = true;
        str *kept = arena_new0(fresh, str);
        *kept = arena_str(fresh, now);
        map_set(repo->resolved, it.key, kept);
    }
    arena_free(repo->resolved_arena);
    repo->resolved_arena = fresh;
    return moved;
}

static void take_refs(struct source_repo *repo, const struct transport_result *result)
{
    struct arena *arena = arena_new(LIMIT_GIT_OUTPUT * 4);
    struct transport_ref *refs = arena_array(arena, result->ref_count + 1, struct transport_ref);

    for (size_t i = 0; i < result->ref_count; i++)
        refs[i] = (struct transport_ref){arena_str(arena, result->refs[i].name),
                                         arena_str(arena, result->refs[i].commit),
                                         arena_str(arena, result->refs[i].symref)};
    arena_free(repo->refs_arena);
    repo->refs_arena = arena;
    repo->refs = refs;
    repo->ref_count = result->ref_count;
}

static void on_listed(void *owner, const struct transport_result *result, const struct err *err)
{
    struct source_repo *repo = owner;
    bool news;

    repo->list_job = NULL;
    repo->source->running--;
    loop_task_post(repo->source->kick);
    if (result != NULL) {
        take_refs(repo, result);
        if (!repo->is_file)
            source_repo_moved(repo, result->moved_to);
        repo->listed_ms = repo->list_began_ms;
        news = has_moved(repo) || repo->has_failed;
        repo->has_failed = false;
    } else {
        news = !repo->has_failed || !str_eq(err_message(&repo->list_err), err_message(err));
        repo->has_failed = true;
        repo->failed_ms = repo->list_began_ms;
        repo->list_err = *err;
        repo->disk_mark = 0;
        repo->moved = repo->url; /* the redirect may be what is wrong */
    }
    source_repo_wake(repo, STATE_LIST);
    arm(repo);
    if (news)
        source_repo_tell(repo);
}

bool source_repo_list_start(struct source_repo *repo, struct err *err)
{
    struct transport_request request = {.op = TRANSPORT_LIST};
    struct transport_credential bare;
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);

    source_repo_aim(repo, &request, &bare);
    if (repo->is_file) {
        request.op = TRANSPORT_FILE;
        request.cache = source_repo_cache(repo, arena, repo->current);
        if (!cache_make_dir(request.cache.at, err))
            return false;
    }
    repo->list_began_ms = clock_mono_ms();
    repo->disk_mark = disk_mark(repo);
    return transport_start(repo->source->loop, &repo->source->transport, &request, on_listed, repo,
                           &repo->list_job, err);
}

static void on_timer(void *owner)
{
    struct source_repo *repo = owner;

    if (repo->list_job != NULL)
        return; /* its end arms the timer */
    if (repo->disk_mark != 0 && repo->disk_mark == disk_mark(repo)) {
        repo->listed_ms = clock_mono_ms();
        arm(repo);
        return;
    }
    source_repo_list_wanted(repo);
}

void source_repo_list_wanted(struct source_repo *repo)
{
    repo->list_wanted = true;
    loop_task_post(repo->source->kick);
}

/* Does anybody want a listing that has not begun yet? */
bool source_repo_listing_is_wanted(const struct source_repo *repo)
{
    if (repo->list_wanted)
        return true;
    for (const struct source_wait *w = repo->waits; w != NULL; w = w->next) {
        if (w->state == STATE_LIST && !w->has_failed && w->needs_ms > repo->listed_ms &&
            !source_repo_failure_holds(repo, w->needs_ms))
            return true;
    }
    return false;
}

/* A listing that failed is an answer too, for a while. */
bool source_repo_failure_holds(const struct source_repo *repo, int64_t needs_ms)
{
    return repo->has_failed && repo->failed_ms >= needs_ms;
}
