/* SPDX-License-Identifier: Apache-2.0 */
#include "io/loop.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/ring.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define SLOW_CALLBACK_US 50000
#define EVENTS_PER_TURN 128
/* epoll_wait takes an int; a longer sleep only means one empty turn a day. */
#define LONGEST_SLEEP_MS 86400000

struct loop_task {
    struct ring ring;
    struct loop *loop;
    const char *name;
    loop_fn *fn;
    void *owner;
};

struct loop_hook {
    struct ring ring;
    struct loop *loop;
    loop_fn *fn; /* NULL: freed while hooks were running */
    void *owner;
};

struct loop_timer {
    struct loop *loop;
    const char *name;
    loop_fn *fn;
    void *owner;
    int64_t due_ms;
    uint64_t order;   /* of starting: equal times run first come, first served */
    size_t heap_slot; /* SIZE_MAX = not running */
};

struct loop_watch {
    struct loop *loop;
    const char *name;
    int fd;
    bool is_dead;
    loop_watch_fn *fn;  /* NULL for a signal */
    loop_fn *signal_fn; /* owns fd then */
    void *owner;
    struct loop_watch *next_dead;
};

struct loop {
    int epoll;
    bool stop;
    bool in_turn;
    uint64_t order;
    uint64_t turns;
    struct ring tasks; /* posted, for the next turn */
    struct ring hooks;
    struct loop_timer **heap;
    size_t heap_count;
    size_t heap_size;
    struct loop_watch *dead; /* freed in this turn: epoll may still hand them out */
};

static void tell_if_slow(const char *name, int64_t began_us)
{
    int64_t took = clock_mono_us() - began_us;

    if (took > SLOW_CALLBACK_US)
        log_warn("loop", "%s kept everything else waiting for %lld ms", name,
                 (long long)(took / 1000));
}

/* ---- the loop ---- */

struct loop *loop_new(void)
{
    struct loop *loop = new0(struct loop);

    signal(SIGPIPE, SIG_IGN);
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    assert(loop->epoll >= 0);
    ring_init(&loop->tasks);
    ring_init(&loop->hooks);
    return loop;
}

static void bury(struct loop *loop)
{
    while (loop->dead != NULL) {
        struct loop_watch *watch = loop->dead;

        loop->dead = watch->next_dead;
        mem_free(watch);
    }
}

/* Hooks freed in a turn only lost their function. */
static void sweep_hooks(struct loop *loop)
{
    struct ring *at = loop->hooks.next;

    while (at != &loop->hooks) {
        struct loop_hook *hook = RING_ELEMENT(at, struct loop_hook, ring);

        at = at->next;
        if (hook->fn == NULL) {
            ring_unlink(&hook->ring);
            mem_free(hook);
        }
    }
}

void loop_free(struct loop *loop)
{
    if (loop == NULL)
        return;
    assert(!loop->in_turn);
    sweep_hooks(loop);
    bury(loop);
    close(loop->epoll);
    mem_free(loop->heap);
    mem_free(loop);
}

static int sleep_ms(const struct loop *loop, int64_t until_ms)
{
    int64_t now = clock_mono_ms();
    int64_t due = until_ms;

    if (!ring_is_empty(&loop->tasks) || loop->stop)
        return 0;
    if (loop->heap_count > 0)
        due = MIN(due, loop->heap[0]->due_ms);
    return (int)MAX(0, MIN(due - now, LONGEST_SLEEP_MS));
}

static bool run_tasks(struct loop *loop)
{
    struct ring now;
    bool any = false;

    ring_move(&loop->tasks, &now);
    while (!ring_is_empty(&now)) {
        struct loop_task *task = RING_ELEMENT(now.next, struct loop_task, ring);
        const char *name = task->name;
        int64_t began = clock_mono_us();

        ring_unlink(&task->ring);
        task->fn(task->owner); /* may free the task */
        tell_if_slow(name, began);
        any = true;
    }
    return any;
}

static void run_watch(struct loop_watch *watch, uint32_t events)
{
    const char *name = watch->name;
    int64_t began = clock_mono_us();

    if (watch->signal_fn != NULL) {
        struct signalfd_siginfo info;

        if (read(watch->fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
            return;
        watch->signal_fn(watch->owner);
    } else {
        watch->fn(watch->owner, events);
    }
    tell_if_slow(name, began);
}

static bool run_watches(const struct epoll_event *events, int count)
{
    bool any = false;

    for (int i = 0; i < count; i++) {
        struct loop_watch *watch = events[i].data.ptr;

        if (watch->is_dead)
            continue;
        run_watch(watch, events[i].events);
        any = true;
    }
    return any;
}

static bool run_timers(struct loop *loop)
{
    int64_t now = clock_mono_ms();
    uint64_t newest = loop->order; /* started in this phase: the next turn's */
    bool any = false;

    while (loop->heap_count > 0 && loop->heap[0]->due_ms <= now && loop->heap[0]->order <= newest) {
        struct loop_timer *timer = loop->heap[0];
        const char *name = timer->name;
        int64_t began = clock_mono_us();

        loop_timer_stop(timer);
        timer->fn(timer->owner); /* may free the timer */
        tell_if_slow(name, began);
        any = true;
    }
    return any;
}

static void run_hooks(struct loop *loop)
{
    for (struct ring *at = loop->hooks.next; at != &loop->hooks; at = at->next) {
        struct loop_hook *hook = RING_ELEMENT(at, struct loop_hook, ring);
        int64_t began = clock_mono_us();

        if (hook->fn != NULL)
            hook->fn(hook->owner);
        tell_if_slow("a hook at the end of a turn", began);
    }
    sweep_hooks(loop);
}

static void run_turn(struct loop *loop, int64_t until_ms)
{
    struct epoll_event events[EVENTS_PER_TURN];
    int count = epoll_wait(loop->epoll, events, EVENTS_PER_TURN, sleep_ms(loop, until_ms));

    assert(count >= 0 || errno == EINTR);
    loop->in_turn = true;
    bool any = run_tasks(loop);
    any |= run_watches(events, count);
    any |= run_timers(loop);
    if (any) {
        loop->turns++;
        run_hooks(loop);
    }
    loop->in_turn = false;
    bury(loop);
}

void loop_run(struct loop *loop)
{
    while (!loop->stop)
        run_turn(loop, INT64_MAX);
    loop->stop = false;
}

void loop_stop(struct loop *loop)
{
    loop->stop = true;
}

bool loop_run_until(struct loop *loop, const bool *done, int64_t timeout_ms)
{
    int64_t until = clock_mono_ms() + timeout_ms;

    while (!*done) {
        if (clock_mono_ms() >= until)
            return false;
        run_turn(loop, until);
    }
    return true;
}

uint64_t loop_turns(const struct loop *loop)
{
    return loop->turns;
}

/* ---- timers: a binary heap that knows each timer's slot ---- */

static bool is_before(const struct loop_timer *a, const struct loop_timer *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->order < b->order;
}

static void heap_put(struct loop *loop, size_t slot, struct loop_timer *timer)
{
    loop->heap[slot] = timer;
    timer->heap_slot = slot;
}

static void heap_up(struct loop *loop, size_t slot, struct loop_timer *timer)
{
    while (slot > 0 && is_before(timer, loop->heap[(slot - 1) / 2])) {
        heap_put(loop, slot, loop->heap[(slot - 1) / 2]);
        slot = (slot - 1) / 2;
    }
    heap_put(loop, slot, timer);
}

static void heap_down(struct loop *loop, size_t slot, struct loop_timer *timer)
{
    for (;;) {
        size_t child = slot * 2 + 1;

        if (child >= loop->heap_count)
            break;
        if (child + 1 < loop->heap_count && is_before(loop->heap[child + 1], loop->heap[child]))
            child++;
        if (is_before(timer, loop->heap[child]))
            break;
        heap_put(loop, slot, loop->heap[child]);
        slot = child;
    }
    heap_put(loop, slot, timer);
}

struct loop_timer *loop_timer_new(struct loop *loop, const char *name, loop_fn *fn, void *owner)
{
    struct loop_timer *timer = new0(struct loop_timer);

    *timer = (struct loop_timer){
            .loop = loop, .name = name, .fn = fn, .owner = owner, .heap_slot = SIZE_MAX};
    return timer;
}

void loop_timer_start(struct loop_timer *timer, int64_t delay_ms)
{
    struct loop *loop = timer->loop;

    loop_timer_stop(timer);
    if (loop->heap_count == loop->heap_size) {
        loop->heap_size = MAX((size_t)16, loop->heap_size * 2);
        loop->heap = mem_grow(loop->heap, loop->heap_size, sizeof(struct loop_timer *));
    }
    timer->due_ms = clock_mono_ms() + MAX((int64_t)0, delay_ms);
    timer->order = ++loop->order;
    heap_up(loop, loop->heap_count++, timer);
}

void loop_timer_stop(struct loop_timer *timer)
{
    struct loop *loop = timer->loop;
    size_t slot = timer->heap_slot;

    if (slot == SIZE_MAX)
        return;
    timer->heap_slot = SIZE_MAX;
    struct loop_timer *last = loop->heap[--loop->heap_count];
    if (last == timer)
        return;
    if (slot > 0 && is_before(last, loop->heap[(slot - 1) / 2]))
        heap_up(loop, slot, last);
    else
        heap_down(loop, slot, last);
}

bool loop_timer_is_running(const struct loop_timer *timer)
{
    return timer->heap_slot != SIZE_MAX;
}

void loop_timer_free(struct loop_timer *timer)
{
    if (timer == NULL)
        return;
    loop_timer_stop(timer);
    mem_free(timer);
}

/* ---- descriptors and signals ---- */

struct loop_watch *loop_watch_new(struct loop *loop, const char *name, int fd, uint32_t events,
                                  loop_watch_fn *fn, void *owner)
{
    struct loop_watch *watch = new0(struct loop_watch);
    struct epoll_event event = {.events = events, .data.ptr = watch};

    *watch = (struct loop_watch){.loop = loop, .name = name, .fd = fd, .fn = fn, .owner = owner};
    int failed = epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event);
    assert(failed == 0); /* a bad descriptor is our mistake; no memory is the end */
    return watch;
}

void loop_watch_set(struct loop_watch *watch, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};
    int failed = epoll_ctl(watch->loop->epoll, EPOLL_CTL_MOD, watch->fd, &event);

    assert(failed == 0);
}

void loop_watch_free(struct loop_watch *watch)
{
    if (watch == NULL)
        return;
    assert(!watch->is_dead);
    epoll_ctl(watch->loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
    if (watch->signal_fn != NULL)
        close(watch->fd);
    watch->is_dead = true;
    watch->next_dead = watch->loop->dead;
    watch->loop->dead = watch;
    if (!watch->loop->in_turn)
        bury(watch->loop);
}

struct loop_watch *loop_signal_new(struct loop *loop, int signal, loop_fn *fn, void *owner)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, signal);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    assert(fd >= 0);
    struct loop_watch *watch = loop_watch_new(loop, "a signal", fd, EPOLLIN, NULL, owner);
    watch->signal_fn = fn;
    return watch;
}

/* ---- tasks and hooks ---- */

struct loop_task *loop_task_new(struct loop *loop, const char *name, loop_fn *fn, void *owner)
{
    struct loop_task *task = new0(struct loop_task);

    *task = (struct loop_task){.loop = loop, .name = name, .fn = fn, .owner = owner};
    ring_init(&task->ring);
    return task;
}

bool loop_task_is_pending(const struct loop_task *task)
{
    return !ring_is_empty(&task->ring);
}

void loop_task_post(struct loop_task *task)
{
    if (!loop_task_is_pending(task))
        ring_append(&task->loop->tasks, &task->ring);
}

void loop_task_cancel(struct loop_task *task)
{
    ring_unlink(&task->ring);
}

void loop_task_free(struct loop_task *task)
{
    if (task == NULL)
        return;
    ring_unlink(&task->ring);
    mem_free(task);
}

struct loop_hook *loop_hook_new(struct loop *loop, loop_fn *fn, void *owner)
{
    struct loop_hook *hook = new0(struct loop_hook);

    *hook = (struct loop_hook){.loop = loop, .fn = fn, .owner = owner};
    ring_append(&loop->hooks, &hook->ring);
    return hook;
}

void loop_hook_free(struct loop_hook *hook)
{
    if (hook == NULL)
        return;
    hook->fn = NULL;
    if (hook->loop->in_turn)
        return; /* swept after the hooks of this turn */
    ring_unlink(&hook->ring);
    mem_free(hook);
}
