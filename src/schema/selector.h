/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Selector: which objects are meant. Label selectors as text ("a=b,c!=d,e in (f,g),!h") or as an
 * object ({matchLabels, matchExpressions}), field selectors as text ("metadata.name=x,a!=b").
 *
 * Owner:  the arena given to the parser; texts are copied.
 * Bounds: LIMIT_SELECTOR_REQUIREMENTS.
 */
#include "doc/val.h"

struct selector;

/* "" selects everything. Errors are ERR_INVALID in the API server's manner. */
MUST_USE bool selector_parse(struct arena *arena, str text, struct selector **ret_selector,
                             struct err *err);
/* From a LabelSelector object. NULL selects nothing, an empty map everything. */
MUST_USE bool selector_of(struct arena *arena, const struct val *label_selector,
                          struct selector **ret_selector, struct err *err);
/* Field selectors know only = == !=; the path is dotted: "metadata.name", "status.phase". */
MUST_USE bool selector_parse_fields(struct arena *arena, str text, struct selector **ret_selector,
                                    struct err *err);
bool selector_is_empty(const struct selector *selector); /* selects everything */
/* `labels` is the map metadata.labels, or NULL. */
bool selector_matches_labels(const struct selector *selector, const struct val *labels);
/* By the values at the dotted paths; an absent one is "". */
bool selector_matches_fields(const struct selector *selector, const struct val *object);
/* The value that the selector demands for a key by "=", or empty: "metadata.name=x" → "x". */
str selector_exact(const struct selector *selector, str key);
/* One requirement after the other, for checking which fields a kind supports. */
size_t selector_count(const struct selector *selector);
str selector_key(const struct selector *selector, size_t index);
/* A LabelSelector object as text: "a=b,c in (d,e)". */
str selector_text(struct arena *arena, const struct val *label_selector);
