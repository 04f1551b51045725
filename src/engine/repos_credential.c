/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/repos_credential.h"
#include "base/mem.h"
#include "doc/hash.h"
#include "schema/gvk.h"

struct credential {
    struct arena *arena;
    str username;
    struct secret *password;
    struct secret *token; /* basic or bearer: the host decides */
    struct secret *bearer;
    struct secret *ssh_key;
    struct secret *passphrase;
    bool insecure;
};

/* Who a token is at the known providers (PRODUCT section 1). */
static const struct {
    str host;
    str user;
} token_users[] = {
        {S_INIT("github.com"), S_INIT("x-access-token")},
        {S_INIT("gitlab.com"), S_INIT("oauth2")},
        {S_INIT("bitbucket.org"), S_INIT("x-token-auth")},
};

/* Inline fields of a repository Secret that are not built. */
static const char *const unbuilt[] = {"tlsClientCertData", "githubAppPrivateKey",
                                      "gcpServiceAccountKey", "azureServicePrincipalClientSecret",
                                      "proxy"};

struct credential *credential_new(void)
{
    struct credential *credential = new0(struct credential);

    credential->arena = arena_new(LIMIT_SECRET_ARENA);
    return credential;
}

void credential_free(struct credential *credential)
{
    if (credential == NULL)
        return;
    secret_free(credential->password);
    secret_free(credential->token);
    secret_free(credential->bearer);
    secret_free(credential->ssh_key);
    secret_free(credential->passphrase);
    arena_free(credential->arena);
    mem_free(credential);
}

static str data_text(struct arena *arena, const struct val *secret, const char *key)
{
    str bytes;

    return base64_decode(arena, val_get_str(val_get(secret, S("data")), str_from(key)), &bytes)
                   ? bytes
                   : STR_EMPTY;
}

/* The value moves into a secret; the decoded copy is wiped. */
static void data_secret(struct arena *arena, const struct val *secret, const char *key,
                        struct secret **ret)
{
    str bytes = data_text(arena, secret, key);

    if (str_is_empty(bytes))
        return;
    secret_free(*ret);
    *ret = secret_new(bytes);
    secret_wipe((void *)(uintptr_t)bytes.at, bytes.len);
}

bool credential_add_repository(struct credential *credential, const struct val *secret,
                               struct err *err)
{
    struct arena *arena = credential->arena;
    str type = data_text(arena, secret, "type");
    str username = data_text(arena, secret, "username");

    if (!str_is_empty(type) && !str_eq(type, S("git")))
        return err_set(err, ERR_UNSUPPORTED, "not supported yet: repositories of type %.*s",
                       STR(type));
    for (size_t i = 0; i < COUNT(unbuilt); i++)
        if (val_count(VAL_AT(secret, "data", unbuilt[i])) > 0 ||
            val_str(VAL_AT(secret, "data", unbuilt[i])).len > 0)
            return err_set(err, ERR_UNSUPPORTED, "not supported yet: %s of Secret '%.*s'",
                           unbuilt[i], STR(object_name(secret)));
    if (!str_is_empty(username))
        credential->username = username;
    data_secret(arena, secret, "password", &credential->password);
    data_secret(arena, secret, "bearerToken", &credential->bearer);
    data_secret(arena, secret, "sshPrivateKey", &credential->ssh_key);
    credential->insecure = str_eq(data_text(arena, secret, "insecure"), S("true"));
    return true;
}

bool credential_add_secret(struct credential *credential, const struct val *secret, struct err *err)
{
    struct arena *arena = credential->arena;
    str type = val_get_str(secret, S("type"));
    str username = data_text(arena, secret, "username");

    str_skip(&type, S("credential.devops.kubesphere.io/"));
    str_skip(&type, S("kubernetes.io/"));
    if (!str_is_empty(username))
        credential->username = username;
    if (str_eq(type, S("basic-auth"))) {
        data_secret(arena, secret, "password", &credential->password);
        return true;
    }
    if (str_eq(type, S("ssh-auth"))) {
        data_secret(arena, secret, "private_key", &credential->ssh_key);
        data_secret(arena, secret, "ssh-privatekey", &credential->ssh_key);
        data_secret(arena, secret, "passphrase", &credential->passphrase);
        return true;
    }
    if (str_eq(type, S("secret-text")) || str_eq(type, S("Opaque"))) {
        data_secret(arena, secret, "secret", &credential->token);
        data_secret(arena, secret, "token", &credential->token);
        return true;
    }
    return err_set(err, ERR_INVALID, "Secret '%.*s' of type %.*s is no credential for Git",
                   STR(object_name(secret)), STR(val_get_str(secret, S("type"))));
}

str credential_host(str url)
{
    size_t scheme = str_find(url, S("://"));
    str host = scheme == SIZE_MAX ? url : str_from_index(url, scheme + 3);
    size_t end = 0;
    size_t at;

    while (end < host.len && host.at[end] != '/' && (scheme != SIZE_MAX || host.at[end] != ':'))
        end++;
    host = str_first(host, end);
    at = str_rfind_char(host, '@');
    if (at != SIZE_MAX)
        host = str_from_index(host, at + 1);
    at = str_rfind_char(host, ':');
    return at == SIZE_MAX ? host : str_first(host, at);
}

void credential_fill(const struct credential *credential, str url, struct source_credential *ret)
{
    str host = credential_host(url);

    ret->username = credential->username;
    ret->password = credential->password;
    ret->bearer = credential->bearer;
    ret->ssh_key = credential->ssh_key;
    ret->passphrase = credential->passphrase;
    ret->insecure = credential->insecure;
    if (credential->token == NULL)
        return;
    ret->bearer = credential->token;
    for (size_t i = 0; i < COUNT(token_users); i++)
        if (str_eq_nocase(host, token_users[i].host)) {
            ret->username = token_users[i].user;
            ret->password = credential->token;
            ret->bearer = NULL;
        }
}
