/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Loop: one thread, one epoll, no locks. Everything asynchronous in Taut runs from here.
 *
 * Turn:   wait; tasks posted before this turn; descriptors; timers; then the hooks. What a callback
 *         arms (a task, a timer of 0 ms) runs in a later turn, so after the hooks of this one.
 * Owner:  whoever made a timer, watch, task or hook frees it; freeing is legal in any callback,
 *         also its own. Callbacks run from the loop, never inside the call that arms them.
 * Bounds: a callback that takes over 50 ms is logged with its name.
 * Runs:   in the thread that made it. loop_new ignores SIGPIPE for the process: a peer that went
 *         away is EPIPE, never a death.
 */
#include "base/err.h"

struct loop;
struct loop_timer;
struct loop_watch;
struct loop_task;
struct loop_hook;

typedef void loop_fn(void *owner);
typedef void loop_watch_fn(void *owner, uint32_t epoll_events);

struct loop *loop_new(void);
/* What still hangs on the loop (timers, watches …) must be freed before it. */
void loop_free(struct loop *loop);
AUTO_DEFINE(loop, loop_free)
#define auto_loop AUTO(loop)

void loop_run(struct loop *loop);  /* until loop_stop */
void loop_stop(struct loop *loop); /* legal from a signal watch and from any callback */
/* Runs turns until *done is true or the deadline passes; false = deadline. For tests and the CLI.
 */
bool loop_run_until(struct loop *loop, const bool *done, int64_t timeout_ms);
uint64_t loop_turns(const struct loop *loop); /* turns that ran at least one callback */

/* One-shot timer; `name` is a literal for the slow-callback log. Re-arm from its own callback for a
 * period. Monotonic clock. */
struct loop_timer *loop_timer_new(struct loop *loop, const char *name, loop_fn *fn, void *owner);
void loop_timer_start(struct loop_timer *timer, int64_t delay_ms); /* restarts when running */
void loop_timer_stop(struct loop_timer *timer);
bool loop_timer_is_running(const struct loop_timer *timer);
void loop_timer_free(struct loop_timer *timer); /* NULL is fine */

/* Watches a descriptor (borrowed) for EPOLLIN/EPOLLOUT/…, level-triggered. Free the watch before
 * the descriptor is closed. NULL is fine for loop_watch_free. */
struct loop_watch *loop_watch_new(struct loop *loop, const char *name, int fd, uint32_t events,
                                  loop_watch_fn *fn, void *owner);
void loop_watch_set(struct loop_watch *watch, uint32_t events); /* 0 = only errors and hang-up */
void loop_watch_free(struct loop_watch *watch);

/* Runs fn once in a later turn, after what is queued already. Idempotent while pending. */
struct loop_task *loop_task_new(struct loop *loop, const char *name, loop_fn *fn, void *owner);
void loop_task_post(struct loop_task *task);
void loop_task_cancel(struct loop_task *task);
bool loop_task_is_pending(const struct loop_task *task);
void loop_task_free(struct loop_task *task); /* NULL is fine */

/* Called at the end of each turn that ran a callback, before epoll_wait: the embedded stores commit
 * here, and what waited for the commit is let go (by posting tasks). NULL is fine for the free. */
struct loop_hook *loop_hook_new(struct loop *loop, loop_fn *fn, void *owner);
void loop_hook_free(struct loop_hook *hook);

/* SIGTERM, SIGINT and others through a signalfd. The signal is blocked from here on, also after the
 * watch is freed; children that io/process starts get an empty mask. */
struct loop_watch *loop_signal_new(struct loop *loop, int signal, loop_fn *fn, void *owner);
