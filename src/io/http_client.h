/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * HTTP client: requests to one endpoint, many in flight, HTTP/2 where the server speaks it.
 *
 * Order:  callbacks run from the loop in a later turn, never inside http_start or http_cancel and
 *         never inside libcurl, so they may start, cancel and free whatever they like, also the
 *         client. `done` runs exactly once unless the call was cancelled.
 * Owner:  http_start copies the request. A call frees itself after done or http_cancel. Freeing the
 *         client cancels its calls.
 * Bounds: `max_bytes` of an answer (after decompression); a deadline for all but streams;
 *         LIMIT_HTTP_CALLS_IN_FLIGHT requests in flight, the others wait their turn in order (the
 *         deadline runs from being sent). Requests and streams (watches) use connections of their
 *         own, so that neither starves the other.
 * TLS:    needs the OpenSSL flavour of libcurl: credentials come from memory, never from files.
 */
#include "base/secret.h"
#include "io/loop.h"

struct http_client;
struct http_call;

/* Everything is copied. */
struct http_client_options {
    str name;                     /* for messages: "cluster prod" */
    str url;                      /* http(s)://host[:port][/prefix] */
    str ca_pem;                   /* empty = the system's authorities */
    str cert_pem;                 /* the client certificate, may be empty */
    const struct secret *key_pem; /* its key */
    const struct secret *bearer;
    str username; /* basic authentication, with password */
    const struct secret *password;
    bool insecure;   /* do not verify the server: only when a person said so */
    str server_name; /* to verify and to ask for instead of the URL's host */
    str proxy_url;   /* empty = the environment's, but never for loopback */
    str user_agent;
};

/* Fails when the URL or a credential cannot be used, or libcurl is not the OpenSSL flavour. */
MUST_USE bool http_client_new(struct loop *loop, const struct http_client_options *options,
                              struct http_client **ret_client, struct err *err);
void http_client_free(struct http_client *client);
AUTO_DEFINE(http_client, http_client_free)
#define auto_http_client AUTO(http_client)
/* For the calls that are started from now on. */
void http_client_set_bearer(struct http_client *client, const struct secret *bearer);
const char *http_client_name(const struct http_client *client);

struct http_client_response {
    bool answered;    /* the server answered, whatever it said; else err says why not */
    int status;       /* 0 = not reached */
    struct err err;   /* who, what, why: also when a stream broke off after a good start */
    str body;         /* borrowed; empty for streams */
    str content_type; /* borrowed */
    int64_t retry_after_ms;
};

typedef void http_done_fn(void *owner, struct http_client_response *response);
/* What arrived and was not consumed yet. Returns how many bytes of it are done with; the rest comes
 * again with more behind it. At the end of the stream, what is left over is dropped. */
typedef size_t http_body_fn(void *owner, int status, str bytes);

struct http_client_request {
    str method; /* "GET" */
    str path;   /* "/api/v1/…" with query, behind the client's prefix */
    str accept;
    str content_type; /* of the body */
    str body;
    http_body_fn *on_body; /* set: a stream */
    int64_t timeout_ms;    /* 0 = none */
    size_t max_bytes;      /* of the answer, or of a stream's unconsumed part */
    bool idempotent;       /* may be sent again when the connection broke off */
    bool want_gzip;
};

struct http_call *http_start(struct http_client *client, const struct http_client_request *request,
                             http_done_fn *done, void *owner);
void http_cancel(struct http_call *call); /* legal in any state; NULL is fine */
/* Requests and streams that wait or run; for tests and metrics. */
size_t http_client_calls(const struct http_client *client);
/* Connections that were opened since the start. */
size_t http_client_connections(const struct http_client *client);
