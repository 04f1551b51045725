/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Glob: the patterns of AppProjects and of a directory's include and exclude, as Argo CD's
 * (gobwas/glob): * ? [a-z] [!a-z] {a,b} \x, and ** which also crosses the separator.
 *
 * Bounds: LIMIT_GLOB_PATTERN bytes; matching takes at most pattern × text steps, whatever they are.
 */
#include "base/err.h"

/* With separator '/', "*" and "?" stop at it; with '\0' nothing is a separator. A pattern that is
 * no glob (unclosed class or brace, too long) matches only itself. */
bool glob_match(str pattern, str text, char separator);
MUST_USE bool glob_check(str pattern, struct err *err);
