/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The fake API server's world: kinds, objects, their history; and what each verb does to it, at
 * once and without a network. kube/fake.c puts the awkward network around it.
 *
 * Owner:  the store owns objects and history until it is freed; pointers to both stay valid.
 */
#include "base/map.h"
#include "kube/kube.h"

struct fake_kind {
    struct gvk gvk;
    str resource;
    bool namespaced;
};

/* One change; `was` and `is` are NULL for what came and went. */
struct fake_change {
    uint64_t version;
    struct gvr gvr;
    const struct val *was;
    const struct val *is;
};

/* What a verb answered: a status and an object in the given arena. */
struct fake_answer {
    int status;
    struct val *object;
};

typedef void fake_changed_fn(void *owner);

struct fake_object {
    struct gvr gvr;
    struct val *v;
};

struct fake_store {
    struct arena *arena;
    struct map *objects; /* "group/resource/namespace/name" → struct fake_object */
    struct fake_kind *kinds;
    size_t kind_count;
    struct fake_change **changes;
    size_t change_count;
    size_t change_size;
    uint64_t version;
    uint64_t expired;
    uint64_t uids;
    fake_changed_fn *changed;
    void *owner;
};

struct fake_store *fake_store_new(bool with_kinds, fake_changed_fn *changed, void *owner);
void fake_store_free(struct fake_store *store);

void fake_store_add_kind(struct fake_store *store, str api_version, str kind, str resource,
                         bool namespaced);
const struct fake_kind *fake_store_kind(const struct fake_store *store, struct gvr gvr);
const struct fake_kind *fake_store_kind_of(const struct fake_store *store, struct gvk gvk);

uint64_t fake_store_version(const struct fake_store *store);
/* Versions up to now are gone for watches and pages. */
void fake_store_expire(struct fake_store *store);
bool fake_store_is_expired(const struct fake_store *store, uint64_t version);
size_t fake_store_change_count(const struct fake_store *store);
const struct fake_change *fake_store_change(const struct fake_store *store, size_t index);

/* "deployments" or "deployments.apps"; namespace_ and name may be empty. */
bool fake_resource_matches(str wanted, struct gvr gvr);
const struct val *fake_store_find(const struct fake_store *store, str resource, str namespace_,
                                  str name);
size_t fake_store_count(const struct fake_store *store, str resource);
typedef void fake_each_fn(void *owner, struct gvr gvr, const struct val *object);
void fake_store_each(const struct fake_store *store, fake_each_fn *fn, void *owner);

/* For the verbs. */
struct gvr fake_kind_gvr(const struct fake_kind *kind);
struct fake_object *fake_store_get(const struct fake_store *store, struct gvr gvr, str namespace_,
                                   str name);
/* The one way in which the world changes. `is` lives in the store's arena; NULL: it goes. */
void fake_store_commit(struct fake_store *store, struct gvr gvr, struct val *was, struct val *is);
/* With its dependents, unless they are orphaned. */
void fake_store_drop(struct fake_store *store, struct gvr gvr, struct val *v, bool orphan);
void fake_store_set_birth(struct fake_store *store, struct val *object);

const struct val *fake_store_put(struct fake_store *store, const struct val *object);
bool fake_store_remove(struct fake_store *store, str resource, str namespace_, str name);

/* All verbs but watch. */
struct fake_answer fake_store_serve(struct fake_store *store, const struct kube_request *request,
                                    struct arena *arena);
/* A Status of that code. */
struct fake_answer fake_status(struct arena *arena, int code, str reason, str message);
/* Is the object one that a list or watch of this request means? */
bool fake_selects(const struct kube_request *request, struct gvr gvr, const struct val *object);
