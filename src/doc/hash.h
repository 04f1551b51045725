/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Hash: SHA-256 of bytes and of trees, and the three text codings that go with it.
 *
 * A tree's hash depends on its value alone: members in any order, numbers by value, styles and
 * places ignored. Equal by val_eq means equal hash.
 */
#include "base/buf.h"
#include "doc/val.h"

#define HASH_SIZE 32
#define HASH_HEX_SIZE 65

struct hash {
    unsigned char bytes[HASH_SIZE];
};

struct hash hash_bytes(str s);
struct hash hash_val(const struct val *v);
/* The same over members except those that `skip` names, as pointers ("/status"). */
struct hash hash_val_without(const struct val *v, const str *skip, size_t count);
static inline bool hash_eq(const struct hash *a, const struct hash *b)
{
    return memcmp(a->bytes, b->bytes, HASH_SIZE) == 0;
}
void hash_hex(const struct hash *hash, char ret_text[HASH_HEX_SIZE]);

/* Several texts in one go: hash_begin, hash_add…, hash_end (which frees). */
struct hasher *hash_begin(void);
void hash_add(struct hasher *hasher, str s);
struct hash hash_end(struct hasher *hasher);

struct hash hash_hmac(str key, str s); /* HMAC-SHA-256 */

str hex_encode(struct arena *arena, str bytes); /* lower case */
MUST_USE bool hex_decode(struct arena *arena, str text, str *ret_bytes);
str base32_encode(struct arena *arena, str bytes); /* RFC 4648, lower case, no padding */
str base64_encode(struct arena *arena, str bytes); /* RFC 4648 with padding */
/* Standard alphabet, padding demanded, CR and LF skipped, as Go's StdEncoding. */
MUST_USE bool base64_decode(struct arena *arena, str text, str *ret_bytes);
