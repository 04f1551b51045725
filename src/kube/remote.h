/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Remote: a Kubernetes API server over the network as a `struct kube`.
 *
 * Bounds: as io/http_client.h; a watch event of at most LIMIT_WATCH_EVENT_BYTES. Requests that
 *         cannot hurt twice are sent again when a stream breaks off before an answer.
 * Status: an answer of 4xx or 5xx is not ok, and err is the server's own sentence. A server that
 *         was not reached is status 0.
 */
#include "kube/kube.h"
#include "kube/kubeconfig.h"

/* `name` is for messages ("cluster prod"). Everything is copied. Nothing is sent yet. */
MUST_USE bool kube_remote_new(struct loop *loop, str name, const struct kubeconfig *config,
                              struct kube **ret_kube, struct err *err);
/* Connections opened so far; for tests and metrics. */
size_t kube_remote_connections(const struct kube *kube);
