/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * stream: what changes, told to open pages over one Server-Sent Events answer a browser.
 *
 * Topic:  one JSON value that clients keep a copy of. A client gets it whole once (`value`) and
 * then what changed, as merge patches of RFC 7386 (`patch`). A row of stream_kinds says how its
 *         name looks and where the value comes from: the answer of a GET route, asked in the name
 *         of the client's user, so that the stream can show nothing that the route would refuse.
 * Ring:   every event has a number; LIMIT_STREAM_EVENTS of them are kept, and a client that comes
 *         back with the last number it saw gets the rest. What is lost is told (`resync`).
 * Rate:   events go out at most every STREAM_FRAME_MS; a client that does not read is skipped and
 *         finds its place in the ring again, so that nothing queues for it.
 * Rights: asked when a topic is subscribed, at each load, and every STREAM_RIGHTS_MS.
 */
#include "base/map.h"
#include "web/call.h"

#define STREAM_FRAME_MS 250
#define STREAM_PING_MS 15000
#define STREAM_RIGHTS_MS 2000
#define STREAM_COST_FACTOR 20  /* a load that took 100 ms is not begun again within 2 s */
#define STREAM_LINGER_MS 60000 /* a topic that nobody reads goes on recording for so long */

struct stream;
struct stream_topic;

struct stream_kind {
    const char *word;  /* the topic's name before the colon */
    const char *event; /* the SSE event's name */
    const char *route; /* the GET route whose answer is the value; its {params} stand in the topic's
                          name in their order, with slashes between */
    const char *items; /* the list in the answer that becomes a map, or NULL */
    const char *key;   /* by this member of its items */
    int every_ms;      /* load again by itself while somebody reads it; 0 = only when touched */
    bool about_people; /* loaded again when a user, role or binding changed */
    bool has_rows;     /* kept by list_apps.c, without loads; the route only names the right */
};
extern const struct stream_kind stream_kinds[];
extern const size_t stream_kind_count;

struct stream *stream_new(struct web *web);
void stream_free(struct stream *stream); /* ends every client's answer; NULL is fine */

/* Topics of that word, of that namespace and object (empty: any), may have changed: they are loaded
 * again, at most every STREAM_FRAME_MS. NULL as word: all that are about the namespace. */
void stream_touch(struct web *web, const char *word, str namespace_, str name);

/* Position of the newest event, "EPOCH-NUMBER", for X-Seq. */
str stream_position(const struct stream *stream, struct arena *arena);

/* A client that asked the topic's own route (?topic=devops) takes the answer as the topic's value:
 * from now on this is what patches are made against. False: the answer is not this topic's. */
bool stream_adopt(struct stream *stream, str name, const struct auth_user *user, str path,
                  const struct val *answer);

/* ---- for topics with rows of their own ---- */

/* `patch` changes the row `key` of the open topic, if there is one; NULL deletes the row. */
void stream_put_row(struct stream *stream, const char *word, str namespace_, str key,
                    const struct val *patch);
/* From now on the topic is recorded, also while nobody reads it: a list was answered, and its
 * reader will ask for what came after. */
void stream_record_rows(struct stream *stream, const char *word, str devops);
/* What is pending becomes events now, so that a list made in this turn is at stream_position. */
void stream_flush(struct stream *stream);
/* Everything was listed anew: readers are told to fetch again. */
void stream_restart_rows(struct stream *stream, const char *word);
