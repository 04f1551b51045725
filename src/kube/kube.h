/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * kube: one Kubernetes API endpoint, remote over HTTP/2 or embedded in this process. Controllers
 * are written against this alone and cannot tell the difference.
 *
 * Order:  `done` runs exactly once, from the loop in a later turn, never inside kube_start or
 *         kube_cancel; after kube_cancel it does not run. For a watch, `event` runs for each event
 *         and `done` once at its end.
 * Owner:  the request and its texts are copied by kube_start. The response is borrowed for the
 *         callback; kube_response_take moves the object's arena out. The call frees itself after
 * done. Bounds: LIMIT_RESPONSE_BYTES an answer; a time-out for everything but watches.
 */
#include "io/loop.h"
#include "schema/gvk.h"

struct kube;
struct kube_call;

enum kube_verb {
    KUBE_GET,
    KUBE_LIST,
    KUBE_CREATE,
    KUBE_UPDATE, /* PUT */
    KUBE_PATCH_JSON,
    KUBE_PATCH_MERGE,
    KUBE_PATCH_STRATEGIC,
    KUBE_APPLY, /* server-side apply */
    KUBE_DELETE,
    KUBE_DELETE_COLLECTION,
    KUBE_WATCH,
    KUBE_RAW_GET, /* `path`: discovery, version, openapi */
};

struct kube_request {
    enum kube_verb verb;
    struct gvr gvr;
    str namespace_; /* empty: cluster-scoped, or all namespaces for list and watch */
    str name;
    str subresource;        /* "status", "scale", … or empty */
    str path;               /* KUBE_RAW_GET only, with query */
    str accept;             /* KUBE_RAW_GET only; empty = application/json */
    const struct val *body; /* create, update, patches, apply; delete: DeleteOptions */
    str label_selector;
    str field_selector;
    int64_t limit; /* list page size, 0 = none */
    str continue_;
    str resource_version; /* list and watch */
    bool allow_bookmarks; /* watch */
    bool dry_run;
    str field_manager;    /* create, update, patch, apply */
    bool force;           /* apply */
    str field_validation; /* Strict, Warn, Ignore; empty = the server's default (Warn) */
    str propagation;      /* delete: Foreground, Background, Orphan */
    str precondition_uid; /* delete */
    str precondition_resource_version;
    int64_t timeout_ms; /* 0 = 30 s; watches have none */
    bool want_table;    /* Accept: Table */
};

struct kube_response {
    bool ok;                  /* 2xx */
    int status;               /* HTTP status, 0 = not reached; 200 and not ok = it broke off */
    struct err err;           /* when not ok: the server's own sentence */
    const struct val *object; /* the object, list, or Status; NULL when there is none. The items of
                                 a list have apiVersion and kind */
    str reason;               /* Status.reason: NotFound, Conflict, Invalid, Forbidden … */
    bool created;             /* 201 */
    int64_t retry_after_ms;   /* from 429/503, else 0 */
    struct arena *arena;      /* owns `object` */
};

enum kube_event_type { KUBE_ADDED, KUBE_MODIFIED, KUBE_DELETED, KUBE_BOOKMARK, KUBE_EVENT_ERROR };

struct kube_event {
    enum kube_event_type type;
    const struct val *object;
};

typedef void kube_done_fn(void *owner, struct kube_response *response);
typedef void kube_event_fn(void *owner, const struct kube_event *event);

struct kube_call *kube_start(struct kube *kube, const struct kube_request *request,
                             kube_done_fn *done, void *owner);
struct kube_call *kube_watch(struct kube *kube, const struct kube_request *request,
                             kube_event_fn *event, kube_done_fn *done, void *owner);
void kube_cancel(struct kube_call *call); /* legal in any state; NULL is fine */
/* Moves the arena (and with it `object`) out of the response; the caller frees it. */
struct arena *kube_response_take(struct kube_response *response);

/* What implementations share: a request in words and as HTTP, and what an answer means. */
const char *kube_verb_word(enum kube_verb verb); /* "get", "apply" … */
str kube_request_method(const struct kube_request *request);
str kube_request_content_type(const struct kube_request *request);
/* "/apis/apps/v1/namespaces/x/deployments/y?…"; fails on names that cannot stand in a path. */
MUST_USE bool kube_request_path(const struct kube_request *request, struct arena *arena,
                                str *ret_path, struct err *err);
/* The body to send, DeleteOptions included; NULL = none. May be the request's own. */
const struct val *kube_request_body(const struct kube_request *request, struct arena *arena);
/* Sending it twice does what sending it once does. */
bool kube_request_is_idempotent(const struct kube_request *request);
/* Fills err with a Status' own sentence; false. `status` may be NULL or something else. */
bool kube_status_error(const struct val *status, int http_status, struct err *err);
/* Sets everything but object and arena from the object and the HTTP status. */
void kube_response_read(struct kube_response *response, int http_status);

/* Endpoints are made by their implementations (kube/remote.h, apiserver/embedded.h, kube/fake.h)
 * and given away through this table. */
struct kube_ops {
    struct kube_call *(*start)(struct kube *kube, const struct kube_request *request,
                               kube_event_fn *event, kube_done_fn *done, void *owner);
    void (*cancel)(struct kube_call *call);
    void (*free)(struct kube *kube);
    void (*retire)(struct kube *kube); /* NULL: as free */
};
struct kube {
    const struct kube_ops *ops;
    struct loop *loop;
    const char *name; /* for messages; owned by the implementation */
};
struct kube_call {
    struct kube *kube;
};
void kube_free(struct kube *kube); /* cancels what runs */
/* Frees it once the calls that others have on it are over; nobody may start new ones. */
void kube_retire(struct kube *kube);
AUTO_DEFINE(kube, kube_free)
#define auto_kube AUTO(kube)
