/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * upstream: another Kubernetes API behind our port. Method, path, query, body, Accept and
 * Content-Type go on; no other header does, above all no Authorization and no Impersonate-…:
 * the other side sees Taut's own credential and nothing of the caller.
 *
 * Order:  upstream_pass takes the request over and answers it, whatever happens.
 * Bounds: LIMIT_RESPONSE_BYTES an answer; a watch is streamed and has no bound in time.
 */
#include "io/http_server.h"
#include "kube/kubeconfig.h"

struct upstream;

MUST_USE bool upstream_new(struct loop *loop, str name, const struct kubeconfig *config,
                           struct upstream **ret_upstream, struct err *err);
/* Passes in flight are answered with 503. NULL is fine. */
void upstream_free(struct upstream *upstream);
AUTO_DEFINE(upstream, upstream_free)
#define auto_upstream AUTO(upstream)
/* `path` is the request's without the prefix under which the upstream is mounted. */
void upstream_pass(struct upstream *upstream, struct http_request *request, str path);

/* Sub-resources that reach into machines or lend identities; refused on every cluster's API. */
MUST_USE bool upstream_path_allowed(str path, struct err *err);
