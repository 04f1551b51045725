/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Engine: the application controller. It watches Applications, AppProjects, repository and cluster
 * Secrets and settings on the home cluster, keeps every application's comparison current, and runs
 * operations. People and tools steer it through the Application object alone (`.operation`, the
 * refresh annotation); the functions here tell what only the engine knows.
 *
 * Owner:  engine_new borrows loop, home, sandbox and source; free the engine before them.
 * Runs:   in the control process, on the loop; nothing here blocks.
 */
#include "kube/kube.h"
#include "source/source.h"

struct engine;

struct engine_options {
    struct loop *loop;
    struct kube *home;     /* Applications, projects and settings live here */
    struct kube *sandbox;  /* the built-in target, or NULL */
    bool home_is_cluster;  /* the home is a real cluster: `in-cluster` means it */
    struct source *source; /* code repositories */
    const char *data_dir;  /* verdict cache; NULL = memory only */
    str control_namespace; /* empty = "argocd" */
};

struct engine *engine_new(const struct engine_options *options);
void engine_free(struct engine *engine); /* NULL is fine; legal at any time */
AUTO_DEFINE(engine, engine_free)
#define auto_engine AUTO(engine)

/* Applies the CRDs, makes the control namespace, project `default` and the installation id if they
 * are missing, then opens the watches. `done` runs once; after an error nothing runs. */
typedef void engine_started_fn(void *owner, const struct err *err);
void engine_start(struct engine *engine, engine_started_fn *done, void *owner);

/* The definitions that the home must serve (a list of CustomResourceDefinitions). */
const struct val *engine_crds(struct arena *arena);

/* What memory knows of one application beyond its object: {lastCheck, gitChecked, cause, sync:
 * {step: resolve, render, apply, wait or prune, tasks, done, failed} while one runs, resources:
 * [{group, kind, namespace, name, uid, status, health, message, note, images, deleting}], message}.
 * NULL = unknown; a resource that is not in its cluster has an empty uid. */
struct val *engine_app_facts(const struct engine *engine, str namespace_, str name,
                             struct arena *arena);
/* What the application manages and what that owns, from memory alone: {compared, items: [{id,
 * parent, managed, group, version, kind, namespace, name, status, health, reason, difference,
 * requiresPruning, deleting, info, node, state, restarts, images, created, file}]}; absent = not
 * known or none. `id` is "group/Kind/namespace/name", `difference` a word of tree.h. NULL = no such
 * application. */
struct val *engine_app_tree(const struct engine *engine, str namespace_, str name,
                            struct arena *arena);
/* One object of that tree, by its id; texts and `wanted` (NULL: Git does not name it) are borrowed
 * until the loop's next turn. False: it is not this application's. */
struct engine_object {
    struct kube *kube;
    struct gvk gvk;
    struct gvr gvr;
    str namespace_;
    str name;
    bool is_managed;
    const struct val *wanted;
};
MUST_USE bool engine_app_object(const struct engine *engine, str namespace_, str name, str id,
                                struct arena *arena, struct engine_object *ret);
/* Runs whenever what the two functions above tell of an application may have changed, often and in
 * bursts: note it and look later. Never frees the engine. */
typedef void engine_listener_fn(void *owner, str namespace_, str name);
void engine_listen(struct engine *engine, engine_listener_fn *fn, void *owner);
void engine_unlisten(struct engine *engine, void *owner);
/* Compare now: `hard` drops verdicts and rendered sets. False = no such application. */
bool engine_app_refresh(struct engine *engine, str namespace_, str name, bool hard);
size_t engine_app_count(const struct engine *engine);

/* Clusters that deployments may name: [{name, server, version, reachable, message}]. */
struct val *engine_clusters(const struct engine *engine, struct arena *arena);

/* The endpoint that an Application deploys to, as its destination and its project say; borrowed
 * until the loop's next turn. NULL with err when there is none. */
struct kube *engine_app_kube(const struct engine *engine, const struct val *application,
                             struct err *err);

/* Asking for what takes a while. `done` runs once in a later turn; `answer` is borrowed. */
struct engine_ask;
typedef void engine_answer_fn(void *owner, const struct val *answer, const struct err *err);
/* [{group, kind, namespace, name, status, reason, message, ignored, live, wanted, fields: [{path,
 * live, wanted, manager, time}]}] of what differs, or of the object `only` (an id of the tree) as
 * it is, with Secret values masked; `wanted` is what the server would make of it, `reason` a word
 * of tree.h, `ignored`: a rule of ignoreDifferences is about it. */
struct engine_ask *engine_app_diff(struct engine *engine, str namespace_, str name, str only,
                                   engine_answer_fn *done, void *owner);
/* {commit, objects: […]}: the rendered set at `revision` (empty: the one compared last), Secret
 * values masked. */
struct engine_ask *engine_app_manifests(struct engine *engine, str namespace_, str name,
                                        str revision, engine_answer_fn *done, void *owner);
/* {version, kinds}: can the cluster be reached, and as whom? */
struct engine_ask *engine_cluster_check(struct engine *engine, str cluster, engine_answer_fn *done,
                                        void *owner);
void engine_ask_cancel(struct engine_ask *ask); /* done does not run; NULL is fine */

/* What a sync of this application would do, or its deletion. It need not exist; nothing is written.
 * {revision, commit, type, cluster, resources: [{group, version, kind, namespace, name, effect:
 * create|update|replace|delete|keep|none|refused|forbidden|unknown, reason, message, file, objects,
 * held}], warnings: [{code, message}], error: {at: spec|project|repository|location|cluster|render,
 * code, message}}: an error is an answer. NULL with err: too many at once. */
struct engine_preview;
struct engine_preview_request {
    const struct val *application; /* copied */
    const struct val *sync;        /* as operation.sync; NULL: as the spec says */
    bool deletion;
};
struct engine_preview *engine_preview(struct engine *engine,
                                      const struct engine_preview_request *request,
                                      engine_answer_fn *done, void *owner, struct err *err);
void engine_preview_cancel(struct engine_preview *preview); /* done does not run; NULL is fine */
