/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What creating and editing a DevOps Project share. Private to web/. */
#include "web/call.h"

/* {name, namespace, alias, …, repos, locations, clusterResources} of namespace and AppProject. */
struct val *devops_row(struct web_call *call, const struct val *namespace_, str name,
                       const struct val *project);
/* The allowlist of the body into an AppProject's spec; keys that the body has not are left. */
MUST_USE bool devops_allowlist(struct web_call *call, struct val *spec, struct err *err);
