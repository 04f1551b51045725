/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Ask: requests to one cluster, with a ceiling on how many are in flight and an order of who goes
 * first (ENGINE section 5). A 429 halves the ceiling of its class and the request is asked again.
 *
 * Owner:  the texts and the body of a request must live until it is done or cancelled.
 * Order:  `done` runs once from the loop; after ask_cancel it does not run.
 */
#include "kube/kube.h"

enum ask_class { ASK_READ, ASK_DRY_RUN, ASK_WRITE, ASK_CLASS_COUNT };

/* Who waits for it; the first goes first. */
enum ask_order { ASK_PAGE, ASK_MANUAL, ASK_AUTOMATED, ASK_DRIFT, ASK_BACKGROUND, ASK_ORDER_COUNT };

struct ask_queue;
struct ask;

struct ask_queue *ask_queue_new(struct kube *kube);
void ask_queue_free(struct ask_queue *queue); /* no ask may be left */

struct ask_options {
    enum ask_class class;
    enum ask_order order;
};
struct ask *ask_start(struct ask_queue *queue, const struct kube_request *request,
                      const struct ask_options *options, kube_done_fn *done, void *owner);
void ask_cancel(struct ask *ask); /* NULL is fine */
/* How many dry runs were ever sent: a steady state sends none. */
/* Requests wait for a place: what is in no hurry should come later. */
bool ask_is_crowded(const struct ask_queue *queue, enum ask_class class);
uint64_t ask_count(const struct ask_queue *queue, enum ask_class class);
