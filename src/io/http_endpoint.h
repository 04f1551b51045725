/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * HTTP endpoint: what a client knows about its server: address, trust, credentials. It checks them
 * once and sets them on each libcurl handle.
 *
 * Owner:  copies of everything, wiped where secret; they must outlive the handles, for libcurl
 *         borrows certificates and keys.
 */
#include "io/http_client.h"

#include <curl/curl.h>

struct http_endpoint {
    char *name;
    char *url; /* without a slash at the end */
    char *ca_pem;
    char *cert_pem;
    struct secret *key_pem;
    struct secret *bearer;
    char *username;
    struct secret *password;
    char *connect_to;
    struct curl_slist connect_to_list;
    char *proxy_url;
    char *user_agent;
    bool insecure;
};

/* After a failure too, http_endpoint_done is due. */
MUST_USE bool http_endpoint_init(struct http_endpoint *endpoint,
                                 const struct http_client_options *options, struct err *err);
void http_endpoint_done(struct http_endpoint *endpoint);
/* All but the bearer token, which is a header. */
void http_endpoint_set(struct http_endpoint *endpoint, CURL *easy);
