/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * source: code repositories as the engine sees them: refs, commits, snapshots, rendered sets.
 *
 * A repository is known by its normalised URL and the credential used with it. Refs are listed once
 * per interval for all deployments of a repository; fetches of one repository queue into one call.
 * The engine asks for "the desired state of this source at this revision" and hears of it once.
 *
 * Owner:  repositories are counted; a wait belongs to the source until `done` or source_cancel.
 *         Unref every repository before source_free.
 * Bounds: 8 git processes at once; LIMIT_STORE_MEMORY, LIMIT_STORE_DISK of rendered sets;
 *         LIMIT_RENDER_ROUNDS and LIMIT_RENDER_SOURCES for remote bases.
 */
#include "base/secret.h"
#include "render/render.h"

struct source;      /* all repositories of this server */
struct source_repo; /* one repository with one credential, counted */
struct source_wait;

/* What reaches Git. Every text and secret is copied. */
struct source_credential {
    str username;
    const struct secret *password; /* or token with basic auth */
    const struct secret *bearer;
    const struct secret *ssh_key;
    const struct secret *passphrase; /* of the key */
    str known_hosts;                 /* OpenSSH format */
    str ca_bundle;                   /* PEM, empty = the system's */
    bool insecure;                   /* do not verify TLS: from the repository Secret only */
};

struct source_options {
    const char *data_dir;   /* caches live in data_dir/git */
    const char *file_roots; /* colon-separated roots for file://, NULL = refused */
    const char *program;    /* path of this binary, for its fetch and ssh roles */
    int64_t interval_ms;    /* listing of refs; 0 = 60 s */
    bool allow_link_local;
};

struct source *source_new(struct loop *loop, struct render_pool *pool,
                          const struct source_options *options, struct err *err);
void source_free(struct source *source);
/* At once: a listing that is due by the new interval begins in this turn. 0 = 60 s. */
void source_set_interval(struct source *source, int64_t interval_ms);

struct source_repo *source_repo_get(struct source *source, str url,
                                    const struct source_credential *credential, struct err *err);
void source_repo_unref(struct source_repo *repo);
str source_repo_url(const struct source_repo *repo);           /* normalised */
int64_t source_repo_listed_ms(const struct source_repo *repo); /* monotonic; 0 = never */
/* Where redirects of the server lead, "" = nowhere else. */
str source_repo_moved_to(const struct source_repo *repo);

/* Told when the listing of refs changed a ref that somebody resolved, or its error state. */
typedef void source_changed_fn(void *owner, struct source_repo *repo);
void source_repo_subscribe(struct source_repo *repo, source_changed_fn *fn, void *owner);
void source_repo_unsubscribe(struct source_repo *repo, void *owner);

struct source_ref {
    str name;   /* refs/heads/main, refs/tags/v1, HEAD */
    str commit; /* full id (of the commit that a tag points at) */
    str symref; /* HEAD only: the branch that it names */
};
typedef void source_refs_fn(void *owner, const struct source_ref *refs, size_t count,
                            const struct err *err);
/* The listing: from memory when younger than max_age_ms, else asked now. */
struct source_wait *source_list_refs(struct source_repo *repo, int64_t max_age_ms,
                                     source_refs_fn *done, void *owner);

struct source_desired {
    struct render_result *result; /* borrowed; its commit is the one below */
    str commit;
    bool carried_over; /* what was read did not change: rendered from an older commit */
};
typedef void source_desired_fn(void *owner, const struct source_desired *desired,
                               const struct err *err);

struct source_request {
    str revision;             /* branch, tag, commit, "" or HEAD */
    const struct val *source; /* spec.source */
    str application;
    str namespace_;
    str kube_version;
    int64_t max_age_ms; /* of the ref listing; 0 = ask now */
    bool no_cache;      /* hard refresh */
    /* May the application use this further repository (a remote base)? */
    bool (*allows)(void *owner, str url);
};
/* Resolve, fetch, render, cache: `done` runs once in a later turn. */
struct source_wait *source_desire(struct source_repo *repo, const struct source_request *request,
                                  source_desired_fn *done, void *owner);
/* The folders below `path` at a revision, with the tool that each would be rendered by. */
typedef void source_paths_fn(void *owner, const struct render_paths *paths, str commit,
                             const struct err *err);
struct source_wait *source_list_paths(struct source_repo *repo, str revision, str path,
                                      int64_t max_age_ms, source_paths_fn *done, void *owner);
/* done does not run; NULL is fine. Not from within its own done: the wait is over then. */
void source_cancel(struct source_wait *wait);

/* https://Host/Path.git/ and git@host:path forms to one; ERR_INVALID names what is wrong. */
MUST_USE bool source_url_normalize(struct arena *arena, str url, str *ret_url, struct err *err);
