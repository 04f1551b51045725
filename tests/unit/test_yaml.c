/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "doc/yaml.h"
#include "doc/yaml_emit.h"
#include "doc/yaml_scalar.h"

static const struct yaml_options plain = {
        .dialect = YAML_11, .duplicates = YAML_DUPLICATES_REFUSE, .file = S_INIT("f.yaml")};
static const struct yaml_options resource = {.dialect = YAML_12,
                                             .duplicates = YAML_DUPLICATES_MARK,
                                             .keep_text = true,
                                             .file = S_INIT("f.yaml")};

static struct val *parse(struct arena *arena, const struct yaml_options *options, const char *text)
{
    struct val *doc = NULL;
    struct err err = {0};

    assert_ok(yaml_parse(arena, str_from(text), options, &doc, &err), err);
    return doc;
}

/* Parse as a resource, settle, write. */
static void assert_written(const char *text, const char *expected)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    auto_buf struct buf out = {0};
    struct err err = {0};
    struct val *doc = parse(arena, &resource, text);

    buf_init(&out, LIMIT_MIB);
    assert_ok(yaml_settle(arena, doc, &err), err);
    assert_ok(yaml_emit(doc, &out, &err), err);
    assert_str(buf_str(&out), str_from(expected));
}

static void assert_unwritable(const char *text)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    auto_buf struct buf out = {0};
    struct err err = {0};
    struct val *doc = parse(arena, &resource, text);

    buf_init(&out, LIMIT_MIB);
    if (yaml_settle(arena, doc, &err))
        assert_fails(yaml_emit(doc, &out, &err), err, ERR_INVALID);
}

static void assert_refused(const struct yaml_options *options, const char *text, const char *part)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct val **docs = NULL;
    size_t count = 0;
    struct err err = {0};

    assert_fails(yaml_parse_all(arena, str_from(text), options, &docs, &count, &err), err,
                 ERR_INVALID);
    if (!str_contains(err_message(&err), str_from(part)))
        fail_msg("\"%s\" does not say \"%s\"", err.message, part);
}

TEST(words_are_booleans_in_yaml_11_only)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct val *old = parse(arena, &plain, "a: yes\nb: 'yes'\nn: off\n");
    struct val *new = parse(arena, &resource, "a: yes\n");

    assert_true(val_is_true(val_get(old, S("a"))));
    assert_str(val_get_str(old, S("b")), S("yes"));
    assert_true(val_is(val_get(old, S("false")), VAL_BOOL));
    assert_str(val_get_str(new, S("a")), S("yes"));
}

TEST(numbers_become_json_numbers)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct val *doc =
            parse(arena, &plain, "[0x10, 017, 0o17, 1_000, +3, 1e3, 1.50, .5, 08, -0b11]");
    static const char *const expected[] = {"16",   "15",  "15",  "1000", "3",
                                           "1000", "1.5", "0.5", "8",    "-3"};

    for (size_t i = 0; i < COUNT(expected); i++)
        assert_str(val_text(val_item(doc, i)), str_from(expected[i]));
}

TEST(a_node_knows_its_file_line_and_column)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct val *doc = parse(arena, &plain, "a:\n  b: x\n");

    assert_str(val_place(arena, VAL_AT(doc, "a", "b")), S("f.yaml:2:6"));
}

TEST(a_stream_gives_its_documents_without_the_empty_ones)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct val **docs = NULL;
    size_t count = 0;
    struct err err = {0};

    assert_ok(yaml_parse_all(arena, S("---\na: 1\n---\n# nothing\n---\nb: 2\n"), &plain, &docs,
                             &count, &err),
              err);
    assert_int_equal(count, 2);
    assert_str(val_text(val_get(docs[1], S("b"))), S("2"));
}

TEST(a_doubled_key_is_refused_with_both_places)
{
    assert_refused(&plain, "a: 1\nb: 2\na: 3\n", "f.yaml:3:1: the key \"a\"");
    assert_refused(&plain, "a: 1\nb: 2\na: 3\n", "f.yaml:1:4");
}

TEST(a_doubled_key_of_a_resource_is_refused_when_it_is_written)
{
    assert_unwritable("a: {x: 1, x: 2}\n");
    assert_unwritable("a: {80: 1}\n");
}

TEST(the_last_doubled_key_can_win)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct yaml_options last = plain;

    last.duplicates = YAML_DUPLICATES_LAST;
    assert_str(val_text(val_get(parse(arena, &last, "a: 1\na: 3\n"), S("a"))), S("3"));
}

TEST(many_keys_are_found_without_comparing_all)
{
    auto_arena struct arena *arena = arena_new(64 * LIMIT_MIB);
    auto_buf struct buf text = {0};
    struct val *doc = NULL;
    struct err err = {0};

    buf_init(&text, LIMIT_MIB);
    for (int i = 0; i < 20000; i++)
        buf_addf(&text, "k%d: %d\n", i, i);
    assert_ok(yaml_parse(arena, buf_str(&text), &plain, &doc, &err), err);
    assert_int_equal(val_count(doc), 20000);
    buf_addf(&text, "k19999: 1\n");
    assert_fails(yaml_parse(arena, buf_str(&text), &plain, &doc, &err), err, ERR_INVALID);
}

TEST(aliases_are_copies_and_merges_keep_what_stands_there)
{
    assert_written("a: &x {p: 1, q: 2}\nb:\n  <<: *x\n  q: 3\nc: *x\n",
                   "a:\n  p: 1\n  q: 2\nb:\n  p: 1\n  q: 3\nc:\n  p: 1\n  q: 2\n");
    assert_written("a: &x {p: 1}\nb: &y {p: 2, r: 3}\nc:\n  <<: [*x, *y]\n",
                   "a:\n  p: 1\nb:\n  p: 2\n  r: 3\nc:\n  p: 1\n  r: 3\n");
    assert_refused(&resource, "a: *x\n", "f.yaml:1:4: this alias");
    assert_refused(&resource, "a: &x [*x]\n", "inside its own anchor");
    assert_refused(&resource, "a: {<<: 3}\n", "map merge requires");
}

TEST(an_alias_bomb_meets_a_limit)
{
    auto_arena struct arena *arena = arena_new(1024 * LIMIT_MIB);
    auto_buf struct buf text = {0};
    struct val *doc = NULL;
    struct err err = {0};

    buf_init(&text, LIMIT_MIB);
    buf_addf(&text, "a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 12; i++) {
        buf_addf(&text, "a%d: &a%d [", i, i);
        for (int k = 0; k < 9; k++)
            buf_addf(&text, "%s*a%d", k > 0 ? ", " : "", i - 1);
        buf_addf(&text, "]\n");
    }
    assert_fails(yaml_parse(arena, buf_str(&text), &resource, &doc, &err), err, ERR_LIMIT);
}

TEST(deep_nesting_meets_a_limit)
{
    auto_arena struct arena *arena = arena_new(64 * LIMIT_MIB);
    auto_buf struct buf text = {0};
    struct val *doc = NULL;
    struct err err = {0};

    buf_init(&text, LIMIT_MIB);
    buf_fill(&text, '[', 100000);
    assert_fails(yaml_parse(arena, buf_str(&text), &resource, &doc, &err), err, ERR_LIMIT);
}

TEST(keys_come_in_natural_order)
{
    static const char *const sorted[] = {"",    ".dot", "_x",  "9",   "10", "A",
                                         "Z",   "a-b",  "a/b", "a_b", "a1", "a2",
                                         "a2b", "a02",  "a10", "ab",  "é"};

    for (size_t i = 0; i + 1 < COUNT(sorted); i++)
        if (yaml_key_cmp(str_from(sorted[i]), str_from(sorted[i + 1])) >= 0)
            fail_msg("%s is not before %s", sorted[i], sorted[i + 1]);
}

TEST(texts_are_quoted_only_when_they_must_be)
{
    assert_written("a: 'yes'\nb: '1'\nc: ': test'\nd: 'x y'\ne: ''\nf: '1:30'\ng: '='\n",
                   "a: \"yes\"\nb: \"1\"\nc: ': test'\nd: x y\ne: \"\"\nf: \"1:30\"\ng: =\n");
    assert_written("a: \"tab\\there\"\nb: \"\\U0001F600\"\nc: \"a \\nb\"\n",
                   "a: \"tab\\there\"\nb: \"\\U0001F600\"\nc: \"a \\nb\"\n");
    assert_written("a: \"x\\ny\\n\"\nb: \"x\\ny\"\nc: \"\\n\\n\"\nd: \" x\\n\"\n",
                   "a: |\n  x\n  y\nb: |-\n  x\n  y\nc: |2+\n\n\nd: |2\n   x\n");
}

TEST(long_texts_fold_behind_column_80)
{
    assert_written("k: aaaaaaaaaa bbbbbbbbbb cccccccccc dddddddddd eeeeeeeeee ffffffffff "
                   "gggggggggg hhhhhhhhhh iiiiiiiiii\n",
                   "k: aaaaaaaaaa bbbbbbbbbb cccccccccc dddddddddd eeeeeeeeee ffffffffff "
                   "gggggggggg hhhhhhhhhh\n  iiiiiiiiii\n");
}

TEST(values_take_the_way_through_go)
{
    assert_written("a: 1.0\nb: 1e3\nc: 1234567.5\nd: 0o17\ne: 2020-01-01\nf: 1e400\n"
                   "g: 18446744073709551616\nh: -0.0\ni: 2020-1-2T03:04:05.10+02:00\n",
                   "a: 1\nb: 1000\nc: 1.2345675e+06\nd: 15\ne: \"2020-01-01T00:00:00Z\"\nf: 1e400\n"
                   "g: 1.8446744073709552e+19\nh: 0\ni: \"2020-01-02T03:04:05.1+02:00\"\n");
    assert_written("a:\nb: ~\nc: {d: , e}\n", "a: null\nb: null\nc:\n  d: \"\"\n  e: \"\"\n");
    assert_unwritable("a: .inf\n");
    assert_unwritable("a: !!int abc\n");
    assert_unwritable("a: \"\\x7f\"\n");
}

TEST(a_folded_text_is_written_as_go_reads_it_back)
{
    assert_written("a: >\n  folded\n  text\n\n    more\n  end\n",
                   "a: |\n  folded text\n\n\n    more\n  end\n");
}

TEST(what_go_refuses_is_refused)
{
    assert_refused(&resource, "a: \"x\\/y\"\n", "escape");
    assert_refused(&resource, "a: [x?y]\n", "'?'");
    assert_refused(&resource, "a: b: c\n", "f.yaml:1:");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(words_are_booleans_in_yaml_11_only),
            cmocka_unit_test(numbers_become_json_numbers),
            cmocka_unit_test(a_node_knows_its_file_line_and_column),
            cmocka_unit_test(a_stream_gives_its_documents_without_the_empty_ones),
            cmocka_unit_test(a_doubled_key_is_refused_with_both_places),
            cmocka_unit_test(a_doubled_key_of_a_resource_is_refused_when_it_is_written),
            cmocka_unit_test(the_last_doubled_key_can_win),
            cmocka_unit_test(many_keys_are_found_without_comparing_all),
            cmocka_unit_test(aliases_are_copies_and_merges_keep_what_stands_there),
            cmocka_unit_test(an_alias_bomb_meets_a_limit),
            cmocka_unit_test(deep_nesting_meets_a_limit),
            cmocka_unit_test(keys_come_in_natural_order),
            cmocka_unit_test(texts_are_quoted_only_when_they_must_be),
            cmocka_unit_test(long_texts_fold_behind_column_80),
            cmocka_unit_test(values_take_the_way_through_go),
            cmocka_unit_test(a_folded_text_is_written_as_go_reads_it_back),
            cmocka_unit_test(what_go_refuses_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
