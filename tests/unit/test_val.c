/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "doc/val.h"

TEST(members_keep_their_order_and_their_place_in_memory)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct val *map = val_new(arena, val_map());
    struct val *first = val_set_str(arena, map, S("k0"), S("first"));

    for (int i = 1; i < 200; i++)
        val_set(arena, map, arena_printf(arena, "k%d", i), val_int(arena, i));
    assert_int_equal(val_count(map), 200);
    assert_ptr_equal(val_get(map, S("k0")), first);

    int expected = 0;
    struct val_iter it = val_iter(map);
    while (val_next(&it))
        assert_str(it.key, arena_printf(arena, "k%d", expected++));
    assert_int_equal(expected, 200);
}

TEST(a_deleted_member_is_gone_and_the_others_stay)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct val *map = val_new(arena, val_map());

    for (int i = 0; i < 9; i++)
        val_set(arena, map, arena_printf(arena, "k%d", i), val_int(arena, i));
    assert_true(val_del(map, S("k4")));
    assert_false(val_del(map, S("k4")));
    assert_null(val_get(map, S("k4")));
    assert_int_equal(val_count(map), 8);
    assert_int_equal(val_i64_or(val_get(map, S("k8")), -1), 8);
}

TEST(items_can_be_inserted_and_removed_anywhere)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct val *list = val_new(arena, val_list());

    for (int i = 0; i < 10; i++)
        val_append(arena, list, val_int(arena, i));
    val_insert(arena, list, 0, val_int(arena, 100));
    val_insert(arena, list, 6, val_int(arena, 101));
    assert_true(val_remove(list, 1));
    assert_int_equal(val_i64_or(val_item(list, 0), -1), 100);
    assert_int_equal(val_i64_or(val_item(list, 1), -1), 1);
    assert_int_equal(val_i64_or(val_item(list, 5), -1), 101);
    assert_int_equal(val_i64_or(val_item(list, 10), -1), 9);
    assert_null(val_item(list, 11));
}

TEST(equality_ignores_member_order_and_number_spelling)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct val *a = val_new(arena, val_map());
    struct val *b = val_new(arena, val_map());

    val_set(arena, a, S("x"), val_number(arena, S("1")));
    val_set(arena, a, S("y"), val_bool(true));
    val_set(arena, b, S("y"), val_bool(true));
    val_set(arena, b, S("x"), val_number(arena, S("1.0")));
    assert_true(val_eq(a, b));
    val_set_str(arena, b, S("x"), S("1"));
    assert_false(val_eq(a, b));
}

TEST(sorting_is_deep_and_by_bytes)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct val *map = val_new(arena, val_map());
    struct val *inner = val_ensure_map(arena, map, S("b"));

    val_set(arena, inner, S("z"), val_null());
    val_set(arena, inner, S("a"), val_null());
    val_set(arena, map, S("B"), val_null());
    val_sort_keys(arena, map, /*deep=*/true);
    struct val_iter it = val_iter(map);
    assert_true(val_next(&it));
    assert_str(it.key, S("B"));
    assert_true(val_next(&it));
    it = val_iter(it.value);
    assert_true(val_next(&it));
    assert_str(it.key, S("a"));
}

TEST(a_copy_shares_nothing)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    auto_arena struct arena *other = arena_new(LIMIT_MIB);
    struct val *map = val_new(arena, val_map());
    struct val *list = val_ensure_list(arena, map, S("l"));

    val_append(arena, list, val_string(arena, S("x")));
    struct val *copy = val_dup(other, map);
    val_append(arena, list, val_string(arena, S("y")));
    assert_int_equal(val_count(val_get(copy, S("l"))), 1);
    assert_str(val_str(val_item(val_get(copy, S("l")), 0)), S("x"));
}

TEST(readers_take_absence)
{
    assert_null(val_get(NULL, S("x")));
    assert_null(VAL_AT(NULL, "a", "b"));
    assert_str(VAL_STR(NULL, "a"), S(""));
    assert_int_equal(val_count(NULL), 0);
    struct val_iter it = val_iter(NULL);
    assert_false(val_next(&it));
}

TEST(a_node_knows_its_place)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct val v = val_null();

    val_set_place(&v, val_file_add(S("a/b.yaml")), 12, 3);
    assert_str(val_place(arena, &v), S("a/b.yaml:12:3"));
    val_set_place(&v, 0, 5000000, 9999);
    assert_int_equal(val_column(&v), 4095);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(members_keep_their_order_and_their_place_in_memory),
            cmocka_unit_test(a_deleted_member_is_gone_and_the_others_stay),
            cmocka_unit_test(items_can_be_inserted_and_removed_anywhere),
            cmocka_unit_test(equality_ignores_member_order_and_number_spelling),
            cmocka_unit_test(sorting_is_deep_and_by_bytes),
            cmocka_unit_test(a_copy_shares_nothing),
            cmocka_unit_test(readers_take_absence),
            cmocka_unit_test(a_node_knows_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
