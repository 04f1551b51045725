/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What stream.c (topics, ring) and stream_client.c (answers) share. Private to these two. */
#include "io/http_server.h"
#include "web/stream.h"

struct stream_event {
    uint64_t topic; /* id */
    str text;       /* the whole SSE event, owned; empty: the topic starts anew */
};

struct stream_topic {
    struct stream *stream;
    struct stream_topic *next;
    uint64_t id;
    const struct stream_kind *kind;
    char *name;       /* "apps:demo" */
    char *path;       /* of the route */
    char *devops;     /* first parameter, "" = none */
    char *namespace_; /* of that DevOps Project */
    char *object;     /* second parameter */
    struct arena *user_arena;
    struct auth_user user; /* whose eyes see it; no name: shared by all who may */
    size_t readers;
    int64_t unread_since; /* monotonic */
    uint64_t since;       /* number of the last event before it began to record */
    /* the value; kinds with rows have `pending` alone */
    struct arena *base_arena;
    const struct val *base; /* what readers have */
    struct arena *next_arena;
    const struct val *next_value; /* loaded, not told yet */
    struct arena *pending_arena;
    struct val *pending;   /* patches of rows */
    struct web_call *load; /* in flight */
    bool touched;          /* load again */
    int64_t asked_ms;      /* of the load in flight, or the last one */
    int64_t loaded_ms;
    int64_t cost_ms; /* how long the last load took */
    int status;      /* of the last load: 200, 403 …; 0 = none yet */
    char *message;
};

enum sub_state { SUB_WAITING /* for the value */, SUB_LIVE };

struct stream_sub {
    struct stream_topic *topic;
    enum sub_state state;
    uint64_t since;   /* events after this number are told */
    bool by_position; /* the client has its value from a list */
    bool is_new;
    int told_status;
};

struct stream_client {
    struct stream *stream;
    struct stream_client *next;
    struct stream_client **link;
    struct http_stream *http;
    char id[33];
    struct arena *arena; /* the user's texts */
    struct auth_user user;
    struct auth_ticket ticket;
    struct stream_sub subs[LIMIT_STREAM_TOPICS_OF_CLIENT];
    size_t sub_count;
    uint64_t cursor; /* number of the last event that was looked at */
    int64_t written_ms;
    int64_t checked_ms;
};

struct stream {
    struct web *web;
    char epoch[17];
    uint64_t seq; /* of the newest event */
    struct stream_event *ring;
    uint64_t oldest; /* number of the oldest event in the ring */
    size_t ring_bytes;
    uint64_t next_id;
    struct stream_topic *topics;
    size_t topic_count;
    struct stream_client *clients;
    size_t client_count;
    struct loop_timer *frame; /* the next frame */
    struct loop_timer *tick;  /* pings, rights, periods */
    struct auth_listener *listener;
    int64_t framed_ms;
};

/* The topic of that name in the eyes of the user, made when it is new; one more reader. */
struct stream_topic *stream_topic_ref(struct stream *stream, str name, const struct auth_user *user,
                                      struct err *err);
void stream_topic_unref(struct stream_topic *topic);
const struct stream_event *stream_event_at(const struct stream *stream, uint64_t number);
/* May the user read it now? Fills err with the sentence of the route. */
bool stream_may(const struct stream *stream, const struct auth_user *user,
                const struct stream_topic *topic, struct err *err);
void stream_wake(struct stream *stream); /* a frame is due */
void stream_start_ticking(struct stream *stream);
bool stream_parse_position(const struct stream *stream, str text, uint64_t *ret_number);
/* The value as JSON; false: it is not known yet. */
bool stream_topic_value(struct stream_topic *topic, struct buf *out);

void stream_client_frame(struct stream_client *client); /* writes what is new */
void stream_client_tick(struct stream_client *client);  /* may free it */
void stream_check_rights(void *stream);                 /* of all clients */
void stream_client_free(struct stream_client *client);
