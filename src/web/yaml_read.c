/* SPDX-License-Identifier: Apache-2.0 */
/* YAML of an editor into JSON, by the parser that reads manifests: the console's forms and its
 * editor show one draft, and an error has its line. Nothing is stored. */
#include "doc/yaml.h"
#include "web/call.h"

#define READ_ARENA (64 * LIMIT_MIB)

/* "line L:C: what is wrong", or without a place. */
static void add_place(struct arena *arena, struct val *error, str message)
{
    str rest = message;
    str line;
    str column;
    int64_t number;

    if (str_skip(&rest, S("line ")) && str_split(&rest, ':', &line) &&
        str_split(&rest, ':', &column) && str_to_i64(line, &number)) {
        val_set(arena, error, S("line"), val_int(arena, number));
        if (str_to_i64(column, &number))
            val_set(arena, error, S("column"), val_int(arena, number));
        message = str_trim(rest);
    }
    val_set_str(arena, error, S("message"), message);
}

void web_yaml_read(struct web_call *call)
{
    auto_arena struct arena *arena = arena_new(READ_ARENA);
    struct yaml_options options = {.dialect = YAML_11, .file = STR_EMPTY};
    struct val *answer = val_new(call->arena, val_map());
    struct val **docs = NULL;
    size_t count = 0;
    struct err err = {0};

    if (!yaml_parse_all(arena, web_body_str(call, S("text")), &options, &docs, &count, &err))
        add_place(call->arena, val_ensure_map(call->arena, answer, S("error")), err_message(&err));
    else if (count > 1)
        add_place(call->arena, val_ensure_map(call->arena, answer, S("error")),
                  arena_printf(call->arena,
                               "line %zu:1: there is more than one document; an object is one",
                               (size_t)val_line(docs[1])));
    else
        val_set(call->arena, answer, S("value"),
                count == 0 ? val_null() : val_dup_value(call->arena, docs[0]));
    web_reply_val(call, 200, answer);
}
