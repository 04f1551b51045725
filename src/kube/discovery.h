/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Discovery: which kinds an endpoint serves, under which resource name and scope.
 *
 * A group whose discovery failed is *unknown*, never absent (ENGINE rule 3): discovery_find tells
 * the two apart. Refreshed on demand and when a CustomResourceDefinition changes.
 */
#include "kube/kube.h"

struct discovery;

struct discovery_kind {
    struct gvk gvk;
    str resource;
    bool namespaced;
    bool can_list_watch;
    bool can_patch;
    bool can_delete;
};

enum discovery_answer { DISCOVERY_FOUND, DISCOVERY_ABSENT, DISCOVERY_UNKNOWN };

typedef void discovery_done_fn(void *owner, const struct err *err); /* err NULL = refreshed */

struct discovery *discovery_new(struct kube *kube);
void discovery_free(struct discovery *discovery);
/* One run at a time. Who asks while one runs is served by the next, for what he wants to know may
 * have changed since it began. After an error the old answers stay. */
void discovery_refresh(struct discovery *discovery, discovery_done_fn *done, void *owner);
void discovery_forget(struct discovery *discovery, void *owner); /* done will not run for owner */
bool discovery_is_loaded(const struct discovery *discovery);
/* `ret_kind` is borrowed until the next refresh. */
enum discovery_answer discovery_find(const struct discovery *discovery, struct gvk gvk,
                                     struct discovery_kind *ret_kind);
/* The preferred version of a group and kind. */
enum discovery_answer discovery_find_kind(const struct discovery *discovery, str group, str kind,
                                          struct discovery_kind *ret_kind);
enum discovery_answer discovery_find_resource(const struct discovery *discovery, struct gvr gvr,
                                              struct discovery_kind *ret_kind);
/* All kinds; borrowed until the next refresh. */
size_t discovery_count(const struct discovery *discovery);
const struct discovery_kind *discovery_at(const struct discovery *discovery, size_t index);
str discovery_server_version(const struct discovery *discovery); /* "v1.34.4" or empty */
/* Every kind that is served, in every version; false: some version is unknown, so there may be
 * more.
 */
typedef void discovery_each_fn(void *owner, const struct discovery_kind *kind);
bool discovery_each(const struct discovery *discovery, discovery_each_fn *fn, void *owner);
uint64_t discovery_generation(const struct discovery *discovery); /* grows with each change */
