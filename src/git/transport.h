/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * transport: talks to Git servers, through the `git` command in a process of its own (the `fetch`
 * role of this binary) that holds the credential of one repository and may write one cache.
 *
 * Owner:  the job belongs to the loop from start to `done`, which runs once in a later turn;
 * results are borrowed by it. Rules:  one writer a cache: the caller starts the next job on a cache
 * after the last one ended. A secret goes to the process over its standard input, and from there to
 * git in a memfd or in the environment: never in an argument, a URL or a file on disk. Bounds:
 * LIMIT_GIT_REFS, LIMIT_FETCH_BYTES, LIMIT_FETCH_MS, LIMIT_LIST_MS, a reserve of free disk. Errors:
 * one sentence for the person: see failure.h.
 */
#include "base/secret.h"
#include "git/url.h"
#include "io/loop.h"

struct transport_job;

struct transport_options {
    const char *program;    /* this binary, for its roles; NULL = /proc/self/exe */
    const char *file_roots; /* as git_url_check_file */
    bool allow_link_local;
};

struct transport_credential {
    str username;
    const struct secret *password; /* with the user name, or alone: an access token */
    const struct secret *bearer;
    const struct secret *ssh_key;
    const struct secret *passphrase; /* of the key */
    str known_hosts;                 /* OpenSSH format */
    str ca_bundle;                   /* PEM */
    bool insecure;                   /* TLS is not verified */
};

enum transport_op {
    TRANSPORT_LIST,  /* the refs */
    TRANSPORT_FETCH, /* commits into the cache, each held by refs/taut/<commit> */
    TRANSPORT_FIND,  /* a short commit id → the full one */
    TRANSPORT_FILE,  /* an http(s) file into <cache>/<id>/file; its one ref HEAD names the id, the
                        first 40 digits of its SHA-256 */
};

struct transport_want {
    str ref;    /* refs/heads/main, "" when only the commit is known */
    str commit; /* full id */
};

struct transport_request {
    enum transport_op op;
    const struct git_url *url;
    const struct transport_credential *credential; /* NULL = none */
    str cache; /* directory of the bare cache: exists, may be empty. Not for LIST */
    const struct transport_want *wants;
    size_t want_count;
    str prefix; /* FIND: 7 to 39 hexadecimal digits */
};

struct transport_ref {
    str name;
    str commit; /* what an annotated tag points at */
    str symref; /* HEAD only */
};

struct transport_result {
    str moved_to;                     /* the URL that a redirect led to, else "" */
    const struct transport_ref *refs; /* sorted by name */
    size_t ref_count;
    str commit;          /* FIND */
    size_t packs;        /* of the cache after a FETCH */
    size_t cache_bytes;  /* on the disk */
    int64_t took_ms;     /* of everything */
    int64_t git_took_ms; /* of that, in git */
};

/* Exactly one is set. ERR_GONE: a wanted ref does not point at the wanted commit any more. */
typedef void transport_done_fn(void *owner, const struct transport_result *result,
                               const struct err *err);

MUST_USE bool transport_start(struct loop *loop, const struct transport_options *options,
                              const struct transport_request *request, transport_done_fn *done,
                              void *owner, struct transport_job **ret_job, struct err *err);
void transport_cancel(struct transport_job *job); /* done does not run; NULL is fine */

/* The roles: rows of cli/roles.c. */
int transport_fetch_main(int argc, char **argv);
int transport_ssh_main(int argc, char **argv);
int transport_askpass_main(int argc, char **argv);
