/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Services: those that the deployments of a DevOps Project bring, with where they answer and what
 * Git says of their external access. Shared by services.c and access.c; private to web/.
 */
#include "web/resource.h"

struct services_target {
    struct kube *kube;
    str cluster;
    str address;    /* of a Ready node: ExternalIP, else InternalIP */
    str no_address; /* why there is none: "noNodes", "notReady", or the cluster's sentence */
};

struct services_item {
    size_t target;
    str namespace_;
    str name;
    const struct val *application;
};

struct services {
    struct services_target *targets;
    size_t target_count;
    struct services_item *items;
    size_t count;
    size_t at;
    struct val *list;
    struct val *rows;
    str mode; /* access.c */
};

extern const struct gvr services_gvr;

/* call->state becomes what the applications of the answer list; false: the call is answered. */
MUST_USE bool services_take(struct web_call *call, struct kube_response *response);
void services_list_applications(struct web_call *call, web_next_fn *then);
/* Asks for the nodes of target `at`; `then` gives the answer to services_take_nodes. */
void services_ask_nodes(struct web_call *call, size_t at, web_next_fn *then);
void services_take_nodes(struct web_call *call, size_t at, struct kube_response *response);
/* Appends the row of an item whose live object this is. */
struct val *services_add_row(struct web_call *call, const struct services_item *item,
                             const struct val *object);

/* ---- access.c ---- */
/* The modes of Edit External Access and the Service types that they mean. */
struct access_mode {
    str mode;
    str type;
};
extern const struct access_mode access_modes[3];
/* Adds `git` to a row: {type, nodePorts, replace, kept, undone: {MODE: selfHeal, nextSync or ""}};
 * nothing when Git does not name the Service. `undone` is what would undo that mode. */
void access_add_git(struct web_call *call, const struct services_item *item, struct val *row);
