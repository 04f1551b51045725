/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/ask.h"
#include "base/mem.h"
#include <assert.h>

/* Requests in flight at once. Dry runs as ENGINE section 5; the server works on about as many
 * writes as it has cores, more only wait there. */
static const unsigned ceilings[ASK_CLASS_COUNT] = {
        [ASK_READ] = LIMIT_CLUSTER_READS,
        [ASK_DRY_RUN] = LIMIT_CLUSTER_DRY_RUNS,
        [ASK_WRITE] = LIMIT_CLUSTER_WRITES,
};
#define ASK_PAUSE_MS 500
/* This many good answers raise a lowered ceiling by one. */
#define ASK_RAISE_AFTER 32

struct ask {
    struct ask_queue *queue;
    struct ask *next; /* in its list */
    struct ask *prev;
    struct kube_request request;
    struct ask_options options;
    kube_done_fn *done;
    void *owner;
    struct kube_call *call; /* NULL: waits */
    int tries;
};

struct ask_list {
    struct ask *first;
    struct ask *last;
};

struct ask_lane {
    struct ask_list waiting[ASK_ORDER_COUNT];
    struct ask_list running;
    unsigned in_flight;
    unsigned ceiling;
    unsigned good;
    uint64_t sent;
};

struct ask_queue {
    struct kube *kube;
    struct loop_timer *resume; /* runs while a 429 asks us to pause */
    struct ask_lane lanes[ASK_CLASS_COUNT];
};

static void list_add(struct ask_list *list, struct ask *ask)
{
    ask->next = NULL;
    ask->prev = list->last;
    if (list->last != NULL)
        list->last->next = ask;
    else
        list->first = ask;
    list->last = ask;
}

static void list_del(struct ask_list *list, struct ask *ask)
{
    if (ask->prev != NULL)
        ask->prev->next = ask->next;
    else
        list->first = ask->next;
    if (ask->next != NULL)
        ask->next->prev = ask->prev;
    else
        list->last = ask->prev;
}

static struct ask_list *ask_list_of(struct ask *ask)
{
    struct ask_lane *lane = &ask->queue->lanes[ask->options.class];

    return ask->call != NULL ? &lane->running : &lane->waiting[ask->options.order];
}

static void queue_pump(struct ask_queue *queue);

/* The server asks to slow down: fewer at once, and this one again later. */
static bool ask_retry(struct ask *ask, const struct kube_response *response)
{
    struct ask_queue *queue = ask->queue;
    struct ask_lane *lane = &queue->lanes[ask->options.class];
    int64_t pause = response->retry_after_ms > 0 ? response->retry_after_ms : ASK_PAUSE_MS;

    if (response->status != 429 || ++ask->tries > LIMIT_ASK_RETRIES)
        return false;
    lane->ceiling = MAX(lane->ceiling / 2, 1u);
    lane->good = 0;
    list_add(&lane->waiting[ask->options.order], ask);
    loop_timer_start(queue->resume, pause);
    return true;
}

static void ask_done(void *owner, struct kube_response *response)
{
    struct ask *ask = owner;
    struct ask_queue *queue = ask->queue;
    struct ask_lane *lane = &queue->lanes[ask->options.class];

    list_del(&lane->running, ask);
    ask->call = NULL;
    lane->in_flight--;
    if (ask_retry(ask, response))
        return;
    if (lane->ceiling < ceilings[ask->options.class] && ++lane->good >= ASK_RAISE_AFTER) {
        lane->ceiling++;
        lane->good = 0;
    }

    /* The owner may start or cancel asks, but not free the queue, from inside. */
    ask->done(ask->owner, response);
    mem_free(ask);
    queue_pump(queue);
}

static struct ask *lane_next(const struct ask_lane *lane)
{
    for (size_t i = 0; i < ASK_ORDER_COUNT; i++)
        if (lane->waiting[i].first != NULL)
            return lane->waiting[i].first;
    return NULL;
}

static void queue_pump(struct ask_queue *queue)
{
    if (loop_timer_is_running(queue->resume))
        return;
    for (size_t i = 0; i < ASK_CLASS_COUNT; i++) {
        struct ask_lane *lane = &queue->lanes[i];
        struct ask *ask;

        while (lane->in_flight < lane->ceiling && (ask = lane_next(lane)) != NULL) {
            list_del(&lane->waiting[ask->options.order], ask);
            ask->call = kube_start(queue->kube, &ask->request, ask_done, ask);
            list_add(&lane->running, ask);
            lane->in_flight++;
            lane->sent++;
        }
    }
}

static void queue_resume(void *owner)
{
    queue_pump(owner);
}

struct ask_queue *ask_queue_new(struct kube *kube)
{
    struct ask_queue *queue = new0(struct ask_queue);

    queue->kube = kube;
    queue->resume = loop_timer_new(kube->loop, "ask resume", queue_resume, queue);
    for (size_t i = 0; i < ASK_CLASS_COUNT; i++)
        queue->lanes[i].ceiling = ceilings[i];
    return queue;
}

void ask_queue_free(struct ask_queue *queue)
{
    if (queue == NULL)
        return;
    for (size_t i = 0; i < ASK_CLASS_COUNT; i++)
        assert(queue->lanes[i].in_flight == 0 && lane_next(&queue->lanes[i]) == NULL);
    loop_timer_free(queue->resume);
    mem_free(queue);
}

struct ask *ask_start(struct ask_queue *queue, const struct kube_request *request,
                      const struct ask_options *options, kube_done_fn *done, void *owner)
{
    struct ask *ask = new0(struct ask);

    ask->queue = queue;
    ask->request = *request;
    ask->options = *options;
    ask->done = done;
    ask->owner = owner;
    list_add(&queue->lanes[options->class].waiting[options->order], ask);
    queue_pump(queue);
    return ask;
}

void ask_cancel(struct ask *ask)
{
    if (ask == NULL)
        return;
    list_del(ask_list_of(ask), ask);
    if (ask->call != NULL) {
        kube_cancel(ask->call);
        ask->queue->lanes[ask->options.class].in_flight--;
    }
    queue_pump(ask->queue);
    mem_free(ask);
}

bool ask_is_crowded(const struct ask_queue *queue, enum ask_class class)
{
    const struct ask_lane *lane = &queue->lanes[class];

    return lane->in_flight >= lane->ceiling;
}

uint64_t ask_count(const struct ask_queue *queue, enum ask_class class)
{
    return queue->lanes[class].sent;
}
