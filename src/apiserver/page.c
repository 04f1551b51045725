/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/page.h"

#include "doc/hash.h"
#include "doc/json.h"

#define TOO_OLD                                                                                    \
    "The provided continue parameter is too old to display a consistent list result. You can "     \
    "start a new list without the continue parameter, or use the continue token in this response " \
    "to retrieve the remainder of the results. Continuing with the provided token results in an "  \
    "inconsistent list - objects that were created, modified, or deleted between the time the "    \
    "first chunk was returned and now may show up in the list."

/* Tokens travel in URLs: the URL alphabet without padding. */
static str url_form(struct arena *arena, str base64)
{
    char *text = arena_bytes(arena, base64.len + 1);
    size_t len = 0;

    for (size_t i = 0; i < base64.len && base64.at[i] != '='; i++)
        text[len++] = base64.at[i] == '+' ? '-' : base64.at[i] == '/' ? '_' : base64.at[i];
    return str_of(text, len);
}

static str standard_form(struct arena *arena, str token)
{
    char *text = arena_bytes(arena, token.len + 5);
    size_t len = 0;

    for (size_t i = 0; i < token.len; i++)
        text[len++] = token.at[i] == '-' ? '+' : token.at[i] == '_' ? '/' : token.at[i];
    while (len % 4 != 0)
        text[len++] = '=';
    return str_of(text, len);
}

str page_token(struct arena *arena, const struct page *page)
{
    struct val token = val_map();

    val_set_str(arena, &token, S("v"), S("meta.k8s.io/v1"));
    val_set(arena, &token, S("rv"), val_int(arena, page->rv));
    val_set_str(
            arena, &token, S("start"),
            arena_printf(arena, "%.*s/%.*s", STR(page->after_namespace), STR(page->after_name)));
    return url_form(arena, base64_encode(arena, json_text(arena, &token, JSON_COMPACT)));
}

static bool bad_token(struct api *api)
{
    return api_fail(api, 400, "BadRequest",
                    "invalid continue token: continue key is not valid: %.*s",
                    STR(api->q.continue_));
}

bool page_open(struct api *api, struct page *ret_page)
{
    str plain;
    struct val *token = NULL;

    *ret_page = (struct page){.rv = store_rv(api->server->store)};
    if (str_is_empty(api->q.continue_))
        return true;
    if (!base64_decode(api->arena, standard_form(api->arena, api->q.continue_), &plain) ||
        !json_parse(api->arena, plain, NULL, &token, NULL) ||
        !str_eq(val_get_str(token, S("v")), S("meta.k8s.io/v1")))
        return bad_token(api);

    str start = val_get_str(token, S("start"));
    size_t slash = str_find_char(start, '/');
    int64_t rv = val_i64_or(val_get(token, S("rv")), -1);
    if (slash == SIZE_MAX || rv < 1)
        return bad_token(api);
    if (!watch_reaches(api->server->hub, rv))
        return api_fail(api, 410, "Expired", "%s", TOO_OLD);
    ret_page->rv = rv;
    ret_page->after_namespace = str_first(start, slash);
    ret_page->after_name = str_from_index(start, slash + 1);
    return true;
}
