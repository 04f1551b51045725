/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Reflector: a live cache of one kind (list in pages, watch with bookmarks, relist on 410, back-off
 * with jitter 200 ms … 30 s).
 *
 * Keep:   `keep` reduces an object before it is cached and returns an owned pointer, or NULL to
 * keep nothing of it. `drop` frees what keep returned. Change: `changed` names what was added,
 * changed or removed, never before the first whole list. `was` and `is` are what keep returned
 * (NULL = not there); `was` is freed after the call. After a relist it runs for what really differs
 * in presence or resourceVersion. Whole:  a list that did not arrive whole never replaces the
 * cache.
 */
#include "kube/kube.h"

struct reflector;

struct kube_selector {
    struct gvr gvr;
    str namespace_; /* empty: all */
    str label_selector;
    str field_selector;
};

struct reflector_events {
    void *(*keep)(void *owner, const struct val *object);
    void (*drop)(void *owner, void *kept);
    void (*changed)(void *owner, str namespace_, str name, const void *was, const void *is);
    void (*complete)(void *owner);                       /* the first whole list, and each relist */
    void (*trouble)(void *owner, const struct err *err); /* NULL = over again */
};

/* Starts at once. */
struct reflector *reflector_new(struct kube *kube, const struct kube_selector *what,
                                const struct reflector_events *events, void *owner);
void reflector_free(struct reflector *reflector);
bool reflector_is_complete(const struct reflector *r); /* false: do not conclude absence from it */
const struct err *reflector_trouble(const struct reflector *r); /* NULL = fine */
void *reflector_get(const struct reflector *r, str namespace_, str name);
size_t reflector_count(const struct reflector *r);
typedef void reflector_each_fn(void *owner, str namespace_, str name, void *kept);
void reflector_each(const struct reflector *r, reflector_each_fn *fn, void *owner);
str reflector_resource_version(const struct reflector *r); /* the newest version seen */
