/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stream's clients: an answer that stays open, the topics that it reads, its place in the ring.
 *
 * GET /taut/v1/stream?topics=a,b: a topic may end in @POSITION, which says that the client holds
 * the value of that position and wants only what came after; Last-Event-ID says the same for all.
 * What is no longer in the ring is answered with the event `resync`, and the whole value again.
 */
#include "web/stream_parts.h"

#include "base/clock.h"
#include "base/mem.h"
#include "doc/json.h"
#include <assert.h>
#include <sys/random.h>

/* A client that has so much unread is passed over until it has read on. */
#define UNREAD_MAX (LIMIT_HTTP_STREAM_BYTES / 4)

/* ---- what is told ---- */

static void tell(struct stream_client *client, const char *event, const char *topic,
                 const struct err *err)
{
    auto_buf struct buf text = {0};

    buf_init(&text, 16 * LIMIT_KIB);
    buf_addf(&text, "event: %s\ndata: {\"topic\":", event);
    json_format_string(&text, str_from(topic), JSON_COMPACT);
    if (err != NULL) {
        buf_addf(&text, ",\"status\":%d,\"message\":", err_facts(err->code)->http_status);
        json_format_string(&text, err_message(err), JSON_COMPACT);
    }
    buf_add(&text, S("}\n\n"));
    http_stream_write(client->http, buf_str(&text));
    client->written_ms = clock_mono_ms();
}

static void end_sub(struct stream_client *client, struct stream_sub *sub, const char *event,
                    const struct err *err)
{
    tell(client, event, sub->topic->name, err);
    stream_topic_unref(sub->topic);
    *sub = client->subs[--client->sub_count];
}

/* A topic whose load failed: what the route answered. `true` when the topic ended by it. */
static bool tell_failure(struct stream_client *client, struct stream_sub *sub)
{
    const struct stream_topic *topic = sub->topic;
    struct err err = {0};

    if (topic->status == 403)
        err_set(&err, ERR_FORBIDDEN, "%s", topic->message);
    else if (topic->status == 404)
        err_set(&err, ERR_NOT_FOUND, "%s", topic->message);
    else
        err_set(&err, ERR_UNAVAILABLE, "%s", topic->message);
    if (topic->status == 403 || topic->status == 404) {
        end_sub(client, sub, topic->status == 403 ? "forbidden" : "gone", &err);
        return true;
    }
    if (sub->state == SUB_WAITING && sub->told_status != topic->status)
        tell(client, "trouble", topic->name, &err);
    sub->told_status = topic->status;
    return false;
}

static void send_value(struct stream_client *client, struct stream_sub *sub)
{
    struct stream *stream = client->stream;
    auto_buf struct buf text = {0};

    buf_init(&text, LIMIT_HTTP_STREAM_BYTES / 2);
    buf_addf(&text, "id: %s-%llu\nevent: %s\ndata: {\"topic\":\"%s\",\"value\":", stream->epoch,
             (unsigned long long)stream->seq, sub->topic->kind->event, sub->topic->name);
    if (!stream_topic_value(sub->topic, &text))
        return;
    buf_add(&text, S("}\n\n"));
    if (buf_is_over(&text)) {
        struct err err = {0};
        err_set(&err, ERR_LIMIT, "the topic '%s' is too large for the stream; read it in pages",
                sub->topic->name);
        end_sub(client, sub, "gone", &err);
        return;
    }
    sub->state = SUB_LIVE;
    sub->since = stream->seq;
    http_stream_write(client->http, buf_str(&text));
    client->written_ms = clock_mono_ms();
}

/* The client's copy can no longer be brought up to date by patches. A client that took its copy
 * from a list does so again; the others get the whole. */
static void resync(struct stream_client *client, struct stream_sub *sub)
{
    if (sub->by_position) {
        end_sub(client, sub, "resync", NULL);
        return;
    }
    tell(client, "resync", sub->topic->name, NULL);
    sub->state = SUB_WAITING;
}

/* ---- frames ---- */

static struct stream_sub *find_sub(struct stream_client *client, uint64_t topic)
{
    for (size_t i = 0; i < client->sub_count; i++) {
        if (client->subs[i].topic->id == topic)
            return &client->subs[i];
    }
    return NULL;
}

static void send_events(struct stream_client *client)
{
    struct stream *stream = client->stream;

    if (client->cursor + 1 < stream->oldest) {
        for (size_t i = client->sub_count; i-- > 0;) {
            if (client->subs[i].state == SUB_LIVE)
                resync(client, &client->subs[i]);
        }
        client->cursor = stream->seq;
    }
    while (client->cursor < stream->seq && http_stream_waiting(client->http) < UNREAD_MAX) {
        const struct stream_event *event = stream_event_at(stream, ++client->cursor);
        struct stream_sub *sub = find_sub(client, event->topic);
        if (sub == NULL || sub->state != SUB_LIVE || client->cursor <= sub->since)
            continue;
        if (event->text.len == 0) {
            resync(client, sub);
            continue;
        }
        http_stream_write(client->http, event->text);
        client->written_ms = clock_mono_ms();
    }
}

void stream_client_frame(struct stream_client *client)
{
    if (http_stream_waiting(client->http) >= UNREAD_MAX)
        return;
    send_events(client);
    for (size_t i = client->sub_count; i-- > 0;) {
        struct stream_sub *sub = &client->subs[i];
        if (sub->topic->status >= 400 && tell_failure(client, sub))
            continue;
        if (sub->state == SUB_WAITING && http_stream_waiting(client->http) < UNREAD_MAX)
            send_value(client, sub);
    }
}

/* ---- rights ---- */

static struct auth_user copy_user(struct arena *arena, const struct auth_user *user)
{
    str *groups = arena_array(arena, user->group_count + 1, str);

    for (size_t i = 0; i < user->group_count; i++)
        groups[i] = arena_str(arena, user->groups[i]);
    return (struct auth_user){arena_str(arena, user->name), groups, user->group_count};
}

static bool check_session(struct stream_client *client)
{
    struct auth_user user;

    if (!auth_ticket_holds(client->stream->web->options.auth, &client->ticket, &user))
        return false;
    bool same = client->user.group_count == user.group_count;
    for (size_t i = 0; same && i < user.group_count; i++)
        same = str_eq(client->user.groups[i], user.groups[i]);
    if (!same)
        client->user = copy_user(client->arena, &user);
    return true;
}

/* Whether the client is still there. */
static bool check_rights(struct stream_client *client)
{
    client->checked_ms = clock_mono_ms();
    if (!check_session(client)) {
        struct err err = {0};
        err_set(&err, ERR_UNAUTHORIZED, "the session has ended");
        tell(client, "expired", "", &err);
        stream_client_free(client);
        return false;
    }
    for (size_t i = client->sub_count; i-- > 0;) {
        struct err why = {0};
        if (!stream_may(client->stream, &client->user, client->subs[i].topic, &why))
            end_sub(client, &client->subs[i], "forbidden", &why);
    }
    return true;
}

void stream_check_rights(void *owner)
{
    struct stream *stream = owner;

    for (struct stream_client *c = stream->clients, *next; c != NULL; c = next) {
        next = c->next;
        check_rights(c);
    }
}

void stream_client_tick(struct stream_client *client)
{
    int64_t now = clock_mono_ms();

    if (now - client->checked_ms >= STREAM_RIGHTS_MS && !check_rights(client))
        return;
    if (now - client->written_ms >= STREAM_PING_MS)
        tell(client, "ping", "", NULL);
}

/* ---- topics ---- */

static void add_topic(struct stream_client *client, str name, str last_id)
{
    struct stream *stream = client->stream;
    size_t at = str_find_char(name, '@');
    bool by_position = at != SIZE_MAX;
    str position = by_position ? str_from_index(name, at + 1) : last_id;
    struct err err = {0};
    uint64_t since = 0;

    name = arena_str(client->arena, str_first(name, MIN(at, name.len)));
    if (client->sub_count == LIMIT_STREAM_TOPICS_OF_CLIENT) {
        err_set(&err, ERR_LIMIT, "one stream has at most %d topics", LIMIT_STREAM_TOPICS_OF_CLIENT);
        tell(client, "gone", name.at, &err);
        return;
    }
    struct stream_topic *topic = stream_topic_ref(stream, name, &client->user, &err);
    if (topic == NULL) {
        tell(client, "gone", name.at, &err);
        return;
    }
    if (find_sub(client, topic->id) != NULL) {
        stream_topic_unref(topic);
        return;
    }
    client->subs[client->sub_count++] = (struct stream_sub){.topic = topic};
    struct stream_sub *sub = &client->subs[client->sub_count - 1];
    if (!stream_may(stream, &client->user, topic, &err)) {
        end_sub(client, sub, "forbidden", &err);
        return;
    }
    if (position.len == 0)
        return;
    sub->by_position = by_position;
    if (!stream_parse_position(stream, position, &since) || since < topic->since ||
        since + 1 < stream->oldest) {
        resync(client, sub);
        return;
    }
    sub->state = SUB_LIVE;
    sub->since = since;
    client->cursor = MIN(client->cursor, since);
}

/* Going back in the ring for one topic must not tell the others anything twice. */
static void settle_subs(struct stream_client *client, uint64_t cursor)
{
    for (size_t i = 0; i < client->sub_count; i++) {
        struct stream_sub *sub = &client->subs[i];
        if (sub->state == SUB_LIVE && !sub->is_new)
            sub->since = MAX(sub->since, cursor);
        sub->is_new = false;
    }
}

static void add_topics(struct stream_client *client, str names, str last_id)
{
    uint64_t cursor = client->cursor;
    str name;

    while (names.len > 0 && str_split(&names, ',', &name)) {
        size_t count = client->sub_count;
        add_topic(client, str_trim(name), last_id);
        if (client->sub_count > count)
            client->subs[client->sub_count - 1].is_new = true;
    }
    settle_subs(client, cursor);
    stream_wake(client->stream);
}

static void drop_topic(struct stream_client *client, str name)
{
    for (size_t i = client->sub_count; i-- > 0;) {
        if (!str_eq(str_from(client->subs[i].topic->name), name))
            continue;
        stream_topic_unref(client->subs[i].topic);
        client->subs[i] = client->subs[--client->sub_count];
    }
}

/* ---- clients ---- */

void stream_client_free(struct stream_client *client)
{
    while (client->sub_count > 0)
        stream_topic_unref(client->subs[--client->sub_count].topic);
    *client->link = client->next;
    if (client->next != NULL)
        client->next->link = client->link;
    client->stream->client_count--;
    http_stream_end(client->http);
    arena_free(client->arena);
    mem_free(client);
}

static void on_closed(void *owner)
{
    stream_client_free(owner);
}

static void on_drained(void *owner)
{
    struct stream_client *client = owner;

    bool behind = client->cursor < client->stream->seq;

    for (size_t i = 0; i < client->sub_count; i++)
        behind |= client->subs[i].state == SUB_WAITING;
    if (behind)
        stream_wake(client->stream);
}

static struct stream_client *client_new(struct web_call *call)
{
    struct stream *stream = call->web->stream;
    struct stream_client *client = new0(struct stream_client);
    unsigned char random[16];

    if (getrandom(random, sizeof(random), 0) != sizeof(random))
        abort(); /* no randomness: nothing can be safe */
    for (size_t i = 0; i < sizeof(random); i++)
        snprintf(client->id + 2 * i, 3, "%02x", random[i]);
    client->ticket = call->ticket;
    client->stream = stream;
    client->arena = arena_new(4 * LIMIT_MIB);
    client->user = copy_user(client->arena, &call->user);
    client->cursor = stream->seq;
    client->checked_ms = client->written_ms = clock_mono_ms();
    client->next = stream->clients;
    client->link = &stream->clients;
    if (client->next != NULL)
        client->next->link = &client->next;
    stream->clients = client;
    stream->client_count++;
    return client;
}

static size_t clients_of(const struct stream *stream, str user)
{
    size_t count = 0;

    for (const struct stream_client *c = stream->clients; c != NULL; c = c->next)
        count += str_eq(c->user.name, user);
    return count;
}

void web_stream_open(struct web_call *call)
{
    static const struct http_pair headers[] = {
            {S_INIT("Cache-Control"), S_INIT("no-store")},
            {S_INIT("X-Accel-Buffering"), S_INIT("no")},
            {S_INIT("X-Content-Type-Options"), S_INIT("nosniff")},
    };
    struct stream *stream = call->web->stream;
    str names = STR_EMPTY;

    if (stream->client_count >= LIMIT_STREAM_CLIENTS ||
        clients_of(stream, call->user.name) >= LIMIT_STREAM_CLIENTS_OF_USER) {
        web_fail(call, ERR_LIMIT, "too many pages are open on this server; close some");
        return;
    }
    (void)http_param(call->request, S("topics"), &names);
    struct stream_client *client = client_new(call);
    names = arena_str(client->arena, names);
    str last_id = arena_str(client->arena, http_header(call->request, S("Last-Event-ID")));
    str hello =
            arena_printf(client->arena,
                         "event: hello\ndata: {\"sid\":\"%s\",\"seq\":\"%s-%llu\","
                         "\"version\":\"%s\"}\n\n",
                         client->id, stream->epoch, (unsigned long long)stream->seq, TAUT_VERSION);
    struct http_reply reply = {.status = 200,
                               .content_type = S("text/event-stream; charset=utf-8"),
                               .headers = headers,
                               .header_count = COUNT(headers),
                               .body = hello};
    client->http = http_reply_stream(web_take_request(call), &reply, on_closed, on_drained, client);
    add_topics(client, names, last_id);
    stream_start_ticking(stream);
}

/* {add: ["apps:demo"], drop: ["app:demo/shop"]} */
void web_stream_topics(struct web_call *call)
{
    struct stream_client *client = call->web->stream->clients;
    struct val_iter it;

    while (client != NULL && !(str_eq(str_from(client->id), call->params[0]) &&
                               str_eq(client->user.name, call->user.name)))
        client = client->next;
    if (client != NULL && arena_is_over(client->arena)) {
        stream_client_free(client); /* thousands of topics later: the page opens another */
        client = NULL;
    }
    if (client == NULL) {
        web_fail(call, ERR_NOT_FOUND, "this stream is no longer open");
        return;
    }
    it = val_iter(val_get(call->body, S("drop")));
    while (val_next(&it))
        drop_topic(client, val_str(it.value));
    it = val_iter(val_get(call->body, S("add")));
    while (val_next(&it))
        add_topics(client, val_str(it.value), STR_EMPTY);
    struct val *done = val_new(call->arena, val_map());
    struct val *open = val_ensure_list(call->arena, done, S("topics"));
    for (size_t i = 0; i < client->sub_count; i++)
        val_append(call->arena, open,
                   val_string(call->arena, str_from(client->subs[i].topic->name)));
    web_reply_val(call, 200, done);
}
