/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "auth/password.h"

#include <sodium.h>
#include <stdlib.h>

static char hash[crypto_pwhash_STRBYTES];

struct answer {
    bool done;
    bool right;
    bool failed;
    struct err err;
};

static void on_done(void *owner, bool right, const struct err *err)
{
    struct answer *answer = owner;

    answer->done = true;
    answer->right = right;
    answer->failed = err != NULL;
    if (err != NULL)
        answer->err = *err;
}

static struct answer ask(struct loop *loop, struct password_pool *pool, str password)
{
    struct answer answer = {0};

    password_check(pool, password, str_from(hash), on_done, &answer);
    assert_false(answer.done);
    assert_true(loop_run_until(loop, &answer.done, 20000));
    return answer;
}

TEST(the_right_password_is_right_and_any_other_wrong)
{
    auto_loop struct loop *loop = loop_new();
    auto_password_pool struct password_pool *pool = password_pool_new(loop);

    struct answer right = ask(loop, pool, S("correct horse"));
    assert_true(right.right && !right.failed);
    struct answer wrong = ask(loop, pool, S("correct horsf"));
    assert_false(wrong.right || wrong.failed);
    struct answer empty = ask(loop, pool, S(""));
    assert_false(empty.right || empty.failed);
}

TEST(more_checks_than_may_wait_are_refused_and_the_others_answered)
{
    auto_loop struct loop *loop = loop_new();
    auto_password_pool struct password_pool *pool = password_pool_new(loop);
    struct answer answers[LIMIT_PASSWORD_WAITING + 3] = {0};
    size_t refused = 0;

    for (size_t i = 0; i < COUNT(answers); i++)
        password_check(pool, S("correct horse"), str_from(hash), on_done, &answers[i]);
    for (size_t i = 0; i < COUNT(answers); i++) {
        assert_true(loop_run_until(loop, &answers[i].done, 20000));
        assert_true(answers[i].right != answers[i].failed);
        refused += answers[i].failed && answers[i].err.code == ERR_TOO_MANY;
    }
    assert_int_equal(refused, 3);
}

TEST(a_password_beyond_the_limit_is_refused)
{
    auto_loop struct loop *loop = loop_new();
    auto_password_pool struct password_pool *pool = password_pool_new(loop);
    char text[LIMIT_PASSWORD_BYTES + 2048];

    memset(text, 'x', sizeof(text));
    assert_true(ask(loop, pool, str_of(text, sizeof(text))).failed);
}

TEST(a_cancelled_check_says_nothing)
{
    auto_loop struct loop *loop = loop_new();
    auto_password_pool struct password_pool *pool = password_pool_new(loop);
    struct answer first = {0};
    struct answer second = {0};

    struct password_check *check =
            password_check(pool, S("correct horse"), str_from(hash), on_done, &first);
    password_check(pool, S("correct horse"), str_from(hash), on_done, &second);
    password_cancel(check);
    assert_true(loop_run_until(loop, &second.done, 20000));
    assert_false(first.done);
}

struct hashed {
    bool done;
    char text[crypto_pwhash_STRBYTES];
};

static void on_hashed(void *owner, str text, const struct err *err)
{
    struct hashed *hashed = owner;

    assert_null(err);
    assert_true(text.len < sizeof(hashed->text));
    memcpy(hashed->text, text.at, text.len);
    hashed->done = true;
}

TEST(a_new_password_is_hashed_in_the_process_and_is_right_afterwards)
{
    auto_loop struct loop *loop = loop_new();
    auto_password_pool struct password_pool *pool = password_pool_new(loop);
    struct hashed hashed = {0};

    password_hash(pool, S("battery staple"), on_hashed, &hashed);
    assert_true(loop_run_until(loop, &hashed.done, 20000));
    assert_true(str_starts(str_from(hashed.text), S("$argon2id$")));
    assert_int_equal(crypto_pwhash_str_verify(hashed.text, "battery staple", 14), 0);
    assert_int_not_equal(crypto_pwhash_str_verify(hashed.text, "battery stable", 14), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(the_right_password_is_right_and_any_other_wrong),
            cmocka_unit_test(more_checks_than_may_wait_are_refused_and_the_others_answered),
            cmocka_unit_test(a_password_beyond_the_limit_is_refused),
            cmocka_unit_test(a_cancelled_check_says_nothing),
            cmocka_unit_test(a_new_password_is_hashed_in_the_process_and_is_right_afterwards),
    };

    if (getenv("TAUT_ROLE") != NULL)
        return password_role(argc, argv);
    if (sodium_init() < 0 ||
        crypto_pwhash_str(hash, "correct horse", 13, crypto_pwhash_OPSLIMIT_MIN,
                          crypto_pwhash_MEMLIMIT_MIN) != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
