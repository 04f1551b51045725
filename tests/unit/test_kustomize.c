/* SPDX-License-Identifier: Apache-2.0 */
#include "../fuzz/memory_tree.h"
#include "test.h"

#include "base/buf.h"
#include "doc/json.h"
#include "render/kustomize/field_spec.h"
#include "render/kustomize/loader.h"
#include "render/kustomize/schema.h"

struct built {
    struct memory_tree *files;
    struct kustomize_options options;
    struct kustomize_result result;
    struct err err;
    enum kustomize_outcome outcome;
};

static struct built *start(void)
{
    struct built *t = new0(struct built);

    t->files = memory_tree_new();
    return t;
}

static void file(struct built *t, const char *path, const char *text)
{
    memory_tree_add(t->files, str_from(path), str_from(text));
}

static void run(struct built *t)
{
    struct tree_set trees = {0};
    __typeof__(*trees.entries) entry = {.tree = &t->files->tree};

    trees.entries = &entry;
    trees.count = 1;
    t->outcome = kustomize_build(&trees, STR_EMPTY, &t->options, &t->result, &t->err);
}

static void stop(struct built *t)
{
    kustomize_result_done(&t->result);
    tree_free(&t->files->tree);
    mem_free(t);
}

static void assert_built(struct built *t, const char *expected)
{
    run(t);
    if (t->outcome != KUSTOMIZE_DONE)
        fail_msg("%s", t->err.message);
    assert_str(t->result.yaml, str_from(expected));
    stop(t);
}

static void assert_fails_with(struct built *t, enum kustomize_error_class class_, const char *part)
{
    run(t);
    assert_int_equal(t->outcome, KUSTOMIZE_FAILED);
    if (!str_contains(err_message(&t->err), str_from(part)))
        fail_msg("\"%s\" does not say \"%s\"", t->err.message, part);
    assert_int_equal(t->result.error_class, class_);
    stop(t);
}

#define CONFIG_MAP "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n"

TEST(the_tables_have_all_rows_of_the_original)
{
    static const size_t counts[SPEC_LIST_COUNT] = {1, 1, 3, 32, 0, 10, 9, 72, 6, 4};
    const struct config *config = config_default();
    size_t references = 0;

    for (size_t i = 0; i < SPEC_LIST_COUNT; i++)
        assert_int_equal(config->lists[i].count, counts[i]);
    assert_int_equal(config->target_count, 16);
    for (size_t i = 0; i < config->target_count; i++)
        references += config->targets[i].referrers.count;
    assert_int_equal(references, 167);
}

TEST(the_schema_knows_which_lists_merge)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct schema *schema = schema_new(arena);
    struct schema_at at = schema_of_kind(schema, S("apps/v1"), S("Deployment"));

    assert_true(at.known);
    at = schema_field(schema, at, S("spec"));
    at = schema_field(schema, at, S("template"));
    at = schema_field(schema, at, S("spec"));
    struct schema_at containers = schema_field(schema, at, S("containers"));
    assert_true(containers.merges);
    assert_string_equal(containers.keys, "name");
    struct schema_at ports = schema_field(schema, schema_element(schema, containers), S("ports"));
    assert_string_equal(ports.keys, "containerPort,protocol");
    assert_false(schema_field(schema, at, S("tolerations")).merges);
    assert_false(schema_of_kind(schema, S("example.com/v1"), S("Thing")).known);
    assert_true(schema_is_cluster_scoped(schema, S("v1"), S("Node")));
    assert_false(schema_is_cluster_scoped(schema, S("v1"), S("Pod")));
}

TEST(git_urls_are_split_as_in_the_original)
{
    static const struct {
        const char *url, *host, *path, *directory, *ref;
    } rows[] = {
            {"https://github.com/org/repo/deep/dir?ref=v1", "https://github.com/", "org/repo",
             "deep/dir", "v1"},
            {"github.com/org/repo", "https://github.com/", "org/repo", "", ""},
            {"git@github.com:org/repo.git//dir", "git@github.com:", "org/repo.git", "/dir", ""},
            {"https://example.com/a/b//x/y?version=z", "https://example.com/", "a/b", "x/y", "z"},
            {"ssh://git@host/a/b.git/c?ref=x&timeout=3", "ssh://git@host/", "a/b.git", "c", "x"},
            {"https://dev.azure.com/o/p/_git/repo/sub", "https://dev.azure.com/", "o/p/_git/repo",
             "sub", ""},
            {"file:///srv/repo", "file://", "/srv/repo", "", ""},
    };
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct repo_spec spec = {0};

    for (size_t i = 0; i < COUNT(rows); i++) {
        if (!repo_spec_parse(arena, str_from(rows[i].url), &spec))
            fail_msg("%s is no URL", rows[i].url);
        assert_str(spec.host, str_from(rows[i].host));
        assert_str(spec.repo_path, str_from(rows[i].path));
        assert_str(spec.ref, str_from(rows[i].ref));
    }
    assert_false(repo_spec_parse(arena, S("github.com-sa.yaml"), &spec));
    assert_false(repo_spec_parse(arena, S("../base"), &spec));
    assert_false(repo_spec_parse(arena, S("/abs"), &spec));
    assert_false(repo_spec_parse(arena, S("https://host/a/b//../../x"), &spec));
}

TEST(a_remote_base_becomes_a_need)
{
    struct built *t = start();

    file(t, "kustomization.yaml",
         "resources: ['https://github.com/o/r/d?ref=v1', 'https://example.com/x.yaml']\n");
    run(t);
    assert_int_equal(t->outcome, KUSTOMIZE_NEEDS);
    assert_int_equal(t->result.need_count, 2);
    assert_str(t->result.needs[0].url, S("https://github.com/o/r"));
    assert_str(t->result.needs[0].revision, S("v1"));
    assert_false(t->result.needs[0].is_file);
    assert_true(t->result.needs[1].is_file);
    stop(t);
}

TEST(a_remote_base_that_is_there_is_built)
{
    struct built *t = start();
    struct memory_tree *remote = memory_tree_new();
    struct tree_set trees = {0};

    file(t, "kustomization.yaml", "resources: ['https://github.com/o/r//d?ref=v1']\n");
    memory_tree_add(remote, S("d/kustomization.yaml"), S("resources: [c.yaml]\n"));
    memory_tree_add(remote, S("d/c.yaml"), S(CONFIG_MAP));
    __typeof__(*trees.entries) entries[2] = {
            {.tree = &t->files->tree},
            {.url = S("https://github.com/o/r"), .revision = S("v1"), .tree = &remote->tree}};
    trees.entries = (void *)entries;
    trees.count = 2;
    t->outcome = kustomize_build(&trees, STR_EMPTY, &t->options, &t->result, &t->err);
    assert_int_equal(t->outcome, KUSTOMIZE_DONE);
    assert_str(t->result.yaml, S(CONFIG_MAP));
    tree_free(&remote->tree);
    stop(t);
}

TEST(argo_cds_overrides_edit_the_root)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct built *t = start();
    struct val *overrides = NULL;

    assert_ok(json_parse(arena,
                         S("{\"namePrefix\":\"p-\",\"namespace\":\"ns\",\"images\":[\"i=j:2\"],"
                           "\"replicas\":[{\"name\":\"d\",\"count\":\"3\"}],"
                           "\"commonLabels\":{\"l\":\"v\"},\"labelWithoutSelector\":true,"
                           "\"patches\":[{\"target\":{\"kind\":\"Deployment\"},"
                           "\"patch\":\"[{\\\"op\\\":\\\"add\\\",\\\"path\\\":\\\"/spec/x\\\","
                           "\\\"value\\\":1}]\"}]}"),
                         NULL, &overrides, &t->err),
              t->err);
    t->options.overrides = overrides;
    file(t, "kustomization.yaml", "resources: [d.yaml]\n");
    file(t, "d.yaml",
         "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n"
         "spec: {template: {spec: {containers: [{name: c, image: 'i:1'}]}}}\n");
    assert_built(t, "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  labels:\n    l: v\n"
                    "  name: p-d\n  namespace: ns\nspec:\n  replicas: 3\n  template:\n    spec:\n"
                    "      containers:\n      - image: j:2\n        name: c\n  x: 1\n");
}

TEST(overrides_know_the_build_environment)
{
    static const struct kustomize_variable environment[] = {
            {S_INIT("ARGOCD_APP_NAME"), S_INIT("shop")},
            {S_INIT("ARGOCD_APP_REVISION"), {0}},
    };
    static const struct {
        const char *text, *value; /* NULL: refused */
    } rows[] = {
            {"$ARGOCD_APP_NAME", "shop"},
            {"${ARGOCD_APP_NAME}-x", "shop-x"},
            {"a$$b", "a$b"},
            {"$UNKNOWN.", "."},
            {"${ARGOCD_APP_NAME", "ARGOCD_APP_NAME"},
            {"$1x", "x"},
            {"$", "$"},
            {"$.", "$."},
            {"$ARGOCD_APP_REVISION", NULL},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        auto_arena struct arena *arena = arena_new(LIMIT_MIB);
        struct built *t = start();
        struct val overrides = val_map();
        struct val *annotations = val_ensure_map(arena, &overrides, S("commonAnnotations"));
        val_set(arena, &overrides, S("commonAnnotationsEnvsubst"), val_bool(true));
        val_set_str(arena, annotations, S("a"), str_from(rows[i].text));
        t->options = (struct kustomize_options){.overrides = &overrides,
                                                .environment = environment,
                                                .environment_count = COUNT(environment)};
        file(t, "kustomization.yaml", "resources: [c.yaml]\n");
        file(t, "c.yaml", CONFIG_MAP);
        if (rows[i].value == NULL) {
            assert_fails_with(t, KUSTOMIZE_ERROR_UNSUPPORTED, "$ARGOCD_APP_REVISION");
            continue;
        }
        run(t);
        assert_int_equal(t->outcome, KUSTOMIZE_DONE);
        assert_str(VAL_STR(t->result.objects[0], "metadata", "annotations", "a"),
                   str_from(rows[i].value));
        stop(t);
    }
}

TEST(an_override_does_not_silently_replace_a_label)
{
    auto_arena struct arena *arena = arena_new(LIMIT_MIB);
    struct built *t = start();
    struct val *overrides = NULL;

    assert_ok(json_parse(arena, S("{\"commonLabels\":{\"a\":\"2\"}}"), NULL, &overrides, &t->err),
              t->err);
    t->options.overrides = overrides;
    file(t, "kustomization.yaml", "resources: [c.yaml]\ncommonLabels: {a: '1'}\n");
    file(t, "c.yaml", CONFIG_MAP);
    assert_fails_with(t, KUSTOMIZE_ERROR_CONFIG, "forceCommonLabels");
}

TEST(errors_name_file_line_and_field)
{
    struct built *t = start();

    file(t, "kustomization.yaml", "resources: [c.yaml]\nimages:\n- name: x\n  newTag: 1\n");
    assert_fails_with(t, KUSTOMIZE_ERROR_CONFIG, "kustomization.yaml:4:11: images[0].newTag");
    t = start();
    file(t, "kustomization.yaml", "resources: [c.yaml]\n");
    file(t, "c.yaml", "a: b\n---\nkind: [\n");
    assert_fails_with(t, KUSTOMIZE_ERROR_YAML, "c.yaml:");
}

TEST(helm_charts_are_refused_clearly)
{
    struct built *t = start();

    file(t, "kustomization.yaml", "helmCharts: [{name: x}]\n");
    assert_fails_with(t, KUSTOMIZE_ERROR_UNSUPPORTED, "not supported yet: helmCharts");
}

/* ---- the read set ---- */

struct reads {
    struct map *paths;
};

static void note_read(void *owner, str path, enum tree_read_how how, str identity)
{
    (void)how;
    (void)identity;
    map_set(((struct reads *)owner)->paths, path, (void *)1);
}

TEST(the_read_set_holds_what_was_looked_at_also_what_was_missing)
{
    auto_map struct map *paths = map_new();
    struct reads reads = {.paths = paths};
    struct built *t = start();

    file(t, "kustomization.yaml",
         "resources: [base, c.yaml]\nconfigMapGenerator: [{name: g, "
         "files: [f.txt]}]\n");
    file(t, "base/kustomization.yaml", "resources: [x.yaml]\n");
    file(t, "base/x.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n");
    file(t, "c.yaml", CONFIG_MAP);
    file(t, "f.txt", "text");
    file(t, "unread.yaml", "broken: [");
    run(t);
    assert_int_equal(t->outcome, KUSTOMIZE_DONE);
    tree_reads_each(&t->files->tree, note_read, &reads);
    assert_true(map_has(paths, S("kustomization.yaml")));
    assert_true(map_has(paths, S("kustomization.yml")));
    assert_true(map_has(paths, S("Kustomization")));
    assert_true(map_has(paths, S("base/kustomization.yaml")));
    assert_true(map_has(paths, S("base/x.yaml")));
    assert_true(map_has(paths, S("c.yaml")));
    assert_true(map_has(paths, S("f.txt")));
    assert_false(map_has(paths, S("unread.yaml")));
    stop(t);
}

/* ---- hostile input ---- */

TEST(cycles_are_found)
{
    struct built *t = start();

    file(t, "kustomization.yaml", "resources: [a]\n");
    file(t, "a/kustomization.yaml", "resources: [../b]\n");
    file(t, "b/kustomization.yaml", "resources: [../a]\n");
    assert_fails_with(t, KUSTOMIZE_ERROR_CYCLE, "cycle detected");
}

TEST(a_pattern_without_end_meets_a_limit)
{
    auto_buf struct buf name = {0};
    struct built *t = start();

    buf_init(&name, LIMIT_MIB);
    buf_add(&name, S("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: "));
    buf_fill(&name, 'a', 5000);
    buf_addc(&name, '\n');
    file(t, "kustomization.yaml",
         "resources: [c.yaml]\npatches: [{target: {name: '(a|aa|a?)+b'}, patch: '[{\"op\":\"add\","
         "\"path\":\"/x\",\"value\":1}]'}]\n");
    memory_tree_add(t->files, S("c.yaml"), buf_str(&name));
    assert_fails_with(t, KUSTOMIZE_ERROR_LIMIT, "too many steps");
}

TEST(an_alias_bomb_in_a_resource_meets_a_limit)
{
    auto_buf struct buf text = {0};
    struct built *t = start();

    buf_init(&text, LIMIT_MIB);
    buf_addf(&text, CONFIG_MAP "a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 12; i++)
        buf_addf(&text, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i, i - 1,
                 i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    file(t, "kustomization.yaml", "resources: [c.yaml]\n");
    memory_tree_add(t->files, S("c.yaml"), buf_str(&text));
    assert_fails_with(t, KUSTOMIZE_ERROR_LIMIT, "excessive aliasing");
}

TEST(replacements_that_double_a_tree_again_and_again_meet_a_limit)
{
    auto_buf struct buf text = {0};
    struct built *t = start();

    buf_init(&text, LIMIT_MIB);
    buf_add(&text, S("resources: [c.yaml]\nreplacements:\n"));
    for (int i = 0; i < 60; i++)
        buf_addf(&text,
                 "- {source: {kind: Thing, fieldPath: spec}, targets: [{select: {kind: Thing}, "
                 "fieldPaths: [spec.k%d], options: {create: true}}]}\n",
                 i);
    memory_tree_add(t->files, S("kustomization.yaml"), buf_str(&text));
    file(t, "c.yaml", "apiVersion: x/v1\nkind: Thing\nmetadata: {name: t}\nspec: {a: [1, 2, 3]}\n");
    run(t);
    assert_int_equal(t->outcome, KUSTOMIZE_FAILED);
    assert_int_equal(t->result.error_class, KUSTOMIZE_ERROR_LIMIT);
    stop(t);
}

TEST(names_of_10000_characters_are_only_long)
{
    auto_buf struct buf text = {0};
    struct built *t = start();

    buf_init(&text, LIMIT_MIB);
    buf_add(&text, S("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: "));
    buf_fill(&text, 'n', 10000);
    buf_addc(&text, '\n');
    file(t, "kustomization.yaml", "resources: [c.yaml]\nnamePrefix: p-\nnamespace: x\n");
    memory_tree_add(t->files, S("c.yaml"), buf_str(&text));
    run(t);
    assert_int_equal(t->outcome, KUSTOMIZE_DONE);
    stop(t);
}

TEST(ten_thousand_resources_are_fast_enough_to_be_linear)
{
    auto_buf struct buf text = {0};
    struct built *t = start();

    buf_init(&text, 16 * LIMIT_MIB);
    for (int i = 0; i < 10000; i++)
        buf_addf(&text, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c%d}\n---\n", i);
    file(t, "kustomization.yaml",
         "resources: [c.yaml]\nnamePrefix: p-\nnamespace: x\ncommonLabels: {a: b}\n");
    memory_tree_add(t->files, S("c.yaml"), buf_str(&text));
    run(t);
    assert_int_equal(t->outcome, KUSTOMIZE_DONE);
    assert_int_equal(t->result.object_count, 10000);
    stop(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(the_tables_have_all_rows_of_the_original),
            cmocka_unit_test(the_schema_knows_which_lists_merge),
            cmocka_unit_test(git_urls_are_split_as_in_the_original),
            cmocka_unit_test(a_remote_base_becomes_a_need),
            cmocka_unit_test(a_remote_base_that_is_there_is_built),
            cmocka_unit_test(argo_cds_overrides_edit_the_root),
            cmocka_unit_test(overrides_know_the_build_environment),
            cmocka_unit_test(an_override_does_not_silently_replace_a_label),
            cmocka_unit_test(errors_name_file_line_and_field),
            cmocka_unit_test(helm_charts_are_refused_clearly),
            cmocka_unit_test(the_read_set_holds_what_was_looked_at_also_what_was_missing),
            cmocka_unit_test(cycles_are_found),
            cmocka_unit_test(a_pattern_without_end_meets_a_limit),
            cmocka_unit_test(an_alias_bomb_in_a_resource_meets_a_limit),
            cmocka_unit_test(replacements_that_double_a_tree_again_and_again_meet_a_limit),
            cmocka_unit_test(names_of_10000_characters_are_only_long),
            cmocka_unit_test(ten_thousand_resources_are_fast_enough_to_be_linear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
