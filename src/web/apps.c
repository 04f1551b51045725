/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Continuous deployments, beyond their objects: what only the engine knows (facts, diff, manifests)
 * and the operations (sync, terminate, refresh). The objects themselves go by the Kubernetes API.
 */
#include "web/resource.h"

#define APPLICATION(call, verb_)                                                                   \
    .verb = (verb_), .gvr = web_gvr_applications, .namespace_ = (call)->namespace_,                \
    .name = (call)->params[1]

struct engine *web_engine(struct web_call *call)
{
    struct engine *engine = call->web->options.engine;

    if (engine == NULL)
        web_fail(call, ERR_UNAVAILABLE, "the server is still starting");
    return engine;
}

void web_no_app(struct web_call *call)
{
    web_fail(call, ERR_NOT_FOUND, "there is no continuous deployment '%.*s' in '%.*s'",
             STR(call->params[1]), STR(call->params[0]));
}

/* ---- what the engine knows ---- */

void web_app_facts(struct web_call *call)
{
    struct engine *engine = web_engine(call);

    if (engine == NULL)
        return;
    struct val *facts = engine_app_facts(engine, call->namespace_, call->params[1], call->arena);
    if (facts == NULL)
        web_no_app(call);
    else
        web_reply_val(call, 200, facts);
}

static void on_answer(void *owner, const struct val *answer, const struct err *err)
{
    struct web_call *call = owner;

    call->ask = NULL;
    if (err != NULL)
        web_reply_err(call, err);
    else
        web_reply_val(call, 200, answer);
}

static void on_diff(void *owner, const struct val *answer, const struct err *err)
{
    struct web_call *call = owner;
    struct val *rows;
    struct val *list = web_items(call->arena, &rows);

    call->ask = NULL;
    if (err != NULL) {
        web_reply_err(call, err);
        return;
    }
    struct val_iter it = val_iter(answer);
    while (val_next(&it))
        val_append(call->arena, rows, val_dup_value(call->arena, it.value));
    web_reply_val(call, 200, list);
}

void web_app_diff(struct web_call *call)
{
    struct engine *engine = web_engine(call);

    if (engine != NULL)
        call->ask = engine_app_diff(engine, call->namespace_, call->params[1], STR_EMPTY, on_diff,
                                    call);
}

void web_resource_diff(struct web_call *call)
{
    struct engine *engine = web_engine(call);
    str id;

    if (engine == NULL)
        return;
    if (web_resource_id(call->arena, call->params[2], &id))
        call->ask = engine_app_diff(engine, call->namespace_, call->params[1], id, on_diff, call);
    else
        web_fail(call, ERR_NOT_FOUND, "'%.*s' is not group:Kind:namespace:name",
                 STR(call->params[2]));
}

void web_app_manifests(struct web_call *call)
{
    struct engine *engine = web_engine(call);
    str revision = STR_EMPTY;

    (void)http_param(call->request, S("revision"), &revision);
    if (engine != NULL)
        call->ask = engine_app_manifests(engine, call->namespace_, call->params[1], revision,
                                         on_answer, call);
}

static void on_history(struct web_call *call, struct kube_response *response)
{
    struct val *rows;
    struct val *list = web_items(call->arena, &rows);
    const struct val *history = VAL_AT(response->object, "status", "history");

    if (!response->ok) {
        web_reply_kube(call, response, "reading the continuous deployment");
        return;
    }
    for (size_t i = val_count(history); i > 0; i--)
        val_append(call->arena, rows, val_dup_value(call->arena, val_item(history, i - 1)));
    web_reply_val(call, 200, list);
}

void web_app_history(struct web_call *call)
{
    web_kube(call, &(struct kube_request){APPLICATION(call, KUBE_GET)}, on_history);
}

/* The resources of the status, with what the engine adds to each: a cause, a note. */
static void on_resources(struct web_call *call, struct kube_response *response)
{
    struct arena *arena = call->arena;
    struct engine *engine = call->web->options.engine;
    struct val *rows;
    struct val *list = web_items(arena, &rows);

    if (!response->ok) {
        web_reply_kube(call, response, "reading the continuous deployment");
        return;
    }
    struct val *facts =
            engine == NULL ? NULL
                           : engine_app_facts(engine, call->namespace_, call->params[1], arena);
    const struct val *resources = val_get(facts, S("resources"));
    if (val_count(resources) == 0)
        resources = VAL_AT(response->object, "status", "resources");
    struct val_iter it = val_iter(resources);
    while (val_next(&it))
        val_append(arena, rows, val_dup_value(arena, it.value));
    web_reply_val(call, 200, list);
}

void web_app_resources(struct web_call *call)
{
    web_kube(call, &(struct kube_request){APPLICATION(call, KUBE_GET)}, on_resources);
}

/* ---- sync ---- */

static void on_operation(struct web_call *call, struct kube_response *response)
{
    if (!response->ok)
        web_reply_kube(call, response, "starting the sync");
    else
        web_reply_val(call, 202, response->object);
}

/* Keys of operation.sync that a client may set; anything else is refused, not dropped. */
static bool copy_sync(struct web_call *call, struct val *sync, struct err *err)
{
    static const char *const allowed[] = {"revision",     "prune",       "dryRun",
                                          "syncStrategy", "syncOptions", "resources"};
    struct val_iter it = val_iter(call->body);

    while (val_next(&it)) {
        size_t i = 0;
        while (i < COUNT(allowed) && !str_eq(it.key, str_from(allowed[i])))
            i++;
        if (i == COUNT(allowed))
            return err_set(err, ERR_INVALID, "a sync has no field '%.*s'", STR(it.key));
        val_set(call->arena, sync, it.key, val_dup_value(call->arena, it.value));
    }
    return true;
}

static void on_sync_app(struct web_call *call, struct kube_response *response)
{
    struct arena *arena = call->arena;
    struct err err = {0};

    if (!response->ok && response->err.code == ERR_NOT_FOUND) {
        web_no_app(call);
        return;
    }
    if (!response->ok) {
        web_reply_kube(call, response, "starting the sync");
        return;
    }
    if (val_is(val_get(response->object, S("operation")), VAL_MAP)) {
        web_fail(call, ERR_CONFLICT, "another operation is already in progress");
        return;
    }
    struct val *patch = val_new(arena, val_map());
    struct val *meta = val_ensure_map(arena, patch, S("metadata"));
    /* Two who sync at once: the second one is refused, for the version has moved on. */
    val_set_str(arena, meta, S("resourceVersion"), object_resource_version(response->object));
    struct val *operation = val_ensure_map(arena, patch, S("operation"));
    val_set_str(arena, val_ensure_map(arena, operation, S("initiatedBy")), S("username"),
                call->user.name);
    struct val *sync = val_ensure_map(arena, operation, S("sync"));
    if (!copy_sync(call, sync, &err)) {
        web_reply_err(call, &err);
        return;
    }
    /* A bare patch inherits nothing: the deployment's own options are filled in here. */
    const struct val *options = VAL_AT(response->object, "spec", "syncPolicy", "syncOptions");
    if (val_get(sync, S("syncOptions")) == NULL && options != NULL)
        val_set(arena, sync, S("syncOptions"), val_dup_value(arena, options));
    web_kube(call, &(struct kube_request){APPLICATION(call, KUBE_PATCH_MERGE), .body = patch},
             on_operation);
}

void web_app_sync(struct web_call *call)
{
    web_kube(call, &(struct kube_request){APPLICATION(call, KUBE_GET)}, on_sync_app);
}

/* ---- terminate ---- */

static void on_terminated(struct web_call *call, struct kube_response *response)
{
    if (!response->ok)
        web_reply_kube(call, response, "ending the operation");
    else
        web_reply_val(call, 202, response->object);
}

static void on_terminate_app(struct web_call *call, struct kube_response *response)
{
    struct arena *arena = call->arena;

    if (!response->ok) {
        web_reply_kube(call, response, "ending the operation");
        return;
    }
    if (!val_is(val_get(response->object, S("operation")), VAL_MAP) ||
        !val_is(VAL_AT(response->object, "status", "operationState"), VAL_MAP)) {
        web_fail(call, ERR_INVALID, "no operation is in progress");
        return;
    }
    struct val *patch = val_new(arena, val_map());
    val_set_str(arena, val_ensure_map(arena, patch, S("metadata")), S("resourceVersion"),
                object_resource_version(response->object));
    struct val *state =
            val_ensure_map(arena, val_ensure_map(arena, patch, S("status")), S("operationState"));
    val_set_str(arena, state, S("phase"), S("Terminating"));
    web_kube(call, &(struct kube_request){APPLICATION(call, KUBE_PATCH_MERGE), .body = patch},
             on_terminated);
}

void web_app_terminate(struct web_call *call)
{
    web_kube(call, &(struct kube_request){APPLICATION(call, KUBE_GET)}, on_terminate_app);
}

/* ---- refresh ---- */

void web_app_refresh(struct web_call *call)
{
    struct engine *engine = web_engine(call);
    str hard = STR_EMPTY;

    if (engine == NULL)
        return;
    (void)http_param(call->request, S("hard"), &hard);
    if (!engine_app_refresh(engine, call->namespace_, call->params[1], str_eq(hard, S("true")))) {
        web_no_app(call);
        return;
    }
    struct val *done = val_new(call->arena, val_map());
    val_set_str(call->arena, done, S("name"), call->params[1]);
    web_reply_val(call, 202, done);
}
