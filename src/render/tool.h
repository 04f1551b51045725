/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * tool: which tool a source wants, by Argo CD's rule: an explicit block of the source wins, more
 * than one is an error; else what lies in the path itself: a Kustomization file, then Chart.yaml,
 * else plain manifests.
 */
#include "git/tree.h"
#include "render/render.h"

/* request->path is normalised and a directory. */
MUST_USE bool tool_detect(struct tree *tree, const struct render_request *request,
                          enum render_tool *ret_tool, struct err *err);
