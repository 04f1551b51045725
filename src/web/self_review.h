/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* SelfSubjectAccessReview and its kin on a home that is a real cluster. Private to web/. */
#include "web/call.h"

bool web_is_self_review(const struct http_request *request);
void web_self_review(struct web_call *call); /* answers the call */
