/* SPDX-License-Identifier: Apache-2.0 */
/* Input that wants to take all memory or all time: a clear error, or a result, inside the limits.
 */
#include "../fuzz/memory_tree.h"
#include "test.h"

#include "base/buf.h"
#include "render/kustomize/kustomize.h"

enum { PEAK_MAX = 512 };

#define CONFIG_MAP "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"

/* A tree that has as many files "f<number>.yaml" as anybody asks for. */
struct endless_tree {
    struct tree tree;
    str kustomization;
};

static enum tree_kind endless_kind(struct tree *tree, str path)
{
    (void)tree;
    if (path.len == 0)
        return TREE_DIR;
    return str_eq(path, S("kustomization.yaml")) ||
                           (path.at[0] == 'f' && str_ends(path, S(".yaml")))
                   ? TREE_FILE
                   : TREE_MISSING;
}

static bool endless_read(struct tree *tree, str path, str *ret_bytes, struct err *err)
{
    struct endless_tree *e = (struct endless_tree *)tree;

    (void)err;
    *ret_bytes = path.at[0] == 'k'
                         ? e->kustomization
                         : arena_printf(tree->arena,
                                        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %.*s}\n",
                                        STR(path));
    return true;
}

static bool endless_list(struct tree *tree, str path, const struct tree_entry **ret_entries,
                         size_t *ret_count, struct err *err)
{
    (void)tree;
    (void)ret_entries;
    (void)ret_count;
    return err_set(err, ERR_UNSUPPORTED, "'%.*s' cannot be listed", STR(path));
}

static bool endless_link(struct tree *tree, str path, str *ret_target, struct err *err)
{
    (void)tree;
    (void)ret_target;
    return err_set(err, ERR_INVALID, "'%.*s' is no link", STR(path));
}

static str endless_identity(struct tree *tree, str path)
{
    return endless_kind(tree, path) == TREE_MISSING ? S("missing") : path;
}

static void endless_free(struct tree *tree)
{
    mem_free(tree);
}

static const struct tree_ops endless_ops = {.kind = endless_kind,
                                            .read = endless_read,
                                            .list = endless_list,
                                            .link = endless_link,
                                            .identity = endless_identity,
                                            .free = endless_free};

/* ---- building ---- */

struct bomb {
    struct arena *arena;
    struct memory_tree *files;
    struct kustomize_result result;
    struct err err;
    enum kustomize_outcome outcome;
};

static void start(struct bomb *b)
{
    *b = (struct bomb){.arena = arena_new(256 * LIMIT_MIB), .files = memory_tree_new()};
}

static void file(struct bomb *b, const char *path, const char *text)
{
    memory_tree_add(b->files, str_from(path), str_from(text));
}

static void build_tree(struct bomb *b, struct tree *tree)
{
    struct kustomize_options options = {.wants = KUSTOMIZE_WANTS_YAML};
    struct tree_set trees = {0};
    __typeof__(*trees.entries) entry = {.tree = tree};

    trees.entries = &entry;
    trees.count = 1;
    b->outcome = kustomize_build(&trees, STR_EMPTY, &options, &b->result, &b->err);
    assert_true(arena_used(b->result.arena) < PEAK_MAX * LIMIT_MIB);
}

static void stop(struct bomb *b)
{
    kustomize_result_done(&b->result);
    tree_free(&b->files->tree);
    arena_free(b->arena);
}

static void assert_refused(struct bomb *b, enum kustomize_error_class class_, const char *part)
{
    build_tree(b, &b->files->tree);
    assert_int_equal(b->outcome, KUSTOMIZE_FAILED);
    if (!str_contains(err_message(&b->err), str_from(part)))
        fail_msg("\"%s\" does not say \"%s\"", b->err.message, part);
    assert_int_equal(b->result.error_class, class_);
    stop(b);
}

static void assert_builds(struct bomb *b)
{
    build_tree(b, &b->files->tree);
    if (b->outcome != KUSTOMIZE_DONE)
        fail_msg("%s", b->err.message);
}

static char *repeat(struct bomb *b, const char *head, const char *part, size_t count)
{
    size_t len = strlen(part);
    char *text = arena_bytes(b->arena, strlen(head) + len * count + 1);

    memcpy(text, head, strlen(head));
    for (size_t i = 0; i < count; i++)
        memcpy(text + strlen(head) + i * len, part, len);
    text[strlen(head) + len * count] = '\0';
    return text;
}

/* Lines made of a number, by a printf format. */
static char *numbered(struct bomb *b, const char *head, const char *before, const char *after,
                      size_t count)
{
    struct buf out = {0};

    buf_init(&out, LIMIT_RENDER_BYTES);
    buf_add(&out, str_from(head));
    for (size_t i = 0; i < count; i++)
        buf_addf(&out, "%s%zu%s", before, i, after);
    str text = arena_str(b->arena, buf_str(&out));
    buf_done(&out);
    return (char *)(uintptr_t)text.at;
}

/* ---- loading ---- */

TEST(a_cycle_of_bases_is_told)
{
    struct bomb b;

    start(&b);
    file(&b, "kustomization.yaml", "resources: [a]\n");
    file(&b, "a/kustomization.yaml", "resources: [../b]\n");
    file(&b, "b/kustomization.yaml", "resources: [../a]\n");
    assert_refused(&b, KUSTOMIZE_ERROR_CYCLE, "cycle");
    start(&b);
    file(&b, "kustomization.yaml", "components: [c]\n");
    file(&b, "c/kustomization.yaml",
         "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncomponents: [../c]\n");
    assert_refused(&b, KUSTOMIZE_ERROR_CYCLE, "cycle");
}

TEST(a_hundred_thousand_tiny_files_are_too_many_objects)
{
    struct bomb b;
    struct endless_tree *endless = new0(struct endless_tree);

    start(&b);
    tree_init(&endless->tree, &endless_ops, 256 * LIMIT_MIB);
    endless->kustomization = str_from(numbered(&b, "resources:\n", "- f", ".yaml\n", 100000));
    build_tree(&b, &endless->tree);
    assert_int_equal(b.outcome, KUSTOMIZE_FAILED);
    assert_int_equal(b.result.error_class, KUSTOMIZE_ERROR_LIMIT);
    assert_true(str_contains(err_message(&b.err), S("LIMIT_RENDER_OBJECTS")));
    tree_free(&endless->tree);
    stop(&b);
}

TEST(deep_nesting_and_alias_bombs_are_told)
{
    struct bomb b;

    start(&b);
    file(&b, "kustomization.yaml", "resources: [r.yaml]\n");
    file(&b, "r.yaml", repeat(&b, CONFIG_MAP "x: ", "[", 100000));
    assert_refused(&b, KUSTOMIZE_ERROR_LIMIT, "LIMIT_DOC_DEPTH");
    start(&b);
    file(&b, "kustomization.yaml", repeat(&b, "resources: ", "{a: ", 100000));
    assert_refused(&b, KUSTOMIZE_ERROR_LIMIT, "LIMIT_DOC_DEPTH");
    start(&b);
    file(&b, "kustomization.yaml", "resources: [r.yaml]\n");
    file(&b, "r.yaml",
         CONFIG_MAP "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
                    "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
                    "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n"
                    "g: [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n");
    assert_refused(&b, KUSTOMIZE_ERROR_LIMIT, "LIMIT_YAML_ALIAS_NODES");
}

/* ---- patches ---- */

TEST(a_patch_of_ten_megabytes_is_merged_in_linear_time)
{
    struct bomb b;

    start(&b);
    file(&b, "kustomization.yaml", "resources: [r.yaml]\npatches: [{path: p.yaml}]\n");
    file(&b, "r.yaml",
         numbered(&b, CONFIG_MAP "data:\n", "  key-", ": a value of some length\n", 100000));
    file(&b, "p.yaml",
         numbered(&b, CONFIG_MAP "data:\n", "  key-", ": another value, somewhat longer than it\n",
                  200000));
    assert_builds(&b);
    assert_true(str_ends(b.result.yaml, S("metadata:\n  name: c\n")));
    assert_false(str_contains(b.result.yaml, S("a value of some length")));
    stop(&b);

    start(&b);
    file(&b, "kustomization.yaml", "resources: [r.yaml]\npatches: [{path: p.yaml}]\n");
    file(&b, "r.yaml", numbered(&b, CONFIG_MAP "data:\n  last: x\n", "  key-", ": v\n", 30000));
    file(&b, "p.yaml", numbered(&b, CONFIG_MAP "data:\n", "  key-", ": null\n", 30000));
    assert_builds(&b);
    assert_str(b.result.yaml,
               S("apiVersion: v1\ndata:\n  last: x\nkind: ConfigMap\nmetadata:\n  name: c\n"));
    stop(&b);

    start(&b);
    file(&b, "kustomization.yaml", "resources: [r.yaml]\npatches: [{path: p.yaml}]\n");
    file(&b, "r.yaml", CONFIG_MAP);
    file(&b, "p.yaml", repeat(&b, CONFIG_MAP "data:\n  text: |\n", "    a line of text\n", 600000));
    assert_builds(&b);
    assert_true(b.result.yaml.len > 10 * LIMIT_MIB);
    stop(&b);
}

TEST(a_json_patch_of_too_many_operations_is_told)
{
    struct bomb b;

    start(&b);
    file(&b, "kustomization.yaml",
         "resources: [r.yaml]\npatches: [{path: p.yaml, target: {kind: ConfigMap}}]\n");
    file(&b, "r.yaml", CONFIG_MAP "data: {}\n");
    file(&b, "p.yaml", numbered(&b, "", "- {op: add, path: /data/k", ", value: v}\n", 100000));
    assert_refused(&b, KUSTOMIZE_ERROR_LIMIT, "LIMIT_JSON_PATCH_OPERATIONS");
}

TEST(a_merged_list_of_many_elements_takes_linear_time)
{
    static const char head[] =
            "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - name: c\n"
            "    env:\n";
    struct bomb b;

    start(&b);
    file(&b, "kustomization.yaml", "resources: [r.yaml]\npatches: [{path: p.yaml}]\n");
    file(&b, "r.yaml", numbered(&b, head, "    - {name: E", ", value: a}\n", 8000));
    file(&b, "p.yaml", numbered(&b, head, "    - {name: E", ", value: b}\n", 10000));
    assert_builds(&b);
    assert_true(str_contains(b.result.yaml, S("    - name: E9999\n      value: b\n")));
    assert_false(str_contains(b.result.yaml, S("value: a\n")));
    stop(&b);
}

/* ---- names and patterns ---- */

TEST(a_pattern_that_backtracks_for_ever_is_stopped)
{
    struct bomb b;

    start(&b);
    file(&b, "kustomization.yaml",
         "resources: [r.yaml]\n"
         "patches: [{patch: '- {op: test, path: /x}', target: {name: (a+)+b}}]\n");
    file(&b, "r.yaml",
         repeat(&b, "kind: ConfigMap\napiVersion: v1\nmetadata:\n  name: ", "a", 10000));
    assert_refused(&b, KUSTOMIZE_ERROR_LIMIT, "regular expression");
    start(&b);
    file(&b, "kustomization.yaml",
         "resources: [r.yaml]\n"
         "patches: [{patch: 'x: y', target: {name: '(((a{1,1000}){1,1000}){1,1000})'}}]\n");
    file(&b, "r.yaml", CONFIG_MAP);
    build_tree(&b, &b.files->tree);
    assert_int_equal(b.outcome, KUSTOMIZE_FAILED);
    assert_true(b.err.message[0] != '\0');
    stop(&b);
}

TEST(names_of_ten_thousand_characters_are_names)
{
    struct bomb b;

    start(&b);
    file(&b, "kustomization.yaml", repeat(&b, "resources: [r.yaml]\nnamePrefix: ", "p", 10000));
    file(&b, "r.yaml",
         repeat(&b, "kind: ConfigMap\napiVersion: v1\nmetadata:\n  name: ", "n", 10000));
    assert_builds(&b);
    assert_true(str_contains(b.result.yaml, S("pppnnn")));
    assert_true(b.result.yaml.len > 20000);
    stop(&b);
}

TEST(ids_that_collide_are_told)
{
    struct bomb b;

    start(&b);
    file(&b, "kustomization.yaml", "resources: [r.yaml]\n");
    file(&b, "r.yaml", CONFIG_MAP "---\n" CONFIG_MAP);
    assert_refused(&b, KUSTOMIZE_ERROR_CONFLICT, "already registered id");
    start(&b);
    file(&b, "kustomization.yaml", "resources: [r.yaml]\nnamespace: ns\n");
    file(&b, "r.yaml",
         numbered(&b, "", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: n",
                  "}\n---\n", 5000));
    assert_refused(&b, KUSTOMIZE_ERROR_CONFLICT, "ID conflict");
}

TEST(many_referrers_of_one_name_in_many_namespaces_find_their_own)
{
    struct bomb b;

    start(&b);
    file(&b, "kustomization.yaml", "resources: [c.yaml, p.yaml]\nnamePrefix: x-\n");
    file(&b, "c.yaml",
         numbered(&b, "", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: n",
                  "}\n---\n", 1500));
    file(&b, "p.yaml",
         numbered(&b, "", "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: n",
                  "}\nspec: {containers: [{name: c, envFrom: [{configMapRef: {name: c}}]}]}\n---\n",
                  1500));
    assert_builds(&b);
    assert_false(str_contains(b.result.yaml, S("name: c\n    name: c")));
    stop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_cycle_of_bases_is_told),
            cmocka_unit_test(a_hundred_thousand_tiny_files_are_too_many_objects),
            cmocka_unit_test(deep_nesting_and_alias_bombs_are_told),
            cmocka_unit_test(a_patch_of_ten_megabytes_is_merged_in_linear_time),
            cmocka_unit_test(a_json_patch_of_too_many_operations_is_told),
            cmocka_unit_test(a_merged_list_of_many_elements_takes_linear_time),
            cmocka_unit_test(a_pattern_that_backtracks_for_ever_is_stopped),
            cmocka_unit_test(names_of_ten_thousand_characters_are_names),
            cmocka_unit_test(ids_that_collide_are_told),
            cmocka_unit_test(many_referrers_of_one_name_in_many_namespaces_find_their_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
