/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * fetch_role: the inside of a fetch process: one request, its git commands, one answer. Private to
 * the transport.
 *
 * Runs: with the credential of one repository; confined to the system's programs, its cache and,
 *       for a repository on this disk, that repository. It runs blocking: it has nothing else to
 * do.
 */
#include "git/fetch_message.h"

enum { FETCH_ENV_MAX = 96, FETCH_ARGS_MAX = 48, FETCH_WANTS_A_CALL = 24 };

struct fetch {
    struct loop *loop;
    struct arena *arena;
    struct fetch_request request;
    struct git_url url;  /* where we talk to now: redirects change it */
    bool has_left;       /* a redirect led to another host: no credential for it */
    str address;         /* the looked-up address that is used, "" = git's own choice */
    const char *program; /* of this binary */
    const char *env[FETCH_ENV_MAX];
    size_t env_count;
    size_t config_count;
    str key_path; /* /proc/<pid>/fd/<n>: memfds of this process */
    str passphrase_path;
    str hosts_path;
    str ca_path;
    int64_t git_took_ms;
};

struct git_run {
    const char *args[FETCH_ARGS_MAX];
    size_t count;
    str input;
    str ref; /* for messages */
    int64_t timeout_ms;
    /* filled */
    bool ok;
    str out;
    str words;      /* standard error */
    struct err err; /* when not ok and git said nothing */
};

/* Runs git with this process's environment of the moment. */
void fetch_git(struct fetch *f, struct git_run *run);
MUST_USE bool fetch_git_failed(struct fetch *f, const struct git_run *run, struct err *err);

/* fetch_setup.c */
MUST_USE bool fetch_confine(struct fetch *f, struct err *err);
MUST_USE bool fetch_secrets(struct fetch *f, struct err *err);
MUST_USE bool fetch_address(struct fetch *f, struct err *err); /* looks the host up, refuses */
void fetch_environment(struct fetch *f);
bool fetch_is_http(const struct fetch *f);
str fetch_authorization(struct fetch *f);              /* the header of the credential, "" = none */
str fetch_bracketed(struct arena *arena, str address); /* an IPv6 address as in a URL */

/* fetch_http.c */
/* After a redirect: asks the server where to, and goes there. */
MUST_USE bool fetch_follow(struct fetch *f, struct err *err);
/* The file at the URL into the cache, as <cache>/<id>/file. */
MUST_USE bool fetch_file(struct fetch *f, struct transport_result *result, struct err *err);
