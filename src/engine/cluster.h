/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Cluster: one destination: its endpoint, what it serves, the live objects of ours in it, and its
 * queue of requests (ENGINE section 3).
 *
 * Watches: one for each group-version-resource that an application uses, with the selector "has our
 *          label", over all namespaces or, where that may not be, one for each namespace (scope.h);
 *          never one for each application. They stay open for the life of the cluster.
 * Runs:    on the loop. Events are told in a later turn.
 */
#include "engine/ask.h"
#include "engine/children.h"
#include "engine/live.h"
#include "engine/scope.h"
#include "kube/discovery.h"

struct cluster;

struct cluster_events {
    /* An object with our label came, changed or went (NULL). */
    void (*live_changed)(void *owner, struct cluster *cluster, const struct live *was,
                         const struct live *is);
    /* What this object's controller made changed: its Pods, their restarts. */
    void (*children_changed)(void *owner, struct cluster *cluster, const struct live *live);
    /* A retired cluster lost its last user. */
    void (*unused)(void *owner, struct cluster *cluster);
    /* Reachability, discovery, or the completeness of a watch changed. */
    void (*changed)(void *owner, struct cluster *cluster);
};

/* `kube` is borrowed, or owned with owns_kube. */
struct cluster_options {
    struct kube *kube;
    bool owns_kube;
    str name;
    str server;
    bool limited; /* to these namespaces, separated by commas */
    str namespaces;
    bool cluster_resources; /* limited, and yet what is in none */
};
struct cluster *cluster_new(const struct cluster_options *options,
                            const struct cluster_events *events, void *owner);
void cluster_free(struct cluster *cluster); /* all asks must be over */

/* Whoever keeps a cluster beyond the loop's turn is a user of it: *at becomes `cluster`, NULL for
 * none. */
void cluster_keep(struct cluster **at, struct cluster *cluster);
/* Its settings changed or went: it watches nothing more, shows nothing, and may be freed once it
 * has no user. */
void cluster_retire(struct cluster *cluster);
bool cluster_is_retired(const struct cluster *cluster);
bool cluster_is_used(const struct cluster *cluster);
size_t cluster_count(void); /* in this process */

str cluster_name(const struct cluster *cluster);
str cluster_server(const struct cluster *cluster);
str cluster_uid(const struct cluster *cluster); /* uid of kube-system */
struct kube *cluster_kube(const struct cluster *cluster);
struct ask_queue *cluster_queue(const struct cluster *cluster);
struct discovery *cluster_discovery(const struct cluster *cluster);
/* Discovery is loaded, the cluster's uid is known, what invalidates verdicts is watched. */
bool cluster_is_ready(const struct cluster *cluster);
const struct err *cluster_trouble(const struct cluster *cluster); /* why not, or NULL */
/* Looks anew at what is served, at most every few hundred ms. */
void cluster_rediscover(struct cluster *cluster);

/* Opens the watch that shows this namespace (empty: what is in none) when there is none.
 * WATCH_BROKEN fills err, ERR_FORBIDDEN when a right is missing: absence must not be concluded. */
enum watch_state cluster_watch(struct cluster *cluster, struct gvr gvr, str namespace_,
                               struct err *err);
/* Only namespaces: what is in none is not managed here. */
bool cluster_is_limited(const struct cluster *cluster);
/* From the cache of an open watch; NULL means "not known", never "absent". */
const struct live *cluster_live(const struct cluster *cluster, struct gvr gvr, str namespace_,
                                str name);
/* Every cached object with this label; more than one version of one object may be among them. */
typedef void cluster_live_fn(void *owner, struct gvr gvr, const struct live *live);
void cluster_live_each(const struct cluster *cluster, str label, cluster_live_fn *fn, void *owner);

/* What controllers made of the objects, and Warnings; NULL before the first workload. */
const struct children *cluster_children(const struct cluster *cluster);

/* What, beside the objects, decides verdicts of a kind: its CRD, admission, the server. */
struct hash cluster_kind_hash(struct cluster *cluster, struct gvk gvk);

/* Objects that name `target` in spec.scaleTargetRef: is its replica count an autoscaler's? */
bool cluster_is_scaled(const struct cluster *cluster, struct gvk target, str namespace_, str name);
