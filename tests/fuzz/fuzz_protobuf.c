/* SPDX-License-Identifier: Apache-2.0 */
/* Protobuf bodies: whatever comes, the tree that it gives can be written as JSON and read back. */
#include "fuzz.h"

#include "apiserver/protobuf.h"
#include "doc/json.h"

#include <assert.h>

void fuzz_one(str input)
{
    auto_arena struct arena *arena = arena_new(64 * LIMIT_MIB);
    struct val *object = NULL, *again = NULL;
    struct err err = {0};

    if (!protobuf_decode(arena, input, &object, &err)) {
        assert(err.message[0] != '\0');
        return;
    }
    str text = json_text(arena, object, JSON_COMPACT);
    if (arena_is_over(arena))
        return;
    assert(json_parse(arena, text, NULL, &again, &err));
    assert(val_eq(object, again));
}
