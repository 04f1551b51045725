/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * zygote: the process that render processes are forked from. It was forked from control before any
 * secret was loaded, holds nothing but its socket, and never sees a byte of any repository.
 *
 * Protocol over a SOCK_SEQPACKET pair: control sends a job's number with its descriptors (the job's
 * socket first, then the caches); the zygote answers STARTED with a pidfd, then ENDED with the wait
 * status, or FAILED with an errno.
 */
#include "base/limits.h"
#include "base/macros.h"

enum zygote_event { ZYGOTE_STARTED = 1, ZYGOTE_ENDED = 2, ZYGOTE_FAILED = 3 };

struct zygote_message {
    uint64_t job;
    uint32_t event;
    int32_t status; /* wait status, or errno */
};

enum { ZYGOTE_FDS_MAX = 1 + LIMIT_RENDER_SOURCES };

/* One message with up to ZYGOTE_FDS_MAX descriptors; the sender keeps its own. */
bool zygote_send(int socket, const struct zygote_message *message, const int *fds, size_t count);
/* 1 = a message, 0 = the other side is gone, -1 = nothing now. The receiver owns the descriptors
 * (O_CLOEXEC). */
int zygote_receive(int socket, struct zygote_message *ret_message, int fds[ZYGOTE_FDS_MAX],
                   size_t *ret_count);

/* Never returns. prepare() runs once; worker(socket, caches, count) runs in each child and gives
 * its exit code. */
typedef int zygote_worker_fn(int socket, const int *caches, size_t count);
_Noreturn void zygote_main(int socket, void (*prepare)(void), zygote_worker_fn *worker);
