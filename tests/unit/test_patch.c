/* SPDX-License-Identifier: Apache-2.0 */
#include "doc/json.h"
#include "doc/json_patch.h"
#include "doc/merge_patch.h"
#include "doc/pointer.h"

#include "test.h"

static struct arena *arena;

static struct val *parse(const char *text)
{
    struct val *v = NULL;
    struct err err = {0};

    assert_ok(json_parse(arena, str_from(text), NULL, &v, &err), err);
    return v;
}

static int setup(void **state UNUSED)
{
    arena = arena_new(16 * LIMIT_MIB);
    return 0;
}

static int teardown(void **state UNUSED)
{
    arena_free(arena);
    return 0;
}

TEST(a_pointer_finds_members_and_items)
{
    struct val *v = parse("{\"a/b\":{\"m~n\":[1,{\"\":2}]},\"\":0}");

    assert_int_equal(val_i64_or(pointer_get(v, S("/a~1b/m~0n/1/")), 0), 2);
    assert_int_equal(val_i64_or(pointer_get(v, S("/")), 1), 0);
    assert_ptr_equal(pointer_get(v, S("")), v);
    assert_null(pointer_get(v, S("a")));
    assert_null(pointer_get(v, S("/a~1b/m~0n/01")));
    assert_null(pointer_get(v, S("/a~2b")));
    assert_str(pointer_join(arena, S("/a"), S("b/c~d")), S("/a/b~1c~0d"));
}

TEST(a_pointer_sets_and_deletes)
{
    struct val *v = parse("{\"a\":{\"x/y\":1},\"l\":[1,2,3]}");
    struct err err = {0};

    assert_ok(pointer_set(arena, v, S("/a/p~1q"), val_bool(true), &err), err);
    assert_ok(pointer_set(arena, v, S("/l/1"), val_null(), &err), err);
    assert_ok(pointer_set(arena, v, S("/l/-"), val_int(arena, 9), &err), err);
    assert_fails(pointer_set(arena, v, S("/no/where"), val_null(), &err), err, ERR_NOT_FOUND);
    assert_true(pointer_delete(v, S("/a/x~1y")));
    assert_true(pointer_delete(v, S("/l/0")));
    assert_false(pointer_delete(v, S("/l/7")));
    assert_str(json_text(arena, v, 0), S("{\"a\":{\"p/q\":true},\"l\":[null,3,9]}"));
}

/* RFC 6902 appendix A and the API server's own habits. */
static const struct {
    const char *name, *document, *patch, *expected; /* expected NULL = refused */
} patches[] = {
        {"add a member", "{\"foo\":\"bar\"}",
         "[{\"op\":\"add\",\"path\":\"/baz\",\"value\":\"qux\"}]",
         "{\"foo\":\"bar\",\"baz\":\"qux\"}"},
        {"add an item", "{\"foo\":[\"bar\",\"baz\"]}",
         "[{\"op\":\"add\",\"path\":\"/foo/1\",\"value\":\"qux\"}]",
         "{\"foo\":[\"bar\",\"qux\",\"baz\"]}"},
        {"remove an item", "{\"foo\":[1,2,3]}", "[{\"op\":\"remove\",\"path\":\"/foo/1\"}]",
         "{\"foo\":[1,3]}"},
        {"replace", "{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":{\"b\":2}}]",
         "{\"a\":{\"b\":2}}"},
        {"move an item", "{\"foo\":[\"all\",\"grass\",\"cows\",\"eat\"]}",
         "[{\"op\":\"move\",\"from\":\"/foo/1\",\"path\":\"/foo/3\"}]",
         "{\"foo\":[\"all\",\"cows\",\"eat\",\"grass\"]}"},
        {"copy", "{\"a\":{\"x\":1}}", "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/b\"}]",
         "{\"a\":{\"x\":1},\"b\":{\"x\":1}}"},
        {"a test that holds", "{\"a\":[1,2.0]}",
         "[{\"op\":\"test\",\"path\":\"/a\",\"value\":[1.0,2]}]", "{\"a\":[1,2.0]}"},
        {"a test that fails", "{\"a\":1}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":2}]", NULL},
        {"an absent member equals null", "{}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":null}]",
         "{}"},
        {"append", "{\"a\":[1]}", "[{\"op\":\"add\",\"path\":\"/a/-\",\"value\":2}]",
         "{\"a\":[1,2]}"},
        {"count from the end", "{\"a\":[1,2,3]}", "[{\"op\":\"remove\",\"path\":\"/a/-1\"}]",
         "{\"a\":[1,2]}"},
        {"an index beyond the end", "{\"a\":[1]}",
         "[{\"op\":\"add\",\"path\":\"/a/2\",\"value\":2}]", NULL},
        {"no parent", "{}", "[{\"op\":\"add\",\"path\":\"/a/b\",\"value\":2}]", NULL},
        {"remove what is not there", "{}", "[{\"op\":\"remove\",\"path\":\"/a\"}]", NULL},
        {"replace what is not there", "{}", "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":1}]",
         NULL},
        {"move into itself", "{\"a\":{\"b\":1}}",
         "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a/b\"}]", NULL},
        {"an unknown operation", "{}", "[{\"op\":\"spam\",\"path\":\"/a\"}]", NULL},
        {"no value", "{}", "[{\"op\":\"add\",\"path\":\"/a\"}]", NULL},
        {"no list", "{}", "{\"op\":\"add\"}", NULL},
        {"replace the whole", "{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"\",\"value\":[1]}]",
         "[1]"},
};

TEST(json_patches_do_what_the_rfc_says)
{
    for (size_t i = 0; i < COUNT(patches); i++) {
        struct err err = {0};
        struct val *v = parse(patches[i].document);
        bool ok = json_patch_apply(arena, v, parse(patches[i].patch), &err);
        if (ok != (patches[i].expected != NULL))
            fail_msg("%s: %s", patches[i].name, ok ? "was applied" : err.message);
        if (ok)
            assert_str(json_text(arena, v, 0), str_from(patches[i].expected));
        else
            assert_true(strlen(err.message) > 10);
    }
}

/* RFC 7386 appendix A. */
TEST(merge_patches_do_what_the_rfc_says)
{
    static const char *const rows[][3] = {
            {"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
            {"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
            {"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
            {"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
            {"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}"},
            {"[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]"},
            {"{\"a\":\"foo\"}", "null", "null"},
            {"{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}"},
            {"[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}"},
            {"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct val *v = parse(rows[i][0]);
        merge_patch_apply(arena, v, parse(rows[i][1]));
        assert_str(json_text(arena, v, 0), str_from(rows[i][2]));
    }
}

TEST(a_made_merge_patch_leads_from_one_to_the_other)
{
    struct val *from = parse("{\"a\":1,\"b\":{\"c\":1,\"d\":[1]},\"x\":0}");
    struct val *to = parse("{\"a\":1,\"b\":{\"c\":2,\"d\":[1]},\"y\":{}}");
    struct val patch = merge_patch_make(arena, from, to);

    assert_str(json_text(arena, &patch, 0), S("{\"x\":null,\"b\":{\"c\":2},\"y\":{}}"));
    merge_patch_apply(arena, from, &patch);
    assert_true(val_eq(from, to));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_pointer_finds_members_and_items),
            cmocka_unit_test(a_pointer_sets_and_deletes),
            cmocka_unit_test(json_patches_do_what_the_rfc_says),
            cmocka_unit_test(merge_patches_do_what_the_rfc_says),
            cmocka_unit_test(a_made_merge_patch_leads_from_one_to_the_other),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
