/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs every Kustomize case below the folders that are its arguments: a case is a folder with
 * case.json, input/ and expected/. Success means the same bytes; an error case must fail with an
 * error of the same class. Folders that do not exist are skipped with a word.
 *
 * With $TAUT_CORPUS its folders kustomize and kustomize-cases are run as well.
 *
 *   kustomize_golden [-v] [-k part] FOLDER...
 */
#include "base/buf.h"
#include "doc/json.h"
#include "render/dir_tree.h"
#include "render/kustomize/kustomize.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

struct counts {
    size_t passed, failed;
};

static bool verbose;
static const char *only;

static bool read_file(struct arena *arena, const char *path, str *ret)
{
    FILE *f = fopen(path, "rb");
    auto_buf struct buf bytes = {0};
    char chunk[16384];
    size_t got = 0;

    if (f == NULL)
        return false;
    buf_init(&bytes, LIMIT_RENDER_BYTES);
    while ((got = fread(chunk, 1, sizeof(chunk), f)) > 0)
        buf_add(&bytes, str_of(chunk, got));
    fclose(f);
    *ret = arena_str(arena, buf_str(&bytes));
    return true;
}

/* ---- classes of errors ---- */

struct class_row {
    const char *part; /* of the original's message */
    enum kustomize_error_class classes[3];
};

/* The first row that matches decides; the deepest cause of a message stands in its front rows. */
static const struct class_row class_rows[] = {
        {"already registered id", {KUSTOMIZE_ERROR_CONFLICT}},
        {"already encountered", {KUSTOMIZE_ERROR_CONFLICT}},
        {"cycle", {KUSTOMIZE_ERROR_CYCLE}},
        {"unknown field", {KUSTOMIZE_ERROR_CONFIG}},
        {"external plugins disabled", {KUSTOMIZE_ERROR_UNSUPPORTED}},
        {"unable to load", {KUSTOMIZE_ERROR_UNSUPPORTED, KUSTOMIZE_ERROR_CONFIG}},
        {"enable-helm", {KUSTOMIZE_ERROR_UNSUPPORTED}},
        {"security; file", {KUSTOMIZE_ERROR_LOAD}},
        {"ID conflict", {KUSTOMIZE_ERROR_CONFLICT}},
        {"conflicting fieldspecs", {KUSTOMIZE_ERROR_CONFLICT}},
        {"cannot merge or replace", {KUSTOMIZE_ERROR_CONFLICT}},
        {"behavior must be merge or replace", {KUSTOMIZE_ERROR_CONFLICT}},
        {"unable to disambiguate", {KUSTOMIZE_ERROR_CONFLICT}},
        {"no such file", {KUSTOMIZE_ERROR_LOAD}},
        {"must build at directory", {KUSTOMIZE_ERROR_LOAD}},
};

static bool class_fits(str message, enum kustomize_error_class class_, const char **ret_part)
{
    for (size_t i = 0; i < COUNT(class_rows); i++) {
        if (!str_contains(message, str_from(class_rows[i].part)))
            continue;
        *ret_part = class_rows[i].part;
        for (size_t k = 0; k < COUNT(class_rows[i].classes); k++)
            if (class_ != KUSTOMIZE_ERROR_NONE && class_ == class_rows[i].classes[k])
                return true;
        return false;
    }
    /* everything else is wrong input of one kind or another */
    *ret_part = "wrong input";
    return class_ == KUSTOMIZE_ERROR_CONFIG || class_ == KUSTOMIZE_ERROR_YAML ||
           class_ == KUSTOMIZE_ERROR_TRANSFORM || class_ == KUSTOMIZE_ERROR_CONFLICT ||
           class_ == KUSTOMIZE_ERROR_LOAD;
}

/* ---- one case ---- */

static void show_difference(str expected, str actual)
{
    size_t same = 0;
    size_t line = 1;

    while (same < expected.len && same < actual.len && expected.at[same] == actual.at[same]) {
        line += expected.at[same] == '\n';
        same++;
    }
    size_t start = same > 200 ? same - 200 : 0;
    printf("  first difference in line %zu\n  --- expected: …%.*s\n  --- actual:   …%.*s\n", line,
           (int)MIN(expected.len - start, (size_t)400), expected.at + start,
           (int)MIN(actual.len - start, (size_t)400), actual.at + start);
}

static bool check(const struct val *expectation, enum kustomize_outcome outcome,
                  const struct kustomize_result *result, const struct err *err, str expected)
{
    int64_t status = val_i64_or(val_get(expectation, S("exit")), 0);
    str message = val_get_str(expectation, S("errorContains"));
    const char *part = "";

    if (status == 0 && outcome == KUSTOMIZE_DONE) {
        if (str_eq(expected, result->yaml))
            return true;
        show_difference(expected, result->yaml);
        return false;
    }
    if (status == 0) {
        printf("  fails: %s\n", outcome == KUSTOMIZE_NEEDS ? "needs more sources" : err->message);
        return false;
    }
    if (outcome != KUSTOMIZE_FAILED) {
        printf("  succeeds, but must fail: %.*s\n", STR(message));
        return false;
    }
    if (verbose)
        printf("  theirs: %.*s\n  ours:   [%d] %s\n", STR(message), result->error_class,
               err->message);
    if (class_fits(message, result->error_class, &part))
        return true;
    printf("  fails with class %d (%s), but must fail as \"%s\": %.*s\n", result->error_class,
           err->message, part, STR(message));
    return false;
}

static bool run_one(struct arena *arena, str dir, const struct val *description,
                    const struct val *expectation)
{
    struct kustomize_options options = {0};
    struct kustomize_result result = {0};
    struct tree *tree = NULL;
    struct err err = {0};
    str expected = STR_EMPTY;
    str file = val_get_str(expectation, S("expected"));
    str path = val_get_str(description, S("path"));

    options.no_load_restriction =
            str_eq(VAL_STR(description, "args", "loadRestrictor"), S("LoadRestrictionsNone"));
    if (!dir_tree_open(arena_printf(arena, "%.*s/input", STR(dir)).at, &tree, &err)) {
        printf("  %s\n", err.message);
        return false;
    }
    if (file.len > 0 &&
        !read_file(arena, arena_printf(arena, "%.*s/%.*s", STR(dir), STR(file)).at, &expected)) {
        printf("  cannot read %.*s\n", STR(file));
        return false;
    }
    struct tree_set trees = {0};
    __typeof__(*trees.entries) entry = {.tree = tree};
    trees.entries = &entry;
    trees.count = 1;
    enum kustomize_outcome outcome = kustomize_build(&trees, path, &options, &result, &err);
    bool ok = check(expectation, outcome, &result, &err, expected);
    kustomize_result_done(&result);
    tree_free(tree);
    return ok;
}

static void run_case(const char *folder, const char *name, struct counts *counts)
{
    auto_arena struct arena *arena = arena_new(256 * LIMIT_MIB);
    str dir = arena_printf(arena, "%s/%s", folder, name);
    struct val *description = NULL;
    struct err err = {0};
    str text = STR_EMPTY;

    if (only != NULL && strstr(name, only) == NULL)
        return;
    if (!read_file(arena, arena_printf(arena, "%.*s/case.json", STR(dir)).at, &text))
        return;
    if (!json_parse(arena, text, NULL, &description, &err)) {
        printf("not ok - %s: %s\n", name, err.message);
        counts->failed++;
        return;
    }
    struct val_iter it = val_iter(val_get(description, S("cases")));
    while (val_next(&it)) {
        bool ok = run_one(arena, dir, description, it.value);
        if (!ok || verbose)
            printf("%s - %s\n", ok ? "ok" : "not ok", name);
        counts->passed += ok;
        counts->failed += !ok;
    }
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void run_folder(const char *folder, struct counts *counts)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, NULL, compare_names);
    struct counts own = {0};

    if (count < 0) {
        printf("# skipped: %s is not there\n", folder);
        return;
    }
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.')
            run_case(folder, entries[i]->d_name, &own);
        free(entries[i]);
    }
    free(entries);
    printf("# %s: %zu passed, %zu failed\n", folder, own.passed, own.failed);
    counts->passed += own.passed;
    counts->failed += own.failed;
}

int main(int argc, char **argv)
{
    struct counts counts = {0};

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-v") == 0)
            verbose = true;
        else if (strcmp(argv[i], "-k") == 0 && i + 1 < argc)
            only = argv[++i];
        else
            run_folder(argv[i], &counts);
    }
    const char *corpus = getenv("TAUT_CORPUS");
    for (size_t i = 0; corpus != NULL && i < 2; i++) {
        char folder[4096];
        (void)snprintf(folder, sizeof(folder), "%s/%s", corpus,
                       i == 0 ? "kustomize" : "kustomize-cases");
        run_folder(folder, &counts);
    }
    printf("# in all: %zu passed, %zu failed\n", counts.passed, counts.failed);
    return counts.failed > 0 ? 1 : 0;
}
