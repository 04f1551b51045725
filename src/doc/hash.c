/* SPDX-License-Identifier: Apache-2.0 */
#include "doc/hash.h"

#include "base/mem.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

/* A small buffer stands before EVP: one call each few bytes would cost more than the hash. */
struct hasher {
    EVP_MD_CTX *context;
    size_t used;
    char bytes[4096];
};

struct hasher *hash_begin(void)
{
    struct hasher *h = new0(struct hasher);

    h->context = EVP_MD_CTX_new();
    if (h->context == NULL || EVP_DigestInit_ex(h->context, EVP_sha256(), NULL) != 1)
        abort();
    return h;
}

static void flush(struct hasher *h)
{
    if (EVP_DigestUpdate(h->context, h->bytes, h->used) != 1)
        abort();
    h->used = 0;
}

void hash_add(struct hasher *h, str s)
{
    if (s.len > sizeof(h->bytes) - h->used)
        flush(h);
    if (s.len > sizeof(h->bytes)) {
        if (EVP_DigestUpdate(h->context, s.at, s.len) != 1)
            abort();
        return;
    }
    if (s.len > 0)
        memcpy(h->bytes + h->used, s.at, s.len);
    h->used += s.len;
}

struct hash hash_end(struct hasher *h)
{
    struct hash hash = {{0}};

    flush(h);
    if (EVP_DigestFinal_ex(h->context, hash.bytes, NULL) != 1)
        abort();
    EVP_MD_CTX_free(h->context);
    mem_free(h);
    return hash;
}

struct hash hash_bytes(str s)
{
    struct hasher *h = hash_begin();

    hash_add(h, s);
    return hash_end(h);
}

struct hash hash_hmac(str key, str s)
{
    struct hash hash = {{0}};
    unsigned len = 0;

    assert(key.len <= INT32_MAX);
    if (HMAC(EVP_sha256(), key.at, (int)key.len, (const unsigned char *)s.at, s.len, hash.bytes,
             &len) == NULL)
        abort();
    return hash;
}

void hash_hex(const struct hash *hash, char ret_text[HASH_HEX_SIZE])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < HASH_SIZE; i++) {
        ret_text[2 * i] = digits[hash->bytes[i] >> 4];
        ret_text[2 * i + 1] = digits[hash->bytes[i] & 15];
    }
    ret_text[HASH_HEX_SIZE - 1] = '\0';
}

/* ---- trees ---- */

struct member_ref {
    str key;
    const struct val *value;
};

struct tree_hasher {
    struct hasher *h;
    const str *skip;
    size_t skip_count;
    str path; /* used only where something is skipped */
    struct buf *text;
};

static void add_value(struct tree_hasher *t, const struct val *v);

static void add_sized(struct hasher *h, char kind, str s)
{
    uint32_t len = (uint32_t)s.len;
    char head[5] = {kind, (char)(len >> 24), (char)(len >> 16), (char)(len >> 8), (char)len};

    hash_add(h, str_of(head, sizeof(head)));
    hash_add(h, s);
}

/* By value: whole numbers as decimal digits, others as the nearest double. */
static void add_number(struct hasher *h, const struct val *v)
{
    char text[64];
    int64_t whole = 0;
    str number = val_text(v);

    if (val_to_i64(v, &whole)) {
        (void)snprintf(text, sizeof(text), "%lld", (long long)whole);
    } else if (number.len < sizeof(text)) {
        (void)snprintf(text, sizeof(text), "%.*s", STR(number));
        (void)snprintf(text, sizeof(text), "%.17g", strtod(text, NULL));
    } else {
        add_sized(h, 'n', number);
        return;
    }
    add_sized(h, 'n', str_from(text));
}

static int compare_refs(const void *a, const void *b)
{
    return str_cmp(((const struct member_ref *)a)->key, ((const struct member_ref *)b)->key);
}

static bool is_skipped(const struct tree_hasher *t)
{
    for (size_t i = 0; i < t->skip_count; i++)
        if (str_eq(buf_str(t->text), t->skip[i]))
            return true;
    return false;
}

/* A pointer's part is compared in its encoded form. */
static void push_part(struct buf *text, str part)
{
    buf_addc(text, '/');
    for (size_t i = 0; i < part.len; i++) {
        if (part.at[i] == '~' || part.at[i] == '/')
            buf_add(text, part.at[i] == '~' ? S("~0") : S("~1"));
        else
            buf_addc(text, part.at[i]);
    }
}

static void add_member(struct tree_hasher *t, str key, const struct val *value)
{
    add_sized(t->h, 'k', key);
    add_value(t, value);
}

static void add_map(struct tree_hasher *t, const struct val *map)
{
    struct member_ref small[32];
    size_t count = val_count(map);
    struct member_ref *refs = count <= COUNT(small) ? small : new0_array(count, struct member_ref);
    struct val_iter it = val_iter(map);
    bool sorted = true;

    while (val_next(&it)) {
        refs[it.index] = (struct member_ref){it.key, it.value};
        sorted = sorted && (it.index == 0 || str_cmp(refs[it.index - 1].key, it.key) < 0);
    }
    if (!sorted)
        qsort(refs, count, sizeof(*refs), compare_refs);
    hash_add(t->h, S("{"));
    for (size_t i = 0; i < count; i++) {
        if (t->skip_count == 0) {
            add_member(t, refs[i].key, refs[i].value);
            continue;
        }
        size_t len = t->text->len;
        push_part(t->text, refs[i].key);
        if (!is_skipped(t))
            add_member(t, refs[i].key, refs[i].value);
        t->text->len = len;
    }
    hash_add(t->h, S("}"));
    if (refs != small)
        mem_free(refs);
}

static void add_value(struct tree_hasher *t, const struct val *v)
{
    switch (val_kind(v)) {
    case VAL_NULL:
        hash_add(t->h, S("0"));
        return;
    case VAL_BOOL:
        hash_add(t->h, val_is_true(v) ? S("t") : S("f"));
        return;
    case VAL_NUMBER:
        add_number(t->h, v);
        return;
    case VAL_STRING:
        add_sized(t->h, 's', val_str(v));
        return;
    case VAL_MAP:
        add_map(t, v);
        return;
    case VAL_LIST:
        break;
    }
    hash_add(t->h, S("["));
    struct val_iter it = val_iter(v);
    while (val_next(&it)) {
        size_t len = t->text == NULL ? 0 : t->text->len;
        if (t->skip_count > 0)
            buf_addf(t->text, "/%zu", it.index);
        add_value(t, it.value);
        if (t->skip_count > 0)
            t->text->len = len;
    }
    hash_add(t->h, S("]"));
}

struct hash hash_val(const struct val *v)
{
    struct tree_hasher t = {.h = hash_begin()};

    add_value(&t, v);
    return hash_end(t.h);
}

struct hash hash_val_without(const struct val *v, const str *skip, size_t count)
{
    auto_buf struct buf text = {0};
    struct tree_hasher t = {.h = hash_begin(), .skip = skip, .skip_count = count, .text = &text};

    buf_init(&text, LIMIT_DOC_BYTES);
    add_value(&t, v);
    return hash_end(t.h);
}
