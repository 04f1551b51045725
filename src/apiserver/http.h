/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The embedded API server's HTTP face: /api, /apis, /openapi, /version, /livez, /readyz, /healthz.
 *
 * Order:  the answer goes out after the turn's COMMIT; a watch is a chunked stream of JSON lines.
 * Owner:  takes the request over and answers it, whatever happens. The server must outlive it: free
 *         the HTTP server first.
 * Input:  hostile; who asks was found out before and stands in `user` (copied).
 */
#include "apiserver/apiserver.h"
#include "io/http_server.h"

/* Whether a path is ours to serve. */
bool apiserver_serves(str path);
/* `path` is the request's path without the prefix under which this server is mounted. */
void apiserver_http(struct apiserver *server, struct http_request *request, str path,
                    const struct apiserver_user *user);
