/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * render: a pure function of (trees, source settings, cluster facts), run in another process.
 *
 * The result carries the objects in order, the read set, the tool that was chosen and what was
 * noticed on the way. It is immutable and counted: an engine pass and a page may hold it at once.
 * A crash or time-out of the worker is a failed render with a clear message.
 */
#include "doc/val.h"
#include "io/loop.h"

struct render_pool;
struct render_job;

enum render_tool { RENDER_DIRECTORY, RENDER_KUSTOMIZE, RENDER_HELM, RENDER_PLUGIN };
const char *render_tool_name(enum render_tool tool); /* Argo CD's sourceType: Directory, … */

struct render_source {
    str url;      /* as the key of a tree_set; "" for the application's own */
    str revision; /* as asked for by the manifest that needs it */
    str cache;    /* path of the bare Git cache on this machine; or a directory when is_dir */
    str commit;   /* full id */
    bool is_dir;  /* a plain directory instead of a cache: the CLI's, or a remote file's */
};

struct render_request {
    const struct render_source *sources; /* [0] is the application's own */
    size_t source_count;
    str path;                 /* of the application in source 0 */
    const struct val *source; /* the Application's spec.source, or NULL for defaults */
    str application;
    str namespace_; /* destination namespace */
    str kube_version;
    size_t max_objects; /* 0 = LIMIT_RENDER_OBJECTS */
    int64_t timeout_ms; /* 0 = LIMIT_RENDER_MS */
};

struct render_read {
    size_t source; /* index into the request's sources */
    str path;
    str identity; /* "missing", "dir", "list" or an object id; see tree_reads_each */
};

struct render_need {
    str url;
    str revision;
    bool is_file;
};

/* A further source that was read: source i + 1 of the reads. Filled by whoever gave the sources. */
struct render_base {
    str url;
    str revision;
    str commit; /* that it is valid for */
    bool is_file;
};

struct render_object {
    const struct val *object;
    str file; /* where it was declared, "" = unknown */
    uint32_t line;
};

/* Immutable after `done`. */
struct render_result {
    int references;
    struct arena *arena;
    struct render_result *base; /* whose objects these are, see render_result_at */
    struct render_object *objects;
    size_t object_count;
    struct render_read *reads;
    size_t read_count;
    struct render_need *needs; /* not empty: render again with these sources added */
    size_t need_count;
    const struct render_base *bases;
    size_t base_count;
    str *warnings;
    size_t warning_count;
    enum render_tool tool;
    str commit; /* of source 0 */
    str digest; /* SHA-256 (hex) of the objects in order */
};
struct render_result *render_result_new(void); /* empty, for those that fill one */
struct render_result *render_result_ref(struct render_result *result);
void render_result_unref(struct render_result *result); /* NULL is fine */
/* The same objects as the result of another commit, at which nothing that was read has changed. The
 * caller owns a reference. */
struct render_result *render_result_at(struct render_result *result, str commit);
/* The same, valid for other commits of the further sources too; `commits` as many as bases. */
struct render_result *render_result_rebased(struct render_result *result, str commit,
                                            const str *commits);

/* Exactly one of result and err is set. result is borrowed: ref it to keep it. */
typedef void render_done_fn(void *owner, struct render_result *result, const struct err *err);

struct render_pool_options {
    size_t max_jobs; /* at once; 0 = 2 */
};
/* Forks the zygote: call it before any secret is loaded and before any thread is started. */
struct render_pool *render_pool_new(struct loop *loop, const struct render_pool_options *options,
                                    struct err *err);
void render_pool_free(struct render_pool *pool);
/* The render role, a row of cli/roles.c: the zygote as a program, started anew after its death. */
int render_zygote_main(int argc, char **argv);
struct render_job *render_start(struct render_pool *pool, const struct render_request *request,
                                render_done_fn *done, void *owner);
void render_cancel(struct render_job *job); /* done does not run; NULL is fine */

/* The paths in which two commits of one cache differ (git/git_tree.h), found out in the same kind
 * of process. Borrowed by `done`; sorted by path. */
struct render_change {
    str path;
    bool is_entry; /* added, removed or of another kind; else other bytes at the same place */
};
struct render_changes {
    const struct render_change *items;
    size_t count;
};
typedef void render_changes_fn(void *owner, const struct render_changes *changes,
                               const struct err *err);
struct render_job *render_changes_start(struct render_pool *pool, str cache, str from_commit,
                                        str to_commit, render_changes_fn *done, void *owner);
/* The folders below `path` at a commit (render/paths.h), found out in the same kind of process.
 * Borrowed by `done`. */
struct render_path {
    str name;
    enum render_tool tool;
    bool has_manifests; /* there is something to render right here */
    bool has_folders;
};
struct render_paths {
    struct render_path self;
    const struct render_path *items;
    size_t count;
    bool more; /* than LIMIT_TREE_FOLDERS */
};
typedef void render_paths_fn(void *owner, const struct render_paths *paths, const struct err *err);
struct render_job *render_paths_start(struct render_pool *pool, str cache, str commit, str path,
                                      render_paths_fn *done, void *owner);
/* Would a render whose reads these are (those of `source`) see the same bytes? */
bool render_reads_hold(const struct render_result *result, size_t source,
                       const struct render_changes *changes);
