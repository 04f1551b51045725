/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * paths: the folders below one folder of a revision, with the tool that each would be rendered by:
 * what a person completes a manifest path from.
 *
 * Bounds: LIMIT_TREE_FOLDERS folders; more are counted out by `more`.
 * Runs:   in the render process. Trees are hostile.
 */
#include "git/tree.h"
#include "render/render.h"

/* ERR_NOT_FOUND when `path` is no folder. Names live as long as the tree and the arena. */
MUST_USE bool paths_list(struct tree *tree, str path, struct arena *arena,
                         struct render_paths *ret_paths, struct err *err);
