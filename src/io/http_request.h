/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* From libmicrohttpd's connection to our http_request: private to the HTTP server. */
#include "io/http_server.h"

struct MHD_Connection;

/* Fills all but body and arena. ERR_INVALID: a bad escape, an encoded slash, a strange path. */
MUST_USE bool http_request_parse(struct http_request *request, struct MHD_Connection *connection,
                                 const char *method, const char *target, struct err *err);
