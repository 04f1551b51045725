/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * buf: bytes that grow, NUL-terminated, with a maximum that is given at init.
 *
 * Owner:  the holder; buf_done frees, buf_take moves the bytes out.
 * Bounds: what would go over `max` is not added and sets a sticky flag (buf_is_over); look once, at
 *         the end.
 */
#include "base/err.h"

struct buf {
    char *at;
    size_t len;
    size_t size;
    size_t max;
    bool over;
};

void buf_init(struct buf *buf, size_t max);
void buf_done(struct buf *buf);
static inline void buf_auto(struct buf *buf)
{
    buf_done(buf);
}
#define auto_buf __attribute__((cleanup(buf_auto)))

void buf_reset(struct buf *buf); /* empty, memory kept */
void buf_add(struct buf *buf, str s);
void buf_addc(struct buf *buf, char c);
void buf_fill(struct buf *buf, char c, size_t count);
void buf_addf(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);
/* Room for `count` more bytes at buf->at + buf->len; NULL when that would go over the maximum. */
char *buf_reserve(struct buf *buf, size_t count);
void buf_drop_front(struct buf *buf, size_t count);
bool buf_is_over(const struct buf *buf);
MUST_USE bool buf_check(const struct buf *buf, const char *what, struct err *err);
/* The bytes, NUL-terminated, owned by the caller (mem_free); the buf is empty afterwards. */
char *buf_take(struct buf *buf, size_t *ret_len);

static inline str buf_str(const struct buf *buf)
{
    return str_of(buf->at == NULL ? "" : buf->at, buf->len);
}
