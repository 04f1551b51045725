/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "base/buf.h"
#include "doc/regex.h"

static bool matches(const char *pattern, const char *text)
{
    auto_regex struct regex *r = NULL;
    struct err err = {0};
    bool found = false;

    assert_ok(regex_new(str_from(pattern), &r, &err), err);
    assert_ok(regex_match(r, str_from(text), &found, &err), err);
    return found;
}

static void assert_refused(const char *pattern)
{
    struct regex *r = NULL;
    struct err err = {0};

    if (regex_new(str_from(pattern), &r, &err)) {
        regex_free(r);
        fail_msg("%s was taken", pattern);
    }
    assert_int_equal(err.code, ERR_INVALID);
}

TEST(what_go_takes_matches_as_in_go)
{
    assert_true(matches("^(?:my-.*|other)$", "my-app"));
    assert_false(matches("^(?:my-.*|other)$", "not-my-app"));
    assert_true(matches("b+", "abc"));
    assert_true(matches("(?i)ABC", "xabcx"));
    assert_true(matches("^(?P<name>a)(?<other>b)$", "ab"));
    assert_true(matches("^\\pL{2}\\x41\\x{42}\\101$", "éßABA"));
    assert_true(matches("^a{,5}$", "a{,5}"));
    assert_true(matches("^[]a]+$", "]a"));
    assert_true(matches("^\\Qa.b*\\Ec$", "a.b*c"));
    assert_true(matches("^(?s).$", "\n"));
    assert_false(matches("^.$", "\n"));
    assert_true(matches("", "anything"));
}

TEST(the_dollar_is_the_end_of_the_text)
{
    assert_false(matches("a$", "a\n"));
    assert_true(matches("(?m)a$", "a\n"));
}

TEST(classes_are_those_of_re2)
{
    assert_false(matches("\\s", "\v"));
    assert_true(matches("\\v", "\v"));
    assert_false(matches("\\v", "\n"));
    assert_true(matches("[\\s]", "\t"));
    assert_false(matches("\\w", "é"));
}

TEST(what_go_refuses_is_refused)
{
    static const char *const patterns[] = {
            "(a)\\1", "(?=a)",    "(?!a)",  "(?<=a)b", "(?>a)",  "a*+",  "a**",
            "*a",     "a{1001}",  "(a",     "a)",      "[a",     "a\\",  "\\h",
            "\\Z",    "(?#text)", "(*UTF)", "\\K",     "(?P=n)", "(?1)", "x{2}{3}"};

    for (size_t i = 0; i < COUNT(patterns); i++)
        assert_refused(patterns[i]);
}

TEST(a_pattern_that_backtracks_without_end_meets_a_limit)
{
    auto_regex struct regex *r = NULL;
    auto_buf struct buf text = {0};
    struct err err = {0};
    bool found = false;

    buf_init(&text, LIMIT_MIB);
    buf_fill(&text, 'a', 5000);
    buf_addc(&text, '!');
    assert_ok(regex_new(S("^(a|aa|a?)+$"), &r, &err), err);
    assert_fails(regex_match(r, buf_str(&text), &found, &err), err, ERR_LIMIT);
}

TEST(bytes_that_are_not_utf_8_can_be_searched)
{
    assert_true(matches("b$", "a\xff\xfe"
                              "b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(what_go_takes_matches_as_in_go),
            cmocka_unit_test(the_dollar_is_the_end_of_the_text),
            cmocka_unit_test(classes_are_those_of_re2),
            cmocka_unit_test(what_go_refuses_is_refused),
            cmocka_unit_test(a_pattern_that_backtracks_without_end_meets_a_limit),
            cmocka_unit_test(bytes_that_are_not_utf_8_can_be_searched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
