/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Tree: what an application manages and what that owns (engine_app_tree), and its words. */
#include "engine/compare.h"

/* "missing", "field", "prune" …; empty for REASON_NONE. */
const char *tree_reason_word(enum row_reason reason);
