/* SPDX-License-Identifier: Apache-2.0 */
/* How a JSON answer travels: an ETag, 304 for who has it already, gzip for who takes it. */
#include "doc/hash.h"
#include "web/call.h"

#include <zlib.h>

/* Below this gzip saves nothing that matters. */
#define GZIP_LEAST 1024
/* Lists are repetitive: the fastest level already makes a tenth of them. */
#define GZIP_LEVEL 2

static bool takes_gzip(const struct http_request *request)
{
    return str_contains(http_header(request, S("Accept-Encoding")), S("gzip"));
}

static bool deflate_into(struct arena *arena, str body, str *ret_packed)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)body.at, .avail_in = (uInt)body.len};

    if (deflateInit2(&stream, GZIP_LEVEL, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        return false;
    size_t bound = deflateBound(&stream, body.len);
    char *packed = arena_bytes(arena, bound);
    stream.next_out = (Bytef *)packed;
    stream.avail_out = (uInt)bound;
    int result = deflate(&stream, Z_FINISH);
    *ret_packed = str_of(packed, bound - stream.avail_out);
    deflateEnd(&stream);
    return result == Z_STREAM_END;
}

void web_encode(struct web_call *call, struct http_reply *reply, struct http_pair *headers)
{
    char hex[HASH_HEX_SIZE];
    str packed;

    reply->headers = headers;
    if (call->position.len > 0)
        headers[reply->header_count++] = (struct http_pair){S("X-Seq"), call->position};
    if (reply->status == 200 && str_eq(call->request->method, S("GET"))) {
        struct hash hash = hash_bytes(reply->body);
        hash_hex(&hash, hex);
        str etag = arena_printf(call->arena, "\"%.20s\"", hex);
        headers[reply->header_count++] = (struct http_pair){S("ETag"), etag};
        if (str_eq(http_header(call->request, S("If-None-Match")), etag)) {
            reply->status = 304;
            reply->body = STR_EMPTY;
            return;
        }
    }
    headers[reply->header_count++] = (struct http_pair){S("Vary"), S("Accept-Encoding")};
    if (reply->body.len < GZIP_LEAST || reply->body.len > LIMIT_RESPONSE_BYTES ||
        !takes_gzip(call->request) || !deflate_into(call->arena, reply->body, &packed))
        return;
    reply->body = packed;
    headers[reply->header_count++] = (struct http_pair){S("Content-Encoding"), S("gzip")};
}
