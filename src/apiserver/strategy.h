/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Strategy: what kube-apiserver does to objects of a kind beyond their schema: generation, status,
 * allocated addresses, names of its own. (Its registry strategies.)
 */
#include "apiserver/api.h"

/* Part of decoding, before ownership is recorded: Secret's stringData, a namespace's name label. */
void strategy_decode(struct api *api, struct val *object);
/* Before a new object is validated. false: refused, the answer stands. */
MUST_USE bool strategy_create(struct api *api, struct val *object);
/* Before a changed one is; `live` is its state in the same version. */
MUST_USE bool strategy_update(struct api *api, struct val *object, const struct val *live);
