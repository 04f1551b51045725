/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A temporary directory with a real Git repository in it, made with the git command. */
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
    char dir[64];    /* removed by fixture_done */
    char work[80];   /* the work tree */
    char commit[41]; /* of the last fixture_commit */
};

UNUSED static void fixture_run(struct fixture *f, const char *format, ...) PRINTF_LIKE(2, 3);
UNUSED static void fixture_run(struct fixture *f, const char *format, ...)
{
    char command[4096];
    char line[8192];
    va_list args;

    va_start(args, format);
    vsnprintf(command, sizeof(command), format, args);
    va_end(args);
    snprintf(line, sizeof(line),
             "cd '%s' && export HOME='%s' GIT_CONFIG_NOSYSTEM=1 && { %s ; } >'%s/log' 2>&1",
             f->work, f->dir, command, f->dir);
    if (system(line) != 0)
        fail_msg("failed: %s (see %s/log)", command, f->dir);
}

UNUSED static void fixture_init(struct fixture *f)
{
    memset(f, 0, sizeof(*f));
    snprintf(f->dir, sizeof(f->dir), "/tmp/taut-unit-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->work, sizeof(f->work), "%s/work", f->dir);
    assert_int_equal(mkdir(f->work, 0700), 0);
    fixture_run(f,
                "git init -q -b main . && git config user.name t && git config user.email t@t && "
                "git config gc.auto 0 && git config maintenance.auto false");
}

UNUSED static void fixture_done(struct fixture *f)
{
    char line[128];

    snprintf(line, sizeof(line), "rm -rf '%s'", f->dir);
    assert_int_equal(system(line), 0);
}

UNUSED static void fixture_write(struct fixture *f, const char *path, const char *text)
{
    char full[512];

    fixture_run(f, "mkdir -p \"$(dirname '%s')\"", path);
    snprintf(full, sizeof(full), "%s/%s", f->work, path);
    FILE *file = fopen(full, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

UNUSED static void fixture_commit(struct fixture *f)
{
    char log[96];

    fixture_run(f, "git add -A && git commit -q --allow-empty -m change");
    fixture_run(f, "git rev-parse HEAD");
    snprintf(log, sizeof(log), "%s/log", f->dir);
    FILE *file = fopen(log, "r");
    assert_non_null(file);
    assert_int_equal(fread(f->commit, 1, 40, file), 40);
    fclose(file);
}
