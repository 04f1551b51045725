/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The client half of a pass-through: the HTTP client's types and the HTTP server's meet here
 * through plain texts. Private to upstream.c. */
#include "io/loop.h"
#include "kube/kubeconfig.h"

struct upstream_client;
struct upstream_call;

struct upstream_ask {
    str method;
    str path; /* with query */
    str accept;
    str content_type;
    str body;
    bool is_stream;
};
struct upstream_answer {
    bool answered;
    int status;
    str content_type;
    str body;
    struct err err;
};
typedef void upstream_done_fn(void *owner, const struct upstream_answer *answer);
typedef void upstream_part_fn(void *owner, int status, str bytes);

MUST_USE bool upstream_client_new(struct loop *loop, str name, const struct kubeconfig *config,
                                  struct upstream_client **ret, struct err *err);
void upstream_client_free(struct upstream_client *client);
struct upstream_call *upstream_start(struct upstream_client *client, const struct upstream_ask *ask,
                                     upstream_part_fn *part, upstream_done_fn *done, void *owner);
void upstream_cancel(struct upstream_call *call);
