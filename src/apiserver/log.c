/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/log.h"

#include "apiserver/url.h"
#include "base/buf.h"
#include "base/clock.h"
#include "io/http_server.h"

#include <stdarg.h>
#include <stdio.h>

#define TICK_MS 10000
/* Older lines were "rotated away". */
#define LINES_MAX 2000
#define LOG_BYTES (1 * LIMIT_MIB)

struct log_ask {
    str container;
    int64_t tail;     /* -1: all */
    int64_t since_ms; /* wall */
    bool previous;
    bool timestamps;
};

static bool is_true(str text)
{
    return str_eq(text, S("true")) || str_eq(text, S("1"));
}

static void take_parameter(struct log_ask *ask, str name, str value)
{
    int64_t number = -1;

    if (str_eq(name, S("container")))
        ask->container = value;
    else if (str_eq(name, S("previous")))
        ask->previous = is_true(value);
    else if (str_eq(name, S("timestamps")))
        ask->timestamps = is_true(value);
    else if (str_eq(name, S("sinceTime")) && clock_parse(value, &number))
        ask->since_ms = number;
    else if (str_eq(name, S("tailLines")) && str_to_i64(value, &number) && number >= 0)
        ask->tail = number;
    else if (str_eq(name, S("sinceSeconds")) && str_to_i64(value, &number) && number > 0)
        ask->since_ms = clock_wall_ms() - MIN(number, (int64_t)INT32_MAX) * 1000;
}

static struct log_ask read_query(struct api *api, str query)
{
    struct log_ask ask = {.tail = -1};
    str pair;

    while (str_split(&query, '&', &pair)) {
        size_t equals = MIN(str_find_char(pair, '='), pair.len);
        str value = STR_EMPTY;

        if (http_decode(api->arena, str_from_index(pair, MIN(equals + 1, pair.len)), true, &value))
            take_parameter(&ask, str_first(pair, equals), value);
    }
    return ask;
}

/* The status of the container that is asked for, the first one when none is named. */
static const struct val *status_of(const struct val *pod, str *name)
{
    static const char *const lists[] = {"containerStatuses", "initContainerStatuses"};

    if (str_is_empty(*name))
        *name = val_get_str(val_item(VAL_AT(pod, "spec", "containers"), 0), S("name"));
    for (size_t i = 0; i < COUNT(lists); i++) {
        struct val_iter it = val_iter(val_get(val_get(pod, S("status")), str_from(lists[i])));

        while (val_next(&it))
            if (str_eq(val_get_str(it.value, S("name")), *name))
                return it.value;
    }
    return NULL;
}

struct lines {
    const struct log_ask *ask;
    struct buf *out;
    bool count_only;
    int64_t seen; /* lines that the time lets through */
    int64_t skip; /* of these, left out by tailLines */
};

static void add_line(struct lines *lines, int64_t at_ms, const char *format, ...) PRINTF_LIKE(3, 4);
static void add_line(struct lines *lines, int64_t at_ms, const char *format, ...)
{
    char time[CLOCK_RFC3339_SIZE];
    char text[512];
    va_list args;

    if (at_ms < lines->ask->since_ms)
        return;
    if (lines->count_only || lines->seen++ < lines->skip) {
        lines->seen += lines->count_only;
        return;
    }
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (lines->ask->timestamps) {
        clock_format_micro(at_ms * 1000, time);
        buf_addf(lines->out, "%s ", time);
    }
    buf_addf(lines->out, "%s\n", text);
}

/* The life of one container as its log would tell it. */
static void add_life(struct lines *lines, const struct val *status, const struct val *state)
{
    const struct val *ended = val_get(state, S("terminated"));
    const struct val *life = ended != NULL ? ended : val_get(state, S("running"));
    str name = val_get_str(status, S("name"));
    int64_t start = 0;
    int64_t end = clock_wall_ms();
    int64_t from;

    if (!clock_parse(val_get_str(life, S("startedAt")), &start))
        return;
    if (ended != NULL && !clock_parse(val_get_str(ended, S("finishedAt")), &end))
        return;
    add_line(lines, start, "simulated log: the sandbox runs no container");
    add_line(lines, start, "container %.*s started from image %.*s", STR(name),
             STR(val_get_str(status, S("image"))));
    from = MAX(start + TICK_MS, end - LINES_MAX * (int64_t)TICK_MS);
    from -= (from - start) % TICK_MS;
    for (int64_t at = from; at <= end; at += TICK_MS)
        add_line(lines, at, "%.*s runs for %lld s", STR(name), (long long)((at - start) / 1000));
    if (ended != NULL)
        add_line(lines, end, "%.*s ended with exit code %lld: %.*s", STR(name),
                 (long long)val_i64_or(val_get(ended, S("exitCode")), 0),
                 STR(val_get_str(ended, S("reason"))));
}

static void answer(struct api *api, const struct val *pod, struct log_ask *ask)
{
    auto_buf struct buf out = {0};
    struct lines lines = {.ask = ask, .out = &out, .count_only = true};
    const struct val *status = status_of(pod, &ask->container);
    const struct val *state = val_get(status, ask->previous ? S("lastState") : S("state"));

    if (status == NULL) {
        api_fail(api, 400, "BadRequest", "container %.*s is not valid for pod %.*s",
                 STR(ask->container), STR(object_name(pod)));
        return;
    }
    if (val_get(state, S("running")) == NULL && val_get(state, S("terminated")) == NULL) {
        if (ask->previous)
            api_fail(api, 400, "BadRequest",
                     "previous terminated container \"%.*s\" in pod \"%.*s\" not found",
                     STR(ask->container), STR(object_name(pod)));
        else
            api_fail(api, 400, "BadRequest",
                     "container \"%.*s\" in pod \"%.*s\" is waiting to start: %.*s",
                     STR(ask->container), STR(object_name(pod)),
                     STR(VAL_STR(state, "waiting", "reason")));
        return;
    }
    buf_init(&out, LOG_BYTES);
    add_life(&lines, status, state);
    lines = (struct lines){.ask = ask,
                           .out = &out,
                           .skip = ask->tail < 0 ? 0 : MAX(lines.seen - ask->tail, (int64_t)0)};
    add_life(&lines, status, state);
    api->status = 200;
    api->object = NULL;
    api->text = arena_str(api->arena, buf_str(&out));
    /* An empty log is an answer too. */
    if (str_is_empty(api->text))
        api->text = S("\n");
}

bool log_serve(struct api *api)
{
    size_t mark = MIN(str_find_char(api->q.path, '?'), api->q.path.len);
    str query = str_from_index(api->q.path, MIN(mark + 1, api->q.path.len));
    struct api inner = api_internal(api->server, api->arena);
    struct log_ask ask;

    if (!url_path(str_first(api->q.path, mark), &inner.q) ||
        !str_eq(inner.q.gvr.resource, S("pods")) || !str_eq(inner.q.subresource, S("log")) ||
        str_is_empty(inner.q.name))
        return false;
    ask = read_query(api, query);
    inner.q.verb = KUBE_GET;
    inner.q.subresource = STR_EMPTY;
    api_serve(&inner);
    if (inner.status == 200) {
        answer(api, inner.object, &ask);
    } else {
        api->status = inner.status;
        api->object = inner.object;
    }
    return true;
}
