/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Process: one child program with everything about it decided by its parent: arguments, the whole
 * environment, descriptors at fixed numbers, limits, a deadline. No shell is ever involved.
 *
 * Owner:  the process belongs to the loop from process_start to the end of the child; `done` runs
 *         exactly once, in a later turn, unless process_cancel came first. The result is borrowed.
 * Child:  leads a process group of its own and dies with this process (PR_SET_PDEATHSIG). Every
 *         descriptor that is not in `fds` is closed, signals are at their defaults. At its end the
 *         rest of its group is killed.
 * Bounds: the output maxima and the deadline of the spec. Ended by SIGTERM to the group, and two
 *         seconds later by SIGKILL.
 */
#include "io/loop.h"

struct process;

struct process_fd {
    int fd; /* borrowed: open until process_start returns */
    int as; /* number in the child, below PROCESS_FDS */
};
#define PROCESS_FDS 16

/* 0 = not set; -1 where 0 is meant. */
struct process_limits {
    int64_t address_space; /* bytes; left out in sanitizer builds */
    int64_t cpu_s;
    int64_t file_bytes; /* largest file it may write */
    int64_t open_files;
    int64_t processes; /* RLIMIT_NPROC counts the whole user: not for root */
};

/* Of the child and its group together, sampled twice a second; 0 = not set. Over it, all of them
 * are killed with ERR_LIMIT. */
struct process_totals {
    size_t memory;
    const char *folder; /* copied */
    size_t folder_bytes;
};

struct process_spec {
    const char *name;        /* for messages: "git fetch" */
    const char *program;     /* absolute path; NULL = this binary itself */
    const char *const *argv; /* argv[0] first, NULL last */
    const char *const *env;  /* "NAME=value", NULL last; NULL = empty */
    const char *dir;         /* working directory, NULL = "/" */
    const struct process_fd *fds;
    size_t fd_count;
    /* Standard input, output and error, unless `fds` names 0, 1 or 2: the input's bytes (copied,
     * and wiped after use), and what is collected up to the maxima. Going over out_max ends the
     * child with ERR_LIMIT; of the error output the first err_max bytes are kept. */
    str input;
    size_t out_max;     /* 0 = /dev/null */
    size_t err_max;     /* 0 = /dev/null */
    int64_t timeout_ms; /* 0 = none */
    struct process_limits limits;
    struct process_totals totals;
    /* Each piece of standard output instead of collecting it; false ends the child. */
    bool (*out)(void *owner, str bytes);
};

struct process_result {
    bool ok;    /* ended by itself with status 0, within all limits */
    int status; /* exit status, or -1 when a signal ended it */
    int signal; /* that signal, or 0 */
    struct err
            err; /* when not ok: ERR_TIMEOUT, ERR_LIMIT or ERR_UNAVAILABLE, with the last words */
    str out;
    str err_out;
    int64_t took_ms;
    int64_t cpu_ms;
    int64_t max_rss_kib;
};

typedef void process_done_fn(void *owner, const struct process_result *result);

/* False: nothing was started, and `done` will not run. */
MUST_USE bool process_start(struct loop *loop, const struct process_spec *spec,
                            process_done_fn *done, void *owner, struct process **ret_process,
                            struct err *err);
/* Ends the child; done does not run. The loop must turn on until the child is gone. NULL is fine.
 */
void process_cancel(struct process *process);
int process_pid(const struct process *process);
/* The children that still run, cancelled ones included; for an orderly end of the server. */
size_t process_count(void);
/* Makes this process the parent of orphaned descendants and reaps them, so that none outlives its
 * job unseen. From then on every child must be started here. Free the watch before the loop. */
struct loop_watch *process_adopt_orphans(struct loop *loop);
