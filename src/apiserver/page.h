/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Page: where a list goes on. The token is kube-apiserver's: base64 of {"v","rv","start"}.
 */
#include "apiserver/api.h"

struct page {
    int64_t rv; /* of the list's first page */
    str after_namespace;
    str after_name; /* empty: from the start */
};

/* From the request's continue token; a refusal is already the answer. */
MUST_USE bool page_open(struct api *api, struct page *ret_page);
str page_token(struct arena *arena, const struct page *page);
