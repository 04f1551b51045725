/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pool: control's side of rendering. Jobs wait in a queue, run each in a process of its own, and
 * end in one call of `done`, whatever the process does.
 *
 * A job is QUEUED, then RUNNING (asked of the zygote), then ENDED. It answers when a whole frame
 * arrived, or when its process is gone, or when its time is up; it leaves the pool, and gives its
 * place to the next, when its process is gone.
 */
#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "io/process.h"
#include "render/message.h"
#include "render/worker.h"
#include "render/zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { JOBS_DEFAULT = 2, JOBS_MOST = 32 };

struct render_job {
    struct render_pool *pool;
    struct render_job *next;
    uint64_t number;
    bool is_running; /* handed to the zygote */
    bool has_ended;  /* its process is gone */
    bool is_told;    /* done ran, or nobody wants it any more */
    bool is_killed;
    int wait_status;

    struct arena *arena; /* the request's copy */
    struct message_request request;
    const char **caches;
    size_t cache_count;
    render_done_fn *done;
    render_changes_fn *changes_done;
    render_paths_fn *paths_done;
    void *owner;

    struct buf out; /* the request's bytes still to be sent */
    struct buf in;
    int socket;
    int pidfd;
    struct loop_watch *watch;
    struct loop_timer *timer;
};

struct render_pool {
    struct loop *loop;
    struct loop_task *task; /* starts queued jobs, frees ended ones */
    struct loop_watch *watch;
    int socket;              /* to the zygote, -1 = gone */
    pid_t zygote;            /* the first, forked; 0 = gone */
    struct process *started; /* a later one, started anew */
    int64_t started_ms;
    size_t max_jobs;
    size_t running;
    uint64_t last_number;
    struct render_job *jobs; /* in order of arrival */
};

/* ---- jobs ---- */

static void job_quiet(struct render_job *job)
{
    loop_watch_free(job->watch);
    loop_timer_free(job->timer);
    job->watch = NULL;
    job->timer = NULL;
    fd_close(&job->socket);
}

static void job_free(struct render_job *job)
{
    job_quiet(job);
    fd_close(&job->pidfd);
    buf_done(&job->out);
    buf_done(&job->in);
    arena_free(job->arena);
    mem_free(job);
}

static void job_kill(struct render_job *job)
{
    job->is_killed = true;
    if (job->pidfd >= 0)
        syscall(SYS_pidfd_send_signal, job->pidfd, SIGKILL, NULL, 0);
}

static void job_fail(struct render_job *job, const struct err *err)
{
    if (job->is_told)
        return;
    job->is_told = true;
    job_quiet(job);
    loop_task_post(job->pool->task);
    if (job->changes_done != NULL)
        job->changes_done(job->owner, NULL, err);
    else if (job->paths_done != NULL)
        job->paths_done(job->owner, NULL, err);
    else
        job->done(job->owner, NULL, err);
}

static void tell_changes(struct render_job *job, str body)
{
    auto_arena struct arena *arena = arena_new(LIMIT_RENDER_ARENA);
    struct render_changes changes = {0};
    struct err err;

    if (message_get_changes(body, arena, &changes, &err))
        job->changes_done(job->owner, &changes, NULL);
    else
        job->changes_done(job->owner, NULL, &err);
}

static void tell_paths(struct render_job *job, str body)
{
    auto_arena struct arena *arena = arena_new(LIMIT_RENDER_ARENA);
    struct render_paths paths;
    struct err err;

    if (message_get_paths(body, arena, &paths, &err))
        job->paths_done(job->owner, &paths, NULL);
    else
        job->paths_done(job->owner, NULL, &err);
}

static void job_answer(struct render_job *job, str body)
{
    struct render_result *result = NULL;
    struct err err;

    if (job->is_told)
        return;
    job->is_told = true;
    loop_watch_free(job->watch);
    job->watch = NULL;
    loop_task_post(job->pool->task);
    if (job->changes_done != NULL) {
        tell_changes(job, body);
        return;
    }
    if (job->paths_done != NULL) {
        tell_paths(job, body);
        return;
    }
    if (message_get_result(body, &job->request.render, &result, &err))
        job->done(job->owner, result, NULL);
    else
        job->done(job->owner, NULL, &err);
    render_result_unref(result);
}

static void fail_by_status(struct render_job *job)
{
    struct err err;
    int signal = WIFSIGNALED(job->wait_status) ? WTERMSIG(job->wait_status) : 0;

    if (signal == SIGSYS)
        err_set(&err, ERR_INTERNAL,
                "the render process asked the system for something that it "
                "must not do, and was stopped");
    else if (signal == SIGXCPU)
        err_set(&err, ERR_TIMEOUT, "rendering took too much processor time and was stopped");
    else if (signal == SIGKILL)
        err_set(&err, ERR_LIMIT, "the render process was killed, most likely for want of memory");
    else if (signal == SIGABRT)
        err_set(&err, ERR_LIMIT,
                "the render process gave up: it needed more than %zu MiB of memory",
                LIMIT_RENDER_MEMORY / LIMIT_MIB);
    else if (signal != 0)
        err_set(&err, ERR_INTERNAL, "the render process crashed (signal %d)", signal);
    else
        err_set(&err, ERR_INTERNAL, "the render process ended without an answer");
    job_fail(job, &err);
}

static void job_too_long(struct render_job *job)
{
    struct err err;

    job_kill(job);
    err_set(&err, ERR_LIMIT, "the rendered objects are more than %zu MiB",
            LIMIT_RENDER_ANSWER / LIMIT_MIB);
    job_fail(job, &err);
}

/* The end of the stream. What happened is known when the process is gone. */
static void job_read_end(struct render_job *job)
{
    loop_watch_free(job->watch);
    job->watch = NULL;
    if (job->has_ended)
        fail_by_status(job);
}

static void job_read(struct render_job *job)
{
    bool bad = false;
    str body;

    for (int turns = 0; turns < 16; turns++) { /* a share of a turn, not all of it */
        char *at = buf_reserve(&job->in, 256 * LIMIT_KIB);
        if (at == NULL) {
            job_too_long(job);
            return;
        }
        ssize_t got = read(job->socket, at, 256 * LIMIT_KIB);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0) {
            job_read_end(job);
            return;
        }
        job->in.len += (size_t)got;
        if (wire_frame(buf_str(&job->in), LIMIT_RENDER_ANSWER, &body, &bad)) {
            job_answer(job, body);
            return;
        }
        if (bad) {
            job_too_long(job);
            return;
        }
    }
}

static void job_write(struct render_job *job)
{
    while (job->out.len > 0) {
        ssize_t sent = send(job->socket, job->out.at, job->out.len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno == EAGAIN)
            return;
        if (sent <= 0)
            break; /* the process is gone: reading finds out */
        buf_drop_front(&job->out, (size_t)sent);
    }
    loop_watch_set(job->watch, EPOLLIN);
}

static void on_job(void *owner, uint32_t events)
{
    struct render_job *job = owner;

    if (events & EPOLLOUT)
        job_write(job);
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        job_read(job);
}

static void on_timeout(void *owner)
{
    struct render_job *job = owner;
    int64_t ms = job->request.render.timeout_ms;
    struct err err;

    job_kill(job);
    if (ms < 1000)
        err_set(&err, ERR_TIMEOUT, "rendering took longer than %lld ms and was stopped",
                (long long)ms);
    else
        err_set(&err, ERR_TIMEOUT, "rendering took longer than %lld s and was stopped",
                (long long)(ms / 1000));
    job_fail(job, &err);
}

/* Opens what the process may read; the descriptors are the caller's to close. */
static bool open_caches(const struct render_job *job, int *fds, size_t *ret_count, struct err *err)
{
    for (size_t i = 0; i < job->cache_count; i++) {
        int fd = open(job->caches[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
            return err_set(err, ERR_IO, "the Git cache cannot be opened: %s", strerror(errno));
        fds[(*ret_count)++] = fd;
    }
    return true;
}

static bool zygote_restart(struct render_pool *pool, struct err *err);

static bool job_start(struct render_job *job, struct err *err)
{
    struct render_pool *pool = job->pool;
    struct zygote_message message = {.job = job->number, .event = ZYGOTE_STARTED};
    auto_buf struct buf body = {0};
    int fds[ZYGOTE_FDS_MAX];
    size_t count = 0;
    int pair[2];

    buf_init(&body, LIMIT_RENDER_REQUEST);
    message_put_request(&body, &job->request);
    if (!buf_check(&body, "the settings of a source", err))
        return false;
    if (pool->socket < 0 && !zygote_restart(pool, err))
        return false;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return err_set(err, ERR_IO, "a render process cannot be started: %s", strerror(errno));

    fds[count++] = pair[1];
    bool ok = open_caches(job, fds, &count, err);
    if (ok && !zygote_send(pool->socket, &message, fds, count))
        ok = err_set(err, ERR_UNAVAILABLE, "a render process cannot be started: %s",
                     strerror(errno));
    for (size_t i = 0; i < count; i++)
        close(fds[i]);
    if (!ok) {
        close(pair[0]);
        return false;
    }

    job->socket = pair[0];
    fcntl(job->socket, F_SETFL, O_NONBLOCK);
    buf_init(&job->out, LIMIT_RENDER_REQUEST + WIRE_HEAD);
    buf_init(&job->in, LIMIT_RENDER_ANSWER + LIMIT_MIB);
    wire_put_frame(&job->out, buf_str(&body));
    job->watch = loop_watch_new(pool->loop, "render answer", job->socket, EPOLLIN | EPOLLOUT,
                                on_job, job);
    job->timer = loop_timer_new(pool->loop, "render time-out", on_timeout, job);
    loop_timer_start(job->timer, job->request.render.timeout_ms);
    return true;
}

/* ---- the pool ---- */

static void on_turn(void *owner)
{
    struct render_pool *pool = owner;
    struct err err;

    for (struct render_job *job = pool->jobs; job != NULL; job = job->next) {
        if (job->is_running || job->is_told || pool->running >= pool->max_jobs)
            continue;
        job->is_running = true;
        pool->running++;
        if (!job_start(job, &err)) {
            job->has_ended = true;
            pool->running--;
            job_fail(job, &err);
        }
    }
    for (struct render_job **at = &pool->jobs; *at != NULL;) {
        struct render_job *job = *at;
        if (job->is_told && (job->has_ended || !job->is_running)) {
            *at = job->next;
            job_free(job);
        } else {
            at = &job->next;
        }
    }
}

static void job_ended(struct render_job *job, int status)
{
    job->has_ended = true;
    job->wait_status = status;
    job->pool->running--;
    fd_close(&job->pidfd);
    loop_task_post(job->pool->task);
    /* What it wrote before it ended may still lie in the socket. */
    if (!job->is_told && job->watch == NULL)
        fail_by_status(job);
    else if (!job->is_told)
        job_read(job);
}

static struct render_job *job_by_number(struct render_pool *pool, uint64_t number)
{
    struct render_job *job = pool->jobs;

    while (job != NULL && (job->number != number || !job->is_running))
        job = job->next;
    return job;
}

static void zygote_gone(struct render_pool *pool)
{
    loop_watch_free(pool->watch);
    pool->watch = NULL;
    fd_close(&pool->socket);
    if (pool->zygote > 0) {
        waitpid(pool->zygote, NULL, 0);
        pool->zygote = 0;
    }
    for (struct render_job *job = pool->jobs; job != NULL; job = job->next) {
        if (job->is_running && !job->has_ended)
            job_ended(job, SIGKILL);
    }
    loop_task_post(pool->task);
}

static void on_zygote(void *owner, uint32_t events)
{
    struct render_pool *pool = owner;
    struct zygote_message message;
    int fds[ZYGOTE_FDS_MAX];
    size_t count;
    int got;

    (void)events;
    while ((got = zygote_receive(pool->socket, &message, fds, &count)) > 0) {
        struct render_job *job = job_by_number(pool, message.job);
        if (job != NULL && message.event == ZYGOTE_STARTED && count == 1 && job->pidfd < 0) {
            job->pidfd = fds[0];
            count = 0;
            if (job->is_killed)
                job_kill(job);
        }
        for (size_t i = 0; i < count; i++)
            close(fds[i]);
        if (job != NULL && message.event != ZYGOTE_STARTED && !job->has_ended)
            job_ended(job, message.event == ZYGOTE_ENDED ? message.status : SIGKILL);
    }
    if (got == 0)
        zygote_gone(pool);
}

static void pool_listen(struct render_pool *pool, int socket)
{
    pool->socket = socket;
    pool->watch =
            loop_watch_new(pool->loop, "render zygote", pool->socket, EPOLLIN, on_zygote, pool);
}

static void on_restarted_end(void *owner, const struct process_result *result)
{
    struct render_pool *pool = owner;

    (void)result; /* its socket says that it is gone */
    pool->started = NULL;
}

/* A zygote that was killed is started anew as a program of its own (the render role), for a fork
 * of this process would carry its secrets. At most one a second. */
static bool zygote_restart(struct render_pool *pool, struct err *err)
{
    static const char *const argv[] = {"taut-render", NULL};
    static const char *const env[] = {"TAUT_ROLE=render", "PATH=/usr/bin:/bin", NULL};
    int pair[2];

    if (pool->started != NULL || clock_mono_ms() - pool->started_ms < 1000)
        return err_set(err, ERR_UNAVAILABLE,
                       "the process that starts renders has ended, and is "
                       "being started anew");
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return err_set(err, ERR_IO, "the process that starts renders: %s", strerror(errno));

    struct process_fd fds[] = {{.fd = pair[1], .as = 3}};
    struct process_spec spec = {
            .name = "render zygote", .argv = argv, .env = env, .fds = fds, .fd_count = COUNT(fds)};
    pool->started_ms = clock_mono_ms();
    bool ok = process_start(pool->loop, &spec, on_restarted_end, pool, &pool->started, err);
    close(pair[1]);
    if (!ok) {
        close(pair[0]);
        return false;
    }
    pool_listen(pool, pair[0]);
    return true;
}

int render_zygote_main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    zygote_main(3, worker_prepare, worker_main);
}

struct render_pool *render_pool_new(struct loop *loop, const struct render_pool_options *options,
                                    struct err *err)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        err_set(err, ERR_IO, "the process that starts renders: %s", strerror(errno));
        return NULL;
    }
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        zygote_main(pair[1], worker_prepare, worker_main);
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        err_set(err, ERR_IO, "the process that starts renders: %s", strerror(errno));
        return NULL;
    }

    struct render_pool *pool = new0(struct render_pool);
    pool->loop = loop;
    pool->zygote = pid;
    pool->max_jobs = options == NULL || options->max_jobs == 0 ? JOBS_DEFAULT : options->max_jobs;
    pool->max_jobs = MIN(pool->max_jobs, (size_t)JOBS_MOST);
    pool->task = loop_task_new(loop, "render queue", on_turn, pool);
    pool_listen(pool, pair[0]);
    return pool;
}

void render_pool_free(struct render_pool *pool)
{
    if (pool == NULL)
        return;
    while (pool->jobs != NULL) {
        struct render_job *job = pool->jobs;
        pool->jobs = job->next;
        job_kill(job);
        job_free(job);
    }
    loop_task_free(pool->task);
    loop_watch_free(pool->watch);
    fd_close(&pool->socket); /* the zygote ends, and its children with it */
    process_cancel(pool->started);
    while (pool->zygote > 0 && waitpid(pool->zygote, NULL, 0) < 0 && errno == EINTR)
        continue;
    mem_free(pool);
}

/* ---- asking ---- */

static struct render_job *job_new(struct render_pool *pool, void *owner)
{
    struct render_job *job = new0(struct render_job);
    struct render_job **at = &pool->jobs;

    job->pool = pool;
    job->number = ++pool->last_number;
    job->owner = owner;
    job->socket = -1;
    job->pidfd = -1;
    job->arena = arena_new(LIMIT_RENDER_REQUEST * 4);
    while (*at != NULL)
        at = &(*at)->next;
    *at = job;
    loop_task_post(pool->task);
    return job;
}

struct render_job *render_start(struct render_pool *pool, const struct render_request *request,
                                render_done_fn *done, void *owner)
{
    struct render_job *job = job_new(pool, owner);
    struct render_request *copy = &job->request.render;
    size_t count = MIN(request->source_count, (size_t)LIMIT_RENDER_SOURCES);
    struct render_source *sources = arena_array(job->arena, count + 1, struct render_source);

    job->request.job = MESSAGE_RENDER;
    job->done = done;
    *copy = *request;
    job->caches = arena_array(job->arena, count + 1, const char *);
    for (size_t i = 0; i < count; i++) {
        const struct render_source *from = &request->sources[i];
        sources[i] = (struct render_source){
                .url = arena_str(job->arena, from->url),
                .revision = arena_str(job->arena, from->revision),
                .commit = arena_str(job->arena, from->commit),
                .is_dir = from->is_dir,
        };
        job->caches[i] = arena_z(job->arena, from->cache);
    }
    job->cache_count = count;
    copy->sources = sources;
    copy->source_count = count;
    copy->path = arena_str(job->arena, request->path);
    copy->source = request->source == NULL ? NULL : val_dup(job->arena, request->source);
    copy->application = arena_str(job->arena, request->application);
    copy->namespace_ = arena_str(job->arena, request->namespace_);
    copy->kube_version = arena_str(job->arena, request->kube_version);
    if (copy->timeout_ms <= 0 || copy->timeout_ms > LIMIT_RENDER_MS)
        copy->timeout_ms = LIMIT_RENDER_MS;
    return job;
}

/* A question about commits of one cache. */
static struct render_job *cache_job(struct render_pool *pool, str cache, enum message_job kind,
                                    str commit, void *owner)
{
    struct render_job *job = job_new(pool, owner);

    job->request.job = kind;
    job->caches = arena_array(job->arena, 1, const char *);
    job->caches[0] = arena_z(job->arena, cache);
    job->cache_count = 1;
    job->request.from_commit = arena_str(job->arena, commit);
    job->request.render.timeout_ms = LIMIT_RENDER_MS;
    return job;
}

struct render_job *render_changes_start(struct render_pool *pool, str cache, str from_commit,
                                        str to_commit, render_changes_fn *done, void *owner)
{
    struct render_job *job = cache_job(pool, cache, MESSAGE_CHANGES, from_commit, owner);

    job->changes_done = done;
    job->request.to_commit = arena_str(job->arena, to_commit);
    return job;
}

struct render_job *render_paths_start(struct render_pool *pool, str cache, str commit, str path,
                                      render_paths_fn *done, void *owner)
{
    struct render_job *job = cache_job(pool, cache, MESSAGE_PATHS, commit, owner);

    job->paths_done = done;
    job->request.render.path = arena_str(job->arena, path);
    return job;
}

void render_cancel(struct render_job *job)
{
    if (job == NULL || job->is_told)
        return;
    job->is_told = true;
    job_quiet(job);
    if (job->is_running && !job->has_ended)
        job_kill(job);
    loop_task_post(job->pool->task);
}
