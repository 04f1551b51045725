/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The embedded API server as a struct kube: the same calls as over HTTP, without HTTP.
 *
 * Owner:  the caller frees the endpoint with kube_free, before the server. Any number may exist.
 * Order:  a request is carried out inside kube_start; its `done` runs after the turn's COMMIT.
 * Rights: calls are made as `system:admin` in group `system:masters`.
 */
#include "apiserver/apiserver.h"
#include "kube/kube.h"

struct kube *apiserver_kube(struct apiserver *server);
