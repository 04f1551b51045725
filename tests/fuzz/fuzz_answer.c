/* SPDX-License-Identifier: Apache-2.0 */
/* What control reads from its own processes, after an attacker has taken them over. The first byte
 * says which answer it is. */
#include "fuzz.h"

#include "doc/json.h"
#include "git/fetch_message.h"
#include "render/message.h"

#include <assert.h>

static void render_answer(str bytes)
{
    struct render_source sources[2] = {{.commit = S("0123456789012345678901234567890123456789")}};
    struct render_request request = {.sources = sources, .source_count = 2};
    struct render_result *result = NULL;
    struct err err = {0};

    if (!message_get_result(bytes, &request, &result, &err)) {
        assert(err.message[0] != '\0');
        return;
    }
    for (size_t i = 0; i < result->object_count; i++) {
        assert(val_is(result->objects[i].object, VAL_MAP));
        assert(!str_is_empty(val_get_str(result->objects[i].object, S("kind"))));
    }
    for (size_t i = 0; i < result->read_count; i++)
        assert(result->reads[i].source < 2);
    assert(result->digest.len == 64);

    /* What was read is written and reads back as the same objects. */
    auto_buf struct buf again;
    struct render_result *second = NULL;
    buf_init(&again, 64 * LIMIT_MIB);
    message_put_result(&again, result);
    if (!buf_is_over(&again)) {
        assert(message_get_result(buf_str(&again), &request, &second, &err));
        assert(str_eq(second->digest, result->digest));
    }
    render_result_unref(second);
    render_result_unref(result);
}

static void changes_answer(str bytes)
{
    auto_arena struct arena *arena = arena_new(64 * LIMIT_MIB);
    struct render_changes changes = {0};
    struct render_read reads[] = {{.path = S("a"), .identity = S("list")},
                                  {.path = S("a/b"), .identity = S("missing")},
                                  {.path = S(""), .identity = S("dir")}};
    struct render_result result = {.reads = reads, .read_count = 3};

    if (message_get_changes(bytes, arena, &changes, NULL))
        render_reads_hold(&result, 0, &changes);
}

static void paths_answer(str bytes)
{
    auto_arena struct arena *arena = arena_new(64 * LIMIT_MIB);
    struct render_paths paths = {0};

    if (!message_get_paths(bytes, arena, &paths, NULL))
        return;
    for (size_t i = 0; i < paths.count; i++)
        assert(paths.items[i].tool <= RENDER_PLUGIN && paths.items[i].name.len <= LIMIT_PATH);
}

static void fetch_answer(str bytes)
{
    auto_arena struct arena *arena = arena_new(64 * LIMIT_MIB);
    struct transport_result result = {0};

    if (!fetch_get_answer(bytes, arena, &result, NULL))
        return;
    for (size_t i = 0; i < result.ref_count; i++)
        assert(git_id_is_full(result.refs[i].commit));
}

void fuzz_one(str input)
{
    if (str_is_empty(input))
        return;
    str bytes = str_from_index(input, 1);
    switch (input.at[0]) {
    case 'r':
        render_answer(bytes);
        break;
    case 'c':
        changes_answer(bytes);
        break;
    case 'p':
        paths_answer(bytes);
        break;
    case 'f':
        fetch_answer(bytes);
        break;
    default:
        break;
    }
}
