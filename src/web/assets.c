/* SPDX-License-Identifier: Apache-2.0 */
#include "web/assets.h"

#include "base/buf.h"

#include <zlib.h>

static const char policy[] =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

static const struct asset *find(str path)
{
    for (size_t i = 0; i < asset_count; i++) {
        if (str_eq(path, str_from(assets[i].path)))
            return &assets[i];
    }
    return NULL;
}

/* The last segment has a dot: a file was meant, not a page. */
static bool names_a_file(str path)
{
    str last = str_from_index(path, str_rfind_char(path, '/') + 1);
    return str_find_char(last, '.') != SIZE_MAX;
}

/* The files are our own: a stream that does not inflate is a broken build. */
static bool inflate_whole(const struct asset *asset, struct buf *out)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)asset->gzip,
                       .avail_in = (uInt)asset->gzip_len};
    int result = Z_OK;

    if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK)
        return false;
    while (result == Z_OK) {
        char *room = buf_reserve(out, 16384);
        if (room == NULL)
            break;
        stream.next_out = (Bytef *)room;
        stream.avail_out = 16384;
        result = inflate(&stream, Z_NO_FLUSH);
        out->len += 16384 - stream.avail_out;
    }
    inflateEnd(&stream);
    return result == Z_STREAM_END;
}

static void serve(struct http_request *request, const struct asset *asset)
{
    auto_buf struct buf plain = {0};
    bool gzip = str_contains(http_header(request, S("Accept-Encoding")), S("gzip"));
    struct http_pair headers[] = {
            {S("ETag"), str_from(asset->etag)},
            {S("Cache-Control"),
             asset->immutable ? S("public, max-age=31536000, immutable") : S("no-cache")},
            {S("Content-Security-Policy"), str_from(policy)},
            {S("X-Content-Type-Options"), S("nosniff")},
            {S("Referrer-Policy"), S("no-referrer")},
            {S("Vary"), S("Accept-Encoding")},
            {S("Content-Encoding"), S("gzip")},
    };
    struct http_reply reply = {.status = 200,
                               .content_type = str_from(asset->content_type),
                               .headers = headers,
                               .header_count = gzip ? COUNT(headers) : COUNT(headers) - 1};

    buf_init(&plain, LIMIT_FILE_BYTES);
    if (str_eq(http_header(request, S("If-None-Match")), str_from(asset->etag))) {
        reply.status = 304;
        reply.header_count = COUNT(headers) - 1;
    } else if (gzip) {
        reply.body = str_of((const char *)asset->gzip, asset->gzip_len);
    } else if (inflate_whole(asset, &plain)) {
        reply.body = buf_str(&plain);
    } else {
        http_reply_text(request, 500, S("text/plain"), S("a file of the console is damaged\n"));
        return;
    }
    http_reply(request, &reply);
}

bool assets_serve(struct http_request *request)
{
    const struct asset *asset = find(request->path);

    if (!str_eq(request->method, S("GET")) && !str_eq(request->method, S("HEAD")))
        return false;
    if (asset == NULL && !names_a_file(request->path))
        asset = find(S("/index.html"));
    if (asset == NULL)
        return false;
    serve(request, asset);
    return true;
}
