/* SPDX-License-Identifier: Apache-2.0 */
#include "io/process.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/secret.h"
#include "io/totals.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define GRACE_MS 2000
#define SAMPLE_MS 500
/* Read at a time from a child's output. */
#define CHUNK (64 * 1024)
/* Of the error output's last line, in our message. */
#define LAST_WORDS 400

/* A sanitizer reserves more address space than any limit of ours. */
#if defined(__SANITIZE_ADDRESS__)
#define UNDER_ASAN true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define UNDER_ASAN true
#endif
#endif
#ifndef UNDER_ASAN
#define UNDER_ASAN false
#endif

enum end {
    END_NONE,
    END_TIMEOUT,
    END_OUTPUT,
    END_REFUSED,
    END_MEMORY,
    END_FOLDER,
    END_CANCELLED,
};

struct process {
    struct loop *loop;
    char *name;
    pid_t pid;
    int pidfd;
    int in;
    int out;
    int err;
    enum end end; /* why we end it; the first reason stays */
    bool is_done;
    bool (*out_fn)(void *owner, str bytes);
    process_done_fn *done;
    void *owner;
    char *input; /* owned, wiped */
    size_t input_len;
    size_t input_at;
    struct buf out_bytes;
    struct buf err_bytes;
    int64_t began_ms;
    int64_t timeout_ms;
    struct loop_watch *pid_watch;
    struct loop_watch *in_watch;
    struct loop_watch *out_watch;
    struct loop_watch *err_watch;
    struct loop_timer *timer; /* the deadline, then the grace */
    struct loop_timer *sample;
    struct process_totals totals;
    char *folder; /* of the totals, owned */
    struct process *next;
};

/* The kernel's table of our children is one a process, and so is ours: it tells children from
 * adopted orphans. */
static struct process *children;

/* ---- the child, between vfork and exec: system calls alone ---- */

struct plan {
    const struct process_spec *spec;
    struct process_fd fds[PROCESS_FDS]; /* the spec's and the standard three */
    size_t fd_count;
    pid_t parent;
    volatile int failed; /* errno; the memory is shared until exec */
    const char *volatile step;
};

static _Noreturn void child_fail(struct plan *plan, const char *step)
{
    plan->failed = errno == 0 ? EINVAL : errno;
    plan->step = step;
    _exit(127);
}

static void child_limit(struct plan *plan, int what, int64_t value)
{
    struct rlimit limit;

    if (value == 0)
        return;
    limit.rlim_cur = limit.rlim_max = value < 0 ? 0 : (rlim_t)value;
    if (setrlimit((__rlimit_resource_t)what, &limit) != 0)
        child_fail(plan, "set its limits");
}

static void child_limits(struct plan *plan)
{
    const struct process_limits *limits = &plan->spec->limits;

    child_limit(plan, RLIMIT_CORE, -1);
    if (!UNDER_ASAN)
        child_limit(plan, RLIMIT_AS, limits->address_space);
    child_limit(plan, RLIMIT_CPU, limits->cpu_s);
    child_limit(plan, RLIMIT_FSIZE, limits->file_bytes);
    child_limit(plan, RLIMIT_NOFILE, limits->open_files);
    child_limit(plan, RLIMIT_NPROC, limits->processes);
}

/* First all out of the way of the fixed numbers, then each to its own; the rest is closed. */
static void child_descriptors(struct plan *plan)
{
    bool wanted[PROCESS_FDS] = {false};
    int high[PROCESS_FDS];

    for (size_t i = 0; i < plan->fd_count; i++) {
        high[i] = fcntl(plan->fds[i].fd, F_DUPFD_CLOEXEC, PROCESS_FDS);
        if (high[i] < 0)
            child_fail(plan, "move its descriptors");
    }
    for (size_t i = 0; i < plan->fd_count; i++) {
        if (dup2(high[i], plan->fds[i].as) < 0)
            child_fail(plan, "move its descriptors");
        wanted[plan->fds[i].as] = true;
    }
    for (int fd = 0; fd < PROCESS_FDS; fd++) {
        if (!wanted[fd])
            close(fd);
    }
    if (close_range(PROCESS_FDS, ~0U, 0) != 0)
        child_fail(plan, "close the other descriptors");
}

static void child_signals(struct plan *plan)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t none;

    for (int signal = 1; signal < NSIG; signal++)
        sigaction(signal, &action, NULL); /* some refuse: KILL, STOP, and the C library's own */
    sigemptyset(&none);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        child_fail(plan, "tie its life to ours");
    if (getppid() != plan->parent)
        _exit(127);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void child_run(struct plan *plan)
{
    static char *const no_env[] = {NULL};
    const struct process_spec *spec = plan->spec;
    char *const *env = spec->env == NULL ? no_env : (char *const *)spec->env;

    if (setpgid(0, 0) != 0)
        child_fail(plan, "lead a process group");
    if (chdir(spec->dir == NULL ? "/" : spec->dir) != 0)
        child_fail(plan, "enter its folder");
    child_descriptors(plan);
    child_limits(plan);
    child_signals(plan);
    execve(spec->program == NULL ? "/proc/self/exe" : spec->program, (char *const *)spec->argv,
           env);
    child_fail(plan, "execute it");
}

/* vfork: no copy of a large parent's page tables. All signals stay blocked until the child has put
 * its own in order, so none of our handlers runs in the shared memory. */
static pid_t spawn(struct plan *plan)
{
    sigset_t all;
    sigset_t before;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    pid_t pid = vfork();
    if (pid == 0)
        child_run(plan);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return pid;
}

/* ---- the parent ---- */

static void close_in(struct process *process)
{
    loop_watch_free(TAKE(process->in_watch));
    fd_close(&process->in);
    if (process->input != NULL) {
        secret_wipe(process->input, process->input_len);
        mem_free(TAKE(process->input));
    }
}

static void process_free(struct process *process)
{
    struct process **at = &children;

    close_in(process);
    loop_watch_free(process->out_watch);
    loop_watch_free(process->err_watch);
    loop_watch_free(process->pid_watch);
    loop_timer_free(process->timer);
    loop_timer_free(process->sample);
    mem_free(process->folder);
    fd_close(&process->out);
    fd_close(&process->err);
    fd_close(&process->pidfd);
    buf_done(&process->out_bytes);
    buf_done(&process->err_bytes);
    mem_free(process->name);
    while (*at != NULL && *at != process)
        at = &(*at)->next;
    if (*at != NULL)
        *at = process->next;
    mem_free(process);
}

/* The leader is ours until it is reaped, so its number cannot belong to anybody else. */
static void signal_group(struct process *process, int signal)
{
    if (kill(-process->pid, signal) != 0)
        kill(process->pid, signal);
}

static void end_child(struct process *process, enum end why)
{
    if (process->end != END_NONE) {
        if (why == END_CANCELLED)
            process->end = why;
        return;
    }
    process->end = why;
    signal_group(process, SIGTERM);
    loop_timer_start(process->timer, GRACE_MS);
}

static void on_timer(void *owner)
{
    struct process *process = owner;

    if (process->end == END_NONE)
        end_child(process, END_TIMEOUT);
    else
        signal_group(process, SIGKILL);
}

/* A hog gets no grace: in two seconds it would take as much again. */
static void on_sample(void *owner)
{
    struct process *process = owner;
    const struct process_totals *most = &process->totals;
    enum end why = END_NONE;

    if (most->memory > 0 && totals_group_memory(process->pid) > (int64_t)most->memory)
        why = END_MEMORY;
    else if (most->folder_bytes > 0 && totals_folder(process->folder) > (int64_t)most->folder_bytes)
        why = END_FOLDER;
    if (why == END_NONE) {
        loop_timer_start(process->sample, SAMPLE_MS);
        return;
    }
    end_child(process, why);
    signal_group(process, SIGKILL);
}

static void on_in(void *owner, UNUSED uint32_t events)
{
    struct process *process = owner;
    ssize_t wrote = write(process->in, process->input + process->input_at,
                          process->input_len - process->input_at);

    if (wrote < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (wrote > 0)
        process->input_at += (size_t)wrote;
    /* A child that stopped reading has all that it wants. */
    if (wrote < 0 || process->input_at == process->input_len)
        close_in(process);
}

/* One piece of standard output or error; false at the end of it, or when there is nothing now. */
static bool read_piece(struct process *process, int fd, bool is_err, bool *ret_ended)
{
    char piece[CHUNK];
    ssize_t got = read(fd, piece, sizeof(piece));

    *ret_ended = got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
    if (got <= 0)
        return false;
    str bytes = str_of(piece, (size_t)got);
    if (is_err) {
        buf_add(&process->err_bytes,
                str_first(bytes, process->err_bytes.max - process->err_bytes.len));
        return true;
    }
    if (process->end != END_NONE)
        return true; /* nobody wants it any more */
    if (process->out_fn != NULL) {
        if (!process->out_fn(process->owner, bytes))
            end_child(process, END_REFUSED);
        return true;
    }
    buf_add(&process->out_bytes, bytes);
    if (buf_is_over(&process->out_bytes))
        end_child(process, END_OUTPUT);
    return true;
}

static void on_out(void *owner, UNUSED uint32_t events)
{
    struct process *process = owner;
    bool ended;

    if (!read_piece(process, process->out, /*is_err=*/false, &ended) && ended)
        loop_watch_free(TAKE(process->out_watch));
}

static void on_err(void *owner, UNUSED uint32_t events)
{
    struct process *process = owner;
    bool ended;

    if (!read_piece(process, process->err, /*is_err=*/true, &ended) && ended)
        loop_watch_free(TAKE(process->err_watch));
}

/* What the dead leader left in a pipe: at most a pipe's content, for others may still write. */
static void drain(struct process *process, int fd, bool is_err)
{
    bool ended;

    if (fd < 0)
        return;
    for (int pieces = 0; pieces < 32; pieces++) {
        if (!read_piece(process, fd, is_err, &ended))
            return;
    }
}

/* The last line of the error output that says something, in printable characters. */
static str last_words(struct process *process, char ret_text[LAST_WORDS])
{
    str text = str_trim(buf_str(&process->err_bytes));
    size_t newline = str_rfind_char(text, '\n');
    str line = str_trim(newline == SIZE_MAX ? text : str_from_index(text, newline + 1));
    size_t len = str_utf8_clip(line, LAST_WORDS);
    bool is_text = str_is_utf8(str_first(line, len));

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)line.at[i];
        bool is_odd = c < 0x20 || c == 0x7f || (c >= 0x80 && !is_text);

        ret_text[i] = is_odd ? '?' : (char)c;
    }
    return str_of(ret_text, len);
}

static void explain(struct process *process, struct process_result *result)
{
    char text[LAST_WORDS];
    str words = last_words(process, text);
    const char *glue = words.len > 0 ? ": " : "";

    if (process->end == END_TIMEOUT)
        err_set(&result->err, ERR_TIMEOUT, "%s took longer than %lld s and was ended",
                process->name, (long long)((process->timeout_ms + 999) / 1000));
    else if (process->end == END_OUTPUT)
        err_set(&result->err, ERR_LIMIT, "%s wrote more than %zu bytes and was ended",
                process->name, process->out_bytes.max);
    else if (process->end == END_MEMORY)
        err_set(&result->err, ERR_LIMIT, "%s needed more than %zu MiB of memory and was ended",
                process->name, process->totals.memory / LIMIT_MIB);
    else if (process->end == END_FOLDER)
        err_set(&result->err, ERR_LIMIT,
                "%s was ended because its folder grew beyond %zu MiB on the disk", process->name,
                process->totals.folder_bytes / LIMIT_MIB);
    else if (process->end == END_REFUSED)
        err_set(&result->err, ERR_LIMIT, "%s was ended because of what it wrote", process->name);
    else if (result->signal != 0)
        err_set(&result->err, ERR_UNAVAILABLE, "%s was ended by signal %d (%s)%s%.*s",
                process->name, result->signal, strsignal(result->signal), glue, STR(words));
    else
        err_set(&result->err, ERR_UNAVAILABLE, "%s ended with status %d%s%.*s", process->name,
                result->status, glue, STR(words));
}

static int64_t timeval_ms(struct timeval t)
{
    return (int64_t)t.tv_sec * 1000 + t.tv_usec / 1000;
}

static void on_exit_of_child(void *owner, UNUSED uint32_t events)
{
    struct process *process = owner;
    struct process_result result = {.ok = false};
    struct rusage usage = {0};
    siginfo_t info = {0};
    int status = 0;

    if (waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOWAIT | WNOHANG) != 0 ||
        info.si_pid != process->pid)
        return;
    /* The rest of the group goes while the leader's number is still held by its zombie. */
    kill(-process->pid, SIGKILL);
    drain(process, process->out, /*is_err=*/false);
    drain(process, process->err, /*is_err=*/true);
    pid_t reaped = wait4(process->pid, &status, 0, &usage);
    assert(reaped == process->pid);
    process->is_done = true;

    result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    result.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    result.ok = result.status == 0 && process->end == END_NONE;
    result.took_ms = clock_mono_ms() - process->began_ms;
    result.cpu_ms = timeval_ms(usage.ru_utime) + timeval_ms(usage.ru_stime);
    result.max_rss_kib = usage.ru_maxrss;
    result.out = buf_str(&process->out_bytes);
    result.err_out = buf_str(&process->err_bytes);
    if (!result.ok)
        explain(process, &result);
    if (process->end != END_CANCELLED)
        process->done(process->owner, &result);
    process_free(process);
}

/* ---- starting ---- */

static bool has_fd(const struct process_spec *spec, int as)
{
    for (size_t i = 0; i < spec->fd_count; i++) {
        if (spec->fds[i].as == as)
            return true;
    }
    return false;
}

static void plan_add(struct plan *plan, int fd, int as)
{
    assert(plan->fd_count < PROCESS_FDS && as >= 0 && as < PROCESS_FDS);
    plan->fds[plan->fd_count++] = (struct process_fd){fd, as};
}

/* A pipe between us and the child's standard descriptor `as`; without `wanted`, /dev/null. */
static bool plan_standard(struct plan *plan, int as, bool wanted, int null, int *ret_ours,
                          int *ret_theirs, struct err *err)
{
    int ends[2];

    if (has_fd(plan->spec, as))
        return true;
    if (!wanted) {
        plan_add(plan, null, as);
        return true;
    }
    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_set(err, ERR_IO, "no pipe for %s: %s", plan->spec->name, strerror(errno));
    *ret_ours = ends[as == 0 ? 1 : 0];
    *ret_theirs = ends[as == 0 ? 0 : 1];
    fcntl(*ret_ours, F_SETFL, O_NONBLOCK);
    plan_add(plan, *ret_theirs, as);
    return true;
}

static void arm(struct process *process, const struct process_spec *spec)
{
    struct loop *loop = process->loop;

    process->pid_watch =
            loop_watch_new(loop, "process end", process->pidfd, EPOLLIN, on_exit_of_child, process);
    if (process->in >= 0) {
        process->input_len = spec->input.len;
        process->input = mem_new(spec->input.len, 1);
        memcpy(process->input, spec->input.at, spec->input.len);
        process->in_watch =
                loop_watch_new(loop, "process input", process->in, EPOLLOUT, on_in, process);
    }
    if (process->out >= 0)
        process->out_watch =
                loop_watch_new(loop, "process output", process->out, EPOLLIN, on_out, process);
    if (process->err >= 0)
        process->err_watch =
                loop_watch_new(loop, "process errors", process->err, EPOLLIN, on_err, process);
    process->timer = loop_timer_new(loop, "process deadline", on_timer, process);
    if (spec->timeout_ms > 0)
        loop_timer_start(process->timer, spec->timeout_ms);
    process->totals = spec->totals;
    if (spec->totals.memory == 0 && spec->totals.folder_bytes == 0)
        return;
    process->folder = mem_dup_z(str_from(spec->totals.folder));
    process->sample = loop_timer_new(loop, "process totals", on_sample, process);
    loop_timer_start(process->sample, SAMPLE_MS);
}

static bool launch(struct process *process, struct plan *plan, struct err *err)
{
    const struct process_spec *spec = plan->spec;

    process->pid = spawn(plan);
    if (process->pid < 0)
        return err_set(err, ERR_IO, "%s could not be started: %s", spec->name, strerror(errno));
    if (plan->failed != 0) {
        waitpid(process->pid, NULL, 0);
        return err_set(err, ERR_IO, "%s could not be started: cannot %s: %s", spec->name,
                       plan->step, strerror(plan->failed));
    }
    process->pidfd = (int)syscall(SYS_pidfd_open, process->pid, 0);
    if (process->pidfd < 0) {
        int why = errno;

        kill(-process->pid, SIGKILL);
        waitpid(process->pid, NULL, 0);
        return err_set(err, ERR_IO, "%s cannot be watched: %s", spec->name, strerror(why));
    }
    return true;
}

bool process_start(struct loop *loop, const struct process_spec *spec, process_done_fn *done,
                   void *owner, struct process **ret_process, struct err *err)
{
    struct plan plan = {.spec = spec, .parent = getpid()};
    struct process *process = new0(struct process);
    auto_fd int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    auto_fd int child_in = -1;
    auto_fd int child_out = -1;
    auto_fd int child_err = -1;

    *process = (struct process){.loop = loop, .pidfd = -1, .in = -1, .out = -1, .err = -1};
    process->name = mem_dup_z(str_from(spec->name));
    process->out_fn = spec->out;
    process->done = done;
    process->owner = owner;
    process->timeout_ms = spec->timeout_ms;
    process->began_ms = clock_mono_ms();
    buf_init(&process->out_bytes, spec->out_max);
    buf_init(&process->err_bytes, spec->err_max);
    for (size_t i = 0; i < spec->fd_count; i++)
        plan_add(&plan, spec->fds[i].fd, spec->fds[i].as);
    bool started =
            plan_standard(&plan, 0, spec->input.len > 0, null, &process->in, &child_in, err) &&
            plan_standard(&plan, 1, spec->out_max > 0 || spec->out != NULL, null, &process->out,
                          &child_out, err) &&
            plan_standard(&plan, 2, spec->err_max > 0, null, &process->err, &child_err, err) &&
            launch(process, &plan, err);
    if (!started) {
        process_free(process);
        return false;
    }
    arm(process, spec);
    process->next = children;
    children = process;
    *ret_process = process;
    return true;
}

void process_cancel(struct process *process)
{
    if (process == NULL || process->is_done)
        return;
    end_child(process, END_CANCELLED);
}

int process_pid(const struct process *process)
{
    return process->pid;
}

size_t process_count(void)
{
    size_t count = 0;

    for (const struct process *at = children; at != NULL; at = at->next)
        count++;
    return count;
}

/* ---- orphans ---- */

static bool is_ours(pid_t pid)
{
    for (const struct process *at = children; at != NULL; at = at->next) {
        if (at->pid == pid)
            return true;
    }
    return false;
}

static void reap_orphans(UNUSED void *owner)
{
    char text[LIMIT_PROCESS_CHILDREN_BYTES];
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t got = read(fd, text, sizeof(text));
    str rest = str_of(text, got < 0 ? 0 : (size_t)got);
    str word;
    uint64_t pid;
    while (str_split(&rest, ' ', &word)) {
        if (str_to_u64(word, &pid) && !is_ours((pid_t)pid))
            waitpid((pid_t)pid, NULL, WNOHANG);
    }
}

struct loop_watch *process_adopt_orphans(struct loop *loop)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    return loop_signal_new(loop, SIGCHLD, reap_orphans, NULL);
}
