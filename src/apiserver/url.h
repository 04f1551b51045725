/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * URLs of the Kubernetes API: paths and query parameters into requests.
 */
#include "apiserver/api.h"
#include "io/http_server.h"

/* false: the path names no resource (discovery and the like). Texts are borrowed from it. */
bool url_path(str path, struct kube_request *ret_request);
/* A refusal is already the answer. */
MUST_USE bool url_params(struct api *api, struct http_request *request, bool *ret_watch);
