/* SPDX-License-Identifier: Apache-2.0 */
#include "doc/hash.h"
#include "kube/kubeconfig.h"

static void set(struct arena *arena, struct val *map, str key, str text)
{
    if (text.len > 0)
        val_set_str(arena, map, key, text);
}

static void set_encoded(struct arena *arena, struct val *map, str key, str pem)
{
    if (pem.len > 0)
        val_set_str(arena, map, key, base64_encode(arena, pem));
}

bool kubeconfig_cluster_config(const struct kubeconfig *from, struct arena *arena,
                               struct val *config, struct err *err)
{
    struct val *tls = val_ensure_map(arena, config, S("tlsClientConfig"));

    if (from->token_file.len > 0 && from->bearer == NULL)
        return err_set(err, ERR_UNSUPPORTED,
                       "the context uses a token file, which changes; use a token or a client "
                       "certificate");
    set(arena, config, S("proxyUrl"), from->proxy_url);
    set(arena, config, S("username"), from->username);
    if (from->password != NULL)
        set(arena, config, S("password"), secret_reveal(from->password));
    if (from->bearer != NULL)
        set(arena, config, S("bearerToken"), secret_reveal(from->bearer));
    val_set(arena, tls, S("insecure"), val_bool(from->insecure));
    set(arena, tls, S("serverName"), from->server_name);
    set_encoded(arena, tls, S("caData"), from->ca_pem);
    set_encoded(arena, tls, S("certData"), from->cert_pem);
    if (from->key_pem != NULL)
        set_encoded(arena, tls, S("keyData"), secret_reveal(from->key_pem));
    return true;
}
