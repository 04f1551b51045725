/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Resource: one object of a deployment as an address names it; private to web/. */
#include "engine/engine.h"
#include "web/call.h"

/* "group:Kind:namespace:name" as an id of the tree, "group/Kind/namespace/name". */
MUST_USE bool web_resource_id(struct arena *arena, str key, str *ret);
/* The object that {key} ("group:Kind:namespace:name", the third parameter) names, if it is this
 * deployment's; else the call is answered. Texts are the request's. */
MUST_USE bool web_resource_find(struct web_call *call, struct engine_object *ret);
bool web_is_secret(struct gvk gvk);
