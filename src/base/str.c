/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <sys/random.h>

int str_cmp(str a, str b)
{
    size_t common = MIN(a.len, b.len);
    int order = common == 0 ? 0 : memcmp(a.at, b.at, common);

    if (order != 0)
        return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool str_eq_nocase(str a, str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.at[i]) != lower(b.at[i]))
            return false;
    }
    return true;
}

bool str_starts(str s, str prefix)
{
    return s.len >= prefix.len && str_eq(str_of(s.at, prefix.len), prefix);
}

bool str_ends(str s, str suffix)
{
    return s.len >= suffix.len && str_eq(str_of(s.at + s.len - suffix.len, suffix.len), suffix);
}

bool str_skip(str *s, str prefix)
{
    if (!str_starts(*s, prefix))
        return false;
    *s = str_of(s->at + prefix.len, s->len - prefix.len);
    return true;
}

bool str_chop(str *s, str suffix)
{
    if (!str_ends(*s, suffix))
        return false;
    s->len -= suffix.len;
    return true;
}

size_t str_find(str s, str part)
{
    if (part.len == 0)
        return 0;
    if (s.len < part.len)
        return SIZE_MAX;

    const char *hit = memmem(s.at, s.len, part.at, part.len);
    return hit == NULL ? SIZE_MAX : (size_t)(hit - s.at);
}

bool str_contains(str s, str part)
{
    return str_find(s, part) != SIZE_MAX;
}

size_t str_find_char(str s, char c)
{
    const char *hit = s.len == 0 ? NULL : memchr(s.at, c, s.len);
    return hit == NULL ? SIZE_MAX : (size_t)(hit - s.at);
}

size_t str_rfind_char(str s, char c)
{
    const char *hit = s.len == 0 ? NULL : memrchr(s.at, c, s.len);
    return hit == NULL ? SIZE_MAX : (size_t)(hit - s.at);
}

str str_from_index(str s, size_t from)
{
    size_t start = MIN(from, s.len);
    return str_of(s.at + start, s.len - start);
}

str str_first(str s, size_t count)
{
    return str_of(s.at, MIN(count, s.len));
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

str str_trim(str s)
{
    while (s.len > 0 && is_space(s.at[0]))
        s = str_of(s.at + 1, s.len - 1);
    while (s.len > 0 && is_space(s.at[s.len - 1]))
        s.len--;
    return s;
}

bool str_split(str *rest, char separator, str *ret_part)
{
    if (rest->at == NULL)
        return false;

    size_t at = str_find_char(*rest, separator);
    if (at == SIZE_MAX) {
        *ret_part = *rest;
        *rest = (str){NULL, 0};
        return true;
    }
    *ret_part = str_first(*rest, at);
    *rest = str_from_index(*rest, at + 1);
    return true;
}

bool str_to_u64(str s, uint64_t *ret_number)
{
    uint64_t number = 0;

    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.at[i] < '0' || s.at[i] > '9')
            return false;
        if (__builtin_mul_overflow(number, 10u, &number) ||
            __builtin_add_overflow(number, (uint64_t)(s.at[i] - '0'), &number))
            return false;
    }
    *ret_number = number;
    return true;
}

bool str_to_i64(str s, int64_t *ret_number)
{
    bool negative = str_skip(&s, S("-"));
    uint64_t magnitude = 0;

    if (!str_to_u64(s, &magnitude) || magnitude > (uint64_t)INT64_MAX + (negative ? 1u : 0u))
        return false;
    *ret_number = negative ? (int64_t)(0u - magnitude) : (int64_t)magnitude;
    return true;
}

/* Bytes of the well-formed UTF-8 sequence at the start of s (RFC 3629), 0 when there is none. */
static size_t utf8_sequence(str s)
{
    const unsigned char *b = (const unsigned char *)s.at;

    if (b[0] < 0x80)
        return 1;
    if (b[0] >= 0xc2 && b[0] <= 0xdf)
        return s.len >= 2 && (b[1] & 0xc0) == 0x80 ? 2 : 0;
    if (b[0] >= 0xe0 && b[0] <= 0xef) {
        if (s.len < 3 || (b[1] & 0xc0) != 0x80 || (b[2] & 0xc0) != 0x80)
            return 0;
        bool overlong = b[0] == 0xe0 && b[1] < 0xa0;
        bool surrogate = b[0] == 0xed && b[1] > 0x9f;
        return overlong || surrogate ? 0 : 3;
    }
    if (b[0] >= 0xf0 && b[0] <= 0xf4) {
        if (s.len < 4 || (b[1] & 0xc0) != 0x80 || (b[2] & 0xc0) != 0x80 || (b[3] & 0xc0) != 0x80)
            return 0;
        bool overlong = b[0] == 0xf0 && b[1] < 0x90;
        bool beyond = b[0] == 0xf4 && b[1] > 0x8f;
        return overlong || beyond ? 0 : 4;
    }
    return 0;
}

bool str_is_utf8(str s)
{
    while (s.len > 0) {
        uint64_t word = 0;

        if (s.len >= sizeof(word)) {
            memcpy(&word, s.at, sizeof(word));
            if ((word & 0x8080808080808080u) == 0) {
                s = str_of(s.at + sizeof(word), s.len - sizeof(word));
                continue;
            }
        }
        size_t step = utf8_sequence(s);
        if (step == 0)
            return false;
        s = str_of(s.at + step, s.len - step);
    }
    return true;
}

size_t str_utf8_clip(str s, size_t max)
{
    if (s.len <= max)
        return s.len;

    size_t end = max;
    while (end > 0 && ((unsigned char)s.at[end] & 0xc0) == 0x80)
        end--;
    return end;
}

static uint64_t hash_seed(void)
{
    static uint64_t seed;

    if (seed == 0) {
        if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed))
            seed = 0x9e3779b97f4a7c15u;
        seed |= 1;
    }
    return seed;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Multiply-and-fold in the manner of wyhash: eight bytes a step, seeded so that a peer cannot
 * choose colliding keys in advance. */
/* One to seven bytes, by loads of a fixed size that may overlap. */
static uint64_t tail_word(str s)
{
    const unsigned char *at = (const unsigned char *)s.at;

    if (s.len >= 4) {
        uint32_t low = 0;
        uint32_t high = 0;
        memcpy(&low, at, 4);
        memcpy(&high, at + s.len - 4, 4);
        return low | (uint64_t)high << 32;
    }
    return at[0] | (uint64_t)at[s.len / 2] << 8 | (uint64_t)at[s.len - 1] << 16;
}

uint64_t str_hash(str s)
{
    uint64_t hash = hash_seed() ^ s.len;

    while (s.len >= 8) {
        uint64_t word = 0;
        memcpy(&word, s.at, 8);
        hash = mix(hash ^ word, 0xe7037ed1a0b428dbu);
        s = str_of(s.at + 8, s.len - 8);
    }
    if (s.len > 0) {
        uint64_t word = tail_word(s);
        hash = mix(hash ^ word, 0x8ebc6af09c88c6e3u);
    }
    return mix(hash, 0x589965cc75374cc3u);
}
