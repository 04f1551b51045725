/* SPDX-License-Identifier: Apache-2.0 */
/* Topics and the ring of events; the answers to clients are in stream_client.c. */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "doc/json.h"
#include "doc/merge_patch.h"
#include "web/list.h"
#include "web/stream_parts.h"
#include <assert.h>
#include <sys/random.h>

/* ---- the ring ---- */

const struct stream_event *stream_event_at(const struct stream *stream, uint64_t number)
{
    if (number < stream->oldest || number > stream->seq)
        return NULL;
    return &stream->ring[number % LIMIT_STREAM_EVENTS];
}

static void drop_oldest(struct stream *stream)
{
    struct stream_event *event = &stream->ring[stream->oldest % LIMIT_STREAM_EVENTS];

    stream->ring_bytes -= event->text.len;
    mem_free((char *)(uintptr_t)event->text.at);
    *event = (struct stream_event){0};
    stream->oldest++;
}

static void push(struct stream_topic *topic, str text)
{
    struct stream *stream = topic->stream;

    stream->seq++;
    while (stream->seq - stream->oldest >= LIMIT_STREAM_EVENTS ||
           (stream->oldest < stream->seq && stream->ring_bytes + text.len > LIMIT_STREAM_BYTES))
        drop_oldest(stream);
    stream->ring[stream->seq % LIMIT_STREAM_EVENTS] = (struct stream_event){topic->id, text};
    stream->ring_bytes += text.len;
}

/* An event without text: what changed is too much to be told, readers take the whole again. */
static void push_restart(struct stream_topic *topic)
{
    push(topic, (str){NULL, 0});
    topic->since = topic->stream->seq;
}

static void push_patch(struct stream_topic *topic, const struct val *patch)
{
    struct stream *stream = topic->stream;
    auto_buf struct buf text = {0};
    size_t len;

    buf_init(&text, LIMIT_STREAM_PATCH);
    buf_addf(&text, "id: %s-%llu\nevent: %s\ndata: {\"topic\":\"%s\",\"patch\":", stream->epoch,
             (unsigned long long)stream->seq + 1, topic->kind->event, topic->name);
    json_format(&text, patch, JSON_COMPACT);
    buf_add(&text, S("}\n\n"));
    if (buf_is_over(&text)) {
        push_restart(topic);
        return;
    }
    char *owned = buf_take(&text, &len);
    push(topic, str_of(owned, len));
}

str stream_position(const struct stream *stream, struct arena *arena)
{
    return arena_printf(arena, "%s-%llu", stream->epoch, (unsigned long long)stream->seq);
}

bool stream_parse_position(const struct stream *stream, str text, uint64_t *ret_number)
{
    return str_skip(&text, str_from(stream->epoch)) && str_skip(&text, S("-")) &&
           str_to_u64(text, ret_number) && *ret_number <= stream->seq;
}

/* ---- values ---- */

bool stream_topic_value(struct stream_topic *topic, struct buf *out)
{
    if (topic->kind->has_rows)
        return list_apps_value(topic->stream->web->apps, str_from(topic->namespace_), out);
    if (topic->base == NULL)
        return false;
    json_format(out, topic->base, JSON_COMPACT);
    return true;
}

static struct val *pending(struct stream_topic *topic)
{
    if (topic->pending == NULL) {
        topic->pending_arena = arena_new(LIMIT_STREAM_PATCH);
        topic->pending = val_new(topic->pending_arena, val_map());
    }
    return topic->pending;
}

static void drop_pending(struct stream_topic *topic)
{
    topic->pending = NULL;
    arena_free(TAKE(topic->pending_arena));
}

static void flush_topic(struct stream_topic *topic)
{
    if (topic->pending != NULL) {
        if (arena_is_over(topic->pending_arena))
            push_restart(topic);
        else
            push_patch(topic, topic->pending);
        drop_pending(topic);
    }
    if (topic->next_value == NULL)
        return;
    if (topic->base != NULL && !val_eq(topic->base, topic->next_value)) {
        auto_arena struct arena *arena = arena_new(LIMIT_STREAM_PATCH);
        struct val patch = merge_patch_make(arena, topic->base, topic->next_value);
        if (arena_is_over(arena))
            push_restart(topic);
        else
            push_patch(topic, &patch);
    }
    arena_free(TAKE(topic->base_arena));
    topic->base = TAKE(topic->next_value);
    topic->base_arena = TAKE(topic->next_arena);
}

void stream_flush(struct stream *stream)
{
    for (struct stream_topic *t = stream->topics; t != NULL; t = t->next)
        flush_topic(t);
}

static struct stream_topic *find_rows(struct stream *stream, const char *word, str namespace_)
{
    for (struct stream_topic *t = stream->topics; t != NULL; t = t->next) {
        if (t->kind->has_rows && strcmp(t->kind->word, word) == 0 &&
            str_eq(str_from(t->namespace_), namespace_))
            return t;
    }
    return NULL;
}

/* Patches of one row add up. A row that went and came back in between is told as two events: the
 * second must not merge into what the first deleted. */
void stream_put_row(struct stream *stream, const char *word, str namespace_, str key,
                    const struct val *patch)
{
    struct stream_topic *topic = find_rows(stream, word, namespace_);

    if (topic == NULL)
        return;
    struct val *row = val_get(pending(topic), key);
    if (patch != NULL && row != NULL && val_is(row, VAL_NULL)) {
        flush_topic(topic);
        row = NULL;
    }
    struct val *rows = pending(topic);
    struct arena *arena = topic->pending_arena;
    if (row == NULL || patch == NULL) {
        val_set(arena, rows, key, patch == NULL ? val_null() : val_dup_value(arena, patch));
    } else {
        struct val_iter it = val_iter(patch);
        while (val_next(&it))
            val_set(arena, row, it.key, val_dup_value(arena, it.value));
    }
    stream_wake(stream);
}

void stream_record_rows(struct stream *stream, const char *word, str devops)
{
    char name[300];

    snprintf(name, sizeof(name), "%s:%.*s", word, STR(devops));
    struct stream_topic *topic = stream_topic_ref(stream, str_from(name), NULL, NULL);
    if (topic != NULL)
        stream_topic_unref(topic);
}

void stream_restart_rows(struct stream *stream, const char *word)
{
    for (struct stream_topic *t = stream->topics; t != NULL; t = t->next) {
        if (!t->kind->has_rows || strcmp(t->kind->word, word) != 0)
            continue;
        drop_pending(t);
        push_restart(t);
    }
    stream_wake(stream);
}

/* ---- loads ---- */

/* The list of an answer as a map, so that patches name single rows. */
static struct val *keyed(struct arena *arena, const struct stream_kind *kind,
                         const struct val *answer)
{
    struct val *value = val_new(arena, val_map());
    struct val_iter it = val_iter(answer);

    while (val_next(&it)) {
        if (kind->items == NULL || !str_eq(it.key, str_from(kind->items))) {
            val_add(arena, value, it.key, val_dup_value(arena, it.value));
            continue;
        }
        struct val *rows = val_add(arena, value, it.key, val_map());
        struct val_iter items = val_iter(it.value);
        while (val_next(&items))
            val_set(arena, rows, val_get_str(items.value, str_from(kind->key)),
                    val_dup_value(arena, items.value));
    }
    return value;
}

static void take_answer(struct stream_topic *topic, const struct val *answer)
{
    arena_free(TAKE(topic->next_arena));
    topic->next_arena = arena_new(LIMIT_HTTP_REQUEST_ARENA);
    topic->next_value = keyed(topic->next_arena, topic->kind, answer);
}

static void on_loaded(void *owner, int status, const struct val *answer)
{
    struct stream_topic *topic = owner;

    topic->loaded_ms = clock_mono_ms();
    topic->cost_ms = topic->loaded_ms - topic->asked_ms;
    topic->status = status;
    mem_free(TAKE(topic->message));
    if (status == 200 && answer != NULL) {
        take_answer(topic, answer);
    } else {
        topic->message = mem_dup_z(val_get_str(answer, S("message")));
    }
    stream_wake(topic->stream);
}

static void load_topic(struct stream_topic *topic)
{
    topic->touched = false;
    topic->asked_ms = clock_mono_ms();
    web_load_start(topic->stream->web, &topic->user, str_from(topic->path),
                   &(struct web_load){on_loaded, topic, &topic->load});
}

/* What was touched is loaded in the frame after, once a frame; what takes long is loaded more
 * rarely, so that no topic takes more than a small part of the server's time. The tick comes back
 * to it. */
static void load_touched(struct stream *stream)
{
    int64_t now = clock_mono_ms();

    for (struct stream_topic *t = stream->topics; t != NULL; t = t->next) {
        if (t->touched && t->load == NULL && t->readers > 0 && !t->kind->has_rows &&
            (t->status == 0 || now - t->loaded_ms >= t->cost_ms * STREAM_COST_FACTOR))
            load_topic(t);
    }
}

void stream_touch(struct web *web, const char *word, str namespace_, str name)
{
    struct stream *stream = web->stream;

    if (stream == NULL)
        return;
    for (struct stream_topic *t = stream->topics; t != NULL; t = t->next) {
        bool same_word = word == NULL || strcmp(t->kind->word, word) == 0;
        bool same_place = (word != NULL && namespace_.len == 0) ||
                          str_eq(str_from(t->namespace_), namespace_);
        bool same_object =
                name.len == 0 || t->object[0] == '\0' || str_eq(str_from(t->object), name);
        if (!same_word || !same_place || !same_object)
            continue;
        t->touched = true;
        stream_wake(stream);
    }
}

/* ---- topics ---- */

static const struct stream_kind *find_kind(str word)
{
    for (size_t i = 0; i < stream_kind_count; i++) {
        if (str_eq(word, str_from(stream_kinds[i].word)))
            return &stream_kinds[i];
    }
    return NULL;
}

/* Names of objects and clusters: nothing that would have to be escaped in JSON or a path. */
static bool is_plain(str part)
{
    for (size_t i = 0; i < part.len; i++) {
        char c = part.at[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '.' || c == '_' || c == '~';
        if (!ok)
            return false;
    }
    return part.len > 0 && part.len <= 253 && !str_eq(part, S(".")) && !str_eq(part, S(".."));
}

/* The route's {params} filled from "demo/shop"; false when there are more or fewer. */
static bool fill_route(struct stream_topic *topic, str rest, struct buf *path)
{
    str pattern = str_from(topic->kind->route);
    bool ok = true;
    str part;
    str value;
    size_t count = 0;

    if (rest.len == 0)
        rest.at = NULL;
    str_split(&pattern, '/', &part); /* before the first slash: nothing */
    while (ok && str_split(&pattern, '/', &part)) {
        buf_addc(path, '/');
        if (!str_starts(part, S("{"))) {
            buf_add(path, part);
            continue;
        }
        ok = str_split(&rest, '/', &value) && is_plain(value);
        if (ok && count == 0)
            topic->devops = mem_dup_z(value);
        if (ok && count == 1)
            topic->object = mem_dup_z(value);
        if (ok)
            buf_add(path, value);
        count++;
    }
    return ok && rest.at == NULL;
}

static void topic_free(struct stream_topic *topic)
{
    web_load_cancel(TAKE(topic->load));
    drop_pending(topic);
    arena_free(topic->base_arena);
    arena_free(topic->next_arena);
    arena_free(topic->user_arena);
    mem_free(topic->name);
    mem_free(topic->path);
    mem_free(topic->devops);
    mem_free(topic->namespace_);
    mem_free(topic->object);
    mem_free(topic->message);
    mem_free(topic);
}

static void set_user(struct stream_topic *topic, const struct auth_user *user)
{
    arena_free(topic->user_arena);
    topic->user_arena = arena_new(LIMIT_MIB);
    str *groups = arena_array(topic->user_arena, user->group_count + 1, str);
    for (size_t i = 0; i < user->group_count; i++)
        groups[i] = arena_str(topic->user_arena, user->groups[i]);
    topic->user =
            (struct auth_user){arena_str(topic->user_arena, user->name), groups, user->group_count};
}

static struct stream_topic *topic_new(struct stream *stream, str name, const struct auth_user *user,
                                      struct err *err)
{
    size_t colon = str_find_char(name, ':');
    str word = str_first(name, MIN(colon, name.len));
    const struct stream_kind *kind = find_kind(word);
    auto_buf struct buf path = {0};

    if (kind == NULL) {
        err_set(err, ERR_NOT_FOUND, "there is no topic '%.*s'", STR(word));
        return NULL;
    }
    struct stream_topic *topic = new0(struct stream_topic);
    topic->stream = stream;
    topic->kind = kind;
    buf_init(&path, LIMIT_KIB * 4);
    if (!fill_route(topic, colon == SIZE_MAX ? STR_EMPTY : str_from_index(name, colon + 1),
                    &path)) {
        err_set(err, ERR_INVALID, "the topic '%.*s' does not name what %s needs", STR(name),
                kind->route);
        topic_free(topic);
        return NULL;
    }
    topic->name = mem_dup_z(name);
    topic->path = buf_take(&path, &(size_t){0});
    topic->devops = topic->devops == NULL ? mem_dup_z(STR_EMPTY) : topic->devops;
    topic->object = topic->object == NULL ? mem_dup_z(STR_EMPTY) : topic->object;
    topic->namespace_ = mem_dup_z(str_eq(str_from(topic->devops), S("default"))
                                          ? stream->web->options.control_namespace
                                          : str_from(topic->devops));
    if (!kind->has_rows)
        set_user(topic, user);
    topic->id = ++stream->next_id;
    topic->touched = true;
    topic->next = stream->topics;
    stream->topics = topic;
    stream->topic_count++;
    push_restart(topic); /* what happened before was not recorded: older positions start anew */
    return topic;
}

/* Makes room by letting go of a topic that nobody reads. */
static void drop_unread(struct stream *stream, int64_t unread_before)
{
    struct stream_topic **at = &stream->topics;

    while (*at != NULL) {
        struct stream_topic *topic = *at;
        if (topic->readers > 0 || topic->unread_since > unread_before) {
            at = &topic->next;
            continue;
        }
        *at = topic->next;
        stream->topic_count--;
        topic_free(topic);
    }
}

struct stream_topic *stream_topic_ref(struct stream *stream, str name, const struct auth_user *user,
                                      struct err *err)
{
    struct stream_topic *topic = stream->topics;

    while (topic != NULL && !(str_eq(str_from(topic->name), name) &&
                              (topic->kind->has_rows || str_eq(topic->user.name, user->name))))
        topic = topic->next;
    if (topic == NULL && stream->topic_count >= LIMIT_STREAM_TOPICS)
        drop_unread(stream, INT64_MAX);
    if (topic == NULL && stream->topic_count >= LIMIT_STREAM_TOPICS) {
        err_set(err, ERR_LIMIT, "too many topics are open on this server");
        return NULL;
    }
    if (topic == NULL)
        topic = topic_new(stream, name, user, err);
    else if (!topic->kind->has_rows && topic->readers == 0)
        set_user(topic, user);
    if (topic == NULL)
        return NULL;
    if (topic->readers++ == 0)
        topic->touched = true;
    stream_wake(stream);
    return topic;
}

void stream_topic_unref(struct stream_topic *topic)
{
    assert(topic->readers > 0);
    if (--topic->readers == 0)
        topic->unread_since = clock_mono_ms();
}

bool stream_may(const struct stream *stream, const struct auth_user *user,
                const struct stream_topic *topic, struct err *err)
{
    const struct web_route *route = web_route_of(topic->kind->route);

    return web_may(stream->web, user, route, str_from(topic->namespace_), err);
}

bool stream_adopt(struct stream *stream, str name, const struct auth_user *user, str path,
                  const struct val *answer)
{
    struct stream_topic *topic = stream_topic_ref(stream, name, user, NULL);

    if (topic == NULL)
        return false;
    bool fits = !topic->kind->has_rows && str_eq(str_from(topic->path), path);
    if (fits) {
        take_answer(topic, answer);
        flush_topic(topic);
        topic->status = 200;
        topic->touched = false;
        topic->loaded_ms = clock_mono_ms();
    }
    stream_topic_unref(topic);
    return fits;
}

static void on_auth(void *owner)
{
    struct stream *stream = owner;

    stream_check_rights(stream);
    for (struct stream_topic *t = stream->topics; t != NULL; t = t->next) {
        if (t->kind->about_people)
            t->touched = true;
    }
    stream_wake(stream);
}

/* ---- frames and ticks ---- */

static void on_frame(void *owner)
{
    struct stream *stream = owner;
    uint64_t before = stream->seq;

    load_touched(stream);
    stream_flush(stream);
    if (stream->seq != before)
        stream->framed_ms = clock_mono_ms();
    for (struct stream_client *c = stream->clients; c != NULL; c = c->next)
        stream_client_frame(c);
}

void stream_wake(struct stream *stream)
{
    int64_t passed = clock_mono_ms() - stream->framed_ms;

    if (!loop_timer_is_running(stream->frame))
        loop_timer_start(stream->frame, passed >= STREAM_FRAME_MS ? 0 : STREAM_FRAME_MS - passed);
}

static void on_tick(void *owner)
{
    struct stream *stream = owner;
    int64_t now = clock_mono_ms();

    for (struct stream_client *c = stream->clients, *next; c != NULL; c = next) {
        next = c->next;
        stream_client_tick(c);
    }
    for (struct stream_topic *t = stream->topics; t != NULL; t = t->next) {
        int every = t->status == 200 || t->status == 0 ? t->kind->every_ms : STREAM_RIGHTS_MS;
        if (t->readers == 0 || t->kind->has_rows)
            continue;
        t->touched |= every > 0 && now - t->loaded_ms >= every;
        if (t->touched)
            stream_wake(stream);
    }
    drop_unread(stream, now - STREAM_LINGER_MS);
    if (stream->clients != NULL || stream->topics != NULL)
        loop_timer_start(stream->tick, 1000);
}

void stream_start_ticking(struct stream *stream)
{
    if (!loop_timer_is_running(stream->tick))
        loop_timer_start(stream->tick, 1000);
}

struct stream *stream_new(struct web *web)
{
    struct stream *stream = new0(struct stream);
    uint64_t random = 0;

    /* The epoch need not be secret, only new at each start. */
    if (getrandom(&random, sizeof(random), 0) != sizeof(random))
        random = (uint64_t)clock_mono_us();
    snprintf(stream->epoch, sizeof(stream->epoch), "%016llx", (unsigned long long)random);
    stream->web = web;
    stream->oldest = 1;
    stream->ring = new0_array(LIMIT_STREAM_EVENTS, struct stream_event);
    stream->frame = loop_timer_new(web->options.loop, "stream frame", on_frame, stream);
    stream->tick = loop_timer_new(web->options.loop, "stream tick", on_tick, stream);
    stream->listener = auth_listen(web->options.auth, on_auth, stream);
    return stream;
}

void stream_free(struct stream *stream)
{
    if (stream == NULL)
        return;
    while (stream->clients != NULL)
        stream_client_free(stream->clients);
    for (struct stream_topic *t = stream->topics; t != NULL; t = t->next)
        t->readers = 0;
    drop_unread(stream, INT64_MAX);
    while (stream->oldest <= stream->seq)
        drop_oldest(stream);
    auth_unlisten(stream->listener);
    loop_timer_free(stream->frame);
    loop_timer_free(stream->tick);
    mem_free(stream->ring);
    mem_free(stream);
}
