/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * World: what the sandbox's controllers see and do. A cache of all the kinds they need, a queue of
 * objects to look at, and writes that come back into the cache at once, so that a controller never
 * acts twice on what it did already.
 *
 * Owner:  the world owns things and keys; a thing stays good until the next return to the loop.
 *         A key's memo is the controller's (freed with mem_free).
 * Order:  a key whose writes are under way is not looked at before all of them are answered.
 * Bounds: 10 ms of work a turn.
 */
#include "kube/kube.h"

enum world_kind {
    WORLD_NAMESPACE,
    WORLD_NODE,
    WORLD_POD,
    WORLD_DEPLOYMENT,
    WORLD_REPLICA_SET,
    WORLD_STATEFUL_SET,
    WORLD_DAEMON_SET,
    WORLD_JOB,
    WORLD_CRON_JOB,
    WORLD_SERVICE,
    WORLD_CLAIM,
    WORLD_ENDPOINT_SLICE,
    WORLD_INGRESS,
    WORLD_AUTOSCALER,
    WORLD_KINDS
};

/* An object in the cache, as JSON text: most are only looked at when something changes. */
struct thing {
    int refs;
    enum world_kind kind;
    str namespace_;
    str name;
    str uid;
    str owner_uid;  /* of the controller owner, or empty */
    str owner_name; /* its name, and WORLD_KINDS when it is none of ours */
    enum world_kind owner_kind;
    uint64_t version;
    bool deleting;
    bool ready;     /* Pods: condition Ready */
    bool finished;  /* Pods: phase Succeeded or Failed */
    bool succeeded; /* Pods */
    str revision;   /* label controller-revision-hash */
    str *needles;   /* Services: the selector's pairs as they stand in the text of a Pod */
    size_t needle_count;
    struct thing *next_sibling; /* with the same owner */
    str json;
};

struct world;

/* One object to look after. */
struct world_key {
    struct world *world;
    enum world_kind kind;
    str namespace_;
    str name;
    void *memo;       /* the controller's own notes */
    str memo_uid;     /* of the object that they are about */
    struct arena *at; /* while a controller runs */
    int in_flight;
    int failures; /* of writes in a row */
    bool queued;
    bool again;
    struct loop_timer *timer;
    int64_t due_ms; /* of the timer */
};

/* `object` NULL: it is gone. */
typedef void world_fn(struct world_key *key, const struct val *object);

struct world_options {
    int speed;
};

struct world *world_new(struct kube *kube, const struct world_options *options,
                        world_fn *const controllers[WORLD_KINDS], void *owner);
void world_free(struct world *world);
bool world_is_idle(const struct world *world);
struct kube *world_kube(const struct world *world);
void *world_owner(const struct world *world);
int64_t world_delay(const struct world *world, int64_t usual_ms); /* divided by the speed */
str world_now(struct world_key *key);                             /* RFC 3339 */

/* ---- looking ---- */
struct thing *world_find(const struct world *world, enum world_kind kind, str namespace_, str name);
struct val *world_parse(struct world_key *key, const struct thing *thing);
/* The Service's selector takes the Pod, or does so nearly for sure: texts are compared. */
bool world_selects(const struct thing *service, const struct thing *pod);
/* First of the things that the uid controls; go on with next_sibling, and look at their kind. */
struct thing *world_children(const struct world *world, str owner_uid);
typedef void world_each_fn(void *owner, struct thing *thing);
void world_each(const struct world *world, enum world_kind kind, world_each_fn *fn, void *owner);
void world_queue(struct world *world, enum world_kind kind, str namespace_, str name);
/* Look at this key again after a while (the earlier of several). */
void world_later(struct world_key *key, int64_t delay_ms);

/* ---- writing, always for a key ---- */
/* The manager is kube-controller-manager, kubelet or kube-scheduler. */
void world_create(struct world_key *key, enum world_kind kind, const char *manager,
                  const struct val *object);
/* Kinds that are not in the cache. "Already there" is fine. */
void world_create_other(struct world_key *key, struct gvr gvr, const struct val *object);
void world_patch_other(struct world_key *key, struct gvr gvr, str name, const struct val *patch);
/* A merge patch; `subresource` NULL or "status". */
void world_patch(struct world_key *key, const struct thing *thing, const char *subresource,
                 const char *manager, const struct val *patch);
/* Sets status if it differs from what the object has. */
void world_status(struct world_key *key, const struct val *object, const char *manager,
                  const struct val *status);
/* `at_once`: without a grace period. */
void world_delete(struct world_key *key, struct thing *thing, bool at_once);
/* An Event about the object; the same one again is not repeated. */
void world_event(struct world_key *key, const struct val *object, const char *component,
                 const char *type, const char *reason, str message);
