/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * inside: the structures of this folder. Private to it.
 *
 * source_repo.c  repositories: identity, listing of refs, subscribers
 * source_fetch.c which git process runs next, caches and their generations
 * source_wait.c  one question of the engine, from revision to rendered set: a state machine
 * source_base.c  the further sources of a render: remote bases and remote files
 * source_store.c rendered sets, in memory and on disk
 *
 * A wait belongs to its repository's list until it is told or cancelled; it holds the repository.
 * Everybody who learns something that a wait may be waiting for posts its task; the task looks
 * again. So no event can be missed, and no callback of the engine runs inside a call of ours.
 */
#include "base/map.h"
#include "git/transport.h"
#include "source/source.h"

enum { GENERATIONS_MAX = 4, CHANGES_KEPT = 4, BATCH_MAX = 24, ID_SIZE = 41 };

struct source_store;

struct source {
    struct loop *loop;
    struct render_pool *pool;
    struct transport_options transport;
    char *data_dir;
    char *program;
    char *file_roots;
    int64_t interval_ms;
    struct map *repos; /* identity → struct source_repo * */
    size_t running;    /* git processes */
    struct loop_task *kick;
    struct loop_timer *sweep; /* removes old caches, a few files at a time */
    struct map *doomed;       /* their paths */
    struct source_store *store;
    struct secret *salt; /* makes names of caches unguessable from credentials */
    str renderer;        /* changes with the program: old renders are not its */
};

struct subscriber {
    source_changed_fn *fn;
    void *owner;
};

/* A further source that deployments of a repository read: watched for them. */
struct base {
    struct source_repo *repo; /* held */
    bool is_used;             /* since a change of it was last told */
};

/* What differs between two commits; shared by all waits that ask. */
struct changes {
    char from[ID_SIZE];
    char to[ID_SIZE];
    struct render_job *job; /* NULL = over */
    struct source_repo *repo;
    struct arena *arena;
    struct render_changes list;
    bool has_failed;
};

/* One directory of the cache. */
struct generation {
    unsigned number; /* 0 = unused slot */
    size_t readers;
};

struct source_repo {
    struct source *source;
    int references;
    int base_of;  /* of the references, those of `bases` of other repositories */
    bool is_file; /* one http(s) file: a listing fetches it, its ref HEAD is the hash of its bytes
                   */
    struct base *bases;
    size_t base_count;
    struct arena *arena;
    str identity;
    str dir; /* holds gen-1, gen-2, … */
    struct git_url url;
    struct git_url moved; /* where a redirect led, else as url */
    struct arena *moved_arena;
    struct transport_credential credential;
    struct secret *password;
    struct secret *bearer;
    struct secret *ssh_key;
    struct secret *passphrase;

    bool list_wanted; /* by the timer */
    struct transport_job *list_job;
    int64_t list_began_ms;
    int64_t listed_ms; /* when the listing that is known began; 0 = never */
    int64_t failed_ms; /* when the last one that failed began */
    bool has_failed;   /* the last one did */
    struct err list_err;
    struct arena *refs_arena;
    const struct transport_ref *refs;
    size_t ref_count;
    struct map *resolved; /* ref name → its commit (in resolved_arena), as last given out */
    struct arena *resolved_arena;
    uint64_t disk_mark; /* of a file repository: changes when its refs do */
    struct loop_timer *timer;
    struct subscriber *subscribers;
    size_t subscriber_count;

    struct transport_job *find_job;
    str finding;
    struct map *found; /* short id → full id */

    struct transport_job *fetch_job;
    char batch[BATCH_MAX][ID_SIZE];
    size_t batch_count;
    unsigned fetching; /* the generation that the fetch goes to */
    bool one_by_one;   /* a batch failed: find out which it was */
    struct generation generations[GENERATIONS_MAX];
    unsigned current; /* number */
    size_t packs;
    size_t cache_bytes; /* as the last fetch found it */

    struct changes changes[CHANGES_KEPT];
    size_t changes_next;

    struct source_wait *waits;
};

enum wait_kind { WAIT_REFS, WAIT_SNAPSHOT, WAIT_PATHS, WAIT_DESIRE };

enum wait_state {
    STATE_LIST,    /* until a listing that is young enough */
    STATE_FIND,    /* until a short id is found */
    STATE_LOOK,    /* in the store */
    STATE_FETCH,   /* until the cache has the commit */
    STATE_CHANGES, /* until it is known whether an older result still holds */
    STATE_RENDER,
    STATE_BASES,   /* until it is known whether the remote bases of an older result still hold */
    STATE_SOURCES, /* until the remote bases are there */
    STATE_PATHS,   /* until the folders are listed */
    STATE_OVER,    /* to be told */
};

/* What a revision of a further source is now. */
struct snapshot {
    str commit;
    bool is_same; /* as the commit that was asked about: nothing was fetched */
    str cache;
    unsigned generation;
    const struct render_changes *changes; /* since that commit; NULL = not known */
};
typedef void snapshot_fn(void *owner, const struct snapshot *snapshot, const struct err *err);

struct snapshot_request {
    str revision;
    int64_t needs_ms;
    str since; /* a commit, "" = none */
};

struct remote {
    struct source_repo *repo;
    struct source_wait *wait; /* NULL = over */
    struct source_wait *parent;
    str url;
    str revision;
    bool is_file;
    bool holds; /* what the older result read of it has not changed */
    str commit;
    str cache;
    unsigned generation;
};

struct source_wait {
    struct source_repo *repo;
    struct source_wait *next;
    enum wait_kind kind;
    enum wait_state state;
    struct arena *arena;
    struct loop_task *task;
    void *owner;
    source_refs_fn *refs_done;
    source_desired_fn *desired_done;
    snapshot_fn *snapshot_done;
    source_paths_fn *paths_done;

    int64_t needs_ms; /* a listing that began at or after this */
    int tries;
    bool has_failed;
    struct err err;
    str revision;
    str ref; /* full name, "" when only the commit is known */
    char commit[ID_SIZE];

    struct source_request request; /* WAIT_DESIRE: copied into the arena */
    str path;                      /* WAIT_PATHS */
    struct render_paths paths;
    str key; /* of the store */
    struct render_job *job;
    struct render_result *result;
    bool carried_over;
    unsigned reading; /* generation that the render reads, 0 = none */
    str since;        /* WAIT_SNAPSHOT: see snapshot_request */
    struct changes *changes;
    struct render_result *candidate; /* STATE_BASES: of this commit, if the bases hold */
    bool must_render;                /* they do not */
    struct remote *remotes;
    size_t remote_count;
    size_t remote_open;
    int rounds;
};

/* source_repo.c */
void source_repo_list_wanted(struct source_repo *repo);
bool source_repo_listing_is_wanted(const struct source_repo *repo);
bool source_repo_failure_holds(const struct source_repo *repo, int64_t needs_ms);
void source_repo_aim(struct source_repo *repo, struct transport_request *request,
                     struct transport_credential *ret_bare);
MUST_USE bool source_repo_list_start(struct source_repo *repo, struct err *err);
const struct transport_ref *source_repo_ref(const struct source_repo *repo, str name);
void source_repo_resolved(struct source_repo *repo, str ref, str commit);
void source_repo_moved(struct source_repo *repo, str url);
struct source_repo *source_repo_hold(struct source_repo *repo);
void source_repo_rearm(struct source_repo *repo); /* the interval has changed */
void source_repo_tell(struct source_repo *repo);  /* its subscribers */
/* As source_repo_get, of one http(s) file. */
struct source_repo *source_file_get(struct source *source, str url,
                                    const struct source_credential *credential, struct err *err);

/* source_fetch.c */
void source_on_kick(void *owner); /* starts git processes while there is room */
void source_on_sweep(void *owner);
void source_tidy_caches(struct source *source);
void source_repo_cancel_jobs(struct source_repo *repo);
str source_repo_cache(struct source_repo *repo, struct arena *arena, unsigned generation);
/* What a render opens: the cache, or the directory of a file. */
str source_repo_content(struct source_repo *repo, struct arena *arena, unsigned generation,
                        str commit);
/* The generation that holds the commit, 0 = none. */
unsigned source_repo_holds(struct source_repo *repo, str commit);
void source_repo_read_begin(struct source_repo *repo, unsigned generation);
void source_repo_read_end(struct source_repo *repo, unsigned generation);
void source_repo_open_caches(struct source_repo *repo);
void source_repo_next_generation(struct source_repo *repo);
/* Shared comparison of two commits that one generation holds. */
struct changes *source_repo_changes(struct source_repo *repo, unsigned generation, str from,
                                    str to);

/* source_wait.c */
void source_wait_fail(struct source_wait *wait, const struct err *err);
void source_repo_wake(struct source_repo *repo,
                      enum wait_state state); /* all waits in this state */
struct source_wait *source_snapshot_start(struct source_repo *repo,
                                          const struct snapshot_request *request, snapshot_fn *done,
                                          void *owner);

/* source_base.c */
/* Does the candidate still hold? Its bases are asked; then the wait's task is posted. */
MUST_USE bool source_bases_check(struct source_wait *wait, struct err *err);
bool source_bases_hold(const struct source_wait *wait); /* when none is open any more */
/* What a render needs more; false with a reason. Then, when all are there, the task is posted. */
MUST_USE bool source_bases_need(struct source_wait *wait, const struct render_result *result,
                                struct err *err);
void source_bases_drop(struct source_wait *wait); /* of the wait */
/* The bases of the result, as they were read. */
void source_bases_note(struct source_wait *wait, struct render_result *result);
void source_repo_drop_bases(struct source_repo *repo);

/* source_store.c */
struct source_store *source_store_new(const char *dir);
void source_store_free(struct source_store *store);
/* The latest result under this key and the commit that it is valid for; NULL = none. Borrowed. */
struct render_result *source_store_get(struct source_store *store, str key,
                                       char ret_commit[ID_SIZE]);
void source_store_put(struct source_store *store, str key, str commit,
                      struct render_result *result);
