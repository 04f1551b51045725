/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Regular expressions as Go's regexp package takes them (RE2 syntax), for the tools that we stand
 * in for: Kustomize's selectors, Helm's functions, Argo CD's project patterns.
 *
 * Syntax: what Go refuses is refused (back references, look around, possessive and atomic groups,
 *         nested repetition, repetition above 1,000); what means something else is translated
 *         ($ is the end of the text, \s without the vertical tab, \v is one character).
 * Owner:  regex_free.
 * Bounds: LIMIT_REGEX_BYTES of pattern; a match has limits of steps, depth and heap, beyond which
 *         it is ERR_LIMIT, so that no pattern can hold a process up. No just-in-time code.
 */
#include "base/err.h"

struct regex;

MUST_USE bool regex_new(str pattern, struct regex **ret_regex, struct err *err);
void regex_free(struct regex *regex);
AUTO_DEFINE(regex, regex_free)
#define auto_regex AUTO(regex)

/* Does the pattern match anywhere in the text? */
MUST_USE bool regex_match(struct regex *regex, str text, bool *ret_matches, struct err *err);
/* The leftmost match as byte offsets into text; *ret_matches is false when there is none. */
MUST_USE bool regex_find(struct regex *regex, str text, size_t from, bool *ret_matches,
                         size_t *ret_start, size_t *ret_end, struct err *err);
