/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * worker: one render in a process of its own, confined before it reads anything of a repository.
 *
 * Runs: forked from the zygote. It sees the caches that its request names, by descriptor, and the
 *       socket on which it answers; nothing else of the machine.
 */
#include "git/tree.h"
#include "render/render.h"

/* Once in the zygote, so that no render waits for it: libraries load what they load at start. */
void worker_prepare(void);

/* Reads the request from `socket`, answers, returns the exit code: 0 also for a failed render. */
int worker_main(int socket, const int *caches, size_t count);

/* The render itself, over trees that are open: entry i belongs to request->sources[i]. Also for
 * the command line, which renders a directory in its own process. */
struct tree_set;
MUST_USE bool worker_render(const struct tree_set *trees, const struct render_request *request,
                            struct render_result **ret_result, struct err *err);
