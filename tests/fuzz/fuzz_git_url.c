/* SPDX-License-Identifier: Apache-2.0 */
/* A URL that is taken can do nothing but name a repository, and its normal form is one. */
#include "fuzz.h"

#include "git/url.h"

#include <assert.h>

void fuzz_one(str input)
{
    auto_arena struct arena *arena = arena_new(16 * LIMIT_MIB);
    struct git_url url;
    struct git_url again;
    struct err err = {0};

    if (!git_url_parse(arena, input, &url, &err)) {
        assert(err.message[0] != '\0');
        return;
    }
    assert(!str_starts(url.remote, S("-")) && !str_starts(url.host, S("-")));
    size_t colon = str_find_char(url.remote, ':');
    assert(colon == SIZE_MAX || !str_starts(str_from_index(url.remote, colon), S("::")));
    assert(str_is_utf8(url.remote));
    assert(str_find_char(url.user, ':') == SIZE_MAX);
    for (size_t i = 0; i < url.remote.len; i++)
        assert((unsigned char)url.remote.at[i] > ' ');
    if (git_url_parse(arena, url.key, &again, &err))
        assert(str_eq(url.key, again.key));
}
