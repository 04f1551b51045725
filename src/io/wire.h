/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * wire: the bytes that our own processes say to each other, written and read.
 *
 * The reader trusts nothing: after a memory error in a worker, an attacker writes what control
 * reads. A reader that met something wrong is `bad` for ever and gives zeros and empty texts, so it
 * is asked once, at the end. Texts are borrowed from the input.
 * Trees: kinds, styles, lines and columns travel; file names do not (they would fill a table of
 *        control's). Checked: UTF-8, JSON numbers, no repeated keys, LIMIT_DOC_DEPTH.
 */
#include "base/buf.h"
#include "doc/val.h"

void wire_put_u64(struct buf *out, uint64_t value);
void wire_put_bool(struct buf *out, bool value);
void wire_put_str(struct buf *out, str s);
void wire_put_val(struct buf *out, const struct val *v); /* NULL travels as such */

struct wire {
    str rest;
    bool bad;
    struct arena *arena; /* of trees */
};

struct wire wire_of(str bytes, struct arena *arena);
uint64_t wire_u64(struct wire *w);
uint64_t wire_u64_most(struct wire *w, uint64_t max); /* bad when larger */
/* A number of things that take at least one byte each: never more than the bytes that are left. */
size_t wire_count(struct wire *w, size_t max);
bool wire_bool(struct wire *w);
str wire_str(struct wire *w);
str wire_text(struct wire *w);        /* the same, must be UTF-8 without NUL */
str wire_dup(struct wire *w);         /* wire_text, copied into the arena */
struct val *wire_val(struct wire *w); /* NULL as written, or when bad */
/* Everything was read and nothing was wrong. */
MUST_USE bool wire_end(const struct wire *w, const char *what, struct err *err);

/* A frame: eight bytes of length, then the bytes. */
enum { WIRE_HEAD = 8 };
void wire_put_frame(struct buf *out, str body);
/* True and the body when `bytes` holds a whole frame; sets *ret_bad when its length is over max. */
bool wire_frame(str bytes, size_t max, str *ret_body, bool *ret_bad);
