/* SPDX-License-Identifier: Apache-2.0 */
#include "doc/json.h"

#include "test.h"

static const char *parse_error(str text, const struct json_options *options)
{
    static struct err err;
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct val *v = NULL;

    err = (struct err){0};
    assert_false(json_parse(arena, text, options, &v, &err));
    assert_null(v);
    return err.message;
}

static void goes_round(str text, unsigned format, str expected)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct val *v = NULL;
    struct err err = {0};

    if (!json_parse(arena, text, NULL, &v, &err))
        fail_msg("%s", err.message);
    assert_str(json_text(arena, v, format), expected);
}

TEST(a_document_comes_back_as_it_went_in)
{
    goes_round(S("{\"a\":1,\"b\":[true,false,null,\"x\"],\"c\":{}}"), 0,
               S("{\"a\":1,\"b\":[true,false,null,\"x\"],\"c\":{}}"));
    goes_round(S(" [ ] "), 0, S("[]"));
    goes_round(S("\"\""), 0, S("\"\""));
}

TEST(a_number_keeps_its_text)
{
    goes_round(S("[1.0,1e3,-0,123456789012345678901234567890,1.5E-7]"), 0,
               S("[1.0,1e3,-0,123456789012345678901234567890,1.5E-7]"));
}

TEST(escapes_become_characters_and_go_back)
{
    goes_round(S("\"\\u0041\\n\\t\\/\\\"\\\\\\b\\f\\r\\u0001\""), 0,
               S("\"A\\n\\t/\\\"\\\\\\b\\f\\r\\u0001\""));
    goes_round(S("\"\\ud83d\\ude00\\u00e9\""), 0, S("\"\xf0\x9f\x98\x80\xc3\xa9\""));
    goes_round(S("\"\\ud83d!\\udc00\""), 0, S("\"\xef\xbf\xbd!\xef\xbf\xbd\""));
    goes_round(S("{\"\\u006eame\":\"a long text, longer than one chunk \\n of sixteen bytes\"}"), 0,
               S("{\"name\":\"a long text, longer than one chunk \\n of sixteen bytes\"}"));
}

TEST(html_is_escaped_when_asked_as_go_does)
{
    goes_round(S("\"<a href='x'>&\xe2\x80\xa8\xe2\x80\xa9\""), JSON_ESCAPE_HTML,
               S("\"\\u003ca href='x'\\u003e\\u0026\\u2028\\u2029\""));
    goes_round(S("\"<>&\xe2\x80\xa8\""), 0, S("\"<>&\xe2\x80\xa8\""));
}

TEST(pretty_output_is_indented_by_two)
{
    goes_round(S("{\"b\":[1,{\"c\":null}],\"a\":{},\"d\":[]}"), JSON_PRETTY,
               S("{\n  \"b\": [\n    1,\n    {\n      \"c\": null\n    }\n  ],\n  \"a\": {},\n"
                 "  \"d\": []\n}"));
    goes_round(S("{\"b\":1,\"a\":{\"z\":1,\"y\":2}}"), JSON_SORT_KEYS,
               S("{\"a\":{\"y\":2,\"z\":1},\"b\":1}"));
}

TEST(what_is_not_utf8_is_written_as_a_replacement)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct val v = val_string_borrow(S("a\xff\xc3z\xe2\x82"));

    assert_str(json_text(arena, &v, 0),
               S("\"a\xef\xbf\xbd\xef\xbf\xbdz\xef\xbf\xbd\xef\xbf\xbd\""));
}

TEST(an_error_names_line_and_column)
{
    assert_string_equal(parse_error(S("{\n  \"a\": 1,\n  b\n}"), NULL),
                        "line 3 column 3: expected a key in double quotes, found 'b'");
    struct json_options options = {.file = S("x/y.json")};
    assert_string_equal(parse_error(S("[1 2]"), &options),
                        "x/y.json:1:4: expected ',' or ']', found '2'");
}

TEST(what_is_no_json_is_refused)
{
    static const char *const bad[] = {
            "",
            " ",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "01",
            "1.",
            "-",
            "1e",
            "+1",
            ".5",
            "nul",
            "True",
            "'a'",
            "\"a",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\",
            "\"a\nb\"",
            "\"\xff\"",
            "\"\xc0\x80\"",
            "\"\xed\xa0\x80\"",
            "[1]x",
            "{\"a\" 1}",
            "{1:2}",
            "NaN",
            "\xef\xbb\xbf{}",
            "//c\n1",
            "]",
    };

    for (size_t i = 0; i < COUNT(bad); i++)
        assert_true(strlen(parse_error(str_from(bad[i]), NULL)) > 10);
}

TEST(a_repeated_key_is_an_error)
{
    assert_string_equal(parse_error(S("{\"a\":{\"x\":1},\n \"b\":2, \"a\":3}"), NULL),
                        "line 2 column 9: the key \"a\" is repeated");
    /* The same key in another map is fine, also in one within. */
    goes_round(S("{\"x\":{\"x\":{\"x\":1}},\"y\":{\"x\":1}}"), 0,
               S("{\"x\":{\"x\":{\"x\":1}},\"y\":{\"x\":1}}"));
}

TEST(repeated_keys_can_be_told_instead)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct val paths = val_list();
    struct json_options options = {.ret_duplicates = &paths};
    struct val *v = NULL;

    assert_true(json_parse(arena,
                           S("{\"spec\":{\"a\":[{},{\"b\":1,\"c\":3,\"b\":2,\"d\":4}]},"
                             "\"spec2\":1,\"spec2\":2}"),
                           &options, &v, NULL));
    assert_str(json_text(arena, v, 0),
               S("{\"spec\":{\"a\":[{},{\"b\":2,\"c\":3,\"d\":4}]},\"spec2\":2}"));
    assert_str(json_text(arena, &paths, 0), S("[\"spec.a[1].b\",\"spec2\"]"));
}

TEST(nesting_has_a_limit)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    auto_buf struct buf text;
    struct val *v = NULL;
    struct err err = {0};

    buf_init(&text, LIMIT_MIB);
    buf_fill(&text, '[', LIMIT_DOC_DEPTH);
    buf_fill(&text, ']', LIMIT_DOC_DEPTH);
    assert_true(json_parse(arena, buf_str(&text), NULL, &v, NULL));
    buf_reset(&text);
    buf_fill(&text, '[', 100000);
    assert_false(json_parse(arena, buf_str(&text), NULL, &v, &err));
    assert_int_equal(err.code, ERR_LIMIT);
}

TEST(memory_has_a_limit)
{
    auto_arena struct arena *arena = arena_new(64 * LIMIT_KIB);
    auto_buf struct buf text;
    struct val *v = NULL;
    struct err err = {0};

    buf_init(&text, LIMIT_MIB);
    buf_addc(&text, '[');
    for (int i = 0; i < 20000; i++)
        buf_add(&text, S("{},"));
    buf_add(&text, S("0]"));
    assert_false(json_parse(arena, buf_str(&text), NULL, &v, &err));
    assert_int_equal(err.code, ERR_LIMIT);
}

TEST(nodes_know_their_place_when_asked)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct json_options options = {.file = S("f.json"), .places = true};
    struct val *v = NULL;

    assert_true(json_parse(arena, S("{\n \"a\": [1,\n   {\"b\": 2}]}"), &options, &v, NULL));
    assert_str(val_place(arena, val_get(val_item(val_get(v, S("a")), 1), S("b"))),
               S("f.json:3:10"));
}

TEST(a_map_of_many_keys_is_fast_and_whole)
{
    auto_arena struct arena *arena = arena_new(64 * LIMIT_MIB);
    auto_buf struct buf text;
    struct val *v = NULL;
    struct err err = {0};

    buf_init(&text, 16 * LIMIT_MIB);
    for (int i = 0; i < 100000; i++)
        buf_addf(&text, "%c\"k%d\":%d", i == 0 ? '{' : ',', i, i);
    buf_add(&text, S(",\"k77\":0}"));
    assert_false(json_parse(arena, buf_str(&text), NULL, &v, &err));
    struct json_options options = {.last_duplicate_wins = true};
    assert_true(json_parse(arena, buf_str(&text), &options, &v, &err));
    assert_int_equal(val_count(v), 100000);
    assert_int_equal(val_i64_or(val_get(v, S("k77")), -1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_document_comes_back_as_it_went_in),
            cmocka_unit_test(a_number_keeps_its_text),
            cmocka_unit_test(escapes_become_characters_and_go_back),
            cmocka_unit_test(html_is_escaped_when_asked_as_go_does),
            cmocka_unit_test(pretty_output_is_indented_by_two),
            cmocka_unit_test(what_is_not_utf8_is_written_as_a_replacement),
            cmocka_unit_test(an_error_names_line_and_column),
            cmocka_unit_test(what_is_no_json_is_refused),
            cmocka_unit_test(a_repeated_key_is_an_error),
            cmocka_unit_test(repeated_keys_can_be_told_instead),
            cmocka_unit_test(nesting_has_a_limit),
            cmocka_unit_test(memory_has_a_limit),
            cmocka_unit_test(nodes_know_their_place_when_asked),
            cmocka_unit_test(a_map_of_many_keys_is_fast_and_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
