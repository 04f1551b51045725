/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * JSON: RFC 8259 texts to trees and back.
 *
 * Numbers: the text of a number is kept as it stood.
 * Strings: must be UTF-8; a lone surrogate escape becomes U+FFFD, as in Go.
 * Keys:    texts of keys are shared within one document; a repeated key is an error, unless the
 *          caller asks to be told instead (field validation), when the last one wins.
 * Owner:   the arena owns the tree, also its texts; the input may go after the call.
 * Bounds:  LIMIT_DOC_BYTES, LIMIT_DOC_DEPTH and the arena's own limit. A tree takes at most about
 *          twice the bytes of its text; scratch memory of the same size is freed on return.
 */
#include "base/buf.h"
#include "doc/val.h"

struct json_options {
    str file;                   /* named in errors and, with places, in nodes; may be empty */
    bool places;                /* nodes get file, line and column (in bytes) */
    bool last_duplicate_wins;   /* no error for repeated keys, as in Go */
    struct val *ret_duplicates; /* a list that gets the path of each repeated key, "spec.a[0].b";
                                   implies the above */
    struct arena *duplicates_arena; /* where those paths go; NULL: the tree's */
};

/* One document and nothing behind it but white space. `options` may be NULL. An error begins with
 * "line 3 column 7" or "file:3:7". */
MUST_USE bool json_parse(struct arena *arena, str text, const struct json_options *options,
                         struct val **ret_value, struct err *err);

enum json_format {
    JSON_COMPACT = 0,
    JSON_PRETTY = 1,      /* two spaces a level, as Go's MarshalIndent; no newline at the end */
    JSON_ESCAPE_HTML = 2, /* <, >, &, U+2028 and U+2029 as \u003c …, as Go's Marshal */
    JSON_SORT_KEYS = 4,   /* by bytes, as Go's maps */
};
/* `format`: bits of enum json_format. Going over buf's maximum shows in buf_is_over. */
void json_format(struct buf *out, const struct val *v, unsigned format);
/* The text in an arena. */
str json_text(struct arena *arena, const struct val *v, unsigned format);
void json_format_string(struct buf *out, str text, unsigned format);
