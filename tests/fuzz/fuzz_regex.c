/* SPDX-License-Identifier: Apache-2.0 */
/* A pattern, a newline, a text. */
#include "fuzz.h"

#include "doc/regex.h"

#include <assert.h>

void fuzz_one(str input)
{
    auto_regex struct regex *r = NULL;
    size_t line = str_find_char(input, '\n');
    struct err err = {0};
    bool found = false;

    if (regex_new(line == SIZE_MAX ? input : str_first(input, line), &r, &err) &&
        !regex_match(r, line == SIZE_MAX ? STR_EMPTY : str_from_index(input, line + 1), &found,
                     &err))
        assert(err.code == ERR_LIMIT);
}
