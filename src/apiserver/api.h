/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * api: one request of the Kubernetes API while it is served. Both faces fill a `struct api`, call
 * api_serve, and send what it left when the turn is committed.
 *
 * Owner:  `arena` owns all texts and trees of the request and its answer; the face frees it.
 * Errors: a function that refuses returns false after api_fail: the Status is the answer. Texts are
 *         kube-apiserver's own sentences, because people and programs know them.
 */
#include "apiserver/registry.h"
#include "apiserver/store.h"
#include "apiserver/watch.h"
#include "kube/kube.h"
#include "schema/selector.h"

struct apiserver {
    struct loop *loop;
    char *name;
    struct sqlite *db;
    struct store *store;
    struct watch_hub *hub;
    struct registry *registry;
    struct collector *collector; /* garbage and namespaces: gc.h */
    struct expire *expire;       /* old Events: expire.h */
    struct turn *turn;           /* commit and what waits for it: turn.h */
    enum apiserver_kinds kinds;
    str boot; /* differs with each start: OpenAPI documents are cached under it */
    apiserver_may_fn *may;
    void *may_owner;
    apiserver_rules_fn *rules;
    void *rules_owner;
    apiserver_admit_fn *admit;
    void *admit_owner;
};

struct api {
    struct apiserver *server;
    struct arena *arena;
    struct kube_request q; /* texts in the arena or outliving the call */
    struct apiserver_user user;
    str user_agent;               /* the default field manager is its first word */
    str match;                    /* resourceVersionMatch */
    int64_t grace;                /* gracePeriodSeconds of a delete; -1 = not given */
    bool orphan_dependents;       /* the old form of propagation Orphan */
    bool send_initial;            /* watch: sendInitialEvents */
    bool want_text;               /* the face sends JSON: lists are made as text */
    str include_object;           /* tables: Metadata (default), None, Object */
    bool aggregated;              /* discovery: the aggregated form was asked for */
    const struct val *duplicates; /* paths of repeated keys in the body, for field validation */

    const struct kind *kind;
    const struct kind_version *version;
    const struct val *loaded; /* the object that was loaded last, unchanged, and its text */
    str loaded_json;

    /* the answer */
    int status;
    const struct val *object; /* NULL when `text` is it */
    str text;
    struct val *warnings; /* a list of texts for Warning headers */
};

/* Serves any request that is not a watch; the answer, also of a refusal, is left in `api`. */
void api_serve(struct api *api);
/* Finds kind and version, checks verb, scope and rights. */
MUST_USE bool api_open(struct api *api);
MUST_USE bool api_may(struct api *api, const char *verb);

/* ---- answers and refusals (status.c) ---- */
bool api_fail(struct api *api, int code, const char *reason, const char *format, ...)
        PRINTF_LIKE(4, 5);
bool api_fail_err(struct api *api, const struct err *err); /* by its code */
bool api_fail_causes(struct api *api, int code, const char *reason, const struct val *causes,
                     const char *format, ...) PRINTF_LIKE(5, 6);
/* 422 of the options themselves: CreateOptions, PatchOptions …; `field` is what is wrong. */
bool api_fail_options(struct api *api, const char *reason, const char *field, const char *format,
                      ...) PRINTF_LIKE(4, 5);
bool api_fail_not_found(struct api *api, str name);
/* 422 with every problem, {field, reason, message} each. */
bool api_fail_invalid(struct api *api, str name, const struct val *problems);
void api_answer(struct api *api, int status, const struct val *object);
void api_warn(struct api *api, const char *format, ...) PRINTF_LIKE(2, 3);
str api_qualified(const struct api *api); /* "deployments.apps", "configmaps" */
str kind_qualified(struct arena *arena, const struct kind *kind);
str kind_group_kind(struct arena *arena, const struct kind *kind); /* "Deployment.apps" */

/* ---- objects (object.c) ---- */
enum object_answer { OBJECT_FOUND, OBJECT_ABSENT, OBJECT_FAILED };
/* The object in its storage version; a failure is already the answer. */
enum object_answer object_load(struct api *api, const struct kind *kind, str namespace_, str name,
                               struct val **ret_object);
/* Writes the object under a new resource version, which it gets; `old` NULL = it is new. A write
 * that fails breaks the whole transaction (store.h), so nobody needs to undo anything. */
bool object_save(struct api *api, const struct kind *kind, struct val *object,
                 const struct val *old);
/* Removes it; watchers see its last state under a new version. */
bool object_erase(struct api *api, const struct kind *kind, struct val *object);
str object_json(struct arena *arena, const struct kind *kind, const struct val *object);
/* A copy with the apiVersion of `version`, its fields translated where versions differ. */
struct val *object_in_version(struct arena *arena, const struct kind *kind,
                              const struct kind_version *version, const struct val *object);
str object_new_uid(struct arena *arena);
bool object_has_finalizer(const struct val *object, str finalizer);
bool object_is_deleting(const struct val *object);
str api_version_of(struct arena *arena, const struct kind *kind,
                   const struct kind_version *version);

/* ---- writing (write.c, delete.c) ---- */
/* Everything between a body and the store: decode, defaults, ownership, rules, save. `live` NULL =
 * create. `object` is in the requested version and lives in the arena. */
struct write {
    struct val *object;
    const struct val *live;   /* in storage version */
    const struct val *live_v; /* in the requested version */
    bool applied;             /* managedFields are made already */
    bool is_patch;
};
bool write_object(struct api *api, struct write *write);
struct remove_options {
    str propagation; /* Foreground, Background, Orphan; empty = Background */
    int64_t grace;   /* < 0: the kind's own */
};
/* Deletes, or marks as deleting where finalizers hold it. *ret_gone: it is out of the store. */
bool object_remove(struct api *api, const struct kind *kind, struct val *object,
                   const struct remove_options *options, bool *ret_gone);

/* ---- verbs ---- */
void api_get(struct api *api);
void api_list(struct api *api);
void api_create(struct api *api);
void api_update(struct api *api);
void api_patch(struct api *api);
void api_delete(struct api *api);
void api_delete_collection(struct api *api);
void api_review(struct api *api); /* SubjectAccessReview and its kin */
void api_scale(struct api *api);

/* Makes a writing `api` of the server's own, for controllers inside it. */
struct api api_internal(struct apiserver *server, struct arena *arena);
