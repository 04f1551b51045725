/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Places: what a cluster has before anybody deploys to it: the node, what each namespace is given,
 * and volumes for claims. */
#include "sandbox/world.h"

world_fn place_namespace_reconcile;
world_fn place_node_reconcile;
world_fn place_claim_reconcile;
void place_node_create(struct world_key *key);
