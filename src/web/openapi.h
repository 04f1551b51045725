/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The OpenAPI description of /taut/v1 and its neighbours; data/openapi.json holds the same, kept
 * equal by a test. The Kubernetes paths describe themselves at /openapi. */
#include "doc/val.h"

struct val *web_openapi_document(struct arena *arena);
