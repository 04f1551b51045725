/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * str: borrowed bytes with a length. Not NUL-terminated, may hold NUL, never owned.
 *
 * Owner:  whoever owns the bytes; a str must not outlive them.
 * Print:  "%.*s" with STR(s). Literals: S("text").
 */
#include "base/macros.h"
#include <string.h>

typedef struct str {
    const char *at;
    size_t len;
} str;

#define S(literal) ((str){(literal), sizeof(literal) - 1})
/* The same as an initialiser of static tables. */
#define S_INIT(literal)                                                                            \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }
#define STR(s) (int)(s).len, (s).at
#define STR_EMPTY ((str){"", 0})

static inline str str_of(const char *at, size_t len)
{
    return (str){at, len};
}

/* The bytes of a C string of our own or of a library; NULL gives the empty str. */
static inline str str_from(const char *text)
{
    return text == NULL ? STR_EMPTY : (str){text, strlen(text)};
}

static inline bool str_is_empty(str s)
{
    return s.len == 0;
}

static inline bool str_eq(str a, str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

/* Order by bytes, shorter first: <0, 0, >0. */
int str_cmp(str a, str b);
bool str_eq_nocase(str a, str b); /* ASCII letters only */
bool str_starts(str s, str prefix);
bool str_ends(str s, str suffix);
/* Like str_starts/str_ends, and removes what matched from *s. */
bool str_skip(str *s, str prefix);
bool str_chop(str *s, str suffix);
bool str_contains(str s, str part);
/* Index of the first `part` or `c`, or SIZE_MAX. */
size_t str_find(str s, str part);
size_t str_find_char(str s, char c);
size_t str_rfind_char(str s, char c);
/* From index `from` (clamped) to the end; `count` bytes (clamped). */
str str_from_index(str s, size_t from);
str str_first(str s, size_t count);
/* Without leading and trailing space, tab, CR and LF. */
str str_trim(str s);
/* Takes the part before the next `separator` off *rest; false when *rest was used up. A text of n
 * separators gives n + 1 parts. Start with: str rest = text; (rest.at != NULL). */
bool str_split(str *rest, char separator, str *ret_part);
/* Whole text as a decimal number; false on anything else, also on overflow. */
MUST_USE bool str_to_i64(str s, int64_t *ret_number);
MUST_USE bool str_to_u64(str s, uint64_t *ret_number);
bool str_is_utf8(str s);
/* Length of the longest prefix of at most `max` bytes that does not cut a UTF-8 sequence. */
size_t str_utf8_clip(str s, size_t max);
uint64_t str_hash(str s); /* seeded at process start: not stable between runs */
