/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * OpenAPI v3 documents, one a group and version: schemas of its kinds and what they refer to, and
 * of the paths what kubectl looks at (which parameters a patch takes). Version 2 is not served:
 * clients take 404 for an answer.
 */
#include "apiserver/api.h"

/* `path` is what follows "/openapi/". false: there is no such document. */
bool openapi_serve(struct api *api, str path);
