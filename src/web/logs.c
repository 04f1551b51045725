/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of a container of a Pod, as NDJSON: the first line says what is shown and its limits,
 * each further one is {time, text}. A page that follows asks again with `after`, the time of its
 * last line.
 */
#include "base/buf.h"
#include "doc/json.h"
#include "web/resource.h"

#define LOG_TAIL 500
#define LOG_TIMEOUT_MS 60000

struct log {
    struct engine_object pod;
    str container;
    str after;
    int64_t tail;
    int64_t since_s;
    bool previous;
    const struct val *containers; /* their names */
};

static str parameter(const struct web_call *call, str name)
{
    str value = STR_EMPTY;

    (void)http_param(call->request, name, &value);
    return value;
}

static int64_t number(const struct web_call *call, str name, int64_t otherwise, int64_t most)
{
    int64_t value;

    if (!str_to_i64(parameter(call, name), &value) || value < 1)
        return otherwise;
    return MIN(value, most);
}

/* ---- the answer ---- */

/* A container may write anything: what is no UTF-8 becomes '?', so that the answer stays JSON. */
static str clean(struct arena *arena, str line)
{
    char *text;
    size_t at = 0;

    if (str_is_utf8(line))
        return line;
    text = arena_bytes(arena, line.len);
    memcpy(text, line.at, line.len);
    for (; at < line.len; at++)
        if ((unsigned char)text[at] >= 0x80)
            text[at] = '?';
    return str_of(text, line.len);
}

static void add_json(struct buf *out, const struct val *line)
{
    json_format(out, line, JSON_COMPACT);
    buf_addc(out, '\n');
}

static void add_head(struct web_call *call, struct buf *out)
{
    const struct log *log = call->state;
    struct arena *arena = call->arena;
    struct val head = val_map();
    struct val *limits;

    val_set_str(arena, &head, S("pod"), log->pod.name);
    val_set_str(arena, &head, S("container"), log->container);
    val_set(arena, &head, S("containers"), val_dup_value(arena, log->containers));
    val_set(arena, &head, S("previous"), val_bool(log->previous));
    limits = val_ensure_map(arena, &head, S("limits"));
    val_set(arena, limits, S("tail"), val_int(arena, log->tail));
    val_set(arena, limits, S("lines"), val_int(arena, LIMIT_LOG_LINES));
    val_set(arena, limits, S("bytes"), val_int(arena, (int64_t)LIMIT_LOG_BYTES));
    add_json(out, &head);
}

static void add_line(struct web_call *call, struct buf *out, str text)
{
    const struct log *log = call->state;
    size_t space = str_find_char(text, ' ');
    str time = space == SIZE_MAX ? STR_EMPTY : str_first(text, space);
    struct val line = val_map();

    /* sinceTime knows whole seconds: what the page has already comes again. */
    if (!str_is_empty(log->after) && str_cmp(time, log->after) <= 0)
        return;
    val_set_str(call->arena, &line, S("time"), time);
    val_set_str(call->arena, &line, S("text"),
                clean(call->arena, space == SIZE_MAX ? text : str_from_index(text, space + 1)));
    add_json(out, &line);
}

static void on_log(struct web_call *call, struct kube_response *response)
{
    auto_buf struct buf out = {0};
    struct err err = {0};
    str rest;
    str line;

    if (!response->ok) {
        web_reply_kube(call, response, "reading the log");
        return;
    }
    buf_init(&out, 4 * LIMIT_LOG_BYTES);
    add_head(call, &out);
    rest = response->object == NULL ? STR_EMPTY : val_str(response->object);
    while (str_split(&rest, '\n', &line)) {
        str_chop(&line, S("\r"));
        if (line.len > 0)
            add_line(call, &out, line);
    }
    if (!buf_check(&out, "the log", &err))
        web_reply_err(call, &err);
    else
        web_reply_bytes(call, 200, S("application/x-ndjson; charset=utf-8"), buf_str(&out));
}

/* ---- asking ---- */

static bool take_containers(struct web_call *call, const struct val *pod)
{
    static const char *const lists[] = {"containers", "initContainers"};
    struct log *log = call->state;
    struct val *names = val_new(call->arena, val_list());
    bool found = false;

    for (size_t i = 0; i < COUNT(lists); i++) {
        struct val_iter it = val_iter(val_get(val_get(pod, S("spec")), str_from(lists[i])));

        while (val_next(&it)) {
            str name = val_get_str(it.value, S("name"));

            val_append(call->arena, names, val_string(call->arena, name));
            found = found || str_eq(name, log->container);
        }
    }
    log->containers = names;
    if (str_is_empty(log->container)) {
        log->container = val_str(val_item(names, 0));
        return true;
    }
    if (!found)
        web_fail(call, ERR_NOT_FOUND, "Pod '%.*s' has no container '%.*s'", STR(log->pod.name),
                 STR(log->container));
    return found;
}

static void on_pod(struct web_call *call, struct kube_response *response)
{
    struct log *log = call->state;
    struct arena *arena = call->arena;
    str path;

    if (!response->ok) {
        web_reply_kube(call, response, "reading the Pod");
        return;
    }
    if (!take_containers(call, response->object))
        return;
    path = arena_printf(arena,
                        "/api/v1/namespaces/%.*s/pods/%.*s/log?timestamps=true&container=%.*s"
                        "&tailLines=%lld&limitBytes=%zu",
                        STR(log->pod.namespace_), STR(log->pod.name), STR(log->container),
                        (long long)log->tail, LIMIT_LOG_BYTES);
    if (log->previous)
        path = arena_printf(arena, "%.*s&previous=true", STR(path));
    if (log->since_s > 0)
        path = arena_printf(arena, "%.*s&sinceSeconds=%lld", STR(path), (long long)log->since_s);
    else if (!str_is_empty(log->after))
        path = arena_printf(arena, "%.*s&sinceTime=%.*sZ", STR(path),
                            STR(str_first(log->after, MIN(log->after.len, (size_t)19))));
    web_kube_at(call, log->pod.kube,
                &(struct kube_request){.verb = KUBE_RAW_GET,
                                       .path = path,
                                       .accept = S("text/plain, */*"),
                                       .timeout_ms = LOG_TIMEOUT_MS},
                on_log);
}

/* "2026-11-24T18:00:31.123456789Z": what a line's time looks like, and nothing that could change
 * the address. */
static bool is_time(str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (strchr("0123456789-:.TZ", text.at[i]) == NULL)
            return false;
    return text.len >= 19 && text.len <= 40;
}

void web_resource_logs(struct web_call *call)
{
    struct log *log = arena_new0(call->arena, struct log);

    if (!web_resource_find(call, &log->pod))
        return;
    if (!str_eq(log->pod.gvk.kind, S("Pod")) || log->pod.gvk.group.len > 0) {
        web_fail(call, ERR_INVALID, "a %.*s has no log: choose one of its Pods",
                 STR(log->pod.gvk.kind));
        return;
    }
    log->container = parameter(call, S("container"));
    log->after = parameter(call, S("after"));
    if (!str_is_empty(log->after) && !is_time(log->after)) {
        web_fail(call, ERR_INVALID, "after must be the time of a line");
        return;
    }
    log->tail = number(call, S("tail"), LOG_TAIL, LIMIT_LOG_LINES);
    log->since_s = number(call, S("since"), 0, INT32_MAX);
    log->previous = str_eq(parameter(call, S("previous")), S("true"));
    call->state = log;
    web_kube_at(call, log->pod.kube,
                &(struct kube_request){.verb = KUBE_GET,
                                       .gvr = log->pod.gvr,
                                       .namespace_ = log->pod.namespace_,
                                       .name = log->pod.name},
                on_pod);
}
