/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Write: what create, update and the patches share.
 *
 * Owner:  everything lives in the arena of the request. Of functions that can refuse, false means
 *         that the answer stands.
 */
#include "apiserver/api.h"
#include "schema/managed.h"

struct gvk write_gvk(const struct api *api);
/* The body as the kind's Go type would have taken it: kind checked, unknown and repeated fields
 * dealt with as fieldValidation says, canonical texts, names as in the URL. */
MUST_USE bool write_decode(struct api *api, struct val *object, bool is_patch);
/* Name and namespace of the object are, or become, those of the URL. */
MUST_USE bool write_names(struct api *api, struct val *object);
struct managed_request write_managed(struct api *api, const struct val *object);
