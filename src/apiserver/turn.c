/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/turn.h"

#include "apiserver/crd.h"
#include "apiserver/gc.h"
#include "base/mem.h"

struct queue {
    struct turn_reply *first;
    struct turn_reply **end;
};

struct turn {
    struct apiserver *server;
    struct loop_hook *hook;
    struct loop_task *task;
    struct queue waiting; /* for the commit */
    struct queue ready;   /* committed within this turn already */
    bool ending;          /* answers and watches are being told: their history must stay */
};

static void queue_init(struct queue *queue)
{
    queue->first = NULL;
    queue->end = &queue->first;
}

static void queue_add(struct queue *queue, struct turn_reply *reply)
{
    reply->next = NULL;
    *queue->end = reply;
    queue->end = &reply->next;
}

static void queue_move(struct queue *to, struct queue *from)
{
    if (from->first == NULL)
        return;
    *to->end = from->first;
    to->end = from->end;
    queue_init(from);
}

/* What a failed commit undid is forgotten: the database alone knows what is true. */
static void reload(struct apiserver *server)
{
    struct err err = {0};

    watch_rollback(server->hub, store_rv(server->store));
    registry_clear_crds(server->registry);
    /* when even this fails, the next requests meet the same trouble and say so */
    if (crd_load_all(server, &err))
        (void)!collector_start(server->collector, &err);
}

static void fail_all(struct queue *queue, const struct err *err)
{
    for (struct turn_reply *reply = queue->first; reply != NULL; reply = reply->next)
        api_fail(reply->api, 500, "InternalError",
                 "the store could not be written, nothing was changed: %s", err->message);
}

static bool commit(struct turn *turn, struct err *err)
{
    struct apiserver *server = turn->server;
    bool done = store_commit(server->store, err);

    if (done) {
        watch_commit(server->hub);
    } else {
        fail_all(&turn->waiting, err);
        reload(server);
    }
    queue_move(&turn->ready, &turn->waiting);
    return done;
}

bool turn_commit_now(struct turn *turn, struct err *err)
{
    return commit(turn, err);
}

static void end_of_turn(void *owner)
{
    struct turn *turn = owner;
    struct err err = {0};

    if (turn->waiting.first != NULL || watch_has_queued(turn->server->hub))
        commit(turn, &err);

    turn->ending = true;
    /* answers may bring new requests: those are of the next turn */
    struct turn_reply *reply = turn->ready.first;
    queue_init(&turn->ready);
    while (reply != NULL) {
        struct turn_reply *next = reply->next;

        reply->send(reply);
        reply = next;
    }
    if (watch_pump(turn->server->hub))
        loop_task_post(turn->task);
    turn->ending = false;
}

static void nothing(UNUSED void *owner)
{
}

struct turn *turn_new(struct apiserver *server)
{
    struct turn *turn = new0(struct turn);

    turn->server = server;
    queue_init(&turn->waiting);
    queue_init(&turn->ready);
    turn->hook = loop_hook_new(server->loop, end_of_turn, turn);
    turn->task = loop_task_new(server->loop, "apiserver turn", nothing, turn);
    return turn;
}

void turn_free(struct turn *turn)
{
    if (turn == NULL)
        return;
    queue_move(&turn->ready, &turn->waiting);
    while (turn->ready.first != NULL) {
        struct turn_reply *reply = turn->ready.first;

        turn->ready.first = reply->next;
        api_fail(reply->api, 503, "ServiceUnavailable", "the server is shutting down");
        reply->send(reply);
    }
    loop_hook_free(turn->hook);
    loop_task_free(turn->task);
    mem_free(turn);
}

void turn_wake(struct turn *turn)
{
    loop_task_post(turn->task);
}

void turn_defer(struct turn *turn, struct turn_reply *reply)
{
    struct store *store = turn->server->store;
    struct err err = {0};

    queue_add(&turn->waiting, reply);
    turn_wake(turn);
    if (turn->ending)
        return;
    if (store_pending_writes(store) >= LIMIT_COMMIT_WRITES ||
        store_pending_bytes(store) >= LIMIT_COMMIT_BYTES)
        commit(turn, &err);
}
