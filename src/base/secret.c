/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secret.h"

#include "base/mem.h"

struct secret {
    char *at;
    size_t len;
};

void secret_wipe(void *at, size_t len)
{
    explicit_bzero(at, len);
}

struct secret *secret_new(str value)
{
    struct secret *secret = new0(struct secret);

    secret->at = mem_dup_z(value);
    secret->len = value.len;
    return secret;
}

void secret_free(struct secret *secret)
{
    if (secret == NULL)
        return;
    secret_wipe(secret->at, secret->len);
    mem_free(secret->at);
    mem_free(secret);
}

struct secret *secret_dup(const struct secret *secret)
{
    return secret == NULL ? NULL : secret_new(secret_reveal(secret));
}

bool secret_equals(const struct secret *secret, str value)
{
    unsigned char difference = 0;

    if (secret == NULL || secret->len != value.len)
        return false;
    for (size_t i = 0; i < value.len; i++)
        difference |= (unsigned char)((unsigned char)secret->at[i] ^ (unsigned char)value.at[i]);
    return difference == 0;
}

bool secret_is_empty(const struct secret *secret)
{
    return secret == NULL || secret->len == 0;
}

str secret_reveal(const struct secret *secret)
{
    return secret == NULL ? STR_EMPTY : str_of(secret->at, secret->len);
}
