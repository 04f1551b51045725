/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http_request.h"
#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/socket.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool http_decode(struct arena *arena, str text, bool plus, str *ret)
{
    char *to = arena_bytes(arena, text.len + 1);
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (c == '%') {
            if (i + 2 >= text.len)
                return false;
            int high = hex_digit(text.at[i + 1]);
            int low = hex_digit(text.at[i + 2]);
            if (high < 0 || low < 0)
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        to[len++] = c;
    }
    to[len] = '\0';
    *ret = str_of(to, len);
    return true;
}

/* An encoded separator would let one text be two paths; nobody needs it. */
static bool path_is_plain(str raw)
{
    for (size_t i = 0; i + 2 < raw.len; i++) {
        if (raw.at[i] != '%')
            continue;
        int byte = hex_digit(raw.at[i + 1]) * 16 + hex_digit(raw.at[i + 2]);
        if (byte == '/' || byte == '\\' || byte < ' ' || byte == 0x7f)
            return false;
    }
    return true;
}

static bool parse_query(struct http_request *request, struct err *err)
{
    struct arena *arena = request->arena;
    struct http_pair *pairs = arena_array(arena, LIMIT_HTTP_PAIRS, struct http_pair);
    str rest = request->query;
    str part;

    while (str_split(&rest, '&', &part)) {
        struct http_pair *pair = &pairs[request->param_count];
        size_t equals = MIN(str_find_char(part, '='), part.len);

        if (part.len == 0)
            continue;
        if (request->param_count == LIMIT_HTTP_PAIRS)
            return err_set(err, ERR_INVALID, "more than %d query parameters", LIMIT_HTTP_PAIRS);
        if (!http_decode(arena, str_first(part, equals), /*plus=*/true, &pair->name) ||
            !http_decode(arena, str_from_index(part, equals + 1), /*plus=*/true, &pair->value))
            return err_set(err, ERR_INVALID, "the query has a bad escape");
        request->param_count++;
    }
    request->params = pairs;
    return true;
}

struct header_list {
    struct arena *arena;
    struct http_pair *pairs;
    size_t count;
};

static enum MHD_Result add_header(void *cls, UNUSED enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
    struct header_list *list = cls;

    if (list->count == LIMIT_HTTP_PAIRS)
        return MHD_NO;
    list->pairs[list->count].name = arena_str(list->arena, str_from(name));
    list->pairs[list->count].value = arena_str(list->arena, str_from(value));
    list->count++;
    return MHD_YES;
}

static str peer_of(struct arena *arena, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    char text[INET6_ADDRSTRLEN] = "";

    if (info == NULL || info->client_addr == NULL)
        return S("unknown");
    if (info->client_addr->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)info->client_addr;
        inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text));
        return arena_printf(arena, "%s:%u", text, ntohs(in->sin_port));
    }
    const struct sockaddr_in6 *in6 = (const void *)info->client_addr;
    inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text));
    return arena_printf(arena, "[%s]:%u", text, ntohs(in6->sin6_port));
}

bool http_request_parse(struct http_request *request, struct MHD_Connection *connection,
                        const char *method, const char *target, struct err *err)
{
    struct arena *arena = request->arena;
    str text = arena_str(arena, str_from(target));
    size_t mark = MIN(str_find_char(text, '?'), text.len);
    str raw = str_first(text, mark);
    struct header_list headers = {arena, arena_array(arena, LIMIT_HTTP_PAIRS, struct http_pair), 0};

    request->method = arena_str(arena, str_from(method));
    request->query = str_from_index(text, mark + 1);
    if (raw.len == 0 || raw.at[0] != '/' || !path_is_plain(raw) ||
        !http_decode(arena, raw, /*plus=*/false, &request->path) || !str_is_utf8(request->path))
        return err_set(err, ERR_INVALID, "the path is not one that this server reads");
    if (!parse_query(request, err))
        return false;
    MHD_get_connection_values(connection, MHD_HEADER_KIND, add_header, &headers);
    request->headers = headers.pairs;
    request->header_count = headers.count;
    request->peer = peer_of(arena, connection);
    request->is_tls =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION) != NULL;
    return true;
}

str http_header(const struct http_request *request, str name)
{
    for (size_t i = 0; i < request->header_count; i++) {
        if (str_eq_nocase(request->headers[i].name, name))
            return request->headers[i].value;
    }
    return STR_EMPTY;
}

bool http_param(const struct http_request *request, str name, str *ret_value)
{
    for (size_t i = 0; i < request->param_count; i++) {
        if (!str_eq(request->params[i].name, name))
            continue;
        if (ret_value != NULL)
            *ret_value = request->params[i].value;
        return true;
    }
    return false;
}
