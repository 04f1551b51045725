/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * HTTP server: requests come whole, answers go out in the same or a later turn, or as a stream.
 *
 * Handler: runs from the loop once the body is complete. It answers each request exactly once with
 *          http_reply or http_reply_stream, in that turn or any later one; also when the client has
 *          gone meanwhile (the answer is then dropped). After that call the request is no longer
 *          the handler's.
 * Owner:   the request owns its texts, until it is answered. http_reply copies all it is given.
 * Bounds:  LIMIT_REQUEST_BYTES a body (413), LIMIT_HTTP_HEADER_BYTES of request line and headers
 *          (431), LIMIT_HTTP_CONNECTIONS, LIMIT_HTTP_IDLE_S, LIMIT_HTTP_STREAM_BYTES waiting in a
 *          stream (its client is too slow: the stream ends).
 * Input:   hostile. Paths are decoded once; an encoded '/', '\' or NUL in a path is 400.
 */
#include "base/arena.h"
#include "io/loop.h"

struct http_server;
struct http_stream;

struct http_pair {
    str name;
    str value;
};

struct http_request {
    str method;                     /* "GET", … as sent */
    str path;                       /* decoded, begins with '/' */
    str query;                      /* raw, without '?' */
    const struct http_pair *params; /* of the query, decoded, in order */
    size_t param_count;
    const struct http_pair *headers; /* as sent, in order */
    size_t header_count;
    str body;
    str peer; /* "127.0.0.1:4711", for the log */
    bool is_tls;
    struct arena *arena; /* of this request; free to be used by the handler until it answers */
};

typedef void http_handler_fn(void *owner, struct http_request *request);
typedef void http_closed_fn(void *owner);

struct http_reply {
    int status; /* 200 … 599 */
    str content_type;
    const struct http_pair *headers; /* further ones */
    size_t header_count;
    str body;
};

struct http_server_options {
    str listen;   /* ADDRESS:PORT, [::1]:PORT, or :PORT; port 0 = any free one */
    str cert_pem; /* TLS when not empty; copied */
    str key_pem;
};

struct http_server *http_server_new(struct loop *loop, const struct http_server_options *options,
                                    http_handler_fn *handler, void *owner, struct err *err);
/* Cuts open connections; streams hear `closed`, pending requests may still be answered (dropped).
 */
void http_server_free(struct http_server *server);
AUTO_DEFINE(http_server, http_server_free)
#define auto_http_server AUTO(http_server)
uint16_t http_server_port(const struct http_server *server);
size_t http_server_connections(const struct http_server *server);

str http_header(const struct http_request *request, str name); /* any case; "" when absent */
/* The first query parameter of that name; false when absent. ret_value may be NULL. */
bool http_param(const struct http_request *request, str name, str *ret_value);
/* `closed` runs once if the client goes before the answer, so that work can be cancelled; the
 * request must still be answered. NULL takes it back. */
void http_on_closed(struct http_request *request, http_closed_fn *closed, void *owner);

/* For who watches over an answer that another gives: the request's memory is kept until
 * http_drop. It is over once its connection is; http_cut ends it as if the client had left. */
struct http_request *http_keep(struct http_request *request);
bool http_is_over(const struct http_request *kept);
void http_cut(struct http_request *kept);
void http_drop(struct http_request *kept);

void http_reply(struct http_request *request, const struct http_reply *reply);
/* Short for small answers without further headers. */
void http_reply_text(struct http_request *request, int status, str content_type, str body);

/* Starts a chunked answer (`reply->body` is its first part). The stream is the caller's until
 * http_stream_end, also after `closed` has told that the client is gone (writes are dropped then).
 * `drained` (may be NULL) runs each time that all of what waited has been handed to the network. */
struct http_stream *http_reply_stream(struct http_request *request, const struct http_reply *reply,
                                      http_closed_fn *closed, http_closed_fn *drained, void *owner);
/* Queues a copy. false: the client is gone or too slow; `closed` runs in a later turn. */
bool http_stream_write(struct http_stream *stream, str bytes);
size_t http_stream_waiting(const struct http_stream *stream); /* bytes not yet sent: wait for
                                                                 drained above a few 100 KiB */
void http_stream_end(struct http_stream *stream);             /* frees; NULL is fine */

/* Decodes %XX (and '+' as space when `plus`); false on a bad escape. */
MUST_USE bool http_decode(struct arena *arena, str text, bool plus, str *ret);
