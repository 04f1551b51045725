/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Services: cluster IPs of 10.96.0.0/16 and node ports of 30000–32767, handed out and checked.
 *
 * State: none of its own: what is taken is read from the stored Services.
 */
#include "apiserver/api.h"

MUST_USE bool service_create(struct api *api, struct val *object);
MUST_USE bool service_update(struct api *api, struct val *object, const struct val *live);
