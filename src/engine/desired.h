/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Desired: a rendered set in the form in which it is compared and applied (ENGINE section 1):
 * without what only a server may say, in its namespace, with our marks, each object once.
 *
 * Owner:  counted and immutable, but for kinds that discovery learns later (desired_resolve).
 * Bounds: LIMIT_RENDER_OBJECTS; an arena of LIMIT_RENDER_ARENA.
 * Runs:   in control, on the re-validated answer of a render process: input is hostile.
 */
#include "base/map.h"
#include "doc/hash.h"
#include "engine/app_spec.h"
#include "engine/mark.h"
#include "kube/discovery.h"
#include "render/render.h"

struct desired_object {
    struct gvk gvk;
    struct gvr gvr;
    bool kind_known;  /* gvr and namespaced come from discovery or from a CRD of the same set */
    bool kind_absent; /* discovery is whole and does not have it */
    bool from_crd;    /* known only by a CRD of the same set */
    bool namespaced;
    bool goes_home; /* to the home cluster, whatever the destination: objects of argoproj.io,
                       Secrets that are repositories or clusters, Namespaces that these live in */
    bool ignore_health;
    str namespace_;
    str name;
    str key; /* object_key() */
    const struct val *object;
    struct hash hash;
    struct sync_options options; /* the application's, then the annotation's */
    str file;
    uint32_t line;
};

struct desired {
    int references;
    struct arena *arena;
    struct desired_object *objects;
    size_t count;
    struct map *by_key;
    str commit;
    str digest;
    enum render_tool tool;
    str *repeated; /* sentences for RepeatedResourceWarning */
    size_t repeated_count;
    str *excluded; /* sentences for ExcludedResourceWarning */
    size_t excluded_count;
    uint64_t discovery_generation;
};

struct desired_options {
    const struct app_spec *spec;
    const struct mark *mark;
    const struct discovery *discovery; /* of the destination */
    const struct discovery *home;      /* NULL: nothing goes there */
};
/* Grows when what a set was built with is known better. */
uint64_t desired_generation(const struct desired_options *options);

/* ERR_UNSUPPORTED and ERR_INVALID name object, file and line. */
MUST_USE bool desired_build(const struct render_result *rendered,
                            const struct desired_options *options, struct desired **ret,
                            struct err *err);
struct desired *desired_ref(struct desired *desired);
void desired_unref(struct desired *desired); /* NULL is fine */
AUTO_DEFINE(desired, desired_unref)
#define auto_desired AUTO(desired)

/* Do its kinds mean what they meant when it was built? Then it counts as built with what is known
 * now. False: build it anew. */
bool desired_still_holds(struct desired *desired, const struct desired_options *options);

struct desired_object *desired_find(const struct desired *desired, str key);
/* Looks again for kinds that discovery did not know. */
void desired_resolve(struct desired *desired, const struct discovery *discovery);

/* "group/Kind/namespace/name": how one object is known through the engine. */
str object_key(struct arena *arena, str group, str kind, str namespace_, str name);
/* "Kind 'name' (file:line)" for people. */
str desired_label(struct arena *arena, const struct desired_object *object);

/* The form of one object, without marks: for `taut apply` too. */
void desired_normalise(struct arena *arena, struct val *object);
