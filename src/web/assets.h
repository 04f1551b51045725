/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The console's files, compiled into the program by tools/build-console, and how they are served:
 * the stored gzip as it is, inflated only for clients that do not take it; hashed names for a year,
 * the others checked each time; every answer under a policy that lets nothing load from elsewhere.
 *
 * An unknown path without an extension is a page of the console: it gets index.html.
 */
#include "io/http_server.h"

struct asset {
    const char *path; /* "/index.html" */
    const char *content_type;
    const char *etag; /* quoted */
    const unsigned char *gzip;
    size_t gzip_len;
    bool immutable; /* its name holds a hash of its bytes */
};

extern const struct asset assets[];
extern const size_t asset_count; /* 0: built without the console */

/* Answers GET and HEAD for a file or page of the console. false: it has no answer for this path and
 * the request is still the caller's. */
bool assets_serve(struct http_request *request);
