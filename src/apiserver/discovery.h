/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Discovery documents of the served kinds: aggregated (apidiscovery.k8s.io/v2) and the old lists;
 * /version, /livez, /readyz; OpenAPI is openapi.h's.
 */
#include "apiserver/api.h"

/* Serves a GET of api->q.path that names no object. */
void discovery_serve(struct api *api);
/* Group name → list of its served versions, the preferred first. */
struct val *discovery_groups(const struct apiserver *server, struct arena *arena);
