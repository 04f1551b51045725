/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Server: all parts of `taut serve`, put together in the right order and taken apart in the
 * reverse one. Private to cli/serve.c and cli/demo.c.
 *
 * Order:  the render zygote is forked before any secret is loaded. Then folder lock, certificates,
 *         home, sandbox, source; ports; and as steps of the loop: users, kubeconfig, engine.
 * Stop:   SIGTERM or SIGINT; a second one ends the process at once.
 */
#include "io/pki.h"
#include "web/web.h"

struct server_options {
    str data_dir;
    str listen;            /* TLS */
    str http;              /* plain, empty = none */
    str home;              /* kubeconfig of a real cluster, empty = embedded */
    str home_context;      /* of it; empty = current */
    str file_repos;        /* roots of file:// repositories, colon-separated */
    str control_namespace; /* "argocd" */
    str tls_cert;          /* files, empty = our own */
    str tls_key;
    bool sandbox;
    bool next_port;      /* a busy port: take the next one */
    bool show_stages;    /* print each stage with its time */
    bool keeps_sign_ins; /* the demo: it shows passwords of its own */
};

struct server {
    struct server_options options;
    struct arena *arena;
    const char *dir;
    int lock;
    int64_t started_ms;
    struct loop *loop;
    struct render_pool *renders;
    struct pki pki;
    struct apiserver *home_server;
    struct apiserver *sandbox_server;
    struct kube *home;
    struct kube *sandbox;
    struct sandbox *sandbox_life;
    struct upstream *home_upstream;
    struct source *source;
    struct auth *auth;
    struct engine *engine;
    struct web *web;
    struct http_server *tls;
    struct http_server *plain;
    struct loop_watch *signals[2];
    struct loop_watch *orphans;
    struct loop_timer *token_timer;
    struct secret *token; /* of admin.kubeconfig, until it is known to work */
    struct kube_call *call;
    int refusals;
    bool stopping;
    bool failed;
    struct err err; /* when failed */
    void (*ready)(struct server *server, void *owner);
    void *ready_owner;
};

/* Everything up to the open ports; the rest happens in server_run. */
MUST_USE bool server_open(struct server *server, const struct server_options *options,
                          struct err *err);
/* Until a signal; false = it failed to start, or met something it cannot live with. */
MUST_USE bool server_run(struct server *server, struct err *err);
void server_close(struct server *server);
/* "  home cluster          12 ms", when stages are shown. */
void server_stage(struct server *server, const char *what);
void server_fail(struct server *server, const struct err *err);

/* server_start.c: users, token, kubeconfig, engine. */
void server_start(struct server *server);
/* The URL of the TLS port as clients on this machine reach it. */
str server_url(const struct server *server, struct arena *arena);
str server_kubeconfig_path(const struct server *server);
