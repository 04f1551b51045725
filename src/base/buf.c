/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buf_init(struct buf *buf, size_t max)
{
    *buf = (struct buf){.max = max};
}

void buf_done(struct buf *buf)
{
    free(buf->at);
    *buf = (struct buf){.max = buf->max};
}

void buf_reset(struct buf *buf)
{
    buf->len = 0;
    buf->over = false;
    if (buf->at != NULL)
        buf->at[0] = '\0';
}

char *buf_reserve(struct buf *buf, size_t count)
{
    if (count > buf->max - MIN(buf->len, buf->max)) {
        buf->over = true;
        return NULL;
    }
    size_t needed = buf->len + count + 1;
    if (needed > buf->size) {
        size_t size = MAX(buf->size * 2, (size_t)64);
        size = MIN(MAX(size, needed), buf->max + 1);
        buf->at = mem_grow(buf->at, size, 1);
        buf->size = size;
        buf->at[buf->len] = '\0';
    }
    return buf->at + buf->len;
}

void buf_add(struct buf *buf, str s)
{
    char *room = buf_reserve(buf, s.len);

    if (room == NULL || s.len == 0)
        return;
    memcpy(room, s.at, s.len);
    buf->len += s.len;
    buf->at[buf->len] = '\0';
}

void buf_addc(struct buf *buf, char c)
{
    char *room = buf_reserve(buf, 1);

    if (room == NULL)
        return;
    room[0] = c;
    room[1] = '\0';
    buf->len++;
}

void buf_fill(struct buf *buf, char c, size_t count)
{
    char *room = buf_reserve(buf, count);

    if (room == NULL)
        return;
    memset(room, c, count);
    buf->len += count;
    buf->at[buf->len] = '\0';
}

void buf_addf(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_list again;

    va_start(args, format);
    va_copy(again, args);
    int wanted = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *room = wanted < 0 ? NULL : buf_reserve(buf, (size_t)wanted);
    if (room != NULL) {
        (void)vsnprintf(room, (size_t)wanted + 1, format, again);
        buf->len += (size_t)wanted;
    }
    va_end(again);
}

void buf_drop_front(struct buf *buf, size_t count)
{
    size_t dropped = MIN(count, buf->len);

    if (dropped == 0)
        return;
    memmove(buf->at, buf->at + dropped, buf->len - dropped);
    buf->len -= dropped;
    buf->at[buf->len] = '\0';
}

bool buf_is_over(const struct buf *buf)
{
    return buf->over;
}

bool buf_check(const struct buf *buf, const char *what, struct err *err)
{
    if (!buf->over)
        return true;
    return err_set(err, ERR_LIMIT, "%s is larger than the allowed %zu bytes", what, buf->max);
}

char *buf_take(struct buf *buf, size_t *ret_len)
{
    char *taken = buf->at == NULL ? mem_dup_z(STR_EMPTY) : buf->at;

    if (ret_len != NULL)
        *ret_len = buf->len;
    *buf = (struct buf){.max = buf->max};
    return taken;
}
