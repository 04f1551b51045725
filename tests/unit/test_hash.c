/* SPDX-License-Identifier: Apache-2.0 */
#include "doc/hash.h"

#include "doc/glob.h"
#include "doc/json.h"
#include "doc/quantity.h"

#include "test.h"

static struct arena *arena;

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

static struct hash hash_of(const char *text)
{
    struct val *v = NULL;
    struct err err = {0};

    assert_ok(json_parse(arena, str_from(text), NULL, &v, &err), err);
    return hash_val(v);
}

TEST(sha256_is_the_known_one)
{
    char hex[HASH_HEX_SIZE];
    struct hash hash = hash_bytes(S("abc"));

    hash_hex(&hash, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    hash = hash_hmac(S("key"), S("The quick brown fox jumps over the lazy dog"));
    hash_hex(&hash, hex);
    assert_string_equal(hex, "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8");
}

TEST(equal_trees_have_equal_hashes_and_others_not)
{
    struct hash a = hash_of("{\"a\":1,\"b\":[1.0,\"x\",null,true]}");
    struct hash b = hash_of("{\"b\":[1,\"x\",null,true],\"a\":1.0}");
    struct hash c = hash_of("{\"b\":[1,\"x\",null,true],\"a\":\"1\"}");
    struct hash d = hash_of("{\"a\":\"b\",\"c\":\"\"}");
    struct hash e = hash_of("{\"a\":\"\",\"c\":\"b\"}");

    assert_true(hash_eq(&a, &b));
    assert_false(hash_eq(&a, &c));
    assert_false(hash_eq(&d, &e));
}

TEST(a_hash_can_leave_members_out)
{
    static const str skip[] = {S_INIT("/status"), S_INIT("/metadata/a~1b")};
    struct val *v = NULL;
    struct val *w = NULL;

    assert_true(json_parse(arena,
                           S("{\"metadata\":{\"name\":\"x\",\"a/b\":1},\"spec\":{\"status\":1},"
                             "\"status\":{\"y\":2}}"),
                           NULL, &v, NULL));
    assert_true(json_parse(arena, S("{\"metadata\":{\"name\":\"x\"},\"spec\":{\"status\":1}}"),
                           NULL, &w, NULL));
    struct hash a = hash_val_without(v, skip, COUNT(skip));
    struct hash b = hash_val(w);
    assert_true(hash_eq(&a, &b));
}

TEST(texts_are_coded_and_decoded)
{
    str back = STR_EMPTY;

    assert_str(hex_encode(arena, S("\x00\xff\x10")), S("00ff10"));
    assert_true(hex_decode(arena, S("00FF10"), &back));
    assert_str(back, S("\x00\xff\x10"));
    assert_str(base32_encode(arena, S("foobar")), S("mzxw6ytboi"));
    assert_str(base32_encode(arena, S("f")), S("my"));
    static const char *const rows[][2] = {
            {"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
            {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_str(base64_encode(arena, str_from(rows[i][0])), str_from(rows[i][1]));
        assert_true(base64_decode(arena, str_from(rows[i][1]), &back));
        assert_str(back, str_from(rows[i][0]));
    }
    assert_false(base64_decode(arena, S("Zg"), &back));
    assert_false(base64_decode(arena, S("Z==="), &back));
    assert_false(base64_decode(arena, S("Zg=a"), &back));
    assert_false(base64_decode(arena, S("Zm9*"), &back));
}

TEST(quantities_have_one_canonical_text)
{
    static const char *const rows[][2] = {
            {"0", "0"},
            {"0.5", "500m"},
            {"100m", "100m"},
            {"1500m", "1500m"},
            {"1000m", "1"},
            {"1.5Gi", "1536Mi"},
            {"1024Mi", "1Gi"},
            {"2000", "2k"},
            {"1e3", "1e3"},
            {"1E3", "1e3"},
            {"0.1Gi", "107374183"},
            {"500Mi", "500Mi"},
            {"-1.5", "-1500m"},
            {"1u", "1u"},
            {"0.0000000001", "1n"},
            {"512", "512"},
            {"1Ki", "1Ki"},
            {"0.5Ki", "512"},
            {"10k", "10k"},
            {"1E", "1E"},
            {"99999999999999999999", "9223372036854775807"},
            {"+3", "3"},
            {".5", "500m"},
            {"5.", "5"},
            {"1025", "1025"},
            {"1500k", "1500k"},
            {"1200m", "1200m"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct quantity q = {0};
        if (!quantity_parse(str_from(rows[i][0]), &q))
            fail_msg("%s is no quantity", rows[i][0]);
        assert_str(quantity_format(arena, &q), str_from(rows[i][1]));
    }
    static const char *const bad[] = {"",   "x",    "1x", "1Kib", "--1",
                                      "1e", "1 Gi", "Gi", ".",    "1e1.5"};
    struct quantity q = {0};
    for (size_t i = 0; i < COUNT(bad); i++)
        if (quantity_parse(str_from(bad[i]), &q))
            fail_msg("%s is a quantity", bad[i]);
}

TEST(quantities_compare_by_value)
{
    struct quantity a = {0};
    struct quantity b = {0};

    assert_true(quantity_parse(S("1Gi"), &a) && quantity_parse(S("1073741824"), &b));
    assert_int_equal(quantity_cmp(&a, &b), 0);
    assert_true(quantity_parse(S("100m"), &a) && quantity_parse(S("0.2"), &b));
    assert_true(quantity_cmp(&a, &b) < 0);
    assert_int_equal(quantity_ceil(&a), 1);
}

TEST(globs_match_as_argo_cd_does)
{
    static const struct {
        const char *pattern, *text;
        char separator;
        bool matches;
    } rows[] = {
            {"*", "a/b/c", 0, true},
            {"*", "a/b", '/', false},
            {"**", "a/b", '/', true},
            {"*.yaml", "dir/x.yaml", 0, true},
            {"*.yaml", "dir/x.yaml", '/', false},
            {"{a,b*}.y", "bcd.y", 0, true},
            {"{a,b}.y", "c.y", 0, false},
            {"{x{1,2},y}-z", "x2-z", 0, true},
            {"{x{1,2},y}-z", "y-z", 0, true},
            {"{,a}b", "b", 0, true},
            {"?bc", "abc", 0, true},
            {"?bc",
             "\xc3\xa4"
             "bc",
             0, true},
            {"?bc", "/bc", '/', false},
            {"[a-c]x", "bx", 0, true},
            {"[!a-c]x", "bx", 0, false},
            {"[!a-c]x", "dx", 0, true},
            {"\\*", "*", 0, true},
            {"\\*", "a", 0, false},
            {"\\{a\\}", "{a}", 0, true},
            {"https://github.com/org/*", "https://github.com/org/a/b", 0, true},
            {"https://github.com/org/*", "https://github.com/org/a/b", '/', false},
            {"{a", "{a", 0, true},
            {"{a", "a", 0, false},
            {"[", "[", 0, true},
            {"", "", 0, true},
            {"", "a", 0, false},
            {"a**", "a", '/', true},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        bool matches =
                glob_match(str_from(rows[i].pattern), str_from(rows[i].text), rows[i].separator);
        if (matches != rows[i].matches)
            fail_msg("%s on %s: %d", rows[i].pattern, rows[i].text, matches);
    }
}

TEST(a_hostile_glob_is_refused_or_quick)
{
    auto_buf struct buf text;
    struct err err = {0};

    buf_init(&text, LIMIT_MIB);
    buf_fill(&text, 'a', 20000);
    assert_false(glob_match(S("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b"), buf_str(&text), 0));
    assert_false(glob_match(S("{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}"), S("x"), 0));
    assert_fails(glob_check(S("{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}"), &err), err,
                 ERR_LIMIT);
    assert_fails(glob_check(S("{{{{"), &err), err, ERR_INVALID);
    assert_fails(glob_check(buf_str(&text), &err), err, ERR_LIMIT);
    assert_ok(glob_check(S("{a,b}*"), &err), err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(sha256_is_the_known_one),
            cmocka_unit_test(equal_trees_have_equal_hashes_and_others_not),
            cmocka_unit_test(a_hash_can_leave_members_out),
            cmocka_unit_test(texts_are_coded_and_decoded),
            cmocka_unit_test(quantities_have_one_canonical_text),
            cmocka_unit_test(quantities_compare_by_value),
            cmocka_unit_test(globs_match_as_argo_cd_does),
            cmocka_unit_test(a_hostile_glob_is_refused_or_quick),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
