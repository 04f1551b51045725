/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A fuzz target is one source, fuzz_<name>.c, with one function: fuzz_one. It is built as a
 * libFuzzer program (-Dfuzz=true, clang) or as a replay of tests/fuzz/corpus/<name>, which runs
 * with the ordinary tests.
 */
#include "base/str.h"

void fuzz_one(str input);
