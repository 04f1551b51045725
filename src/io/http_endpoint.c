/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http_endpoint.h"

#include "base/arena.h"
#include "base/mem.h"

#define CONNECT_MS 10000L

static struct curl_blob blob_of(str bytes)
{
    return (struct curl_blob){(void *)bytes.at, bytes.len, CURL_BLOB_NOCOPY};
}

static void set_tls(const struct http_endpoint *endpoint, CURL *easy)
{
    if (endpoint->ca_pem != NULL) {
        struct curl_blob ca = blob_of(str_from(endpoint->ca_pem));

        curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &ca);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL); /* the system's would count too */
    }
    if (endpoint->cert_pem != NULL) {
        struct curl_blob cert = blob_of(str_from(endpoint->cert_pem));
        struct curl_blob key = blob_of(secret_reveal(endpoint->key_pem));

        curl_easy_setopt(easy, CURLOPT_SSLCERT_BLOB, &cert);
        curl_easy_setopt(easy, CURLOPT_SSLKEY_BLOB, &key);
    }
    if (endpoint->insecure) {
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
}

static void set_basic(const struct http_endpoint *endpoint, CURL *easy)
{
    if (endpoint->username == NULL || endpoint->bearer != NULL)
        return;
    curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
    curl_easy_setopt(easy, CURLOPT_USERNAME, endpoint->username);
    if (!secret_is_empty(endpoint->password))
        curl_easy_setopt(easy, CURLOPT_PASSWORD, secret_reveal(endpoint->password).at);
}

void http_endpoint_set(struct http_endpoint *endpoint, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    /* HTTP/2 is spoken over TLS only; without it, waiting for a shared connection is in vain. */
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, (long)str_starts(str_from(endpoint->url), S("https")));
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 30L);
    if (endpoint->proxy_url != NULL)
        curl_easy_setopt(easy, CURLOPT_PROXY, endpoint->proxy_url);
    if (endpoint->connect_to != NULL)
        curl_easy_setopt(easy, CURLOPT_CONNECT_TO, &endpoint->connect_to_list);
    set_tls(endpoint, easy);
    set_basic(endpoint, easy);
}

static char *dup_or_null(str s)
{
    return s.len == 0 ? NULL : mem_dup_z(s);
}

static bool is_loopback(str host)
{
    return str_eq(host, S("localhost")) || str_eq(host, S("[::1]")) || str_starts(host, S("127."));
}

/* Takes the URL apart, refuses what an endpoint cannot have, and applies server_name. */
static bool read_url(struct http_endpoint *endpoint, const struct http_client_options *options,
                     CURLU *url, struct err *err)
{
    char *host = NULL;
    char *port = NULL;
    char *text = NULL;
    char *extra = NULL;
    char *given = mem_dup_z(options->url);
    bool has_nul = strlen(given) != options->url.len;

    bool ok = !has_nul && curl_url_set(url, CURLUPART_URL, given, 0) == CURLUE_OK &&
              curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
              curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
              curl_url_get(url, CURLUPART_USER, &extra, 0) != CURLUE_OK &&
              curl_url_get(url, CURLUPART_QUERY, &extra, 0) != CURLUE_OK &&
              curl_url_get(url, CURLUPART_FRAGMENT, &extra, 0) != CURLUE_OK &&
              (str_starts(options->url, S("https://")) || str_starts(options->url, S("http://")));
    mem_free(given);
    if (ok && is_loopback(str_from(host)) && endpoint->proxy_url == NULL)
        endpoint->proxy_url = mem_dup_z(STR_EMPTY);
    if (ok && options->server_name.len > 0) {
        auto_arena struct arena *arena = arena_new(16 * LIMIT_KIB);
        const char *name = arena_z(arena, options->server_name);

        endpoint->connect_to =
                mem_dup_z(arena_printf(arena, "%s:%s:%s:%s", name, port, host, port));
        ok = curl_url_set(url, CURLUPART_HOST, name, 0) == CURLUE_OK;
    }
    if (ok && curl_url_get(url, CURLUPART_URL, &text, 0) == CURLUE_OK) {
        str whole = str_from(text);

        while (str_chop(&whole, S("/")))
            ;
        endpoint->url = mem_dup_z(whole);
    }
    curl_free(host);
    curl_free(port);
    curl_free(text);
    curl_free(extra);
    return endpoint->url != NULL ||
           err_set(err, ERR_INVALID,
                   "%.*s: the address must be http(s)://host[:port][/path] without anything else",
                   STR(options->name));
}

static bool is_header_value(str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.at[i] < 0x20 || text.at[i] == 0x7f)
            return false;
    }
    return true;
}

static bool check_options(const struct http_client_options *options, struct err *err)
{
    if (options->bearer != NULL && !is_header_value(secret_reveal(options->bearer)))
        return err_set(err, ERR_INVALID, "%.*s: the token holds a line break or control character",
                       STR(options->name));
    if (options->cert_pem.len > 0 && secret_is_empty(options->key_pem))
        return err_set(err, ERR_INVALID, "%.*s: a client certificate is given without its key",
                       STR(options->name));
    return true;
}

bool http_endpoint_init(struct http_endpoint *endpoint, const struct http_client_options *options,
                        struct err *err)
{
    CURLU *url = NULL;

    endpoint->name = mem_dup_z(options->name);
    endpoint->proxy_url = dup_or_null(options->proxy_url);
    if (!check_options(options, err))
        return false;
    url = curl_url();
    bool ok = read_url(endpoint, options, url, err);
    curl_url_cleanup(url);
    if (!ok)
        return false;
    endpoint->ca_pem = dup_or_null(options->ca_pem);
    endpoint->cert_pem = dup_or_null(options->cert_pem);
    endpoint->key_pem = secret_dup(options->key_pem);
    endpoint->bearer = secret_dup(options->bearer);
    endpoint->username = dup_or_null(options->username);
    endpoint->password = secret_dup(options->password);
    endpoint->insecure = options->insecure;
    endpoint->connect_to_list.data = endpoint->connect_to;
    endpoint->user_agent = mem_dup_z(options->user_agent.len > 0 ? options->user_agent : S("taut"));
    return true;
}

void http_endpoint_done(struct http_endpoint *endpoint)
{
    secret_free(endpoint->key_pem);
    secret_free(endpoint->bearer);
    secret_free(endpoint->password);
    mem_free(endpoint->name);
    mem_free(endpoint->url);
    mem_free(endpoint->ca_pem);
    mem_free(endpoint->cert_pem);
    mem_free(endpoint->username);
    mem_free(endpoint->connect_to);
    mem_free(endpoint->proxy_url);
    mem_free(endpoint->user_agent);
}
