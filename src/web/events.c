/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events of a deployment, or of one object of it: what Kubernetes told about its objects, and what
 * Taut did, newest first. Taut's have codes and values, so that the console can say them in any
 * language; Kubernetes' texts stay as they came.
 */
#include "web/resource.h"

#include <stdlib.h>

struct event {
    struct val *row;
    str last;
};

struct events {
    const struct val *application;
    struct kube *kube;
    str *about; /* "Kind/namespace/name" of what counts, sorted */
    size_t about_count;
    str *namespaces;
    size_t namespace_count;
    size_t at;
    struct event *list;
    size_t count;
    bool cut;
    str kind; /* of the one object that was asked for, else empty */
    str name;
};

static void add_event(struct events *e, struct val *row, str last)
{
    if (e->count == LIMIT_EVENTS) {
        e->cut = true;
        return;
    }
    e->list[e->count++] = (struct event){row, last};
}

/* ---- Taut's own ---- */

static void add_own(struct web_call *call, struct events *e, str reason, str type, str last)
{
    struct val *row = val_new(call->arena, val_map());

    val_set_str(call->arena, row, S("source"), S("taut"));
    val_set_str(call->arena, row, S("type"), type);
    val_set_str(call->arena, row, S("reason"), reason);
    val_set_str(call->arena, row, S("last"), last);
    add_event(e, row, last);
}

static struct val *newest(struct events *e)
{
    return e->list[e->count - 1].row;
}

static void add_initiator(struct web_call *call, struct val *row, const struct val *by)
{
    val_set_str(call->arena, row, S("by"), val_get_str(by, S("username")));
    val_set(call->arena, row, S("automated"), val_bool(val_get_bool(by, S("automated"), false)));
}

static void add_history(struct web_call *call, struct events *e)
{
    struct val_iter it = val_iter(VAL_AT(e->application, "status", "history"));

    while (val_next(&it)) {
        add_own(call, e, S("SyncSucceeded"), S("Normal"), val_get_str(it.value, S("deployedAt")));
        val_set_str(call->arena, newest(e), S("revision"), val_get_str(it.value, S("revision")));
        add_initiator(call, newest(e), val_get(it.value, S("initiatedBy")));
    }
}

static void add_operation(struct web_call *call, struct events *e)
{
    const struct val *state = VAL_AT(e->application, "status", "operationState");
    str phase = val_get_str(state, S("phase"));
    str end = val_get_str(state, S("finishedAt"));
    bool is_bad = str_eq(phase, S("Failed")) || str_eq(phase, S("Error"));

    if (!is_bad && !str_eq(phase, S("Running")))
        return;
    add_own(call, e, is_bad ? S("SyncFailed") : S("SyncRunning"),
            is_bad ? S("Warning") : S("Normal"),
            str_is_empty(end) ? val_get_str(state, S("startedAt")) : end);
    val_set_str(call->arena, newest(e), S("message"), val_get_str(state, S("message")));
    val_set_str(call->arena, newest(e), S("revision"), VAL_STR(state, "syncResult", "revision"));
    add_initiator(call, newest(e), VAL_AT(state, "operation", "initiatedBy"));
}

static void add_conditions(struct web_call *call, struct events *e)
{
    struct val_iter it = val_iter(VAL_AT(e->application, "status", "conditions"));

    while (val_next(&it)) {
        add_own(call, e, val_get_str(it.value, S("type")), S("Warning"),
                val_get_str(it.value, S("lastTransitionTime")));
        val_set_str(call->arena, newest(e), S("message"), val_get_str(it.value, S("message")));
    }
}

/* ---- Kubernetes' ---- */

static str about_key(struct arena *arena, str kind, str namespace_, str name)
{
    return arena_printf(arena, "%.*s/%.*s/%.*s", STR(kind), STR(namespace_), STR(name));
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const str *)a, *(const str *)b);
}

static bool is_about(const struct events *e, str key)
{
    return bsearch(&key, e->about, e->about_count, sizeof(*e->about), by_text) != NULL;
}

/* The newest of the times that an Event has, by whichever API wrote it. */
static str last_of(const struct val *event)
{
    static const char *const keys[] = {"lastTimestamp", "eventTime", "firstTimestamp"};
    str found = VAL_STR(event, "series", "lastObservedTime");

    for (size_t i = 0; i < COUNT(keys) && str_is_empty(found); i++)
        found = val_get_str(event, str_from(keys[i]));
    return str_is_empty(found) ? VAL_STR(event, "metadata", "creationTimestamp") : found;
}

static int64_t count_of(const struct val *event)
{
    int64_t series = val_i64_or(VAL_AT(event, "series", "count"), 0);
    int64_t count = val_i64_or(val_get(event, S("count")), 1);

    return MAX(MAX(series, count), (int64_t)1);
}

static void add_kubernetes(struct web_call *call, struct events *e, const struct val *event)
{
    struct arena *arena = call->arena;
    const struct val *about = val_get(event, S("involvedObject"));
    str kind = val_get_str(about, S("kind"));
    str namespace_ = val_get_str(about, S("namespace"));
    str name = val_get_str(about, S("name"));
    const char *texts[] = {"type", "reason", "message"};
    struct val *row;

    if (!is_about(e, about_key(arena, kind, namespace_, name)) ||
        (!str_is_empty(e->name) && (!str_eq(kind, e->kind) || !str_eq(name, e->name))))
        return;
    row = val_new(arena, val_map());
    val_set_str(arena, row, S("source"), S("kubernetes"));
    for (size_t i = 0; i < COUNT(texts); i++)
        val_set_str(arena, row, str_from(texts[i]), val_get_str(event, str_from(texts[i])));
    val_set_str(arena, row, S("kind"), kind);
    val_set_str(arena, row, S("namespace"), namespace_);
    val_set_str(arena, row, S("name"), name);
    val_set_str(arena, row, S("first"), val_get_str(event, S("firstTimestamp")));
    val_set_str(arena, row, S("last"), last_of(event));
    val_set(arena, row, S("count"), val_int(arena, count_of(event)));
    val_set_str(arena, row, S("from"), VAL_STR(event, "source", "component"));
    add_event(e, row, val_get_str(row, S("last")));
}

/* ---- asking ---- */

static int by_time(const void *a, const void *b)
{
    const struct event *x = a;
    const struct event *y = b;

    return str_cmp(y->last, x->last);
}

static void answer(struct web_call *call)
{
    struct events *e = call->state;
    struct val *rows;
    struct val *list = web_items(call->arena, &rows);

    qsort(e->list, e->count, sizeof(*e->list), by_time);
    for (size_t i = 0; i < e->count; i++)
        val_append(call->arena, rows, *e->list[i].row);
    val_set(call->arena, list, S("cut"), val_bool(e->cut));
    web_reply_val(call, 200, list);
}

static void next_namespace(struct web_call *call);

static void on_events(struct web_call *call, struct kube_response *response)
{
    struct events *e = call->state;
    struct val_iter it = val_iter(val_get(response->object, S("items")));

    if (!response->ok && response->status != 404) {
        web_reply_kube(call, response, "listing events");
        return;
    }
    while (response->ok && val_next(&it))
        add_kubernetes(call, e, it.value);
    if (VAL_STR(response->object, "metadata", "continue").len > 0)
        e->cut = true;
    e->at++;
    next_namespace(call);
}

static void next_namespace(struct web_call *call)
{
    struct events *e = call->state;
    struct kube_request request = {
            .verb = KUBE_LIST, .gvr = {S(""), S("v1"), S("events")}, .limit = LIMIT_EVENTS};

    if (e->at == e->namespace_count) {
        answer(call);
        return;
    }
    request.namespace_ = e->namespaces[e->at];
    if (!str_is_empty(e->name))
        request.field_selector =
                arena_printf(call->arena, "involvedObject.kind=%.*s,involvedObject.name=%.*s",
                             STR(e->kind), STR(e->name));
    web_kube_at(call, e->kube, &request, on_events);
}

static void add_namespace(struct events *e, str namespace_)
{
    /* Events about what is in no project are kept in `default`. */
    str where = str_is_empty(namespace_) ? S("default") : namespace_;

    for (size_t i = 0; i < e->namespace_count; i++)
        if (str_eq(e->namespaces[i], where))
            return;
    if (e->namespace_count == LIMIT_EVENT_NAMESPACES)
        e->cut = true;
    else
        e->namespaces[e->namespace_count++] = where;
}

/* Which objects count, and where events about them are. */
static void gather(struct web_call *call, struct events *e, struct val *tree)
{
    struct val_iter it = val_iter(val_get(tree, S("items")));

    e->about = arena_array(call->arena, val_count(val_get(tree, S("items"))) + 1, str);
    while (val_next(&it)) {
        str kind = val_get_str(it.value, S("kind"));
        str namespace_ = val_get_str(it.value, S("namespace"));
        str name = val_get_str(it.value, S("name"));

        e->about[e->about_count++] = about_key(call->arena, kind, namespace_, name);
        if (str_is_empty(e->name) || (str_eq(kind, e->kind) && str_eq(name, e->name)))
            add_namespace(e, namespace_);
    }
    qsort(e->about, e->about_count, sizeof(*e->about), by_text);
}

static void on_application(struct web_call *call, struct kube_response *response)
{
    struct events *e = call->state;
    struct engine *engine = web_engine(call);
    struct err err = {0};

    if (engine == NULL)
        return;
    if (!response->ok) {
        web_reply_kube(call, response, "reading the continuous deployment");
        return;
    }
    e->application = val_dup(call->arena, response->object);
    e->kube = engine_app_kube(engine, e->application, &err);
    struct val *tree = engine_app_tree(engine, call->namespace_, call->params[1], call->arena);
    if (tree == NULL) {
        web_no_app(call);
        return;
    }
    gather(call, e, tree);
    if (str_is_empty(e->name)) {
        add_history(call, e);
        add_operation(call, e);
        add_conditions(call, e);
    }
    /* Where the cluster cannot be used, Taut's own are all there is; the conditions say why. */
    if (e->kube == NULL)
        e->at = e->namespace_count;
    next_namespace(call);
}

static void start(struct web_call *call, str kind, str name)
{
    struct events *e = arena_new0(call->arena, struct events);

    e->kind = kind;
    e->name = name;
    e->list = arena_array(call->arena, LIMIT_EVENTS, struct event);
    e->namespaces = arena_array(call->arena, LIMIT_EVENT_NAMESPACES, str);
    call->state = e;
    web_kube(call,
             &(struct kube_request){.verb = KUBE_GET,
                                    .gvr = web_gvr_applications,
                                    .namespace_ = call->namespace_,
                                    .name = call->params[1]},
             on_application);
}

void web_app_events(struct web_call *call)
{
    start(call, STR_EMPTY, STR_EMPTY);
}

void web_resource_events(struct web_call *call)
{
    struct engine_object object;

    if (web_resource_find(call, &object))
        start(call, object.gvk.kind, object.name);
}
