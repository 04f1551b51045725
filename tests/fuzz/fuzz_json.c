/* SPDX-License-Identifier: Apache-2.0 */
/* JSON: what parses is written, and reads back as the same value and the same hash. */
#include "fuzz.h"

#include "doc/hash.h"
#include "doc/json.h"

#include <assert.h>

static void goes_round(struct arena *arena, const struct val *v, unsigned format)
{
    struct val *again = NULL;
    struct err err = {0};
    str text = json_text(arena, v, format);

    if (!json_parse(arena, text, NULL, &again, &err)) {
        assert(err.code == ERR_LIMIT);
        return;
    }
    assert(val_eq(v, again));
    struct hash a = hash_val(v);
    struct hash b = hash_val(again);
    assert(hash_eq(&a, &b));
    assert(str_eq(json_text(arena, again, format), text));
}

void fuzz_one(str input)
{
    auto_arena struct arena *arena = arena_new(64 * LIMIT_MIB);
    struct val paths = val_list();
    struct json_options lenient = {.file = S("f.json"), .places = true, .ret_duplicates = &paths};
    struct val *strict = NULL;
    struct val *loose = NULL;
    struct err err = {0};

    bool is_strict = json_parse(arena, input, NULL, &strict, &err);
    assert(is_strict || err.message[0] != '\0');
    bool is_loose = json_parse(arena, input, &lenient, &loose, &err);
    assert(is_strict == (is_loose && val_count(&paths) == 0) || err.code == ERR_LIMIT);
    if (!is_strict)
        return;
    assert(val_eq(strict, loose));
    goes_round(arena, strict, JSON_COMPACT);
    goes_round(arena, strict, JSON_PRETTY | JSON_ESCAPE_HTML);
    goes_round(arena, strict, JSON_SORT_KEYS);
}
