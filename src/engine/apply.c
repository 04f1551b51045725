/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/apply.h"
#include "base/mem.h"
#include "engine/live.h"

struct apply {
    struct ask_queue *queue;
    struct ask *ask;
    struct apply_request request;
    enum ask_order order;
    apply_done_fn *done;
    void *owner;
    struct arena *arena; /* of the copy, when something was taken out */
    struct val *copy;
    struct buf removed;
    int repeats;
};

static void apply_free(struct apply *apply)
{
    if (apply->arena != NULL)
        arena_free(apply->arena);
    buf_done(&apply->removed);
    mem_free(apply);
}

static void apply_answered(void *owner, struct kube_response *response);

static void apply_send(struct apply *apply)
{
    const struct apply_request *r = &apply->request;
    struct kube_request request = {
            .verb = KUBE_APPLY,
            .gvr = r->gvr,
            .namespace_ = r->namespace_,
            .name = r->name,
            .body = apply->copy != NULL ? apply->copy : r->body,
            .dry_run = r->dry_run,
            .field_manager = FIELD_MANAGER,
            .force = true,
            .field_validation = r->skip_validation ? S("Ignore") : S("Strict"),
    };
    struct ask_options options = {r->dry_run ? ASK_DRY_RUN : ASK_WRITE, apply->order};

    apply->ask = ask_start(apply->queue, &request, &options, apply_answered, apply);
}

/* True when something was taken out and the apply goes on. */
static bool apply_again(struct apply *apply, const struct kube_response *response)
{
    if (response->ok || !apply->request.skip_validation || response->status == 0 ||
        ++apply->repeats >= LIMIT_APPLY_REPEATS)
        return false;
    if (apply->copy == NULL) {
        apply->arena = arena_new(LIMIT_DOC_BYTES);
        apply->copy = val_dup(apply->arena, apply->request.body);
    }
    if (!apply_strip(apply->arena, apply->copy, err_message(&response->err), &apply->removed))
        return false;
    apply_send(apply);
    return true;
}

static void apply_answered(void *owner, struct kube_response *response)
{
    struct apply *apply = owner;

    apply->ask = NULL;
    if (apply_again(apply, response))
        return;
    apply->done(apply->owner, response, buf_str(&apply->removed));
    apply_free(apply);
}

struct apply *apply_start(struct ask_queue *queue, const struct apply_request *request,
                          enum ask_order order, apply_done_fn *done, void *owner)
{
    struct apply *apply = new0(struct apply);

    apply->queue = queue;
    apply->request = *request;
    apply->order = order;
    apply->done = done;
    apply->owner = owner;
    buf_init(&apply->removed, LIMIT_APPLY_REMOVED_BYTES);
    apply_send(apply);
    return apply;
}

void apply_cancel(struct apply *apply)
{
    if (apply == NULL)
        return;
    ask_cancel(apply->ask);
    apply_free(apply);
}
