/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/embedded.h"

#include "apiserver/session.h"
#include "base/mem.h"

struct embedded {
    struct kube base;
    struct apiserver *server;
};

struct call {
    struct kube_call base;
    struct turn_reply reply;
    struct api api;
    struct session *session; /* of a watch */
    kube_event_fn *event;
    kube_done_fn *done;
    void *owner;
    bool cancelled;
    bool deferred; /* `reply` waits in the turn */
};

static void call_free(struct call *call)
{
    session_free(call->session);
    if (call->api.arena != NULL)
        arena_free(call->api.arena);
    mem_free(call);
}

static void finish(struct call *call)
{
    struct api *api = &call->api;
    struct kube_response response = {
            .ok = api->status >= 200 && api->status < 300,
            .status = api->status,
            .object = api->object,
            .created = api->status == 201,
            .arena = api->arena,
    };

    if (!response.ok) {
        str message = val_get_str(api->object, S("message"));

        response.reason = val_get_str(api->object, S("reason"));
        err_set(&response.err, err_code_from_http(api->status), "%.*s", STR(message));
    } else if (api->object == NULL && !str_is_empty(api->text)) {
        /* plain texts such as /readyz */
        response.object = val_new(api->arena, val_string(api->arena, api->text));
    }
    call->done(call->owner, &response);
    api->arena = response.arena; /* NULL when it was taken */
    call_free(call);
}

static void send_reply(struct turn_reply *reply)
{
    struct call *call = CONTAINER_OF(reply, struct call, reply);

    if (call->cancelled)
        call_free(call);
    else
        finish(call);
}

static void defer(struct call *call)
{
    call->deferred = true;
    call->reply.api = &call->api;
    call->reply.send = send_reply;
    turn_defer(call->api.server->turn, &call->reply);
}

/* ---- watches ---- */

static bool on_event(void *owner, enum kube_event_type type, const struct val *object,
                     UNUSED str json)
{
    struct call *call = owner;
    struct kube_event event = {type, object};

    call->event(call->owner, &event);
    return true;
}

static void on_end(void *owner)
{
    struct call *call = owner;

    api_answer(&call->api, 200, NULL);
    finish(call);
}

static void start_watch(struct call *call)
{
    static const struct session_events events = {on_event, on_end};

    if (api_open(&call->api))
        call->session = session_new(&call->api, call->api.q.timeout_ms, &events, call);
    if (call->session == NULL)
        defer(call);
}

/* ---- kube_ops ---- */

static void copy_request(struct kube_request *q, const struct kube_request *from,
                         struct arena *arena)
{
    str *texts[] = {&q->gvr.group,
                    &q->gvr.version,
                    &q->gvr.resource,
                    &q->namespace_,
                    &q->name,
                    &q->subresource,
                    &q->path,
                    &q->label_selector,
                    &q->field_selector,
                    &q->continue_,
                    &q->resource_version,
                    &q->field_manager,
                    &q->field_validation,
                    &q->propagation,
                    &q->precondition_uid,
                    &q->precondition_resource_version};

    *q = *from;
    for (size_t i = 0; i < COUNT(texts); i++)
        *texts[i] = arena_str(arena, *texts[i]);
    q->body = from->body == NULL ? NULL : val_dup(arena, from->body);
}

static struct kube_call *start(struct kube *kube, const struct kube_request *request,
                               kube_event_fn *event, kube_done_fn *done, void *owner)
{
    struct embedded *embedded = CONTAINER_OF(kube, struct embedded, base);
    bool is_list = request->verb == KUBE_LIST || request->verb == KUBE_DELETE_COLLECTION;
    struct arena *arena = arena_new(is_list ? LIMIT_LIST_ARENA : LIMIT_OBJECT_ARENA);
    struct call *call = new0(struct call);
    static const str groups[] = {S_INIT("system:masters")};

    call->base.kube = kube;
    call->event = event;
    call->done = done;
    call->owner = owner;
    call->api = api_internal(embedded->server, arena);
    call->api.user = (struct apiserver_user){S("system:admin"), groups, COUNT(groups)};
    call->api.aggregated = true;
    copy_request(&call->api.q, request, arena);
    if (request->verb == KUBE_WATCH) {
        start_watch(call);
    } else {
        api_serve(&call->api);
        defer(call);
    }
    return &call->base;
}

static void cancel(struct kube_call *base)
{
    struct call *call = CONTAINER_OF(base, struct call, base);

    call->cancelled = true;
    if (!call->deferred)
        call_free(call);
}

static void free_kube(struct kube *kube)
{
    mem_free(CONTAINER_OF(kube, struct embedded, base));
}

struct kube *apiserver_kube(struct apiserver *server)
{
    static const struct kube_ops ops = {start, cancel, free_kube, NULL};
    struct embedded *embedded = new0(struct embedded);

    embedded->base.ops = &ops;
    embedded->base.loop = server->loop;
    embedded->base.name = server->name;
    embedded->server = server;
    return &embedded->base;
}
