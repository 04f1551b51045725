/* SPDX-License-Identifier: Apache-2.0 */
/* Globs, quantities and codings: a pattern and a text with a NUL between them. */
#include "fuzz.h"

#include "doc/glob.h"
#include "doc/hash.h"
#include "doc/quantity.h"

#include <assert.h>

void fuzz_one(str input)
{
    auto_arena struct arena *arena = arena_new(16 * LIMIT_MIB);
    size_t middle = str_find_char(input, '\0');
    str pattern = str_first(input, middle);
    str text = middle == SIZE_MAX ? input : str_from_index(input, middle + 1);
    struct quantity quantity = {0};
    struct quantity again = {0};
    str bytes = STR_EMPTY;
    struct err err = {0};

    (void)glob_match(pattern, text, '/');
    if (!glob_check(pattern, &err)) {
        assert(err.message[0] != '\0');
        assert(glob_match(pattern, text, '\0') == str_eq(pattern, text));
    }
    if (quantity_parse(text, &quantity)) {
        assert(quantity_parse(quantity_format(arena, &quantity), &again));
        /* Binary ones are rounded up to whole bytes. */
        assert(quantity_cmp(&quantity, &again) == 0 || quantity.format == QUANTITY_BINARY);
    }
    if (base64_decode(arena, text, &bytes))
        assert(base64_decode(arena, base64_encode(arena, bytes), &bytes));
    assert(hex_decode(arena, hex_encode(arena, text), &bytes) && str_eq(bytes, text));
}
