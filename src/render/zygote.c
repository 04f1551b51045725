/* SPDX-License-Identifier: Apache-2.0 */
#include "render/zygote.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { JOBS_MAX = 64, SOCKET_AT = 3 };

struct zygote {
    int socket;
    int signals;
    zygote_worker_fn *worker;
    struct {
        pid_t pid;
        uint64_t job;
    } jobs[JOBS_MAX];
};

bool zygote_send(int socket, const struct zygote_message *message, const int *fds, size_t count)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int) * ZYGOTE_FDS_MAX)];
        struct cmsghdr align;
    } control = {0};
    struct iovec part = {.iov_base = (void *)(uintptr_t)message, .iov_len = sizeof(*message)};
    struct msghdr head = {.msg_iov = &part, .msg_iovlen = 1};
    ssize_t sent;

    if (count > 0) {
        head.msg_control = control.bytes;
        head.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        struct cmsghdr *c = CMSG_FIRSTHDR(&head);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(c), fds, sizeof(int) * count);
    }
    do {
        sent = sendmsg(socket, &head, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)sizeof(*message);
}

static void take_fds(struct msghdr *head, int fds[ZYGOTE_FDS_MAX], size_t *ret_count)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(head); c != NULL; c = CMSG_NXTHDR(head, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
            if (*ret_count < ZYGOTE_FDS_MAX)
                fds[(*ret_count)++] = fd;
            else
                close(fd);
        }
    }
}

int zygote_receive(int socket, struct zygote_message *ret_message, int fds[ZYGOTE_FDS_MAX],
                   size_t *ret_count)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int) * ZYGOTE_FDS_MAX)];
        struct cmsghdr align;
    } control;
    struct iovec part = {.iov_base = ret_message, .iov_len = sizeof(*ret_message)};
    struct msghdr head = {.msg_iov = &part,
                          .msg_iovlen = 1,
                          .msg_control = control.bytes,
                          .msg_controllen = sizeof(control.bytes)};
    ssize_t got;

    *ret_count = 0;
    do {
        got = recvmsg(socket, &head, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return errno == EAGAIN ? -1 : 0;
    take_fds(&head, fds, ret_count);
    return got == (ssize_t)sizeof(*ret_message) ? 1 : 0;
}

/* The child: descriptors at fixed numbers, nothing else open, no signal handled. */
static _Noreturn void child(struct zygote *z, int *fds, size_t count)
{
    sigset_t none;
    int moved[ZYGOTE_FDS_MAX];

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* When memory is short, this process goes first, not the server. */
    int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (score >= 0) {
        if (write(score, "1000", 4) < 0)
            errno = 0; /* then the kernel chooses by itself */
        close(score);
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    /* First beyond all that may be in the way, then down. */
    for (size_t i = 0; i < count; i++)
        moved[i] = fcntl(fds[i], F_DUPFD, SOCKET_AT + ZYGOTE_FDS_MAX + 8);
    for (size_t i = 0; i < count; i++) {
        if (moved[i] < 0 || dup2(moved[i], SOCKET_AT + (int)i) < 0)
            _exit(EXIT_FAILURE);
        moved[i] = SOCKET_AT + (int)i;
    }
    syscall(SYS_close_range, (unsigned)(SOCKET_AT + count), ~0U, 0);
    _exit(z->worker(moved[0], moved + 1, count - 1));
}

static void job_start(struct zygote *z, uint64_t job, int *fds, size_t count)
{
    struct zygote_message answer = {.job = job, .event = ZYGOTE_FAILED, .status = EAGAIN};
    size_t slot = 0;

    while (slot < JOBS_MAX && z->jobs[slot].pid != 0)
        slot++;
    pid_t pid = slot == JOBS_MAX || count == 0 ? -1 : fork();
    if (pid == 0)
        child(z, fds, count);
    if (pid < 0) {
        answer.status = slot == JOBS_MAX ? EAGAIN : errno;
        zygote_send(z->socket, &answer, NULL, 0);
        return;
    }
    z->jobs[slot].pid = pid;
    z->jobs[slot].job = job;

    auto_fd int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    answer.event = ZYGOTE_STARTED;
    answer.status = 0;
    zygote_send(z->socket, &answer, &pidfd, pidfd < 0 ? 0 : 1);
}

static void reap(struct zygote *z)
{
    struct signalfd_siginfo info;
    int status;

    while (read(z->signals, &info, sizeof(info)) > 0)
        continue;
    for (pid_t pid = waitpid(-1, &status, WNOHANG); pid > 0; pid = waitpid(-1, &status, WNOHANG)) {
        for (size_t i = 0; i < JOBS_MAX; i++) {
            if (z->jobs[i].pid != pid)
                continue;
            struct zygote_message ended = {z->jobs[i].job, ZYGOTE_ENDED, status};
            z->jobs[i].pid = 0;
            zygote_send(z->socket, &ended, NULL, 0);
        }
    }
}

static void setup(struct zygote *z, int socket)
{
    sigset_t mask;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, "taut-render");
    for (int number = 1; number < SIGRTMIN; number++)
        signal(number, SIG_DFL); /* no handler of the program that we were */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN); /* the terminal's ^C is control's to act on */
    if (dup2(socket, SOCKET_AT) < 0)
        _exit(EXIT_FAILURE);
    syscall(SYS_close_range, SOCKET_AT + 1, ~0U, 0);
    z->socket = SOCKET_AT;
    /* What a hostile process writes must not look like our log. TAUT_RENDER_STDERR keeps it, for
     * whoever hunts a crash. */
    auto_fd int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nothing < 0)
        _exit(EXIT_FAILURE);
    dup2(nothing, STDIN_FILENO);
    dup2(nothing, STDOUT_FILENO);
    if (getenv("TAUT_RENDER_STDERR") == NULL)
        dup2(nothing, STDERR_FILENO);
    fcntl(z->socket, F_SETFD, FD_CLOEXEC);

    sigfillset(&mask);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    z->signals = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
    if (z->signals < 0)
        _exit(EXIT_FAILURE);
}

_Noreturn void zygote_main(int socket, void (*prepare)(void), zygote_worker_fn *worker)
{
    static struct zygote z;

    z.worker = worker;
    setup(&z, socket);
    prepare();
    for (;;) {
        struct pollfd polled[2] = {{.fd = z.socket, .events = POLLIN},
                                   {.fd = z.signals, .events = POLLIN}};
        if (poll(polled, COUNT(polled), -1) < 0 && errno != EINTR)
            _exit(EXIT_FAILURE);
        if (polled[1].revents != 0)
            reap(&z);
        if (polled[0].revents == 0)
            continue;

        struct zygote_message message;
        int fds[ZYGOTE_FDS_MAX];
        size_t count;
        int got = zygote_receive(z.socket, &message, fds, &count);
        if (got == 0)
            _exit(EXIT_SUCCESS); /* control is gone; the children die with us */
        if (got > 0)
            job_start(&z, message.job, fds, count);
        for (size_t i = 0; i < count; i++)
            close(fds[i]);
    }
}
