/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the cluster handlers share; private to web/. Texts live in the call's arena. */
#include "web/call.h"

/* How a cluster is reached, from the body: `kubeconfig` (a text) and `context`, or `server` and
 * `config` in Argo CD's form. False with err; *ret_server is empty when the body has neither. */
MUST_USE bool web_cluster_access(struct web_call *call, str *ret_server, struct val **ret_config,
                                 struct err *err);
bool web_is_cluster(const struct val *secret);
str web_cluster_name(struct web_call *call, const struct val *secret);
void web_list_clusters(struct web_call *call, web_next_fn *then); /* the Secrets */
