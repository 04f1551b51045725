/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Resource: the built-in kinds' discovery rows (data/kube/resources.json): names, scope, verbs,
 * sub-resources. Of a group's versions the first is preferred.
 *
 * Owner: the process.
 */
#include "schema/gvk.h"

struct resource_sub {
    str name;         /* "status", "scale", "log" … */
    struct gvk gvk;   /* of its body */
    const str *verbs; /* "get", "patch", … */
    size_t verb_count;
};

struct resource {
    struct gvk gvk;
    str plural;
    str singular;
    bool namespaced;
    const str *short_names;
    size_t short_name_count;
    const str *categories;
    size_t category_count;
    const str *verbs;
    size_t verb_count;
    const struct resource_sub *subs;
    size_t sub_count;
};

/* All rows, in discovery's order: groups, in each its versions with the preferred first. */
size_t resource_count(void);
const struct resource *resource_at(size_t index);
const struct resource *resource_by_kind(struct gvk gvk);   /* NULL when not built in */
const struct resource *resource_by_plural(struct gvr gvr); /* NULL when not built in */
/* The preferred version of a group and kind; group "" is core. */
const struct resource *resource_by_group_kind(str group, str kind);
bool resource_has_verb(const struct resource *resource, str verb);
const struct resource_sub *resource_sub(const struct resource *resource, str name);
