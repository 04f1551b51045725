/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The session that a browser's request carries; private to web/. */
#include "web/call.h"

str web_session_id(const struct http_request *request); /* "" = none */
/* Reads are free; a write must carry our header (no cross-site form can). */
MUST_USE bool web_session_allows(const struct http_request *request, struct err *err);
