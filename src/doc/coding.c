/* SPDX-License-Identifier: Apache-2.0 */
/* The text codings declared in doc/hash.h: hexadecimal, base32, base64. */
#include "doc/hash.h"

str hex_encode(struct arena *arena, str bytes)
{
    static const char digits[] = "0123456789abcdef";
    char *text = arena_bytes(arena, bytes.len * 2 + 1);

    for (size_t i = 0; i < bytes.len; i++) {
        text[2 * i] = digits[(unsigned char)bytes.at[i] >> 4];
        text[2 * i + 1] = digits[bytes.at[i] & 15];
    }
    return str_of(text, bytes.len * 2);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool hex_decode(struct arena *arena, str text, str *ret_bytes)
{
    if (text.len % 2 != 0)
        return false;

    char *bytes = arena_bytes(arena, text.len / 2 + 1);
    for (size_t i = 0; i < text.len; i += 2) {
        int high = hex_digit(text.at[i]);
        int low = hex_digit(text.at[i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i / 2] = (char)(high * 16 + low);
    }
    *ret_bytes = str_of(bytes, text.len / 2);
    return true;
}

/* Groups of bits from the highest on; both codings cut the bytes this way. */
static str encode_bits(struct arena *arena, str bytes, const char *digits, unsigned width)
{
    char *text = arena_bytes(arena, (bytes.len * 8 + width - 1) / width + 8);
    size_t len = 0;
    uint32_t held = 0;
    unsigned bits = 0;

    for (size_t i = 0; i < bytes.len; i++) {
        held = (held << 8 | (unsigned char)bytes.at[i]) & 0xffff;
        bits += 8;
        while (bits >= width) {
            bits -= width;
            text[len++] = digits[held >> bits & ((1u << width) - 1)];
        }
    }
    if (bits > 0)
        text[len++] = digits[held << (width - bits) & ((1u << width) - 1)];
    return str_of(text, len);
}

str base32_encode(struct arena *arena, str bytes)
{
    return encode_bits(arena, bytes, "abcdefghijklmnopqrstuvwxyz234567", 5);
}

static const char base64_digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

str base64_encode(struct arena *arena, str bytes)
{
    str text = encode_bits(arena, bytes, base64_digits, 6);

    /* encode_bits left room for the padding. */
    char *end = (char *)(uintptr_t)text.at;
    while (text.len % 4 != 0)
        end[text.len++] = '=';
    end[text.len] = '\0';
    return text;
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool base64_decode(struct arena *arena, str text, str *ret_bytes)
{
    char *bytes = arena_bytes(arena, text.len / 4 * 3 + 4);
    size_t len = 0;
    uint32_t held = 0;
    size_t digits = 0;
    size_t padding = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (c == '\n' || c == '\r')
            continue;
        if (c == '=') {
            padding++;
            continue;
        }
        int digit = base64_digit(c);
        if (digit < 0 || padding > 0)
            return false;
        held = (held << 6 | (unsigned)digit) & 0xffff;
        digits++;
        if (digits % 4 != 1)
            bytes[len++] = (char)(held >> (6 - 2 * ((digits - 1) % 4)));
    }
    if (padding > 2 || (digits + padding) % 4 != 0 || digits % 4 == 1)
        return false;
    bytes[len] = '\0';
    *ret_bytes = str_of(bytes, len);
    return true;
}
