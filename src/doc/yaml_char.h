/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The characters of texts that are known to be valid UTF-8, for the parts of the YAML emitter.
 *
 * Bounds: reads `left` bytes at most; `left` is at least 1.
 * Fails:  never.
 */
#include "base/str.h"

/* The character at `at` and its length. */
static inline uint32_t yaml_char_at(const char *at, size_t left, size_t *ret_len)
{
    const unsigned char *b = (const unsigned char *)at;
    size_t len = b[0] < 0x80 ? 1 : b[0] < 0xe0 ? 2 : b[0] < 0xf0 ? 3 : 4;

    if (len > left)
        len = left;
    *ret_len = len;
    switch (len) {
    case 1:
        return b[0];
    case 2:
        return (uint32_t)(b[0] & 0x1f) << 6 | (b[1] & 0x3f);
    case 3:
        return (uint32_t)(b[0] & 0x0f) << 12 | (uint32_t)(b[1] & 0x3f) << 6 | (b[2] & 0x3f);
    default:
        return (uint32_t)(b[0] & 0x07) << 18 | (uint32_t)(b[1] & 0x3f) << 12 |
               (uint32_t)(b[2] & 0x3f) << 6 | (b[3] & 0x3f);
    }
}
