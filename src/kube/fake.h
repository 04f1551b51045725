/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Fake: a Kubernetes API server in memory for unit tests, as awkward as the network: answers come
 * late and out of order (each call after a random 0 to 3 ms; events of one watch keep their order),
 * and failures can be scripted.
 *
 * It knows: get, list (pages, selectors), create, update, merge and JSON patch (no strategic ones),
 * server-side apply with real ownership (schema/managed.h), sub-resource status, delete
 * (preconditions, finalizers, dependents by ownerReferences, a namespace's content), delete
 * collection, watch (selectors, bookmarks, 410), CRDs bring their kinds, aggregated discovery and
 * /version. Namespaces `default` and `kube-system` exist; writing into one that does not is 404.
 * It does not validate, default, or convert versions: an object is served in the version that it
 * was written in.
 */
#include "kube/kube.h"

struct kube_fake_options {
    uint64_t seed; /* of delays; 0 = 1 */
    bool in_order; /* no random delays */
    bool no_kinds; /* without the usual built-in kinds */
};
struct kube *kube_fake_new(struct loop *loop, const struct kube_fake_options *options);

/* Makes a kind known (the usual built-in ones and Argo CD's are). */
void kube_fake_add_kind(struct kube *fake, const char *api_version, const char *kind,
                        const char *resource, bool namespaced);

/* ---- the world, as other clients change it: at once, watches hear of it ---- */
/* Creates or replaces; managers are kept unless the object brings its own. Returns what is stored.
 */
const struct val *kube_fake_put(struct kube *fake, const struct val *object);
const struct val *kube_fake_put_yaml(struct kube *fake, const char *json_or_yaml);
/* `resource` is enough ("deployments"), or "deployments.apps" where two groups share it. */
const struct val *kube_fake_get(struct kube *fake, const char *resource, const char *namespace_,
                                const char *name);
bool kube_fake_remove(struct kube *fake, const char *resource, const char *namespace_,
                      const char *name); /* at once, whatever finalizers say */
size_t kube_fake_count(struct kube *fake, const char *resource);

/* ---- trouble ---- */
/* The next `times` matching calls answer this (times < 0: all). `resource` and `name` NULL = any;
 * the name "demo/" is a list in namespace demo, "/" one of all namespaces, "demo/web" the object.
 * status 0 = not reached. */
void kube_fake_fail(struct kube *fake, enum kube_verb verb, const char *resource, const char *name,
                    int status, const char *reason, const char *message, int times);
void kube_fake_heal(struct kube *fake); /* forgets all scripted failures and holds */
/* Matching calls get no answer until kube_fake_heal. */
void kube_fake_hold(struct kube *fake, enum kube_verb verb, const char *resource);
void kube_fake_break_watches(struct kube *fake); /* all running watches end as if cut */
/* Versions up to now are too old: running watches get a 410 error event, new ones from before 410.
 */
void kube_fake_expire(struct kube *fake);
void kube_fake_bookmark(struct kube *fake); /* a bookmark on each watch that wants them */

/* ---- what was asked ---- */
/* One line a call: "apply deployments demo/web dry-run", in order of arrival. */
str kube_fake_log(const struct kube *fake);
void kube_fake_log_reset(struct kube *fake);
size_t kube_fake_log_count(const struct kube *fake, const char *start); /* lines beginning so */
