/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * web: everything that is served on Taut's port. One route table (routes.c), one decision point for
 * rights (auth_may), one shape of errors (Kubernetes' Status).
 *
 * Owner:  web_new borrows everything in its options; free web before them. web_free answers what is
 *         still open with 503.
 * Input:  hostile until a bearer token is checked; afterwards a user with rights of his own.
 */
#include "auth/auth.h"
#include "io/http_server.h"

struct apiserver;
struct engine;
struct source;
struct web;

/* A Kubernetes API below a path prefix, passed on with Taut's own credential; see upstream.h. */
struct upstream;

struct web_options {
    struct loop *loop;
    struct kube *home;
    struct auth *auth;
    struct engine *engine;            /* may come later: web_set_engine */
    struct source *source;            /* NULL: connection tests are refused */
    struct apiserver *home_server;    /* the embedded home, or NULL when it is a real cluster */
    struct upstream *home_upstream;   /* the real cluster, or NULL when it is embedded */
    struct apiserver *sandbox_server; /* NULL without a sandbox */
    str control_namespace;
    str kubeconfig_path; /* told on the page; copied, as all texts */
};

struct web *web_new(const struct web_options *options);
void web_free(struct web *web); /* NULL is fine */
AUTO_DEFINE(web, web_free)
#define auto_web AUTO(web)
/* Until this is called with true, /readyz answers 503. */
void web_set_ready(struct web *web, bool ready);
void web_set_engine(struct web *web, struct engine *engine);

/* The http_handler_fn of both ports; `owner` is the web. */
void web_handle(void *owner, struct http_request *request);
