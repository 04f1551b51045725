/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* cmocka with its required headers, and the few comparisons that every unit test wants. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include "base/err.h"
#include "base/str.h"

#define TEST(name) static void name(UNUSED void **state)

#define assert_str(actual, expected)                                                               \
    do {                                                                                           \
        str actual_ = (actual);                                                                    \
        str expected_ = (expected);                                                                \
        if (!str_eq(actual_, expected_))                                                           \
            fail_msg("got \"%.*s\", expected \"%.*s\"", STR(actual_), STR(expected_));             \
    } while (0)

/* The call succeeds; on failure the error's message is shown. */
#define assert_ok(call, err)                                                                       \
    do {                                                                                           \
        if (!(call))                                                                               \
            fail_msg("%s: %s", #call, (err).message);                                              \
    } while (0)
#define assert_fails(call, err, wanted)                                                            \
    do {                                                                                           \
        if (call)                                                                                  \
            fail_msg("%s succeeded", #call);                                                       \
        assert_int_equal((err).code, (wanted));                                                    \
    } while (0)
