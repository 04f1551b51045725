/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Tables: what `kubectl get` prints, made by the server (meta.k8s.io/v1 Table).
 */
#include "apiserver/api.h"

struct table;

/* In the arena of the request, for its kind and version. */
struct table *table_new(struct api *api);
void table_add(struct table *table, const struct val *object); /* the object must stay */
/* `left` < 0: unknown. */
const struct val *table_finish(struct table *table, str resource_version, str token, int64_t left);
