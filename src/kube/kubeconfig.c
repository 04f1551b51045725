/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/kubeconfig.h"

#include "base/buf.h"
#include "base/fd.h"
#include "base/mem.h"
#include "doc/hash.h"
#include "doc/json.h"
#include "doc/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SERVICE_ACCOUNT_DIR "/var/run/secrets/kubernetes.io/serviceaccount"

static struct kubeconfig *kubeconfig_new(void)
{
    struct kubeconfig *config = new0(struct kubeconfig);

    config->arena = arena_new(4 * LIMIT_KUBECONFIG_BYTES);
    return config;
}

void kubeconfig_free(struct kubeconfig *config)
{
    if (config == NULL)
        return;
    secret_free(config->key_pem);
    secret_free(config->bearer);
    secret_free(config->password);
    arena_free(config->arena);
    mem_free(config);
}

static bool read_file(const char *path, struct arena *arena, str *ret_text, struct err *err)
{
    auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    auto_buf struct buf text = {0};
    struct stat facts;

    buf_init(&text, LIMIT_KUBECONFIG_BYTES);
    if (fd < 0 || fstat(fd, &facts) != 0)
        return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path,
                       strerror(errno));
    if (!S_ISREG(facts.st_mode))
        return err_set(err, ERR_INVALID, "%s is not a file", path);
    for (;;) {
        char piece[8192];
        ssize_t got = read(fd, piece, sizeof(piece));

        if (got < 0)
            return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
        if (got == 0)
            break;
        buf_add(&text, str_of(piece, (size_t)got));
        if (!buf_check(&text, path, err))
            return false;
    }
    *ret_text = arena_str(arena, buf_str(&text));
    if (text.at != NULL)
        secret_wipe(text.at, text.len);
    return true;
}

/* A value that stands in the text as base64, or in a file that the text names. */
static bool take_pem(struct kubeconfig *config, const struct val *map, const char *data_key,
                     const char *file_key, str dir, str *ret_pem, struct err *err)
{
    str data = val_get_str(map, str_from(data_key));
    str file = file_key == NULL ? STR_EMPTY : val_get_str(map, str_from(file_key));

    if (data.len > 0)
        return base64_decode(config->arena, data, ret_pem) ||
               err_set(err, ERR_INVALID, "%s is not base64", data_key);
    if (file.len == 0)
        return true;
    if (dir.len == 0)
        return err_set(err, ERR_INVALID,
                       "%s names a file; only %s is possible here, with the content itself",
                       file_key, data_key);
    str path = str_starts(file, S("/"))
                       ? arena_str(config->arena, file)
                       : arena_printf(config->arena, "%.*s/%.*s", STR(dir), STR(file));
    return read_file(path.at, config->arena, ret_pem, err);
}

static const struct val *find_named(const struct val *list, str name)
{
    struct val_iter it = val_iter(list);

    while (val_next(&it)) {
        if (str_eq(val_get_str(it.value, S("name")), name))
            return it.value;
    }
    return NULL;
}

static bool take_cluster(struct kubeconfig *config, const struct val *cluster, str dir,
                         struct err *err)
{
    config->server = arena_str(config->arena, val_get_str(cluster, S("server")));
    config->insecure = val_get_bool(cluster, S("insecure-skip-tls-verify"), false);
    config->server_name = arena_str(config->arena, val_get_str(cluster, S("tls-server-name")));
    config->proxy_url = arena_str(config->arena, val_get_str(cluster, S("proxy-url")));
    if (config->server.len == 0)
        return err_set(err, ERR_INVALID, "the cluster has no server");
    return take_pem(config, cluster, "certificate-authority-data", "certificate-authority", dir,
                    &config->ca_pem, err);
}

static bool take_token_file(struct kubeconfig *config, str file, str dir, struct err *err)
{
    str token;

    if (dir.len == 0)
        return err_set(err, ERR_INVALID, "tokenFile names a file; only token is possible here");
    config->token_file = str_starts(file, S("/"))
                                 ? arena_str(config->arena, file)
                                 : arena_printf(config->arena, "%.*s/%.*s", STR(dir), STR(file));
    if (!read_file(config->token_file.at, config->arena, &token, err))
        return false;
    config->bearer = secret_new(str_trim(token));
    return true;
}

static bool take_user(struct kubeconfig *config, const struct val *user, str dir, struct err *err)
{
    str key = STR_EMPTY;
    str token = val_get_str(user, S("token"));
    str token_file = val_get_str(user, S("tokenFile"));
    str password = val_get_str(user, S("password"));
    const struct val *exec = val_get(user, S("exec"));
    str provider = VAL_STR(user, "auth-provider", "name");

    if (exec != NULL)
        return err_set(err, ERR_UNSUPPORTED,
                       "the credential plug-in \"%.*s\" (exec) is not supported: Taut does not run "
                       "programs that a kubeconfig names; use a token or a client certificate",
                       STR(val_get_str(exec, S("command"))));
    if (val_get(user, S("auth-provider")) != NULL)
        return err_set(err, ERR_UNSUPPORTED,
                       "the auth-provider \"%.*s\" is not supported; use a token or a client "
                       "certificate",
                       STR(provider));
    if (!take_pem(config, user, "client-certificate-data", "client-certificate", dir,
                  &config->cert_pem, err) ||
        !take_pem(config, user, "client-key-data", "client-key", dir, &key, err))
        return false;
    if (key.len > 0)
        config->key_pem = secret_new(key);
    config->username = arena_str(config->arena, val_get_str(user, S("username")));
    if (password.len > 0)
        config->password = secret_new(password);
    if (token.len > 0)
        config->bearer = secret_new(token);
    else if (token_file.len > 0)
        return take_token_file(config, token_file, dir, err);
    return true;
}

static bool take_context(struct kubeconfig *config, const struct val *root, str context, str dir,
                         struct err *err)
{
    str wanted = context.len > 0 ? context : val_get_str(root, S("current-context"));
    const struct val *entry = find_named(val_get(root, S("contexts")), wanted);

    if (wanted.len == 0)
        return err_set(err, ERR_INVALID, "it has no current-context, and none was chosen");
    if (entry == NULL)
        return err_set(err, ERR_NOT_FOUND, "it has no context \"%.*s\"", STR(wanted));
    str cluster_name = VAL_STR(entry, "context", "cluster");
    str user_name = VAL_STR(entry, "context", "user");
    const struct val *cluster = find_named(val_get(root, S("clusters")), cluster_name);
    const struct val *user = find_named(val_get(root, S("users")), user_name);
    if (cluster == NULL)
        return err_set(err, ERR_INVALID, "context \"%.*s\": there is no cluster \"%.*s\"",
                       STR(wanted), STR(cluster_name));
    if (user == NULL && user_name.len > 0)
        return err_set(err, ERR_INVALID, "context \"%.*s\": there is no user \"%.*s\"", STR(wanted),
                       STR(user_name));
    config->name = arena_str(config->arena, wanted);
    config->namespace_ = arena_str(config->arena, VAL_STR(entry, "context", "namespace"));
    return (take_cluster(config, val_get(cluster, S("cluster")), dir, err) ||
            err_wrap(err, "cluster \"%.*s\"", STR(cluster_name))) &&
           (take_user(config, val_get(user, S("user")), dir, err) ||
            err_wrap(err, "user \"%.*s\"", STR(user_name)));
}

bool kubeconfig_parse(str text, str origin, str dir, str context, struct kubeconfig **ret_config,
                      struct err *err)
{
    auto_kubeconfig struct kubeconfig *config = kubeconfig_new();
    auto_arena struct arena *arena = arena_new(8 * LIMIT_KUBECONFIG_BYTES);
    struct yaml_options options = {.dialect = YAML_11, .file = origin, .only_first = true};
    struct val *root;

    if (text.len > LIMIT_KUBECONFIG_BYTES)
        return err_set(err, ERR_LIMIT, "kubeconfig %.*s is larger than %zu bytes", STR(origin),
                       (size_t)LIMIT_KUBECONFIG_BYTES);
    if (!yaml_parse(arena, text, &options, &root, err))
        return err_wrap(err, "kubeconfig");
    if (!val_is(root, VAL_MAP))
        return err_set(err, ERR_INVALID, "%.*s is no kubeconfig", STR(origin));
    if (!take_context(config, root, context, dir, err))
        return err_wrap(err, "kubeconfig %.*s", STR(origin));
    *ret_config = TAKE(config);
    return true;
}

bool kubeconfig_load(const char *path, str context, struct kubeconfig **ret_config, struct err *err)
{
    auto_arena struct arena *arena = arena_new(2 * LIMIT_KUBECONFIG_BYTES);
    str name = str_from(path);
    size_t slash = str_rfind_char(name, '/');
    str dir = slash == SIZE_MAX ? S(".") : slash == 0 ? S("/") : str_first(name, slash);
    str text;

    return (read_file(path, arena, &text, err) || err_wrap(err, "kubeconfig")) &&
           kubeconfig_parse(text, name, dir, context, ret_config, err);
}

bool kubeconfig_is_in_cluster(void)
{
    return getenv("KUBERNETES_SERVICE_HOST") != NULL;
}

bool kubeconfig_in_cluster(const char *dir, struct kubeconfig **ret_config, struct err *err)
{
    auto_kubeconfig struct kubeconfig *config = kubeconfig_new();
    const char *host = getenv("KUBERNETES_SERVICE_HOST");
    const char *port = getenv("KUBERNETES_SERVICE_PORT");
    const char *from = dir == NULL ? SERVICE_ACCOUNT_DIR : dir;
    bool is_v6 = host != NULL && strchr(host, ':') != NULL;
    str namespace_ = STR_EMPTY;

    if (host == NULL)
        return err_set(err, ERR_NOT_FOUND,
                       "this is no Pod of a cluster: KUBERNETES_SERVICE_HOST is not set");
    config->name = S("in-cluster");
    config->server = arena_printf(config->arena, is_v6 ? "https://[%s]:%s" : "https://%s:%s", host,
                                  port == NULL ? "443" : port);
    str ca = arena_printf(config->arena, "%s/ca.crt", from);
    str namespace_file = arena_printf(config->arena, "%s/namespace", from);
    if (!read_file(ca.at, config->arena, &config->ca_pem, err) ||
        !take_token_file(config, S("token"), str_from(from), err))
        return err_wrap(err, "the service account of this Pod");
    if (read_file(namespace_file.at, config->arena, &namespace_, NULL))
        config->namespace_ = str_trim(namespace_);
    *ret_config = TAKE(config);
    return true;
}

/* ---- Argo CD's cluster Secret (docs/operator-manual/declarative-setup.md, "Clusters") ---- */

static str secret_value(struct arena *arena, const struct val *secret, const char *key)
{
    str plain = val_str(val_get(val_get(secret, S("stringData")), str_from(key)));
    str coded = val_str(val_get(val_get(secret, S("data")), str_from(key)));
    str value = STR_EMPTY;

    if (plain.len > 0)
        return arena_str(arena, plain);
    return base64_decode(arena, coded, &value) ? value : STR_EMPTY;
}

static bool take_argo_config(struct kubeconfig *config, const struct val *root, struct err *err)
{
    static const char *const refused[] = {"execProviderConfig", "awsAuthConfig"};
    const struct val *tls = val_get(root, S("tlsClientConfig"));
    str key = STR_EMPTY;
    str token = val_get_str(root, S("bearerToken"));
    str password = val_get_str(root, S("password"));

    for (size_t i = 0; i < COUNT(refused); i++) {
        if (val_get(root, str_from(refused[i])) != NULL)
            return err_set(err, ERR_UNSUPPORTED,
                           "not supported yet: config.%s (a credential plug-in); use bearerToken "
                           "or a client certificate",
                           refused[i]);
    }
    config->insecure = val_get_bool(tls, S("insecure"), false);
    config->server_name = arena_str(config->arena, val_get_str(tls, S("serverName")));
    config->proxy_url = arena_str(config->arena, val_get_str(root, S("proxyUrl")));
    config->username = arena_str(config->arena, val_get_str(root, S("username")));
    if (password.len > 0)
        config->password = secret_new(password);
    if (token.len > 0)
        config->bearer = secret_new(token);
    if (!take_pem(config, tls, "caData", NULL, STR_EMPTY, &config->ca_pem, err) ||
        !take_pem(config, tls, "certData", NULL, STR_EMPTY, &config->cert_pem, err) ||
        !take_pem(config, tls, "keyData", NULL, STR_EMPTY, &key, err))
        return err_wrap(err, "config.tlsClientConfig");
    if (key.len > 0)
        config->key_pem = secret_new(key);
    return true;
}

bool kubeconfig_from_cluster_secret(const struct val *secret, struct kubeconfig **ret_config,
                                    struct err *err)
{
    auto_kubeconfig struct kubeconfig *config = kubeconfig_new();
    auto_arena struct arena *arena = arena_new(4 * LIMIT_KUBECONFIG_BYTES);
    str text = secret_value(arena, secret, "config");
    struct val *root = NULL;

    config->name = secret_value(config->arena, secret, "name");
    config->server = secret_value(config->arena, secret, "server");
    config->namespaces = secret_value(config->arena, secret, "namespaces");
    config->has_namespaces = config->namespaces.len > 0;
    config->cluster_resources = str_eq(secret_value(arena, secret, "clusterResources"), S("true"));
    if (config->name.len == 0)
        config->name = config->server;
    str name = object_name(secret);
    if (config->server.len == 0)
        return err_set(err, ERR_INVALID, "cluster Secret %.*s has no server", STR(name));
    /* The parser's sentence may show a piece of the text, and the text is secret. */
    if (text.len > 0 && !json_parse(arena, text, NULL, &root, NULL))
        return err_set(err, ERR_INVALID, "cluster Secret %.*s: config is not valid JSON",
                       STR(name));
    if (!take_argo_config(config, root, err))
        return err_wrap(err, "cluster Secret %.*s", STR(name));
    *ret_config = TAKE(config);
    return true;
}

bool kubeconfig_read_token(const struct kubeconfig *config, struct secret **ret_token,
                           struct err *err)
{
    auto_arena struct arena *arena = arena_new(2 * LIMIT_KUBECONFIG_BYTES);
    str token;

    if (!read_file(config->token_file.at, arena, &token, err))
        return false;
    *ret_token = secret_new(str_trim(token));
    return true;
}
