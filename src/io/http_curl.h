/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The parts of libcurl that the HTTP client needs, in our words: is this the right libcurl, may a
 * failed transfer be sent again, and what does its failure mean to a person.
 */
#include "base/err.h"

#include <curl/curl.h>

MUST_USE bool http_curl_init(struct err *err); /* once a process; idempotent */
/* The connection or stream broke off without an answer: nothing is wrong with the request. */
bool http_curl_may_retry(CURLcode code);
/* "<name> at <url> …: <why>". `detail` is libcurl's own text, may be empty. */
void http_curl_explain(CURL *easy, CURLcode code, const char *detail, const char *name,
                       const char *url, struct err *err);
