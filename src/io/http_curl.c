/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http_curl.h"

bool http_curl_init(struct err *err)
{
    static bool is_ready;
    const curl_version_info_data *info;

    if (is_ready)
        return true;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return err_set(err, ERR_INTERNAL, "libcurl does not start");
    info = curl_version_info(CURLVERSION_NOW);
    if (info->ssl_version == NULL || !str_starts(str_from(info->ssl_version), S("OpenSSL")))
        return err_set(err, ERR_UNSUPPORTED,
                       "libcurl uses %s here; Taut needs the OpenSSL flavour (libcurl4)",
                       info->ssl_version == NULL ? "no TLS" : info->ssl_version);
    is_ready = true;
    return true;
}

bool http_curl_may_retry(CURLcode code)
{
    return code == CURLE_HTTP2_STREAM || code == CURLE_HTTP2 || code == CURLE_RECV_ERROR ||
           code == CURLE_SEND_ERROR || code == CURLE_GOT_NOTHING || code == CURLE_PARTIAL_FILE;
}

/* What a person needs to know; a row without `use_detail` says it all. */
static const struct meaning {
    CURLcode curl;
    enum err_code code;
    bool use_detail;
    const char *text;
} meanings[] = {
        {CURLE_COULDNT_RESOLVE_HOST, ERR_UNAVAILABLE, false, "its name cannot be resolved"},
        {CURLE_COULDNT_RESOLVE_PROXY, ERR_UNAVAILABLE, false,
         "the name of the proxy cannot be resolved"},
        {CURLE_COULDNT_CONNECT, ERR_UNAVAILABLE, true, "no connection"},
        {CURLE_OPERATION_TIMEDOUT, ERR_TIMEOUT, false, "it did not answer in time"},
        {CURLE_PEER_FAILED_VERIFICATION, ERR_UNAVAILABLE, true, "its certificate is not trusted"},
        {CURLE_SSL_CONNECT_ERROR, ERR_UNAVAILABLE, true, "no TLS connection"},
        {CURLE_SSL_CERTPROBLEM, ERR_INVALID, true, "our client certificate cannot be used"},
        {CURLE_SSL_CACERT_BADFILE, ERR_INVALID, true, "the given CA certificate cannot be used"},
        {CURLE_URL_MALFORMAT, ERR_INVALID, false, "this is no URL"},
        {CURLE_UNSUPPORTED_PROTOCOL, ERR_UNAVAILABLE, true, "it does not speak HTTP"},
        {CURLE_HTTP2_STREAM, ERR_UNAVAILABLE, false, "it reset the stream"},
        {CURLE_HTTP2, ERR_UNAVAILABLE, true, "the HTTP/2 connection broke"},
        {CURLE_RECV_ERROR, ERR_UNAVAILABLE, true, "the connection broke off"},
        {CURLE_SEND_ERROR, ERR_UNAVAILABLE, true, "the connection broke off"},
        {CURLE_SEND_FAIL_REWIND, ERR_UNAVAILABLE, false, "the connection broke off"},
        {CURLE_GOT_NOTHING, ERR_UNAVAILABLE, false, "it closed the connection without an answer"},
        {CURLE_PARTIAL_FILE, ERR_UNAVAILABLE, false, "the answer broke off"},
        {CURLE_WEIRD_SERVER_REPLY, ERR_UNAVAILABLE, true, "it does not speak HTTP"},
        {CURLE_BAD_CONTENT_ENCODING, ERR_UNAVAILABLE, false, "its compressed answer is damaged"},
        {CURLE_OUT_OF_MEMORY, ERR_INTERNAL, false, "memory is out"},
};

void http_curl_explain(CURL *easy, CURLcode code, const char *detail, const char *name,
                       const char *url, struct err *err)
{
    const struct meaning *found = NULL;
    long os_errno = 0;

    for (size_t i = 0; i < COUNT(meanings); i++) {
        if (meanings[i].curl == code)
            found = &meanings[i];
    }
    if (code == CURLE_COULDNT_CONNECT && easy != NULL &&
        curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_errno) == CURLE_OK && os_errno != 0)
        detail = strerror((int)os_errno);
    if (detail == NULL || detail[0] == '\0')
        detail = curl_easy_strerror(code);
    if (found == NULL)
        err_set(err, ERR_UNAVAILABLE, "%s at %s: %s", name, url, detail);
    else if (found->use_detail)
        err_set(err, found->code, "%s at %s: %s: %s", name, url, found->text, detail);
    else
        err_set(err, found->code, "%s at %s: %s", name, url, found->text);
}
