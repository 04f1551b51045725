/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The demo's sample repository: its files, and making it with git. */
#include "base/err.h"

struct loop;

struct demo_file {
    const char *path;
    const char *text;
};
extern const struct demo_file demo_files[];
extern const size_t demo_file_count;

/* A work tree at `dir` with one commit on branch main; does nothing when one is there. */
MUST_USE bool demo_sample_make(struct loop *loop, str dir, struct err *err);
