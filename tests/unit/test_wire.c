/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "doc/json.h"
#include "io/wire.h"

static const char *const text =
        "{\"a\":[1,2.50,\"x\",true,null,{}],\"b\":{\"c\":\"\\u00e9\"},\"n\":-1e3}";

TEST(a_tree_comes_out_as_it_went_in)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct json_options options = {.file = S("f"), .places = true};
    auto_buf struct buf out;
    struct val *v;
    struct err err;

    assert_ok(json_parse(arena, str_from(text), &options, &v, &err), err);
    buf_init(&out, LIMIT_MIB);
    wire_put_val(&out, v);
    wire_put_val(&out, NULL);
    struct wire w = wire_of(buf_str(&out), arena);
    struct val *back = wire_val(&w);
    assert_null(wire_val(&w));
    assert_ok(wire_end(&w, "it", &err), err);
    assert_str(json_text(arena, back, JSON_COMPACT), json_text(arena, v, JSON_COMPACT));
    assert_int_equal(val_line(val_get(back, S("b"))), 1);
    assert_int_equal(val_column(val_get(back, S("b"))), val_column(val_get(v, S("b"))));
}

/* Every prefix and every changed byte is refused or read, and never more than that. */
TEST(whatever_the_bytes_are_the_reader_survives)
{
    auto_arena struct arena *arena = arena_new(64 * LIMIT_MIB);
    auto_buf struct buf out;
    struct val *v;
    struct err err;

    assert_ok(json_parse(arena, str_from(text), NULL, &v, &err), err);
    buf_init(&out, LIMIT_MIB);
    wire_put_val(&out, v);
    for (size_t len = 0; len < out.len; len++) {
        struct wire w = wire_of(str_first(buf_str(&out), len), arena);
        wire_val(&w);
        assert_false(wire_end(&w, "it", &err));
    }
    for (size_t at = 0; at < out.len; at++) {
        for (int bit = 0; bit < 8; bit++) {
            out.at[at] = (char)(out.at[at] ^ (1 << bit));
            struct wire w = wire_of(buf_str(&out), arena);
            struct val *back = wire_val(&w);
            if (back != NULL)
                json_text(arena, back, JSON_COMPACT);
            out.at[at] = (char)(out.at[at] ^ (1 << bit));
        }
    }
}

TEST(what_control_must_not_believe_is_refused)
{
    static const struct {
        const char *bytes;
        size_t len;
    } bad[] = {
            {"\3\0\0\0\2\xff\xfe", 7}, /* a text that is no UTF-8 */
            {"\2\0\0\0\2"
             "01",
             7}, /* a number with a leading zero */
            {"\2\0\0\0\3"
             "NaN",
             8},                                      /* no number */
            {"\4\0\0\0\xff\xff\xff\x7f", 8},          /* more items than bytes */
            {"\5\0\0\0\2\1a\0\0\0\0\1a\0\0\0\0", 17}, /* a key twice */
            {"\1\0\0\0\2", 5},                        /* a bool of 2 */
            {"\7\0\0\0", 4},                          /* an unknown kind */
            {"\0\x80\0\0", 4},                        /* an unknown style */
    };
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct err err;

    for (size_t i = 0; i < COUNT(bad); i++) {
        struct wire w = wire_of(str_of(bad[i].bytes, bad[i].len), arena);
        assert_null(wire_val(&w));
        assert_fails(wire_end(&w, "it", &err), err, ERR_INTERNAL);
    }
}

TEST(deep_trees_are_refused)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    auto_buf struct buf out;
    struct err err;

    buf_init(&out, LIMIT_MIB);
    for (int i = 0; i < 100000; i++)
        buf_add(&out, str_of("\4\0\0\0\1", 5));
    struct wire w = wire_of(buf_str(&out), arena);
    assert_null(wire_val(&w));
    assert_fails(wire_end(&w, "it", &err), err, ERR_INTERNAL);
}

TEST(frames_are_whole_or_not_there)
{
    auto_buf struct buf out;
    str body;
    bool is_bad = false;

    buf_init(&out, LIMIT_MIB);
    wire_put_frame(&out, S("hello"));
    for (size_t len = 0; len < out.len; len++)
        assert_false(wire_frame(str_first(buf_str(&out), len), 100, &body, &is_bad));
    assert_true(wire_frame(buf_str(&out), 100, &body, &is_bad));
    assert_str(body, S("hello"));
    assert_false(is_bad);
    assert_false(wire_frame(buf_str(&out), 4, &body, &is_bad));
    assert_true(is_bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_tree_comes_out_as_it_went_in),
            cmocka_unit_test(whatever_the_bytes_are_the_reader_survives),
            cmocka_unit_test(what_control_must_not_believe_is_refused),
            cmocka_unit_test(deep_trees_are_refused),
            cmocka_unit_test(frames_are_whole_or_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
