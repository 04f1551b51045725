/* SPDX-License-Identifier: Apache-2.0 */
#include "web/guard.h"

#include "base/mem.h"

/* Sessions also end by time alone. */
#define SWEEP_MS 60000

struct guarded {
    struct guarded *next;
    struct http_request *request; /* kept; `question` is in its arena */
    struct auth_ticket ticket;
    const struct auth_question *question;
};

struct guard {
    struct auth *auth;
    struct auth_listener *listener;
    struct loop_timer *timer;
    struct guarded *all;
};

static bool holds(const struct guard *guard, const struct guarded *guarded)
{
    struct auth_user user;

    return auth_ticket_holds(guard->auth, &guarded->ticket, &user) &&
           (guarded->question == NULL || auth_may(guard->auth, &user, guarded->question));
}

static void sweep(void *owner)
{
    struct guard *guard = owner;
    struct guarded **at = &guard->all;

    while (*at != NULL) {
        struct guarded *guarded = *at;
        bool over = http_is_over(guarded->request);
        if (!over && holds(guard, guarded)) {
            at = &guarded->next;
            continue;
        }
        if (!over)
            http_cut(guarded->request);
        *at = guarded->next;
        http_drop(guarded->request);
        mem_free(guarded);
    }
}

static void on_timer(void *owner)
{
    struct guard *guard = owner;

    loop_timer_start(guard->timer, SWEEP_MS);
    sweep(guard);
}

struct guard *guard_new(struct loop *loop, struct auth *auth)
{
    struct guard *guard = new0(struct guard);

    guard->auth = auth;
    guard->listener = auth_listen(auth, sweep, guard);
    guard->timer = loop_timer_new(loop, "guard", on_timer, guard);
    loop_timer_start(guard->timer, SWEEP_MS);
    return guard;
}

void guard_free(struct guard *guard)
{
    if (guard == NULL)
        return;
    while (guard->all != NULL) {
        struct guarded *guarded = guard->all;
        guard->all = guarded->next;
        http_drop(guarded->request);
        mem_free(guarded);
    }
    auth_unlisten(guard->listener);
    loop_timer_free(guard->timer);
    mem_free(guard);
}

static const struct auth_question *copy(struct arena *arena, const struct auth_question *q)
{
    struct auth_question *kept = arena_new0(arena, struct auth_question);

    *kept = (struct auth_question){
            .verb = arena_str(arena, q->verb),
            .group = arena_str(arena, q->group),
            .resource = arena_str(arena, q->resource),
            .subresource = arena_str(arena, q->subresource),
            .namespace_ = arena_str(arena, q->namespace_),
            .name = arena_str(arena, q->name),
            .path = arena_str(arena, q->path),
    };
    return kept;
}

void web_guard(struct web_call *call, const struct auth_question *question)
{
    struct guard *guard = call->web->guard;
    struct guarded *guarded = new0(struct guarded);

    guarded->request = http_keep(call->request);
    guarded->ticket = call->ticket;
    guarded->question = question == NULL ? NULL : copy(call->arena, question);
    guarded->next = guard->all;
    guard->all = guarded;
}
