/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * directory: plain manifests of a path, by Argo CD's rules for directories.
 *
 * Files: .yaml, .yml and .json (.jsonnet is refused), sorted by path; `recurse`, `include` and
 *        `exclude` of source.directory. A file with the comment +argocd:skip-file-rendering is left
 *        out. YAML holds any number of documents, JSON one object; Lists become their items. A YAML
 *        file that is no manifest is left out with a warning, unless it mentions apiVersion:, kind:
 *        and metadata:, for then somebody meant it.
 * Bounds: LIMIT_DIRECTORY_BYTES in all, LIMIT_DIRECTORY_FILES looked at, LIMIT_TREE_DEPTH,
 *         LIMIT_RENDER_OBJECTS. Going over is always an error.
 * Runs:   in the render process, and in the command line. Input is hostile.
 */
#include "git/tree.h"
#include "render/render.h"

/* request->path is normalised. Fills objects and warnings of an empty result. */
MUST_USE bool directory_render(struct tree *tree, const struct render_request *request,
                               struct render_result *result, struct err *err);

/* apiVersion, kind, metadata and a name: without them nothing can be applied. The message begins
 * with file and line. */
MUST_USE bool directory_check_object(const struct val *object, str file, struct err *err);
