/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * call: one request on its way through a handler. Private to web/.
 *
 * Handlers are chains: each step asks one thing (home cluster, engine, Git) and names the next
 * step; one thing is in flight at a time. A chain ends with exactly one web_reply_…; the call and
 * its arena are gone then. The client's leaving does not stop a chain: writes are finished.
 */
#include "doc/val.h"
#include "kube/kube.h"
#include "web/web.h"

#define WEB_PARAMS_MAX 4

struct engine;
struct engine_ask;
struct map;
struct engine_preview;
struct source_wait;
struct web_call;

typedef void web_handler_fn(struct web_call *call);
typedef void web_next_fn(struct web_call *call, struct kube_response *response);

enum web_flags {
    WEB_PUBLIC = 1,     /* no token is asked for */
    WEB_DEVOPS = 2,     /* {devops} must be a DevOps Project; call->namespace_ is its namespace */
    WEB_BODY = 4,       /* a JSON object is read into call->body */
    WEB_PREFIX = 8,     /* the pattern is a prefix; the handler looks at the rest itself */
    WEB_SIGNED_IN = 16, /* every known user; the handler itself asks auth_may about what it shows */
};

/* What auth_may is asked. */
struct web_right {
    const char *verb; /* NULL only with WEB_PUBLIC, WEB_SIGNED_IN */
    const char *group;
    const char *resource;
    const char *subresource;
};

struct web_route {
    const char *method;  /* NULL: any */
    const char *pattern; /* "/taut/v1/devops/{devops}/repos/{name}" */
    unsigned flags;
    struct web_right may;
    web_handler_fn *handler;
    const char *summary; /* for the OpenAPI file */
};
extern const struct web_route web_routes[];
extern const size_t web_route_count;

/* A GET that the server asks itself, in a user's name; see web_load_start. */
typedef void web_load_fn(void *owner, int status, const struct val *answer);
struct web_load {
    web_load_fn *done; /* the answer (on an error: a Status) is borrowed */
    void *owner;
    struct web_call **slot; /* the call while it is in flight, then NULL */
};

struct web_call {
    struct web *web;
    struct web_call *next;
    struct web_call **link;
    struct http_request *request;
    struct arena *arena; /* the request's */
    const struct web_route *route;
    struct auth_user user;
    struct auth_ticket ticket;  /* what the user came with */
    str params[WEB_PARAMS_MAX]; /* in the order of the pattern */
    str namespace_;             /* WEB_DEVOPS */
    const struct val *body;     /* WEB_BODY */
    void *state;                /* the handler's own, in the arena */
    struct web_work *work;      /* people.c's */
    /* in flight */
    struct kube_call *kube;
    web_next_fn *then;
    struct engine_ask *ask;
    struct engine_preview *preview;
    struct source_wait *wait;
    struct auth_login *login;
    struct auth_review *review;
    void (*reviewed)(struct web_call *call);
    struct password_check *password;
    struct secret *secret;    /* made for the answer */
    struct loop_timer *timer; /* people.c: until what was written is known */
    struct source_repo *repo; /* held while `wait` */
    struct host_key_scan *scan;
    struct kube *other;      /* a cluster that is not saved; freed with the call */
    struct web_call *parked; /* list_apps.c: the next that waits for the first list */
    bool is_parked;
    str position; /* X-Seq of the answer: where the stream goes on from it */
    bool is_load; /* `load` gets the answer, nobody else */
    struct web_load load;
};

struct web_target;
struct web_work;
struct guard;

struct web {
    struct web_options options;
    struct web_call *calls;
    struct web_target *targets; /* kubernetes.c */
    struct guard *guard;
    bool ready;
    int64_t started_ms;
    uint64_t requests;
    uint64_t failures;
    struct map *repo_states; /* repo_state.c */
    char *texts[2];
    struct stream *stream;
    struct list_apps *apps;
};

/* Asks the home cluster; `then` gets its answer, good or bad. The request's namespace and so on
 * are copied. */
void web_kube(struct web_call *call, const struct kube_request *request, web_next_fn *then);

/* The GET route of that pattern, or NULL. */
const struct web_route *web_route_of(const char *pattern);
/* Whether the user has the route's right there; fills err with a sentence that names it. */
MUST_USE bool web_may(const struct web *web, const struct auth_user *user,
                      const struct web_route *route, str namespace_, struct err *err);
/* Answers the GET route at `path` as it would answer `user`; done may run inside the call. */
void web_load_start(struct web *web, const struct auth_user *user, str path,
                    const struct web_load *load);
void web_load_cancel(struct web_call *call); /* done does not run; NULL is fine */
/* Asks another cluster. */
void web_kube_at(struct web_call *call, struct kube *kube, const struct kube_request *request,
                 web_next_fn *then);

/* ---- endings ---- */
void web_reply_val(struct web_call *call, int status, const struct val *value);
/* 200 with a Set-Cookie. */
void web_reply_cookie(struct web_call *call, str cookie, const struct val *body);
void web_reply_json(struct web_call *call, int status, str body); /* JSON as text */
void web_reply_bytes(struct web_call *call, int status, str content_type, str body);
void web_reply_err(struct web_call *call, const struct err *err);
void web_fail(struct web_call *call, enum err_code code, const char *format, ...) PRINTF_LIKE(3, 4);
/* The home cluster's refusal, with what was being done in front. */
void web_reply_kube(struct web_call *call, const struct kube_response *response, const char *doing);
/* Gives the request away (pass-through); the call is gone afterwards. */
struct http_request *web_take_request(struct web_call *call);
/* X-Seq, ETag, 304 and gzip where the client takes it: changes `reply` and adds up to four headers
 * behind its own; encode.c. */
void web_encode(struct web_call *call, struct http_reply *reply, struct http_pair *headers);

/* Goes on once auth_may knows the answer: at once, or after a real home was asked. */
void web_when_reviewed(struct web_call *call, const struct auth_question *question,
                       void (*then)(struct web_call *call));
/* Whether the caller may everything: a platform admin. */
bool web_is_admin(const struct web_call *call);

/* ---- shared words ---- */
str web_body_str(const struct web_call *call, str key);
/* A name as PRODUCT section 1 asks; fills err. */
MUST_USE bool web_check_name(str what, str name, struct err *err);
/* Alias and description of the body keep their rules; fills err. */
MUST_USE bool web_check_words(const struct web_call *call, struct err *err);
/* Alias (1–63 characters) and description (≤ 256) into the object's annotations, with the creator;
 * absent ones are left out. */
MUST_USE bool web_add_words(struct web_call *call, struct val *object, struct err *err);
/* {name, alias, description, creator, created} of an object. */
void web_take_words(struct web_call *call, struct val *row, const struct val *object);
/* A map with apiVersion, kind, metadata.name and namespace. */
struct val *web_object(struct arena *arena, const char *api_version, const char *kind, str name,
                       str namespace_);
/* A new {"items": []}; rows are appended to its list. */
struct val *web_items(struct arena *arena, struct val **ret_items);

#define WEB_DEVOPS_LABEL "kubesphere.io/devopsproject"
#define WEB_KNOWN_HOSTS "argocd-ssh-known-hosts-cm"
#define WEB_SECRET_TYPE_LABEL "argocd.argoproj.io/secret-type"
extern const struct gvr web_gvr_namespaces;
extern const struct gvr web_gvr_secrets;
extern const struct gvr web_gvr_configmaps;
extern const struct gvr web_gvr_projects;
extern const struct gvr web_gvr_applications;

/* ---- for handlers of one deployment, {devops}/apps/{name} (apps.c) ---- */
/* NULL: the call is answered already. */
struct engine *web_engine(struct web_call *call);
void web_no_app(struct web_call *call); /* 404 */

void web_targets_free(struct web *web);

/* ---- handlers, one file each ---- */
web_handler_fn web_status, web_bootstrap;                                   /* status.c */
web_handler_fn web_session_get, web_session_create, web_session_delete;     /* session.c */
web_handler_fn web_user_list, web_user_get, web_user_create, web_user_edit; /* users.c */
web_handler_fn web_user_password, web_user_delete;
web_handler_fn web_token_list, web_token_create, web_token_delete;       /* tokens.c */
web_handler_fn web_me_get, web_me_edit, web_me_password, web_me_log_out; /* me.c */
web_handler_fn web_member_list, web_member_candidates, web_member_put;   /* members.c */
web_handler_fn web_member_create, web_member_delete;
web_handler_fn web_devops_edit; /* devops_edit.c */
web_handler_fn web_devops_list, web_devops_create, web_devops_get, web_devops_delete;
web_handler_fn web_credential_list, web_credential_create, web_credential_delete;
web_handler_fn web_repo_list, web_repo_create, web_repo_get, web_repo_delete; /* repos.c */
web_handler_fn web_repo_edit, web_credential_edit, web_cluster_edit, web_cluster_try, web_yaml_read;
web_handler_fn web_repo_test, web_repo_refs, web_repo_tree, web_repo_try; /* repo_test.c */
web_handler_fn web_cluster_list, web_cluster_create, web_cluster_delete, web_cluster_test;
web_handler_fn web_app_list, web_app_get;          /* list_apps.c */
web_handler_fn web_stream_open, web_stream_topics; /* stream_client.c */
web_handler_fn web_app_facts, web_app_diff, web_resource_diff, web_app_manifests, web_app_history;
web_handler_fn web_app_resources, web_app_sync, web_app_terminate, web_app_refresh;
web_handler_fn web_resource_logs;                                         /* logs.c */
web_handler_fn web_app_events, web_resource_events;                       /* events.c */
web_handler_fn web_resource_get, web_resource_put;                        /* resource.c */
web_handler_fn web_app_tree;                                              /* tree.c */
web_handler_fn web_preview, web_place_list;                               /* preview.c */
web_handler_fn web_service_list;                                          /* services.c */
web_handler_fn web_service_access;                                        /* access.c */
web_handler_fn web_home_api, web_cluster_api;                             /* kubernetes.c */
web_handler_fn web_page, web_livez, web_readyz, web_metrics, web_openapi; /* page.c */
