/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The read set of a Kustomize build, over many made-up kustomizations with fixed seeds: whatever
 * changes outside of it, the result is the same; whatever in it changes is noticed.
 */
#include "../fuzz/memory_tree.h"
#include "test.h"

#include "base/buf.h"
#include "render/kustomize/kustomize.h"

enum { OVERLAYS = 60, READS_MAX = 256 };

struct maker {
    uint64_t state;
    struct arena *arena;
    size_t count;
    struct {
        str path;
        str text;
    } files[MEMORY_FILES_MAX];
};

static uint64_t draw(struct maker *m, uint64_t below)
{
    m->state = m->state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (m->state >> 33) % below;
}

static bool often(struct maker *m)
{
    return draw(m, 3) > 0;
}

static void put(struct maker *m, const char *path, const char *text)
{
    assert_true(m->count < MEMORY_FILES_MAX);
    m->files[m->count].path = str_from(path);
    m->files[m->count++].text = arena_str(m->arena, str_from(text));
}

/* Fields of an overlay, each with the files that it reads. "tok0" is what a change changes. */
static const struct {
    const char *field;
    const char *path, *text;
} features[] = {
        {"patches: [{path: patch.yaml}]\n", "overlay/patch.yaml",
         "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d, annotations: {p: tok0}}\n"},
        {"patchesStrategicMerge: [old.yaml]\n", "overlay/old.yaml",
         "apiVersion: v1\nkind: Service\nmetadata: {name: s, annotations: {p: tok0}}\n"},
        {"patchesJson6902: [{target: {kind: Service, name: s, version: v1}, path: ops.yaml}]\n",
         "overlay/ops.yaml", "- {op: add, path: /spec/x, value: tok0}\n"},
        {"configMapGenerator: [{name: made, files: [f.txt], envs: [e.env]}]\n", "overlay/f.txt",
         "tok0\n"},
        {"secretGenerator: [{name: secret, files: [k=s.txt]}]\n", "overlay/s.txt", "tok0\n"},
        {"replacements: [{path: replace.yaml}]\n", "overlay/replace.yaml",
         "sourceValue: tok0\ntargets: [{select: {kind: Service}, fieldPaths: [spec.y], options: "
         "{create: true}}]\n"},
        {"configurations: [config.yaml]\n", "overlay/config.yaml",
         "commonAnnotations: [{path: spec/tok0, create: true, kind: Service}]\n"},
        {"transformers: [plugin.yaml]\n", "overlay/plugin.yaml",
         "apiVersion: builtin\nkind: PrefixTransformer\nmetadata: {name: x}\nprefix: tok0-\n"
         "fieldSpecs: [{path: metadata/name}]\n"},
        {"generators: [gen.yaml]\n", "overlay/gen.yaml",
         "apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: g}\nname: g\n"
         "literals: [a=tok0]\n"},
        {"components: [../component]\n", "component/kustomization.yaml",
         "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\n"
         "commonLabels: {c: tok0}\nresources: [extra.yaml]\n"},
        {"crds: [crd.json]\n", "overlay/crd.json",
         "{\"a.tok0.Thing\": {\"Schema\": {\"properties\": {}}}}\n"},
        {"openapi: {path: schema.json}\n", "overlay/schema.json",
         "{\"definitions\": {\"io.tok0\": {\"type\": \"object\"}}}\n"},
};

static void make(struct maker *m)
{
    auto_buf struct buf overlay = {0};

    buf_init(&overlay, LIMIT_MIB);
    buf_add(&overlay, S("resources: [../base, own.yaml]\ncommonAnnotations: {note: tok0}\n"));
    if (often(m))
        buf_add(&overlay, S("namePrefix: p-\n"));
    put(m, "overlay/own.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: tok0}\n");
    put(m, "overlay/e.env", "E=tok0\n");
    put(m, "component/extra.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: e-tok0}\n");
    for (size_t i = 0; i < COUNT(features); i++) {
        if (often(m))
            buf_add(&overlay, str_from(features[i].field));
        put(m, features[i].path, features[i].text);
    }
    if (draw(m, 8) == 0)
        buf_add(&overlay, S("images: [{name: nobody}]\nreplicas: [{name: none, count: 1}]\n"));
    put(m, "overlay/kustomization.yaml", buf_str(&overlay).at);
    put(m, draw(m, 2) == 0 ? "base/kustomization.yaml" : "base/Kustomization",
        "resources: [d.yaml, s.yaml]\ncommonLabels: {b: tok0}\n");
    put(m, "base/d.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d, labels: {a: tok0}}\n"
        "spec: {template: {spec: {containers: [{name: c, image: 'i:tok0'}]}}}\n");
    put(m, "base/s.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {t: tok0}\n");
    put(m, "base/unread.yaml", "tok0: {\n");
    put(m, "docs/readme.yaml", "tok0\n");
}

/* ---- one build ---- */

struct outcome {
    enum kustomize_outcome outcome;
    str text; /* the output, or the error */
};

struct read {
    str path;
    enum tree_read_how how;
    str identity;
};

struct reads {
    struct arena *arena;
    struct read at[READS_MAX];
    size_t count;
};

static void note_read(void *owner, str path, enum tree_read_how how, str identity)
{
    struct reads *r = owner;

    assert_true(r->count < READS_MAX);
    r->at[r->count++] =
            (struct read){arena_str(r->arena, path), how, arena_str(r->arena, identity)};
}

static struct memory_tree *tree_of(const struct maker *m)
{
    struct memory_tree *files = memory_tree_new();

    for (size_t i = 0; i < m->count; i++)
        memory_tree_add(files, m->files[i].path, m->files[i].text);
    return files;
}

static struct outcome build(struct memory_tree *files, struct arena *arena, struct reads *reads)
{
    struct kustomize_options options = {0};
    struct kustomize_result result = {0};
    struct tree_set trees = {0};
    __typeof__(*trees.entries) entry = {.tree = &files->tree};
    struct err err = {0};

    trees.entries = &entry;
    trees.count = 1;
    struct outcome o = {.outcome = kustomize_build(&trees, S("overlay"), &options, &result, &err)};
    o.text = arena_str(arena, o.outcome == KUSTOMIZE_DONE ? result.yaml : err_message(&err));
    if (reads != NULL)
        tree_reads_each(&files->tree, note_read, reads);
    kustomize_result_done(&result);
    return o;
}

/* Does the read set tell that this tree is not the one that was read? */
static bool is_noticed(const struct reads *reads, struct tree *tree)
{
    for (size_t i = 0; i < reads->count; i++) {
        const struct read *r = &reads->at[i];
        enum tree_kind kind = tree->ops->kind(tree, r->path);
        bool was_there = (r->how & TREE_READ_MISS) == 0;
        bool was_dir = (r->how & TREE_READ_KIND) != 0;
        if (was_there != (kind != TREE_MISSING))
            return true;
        if (was_there && was_dir != (kind == TREE_DIR) && (r->how & TREE_READ_CONTENT) == 0)
            return true;
        if ((r->how & TREE_READ_CONTENT) != 0 &&
            !str_eq(r->identity, tree->ops->identity(tree, r->path)))
            return true;
    }
    return false;
}

static bool has_content_read(const struct reads *reads, str path)
{
    for (size_t i = 0; i < reads->count; i++)
        if (str_eq(reads->at[i].path, path) && (reads->at[i].how & TREE_READ_CONTENT) != 0)
            return true;
    return false;
}

/* ---- the property ---- */

struct tally {
    size_t same, noticed, changed, built;
};

static void judge(struct maker *changed, const struct outcome *before, const struct reads *reads,
                  const char *what, struct tally *tally)
{
    auto_arena struct arena *arena = arena_new(4 * LIMIT_MIB);
    struct memory_tree *files = tree_of(changed);
    bool noticed = is_noticed(reads, &files->tree);
    struct outcome after = build(files, arena, NULL);
    bool same = before->outcome == after.outcome && str_eq(before->text, after.text);

    if (!noticed && !same)
        fail_msg("%s was not in the read set, but it changes the result", what);
    tally->noticed += noticed;
    tally->same += !noticed;
    tally->changed += !same;
    tree_free(&files->tree);
}

static str altered(struct arena *arena, str text)
{
    char *copy = (char *)(uintptr_t)arena_str(arena, text).at;

    for (size_t i = 0; i + 4 <= text.len; i++)
        if (memcmp(copy + i, "tok0", 4) == 0)
            copy[i + 3] = '1';
    return str_of(copy, text.len);
}

static void change_each_file(struct maker *m, const struct outcome *before,
                             const struct reads *reads, struct tally *tally)
{
    for (size_t i = 0; i < m->count; i++) {
        struct maker changed = *m;
        changed.files[i].text = altered(m->arena, m->files[i].text);
        judge(&changed, before, reads, m->files[i].path.at, tally);
        bool read = has_content_read(reads, m->files[i].path);
        struct memory_tree *files = tree_of(&changed);
        assert_true(read == is_noticed(reads, &files->tree));
        tree_free(&files->tree);

        changed = *m;
        changed.files[i] = changed.files[--changed.count];
        judge(&changed, before, reads, m->files[i].path.at, tally);
    }
}

static void add_files(struct maker *m, const struct outcome *before, const struct reads *reads,
                      struct tally *tally)
{
    static const char *const paths[] = {
            "overlay/kustomization.yml",
            "overlay/Kustomization",
            "base/kustomization.yml",
            "base/kustomization.yaml",
            "base/Kustomization",
            "component/Kustomization",
            "kustomization.yaml",
            "overlay/own.yaml/x",
            "docs/kustomization.yaml",
            "component/kustomization.yml",
            "other/file",
            "overlay/base/kustomization.yaml",
    };

    for (size_t i = 0; i < COUNT(paths); i++) {
        struct maker changed = *m;
        bool is_there = false;
        for (size_t f = 0; f < m->count; f++)
            is_there = is_there || str_eq(m->files[f].path, str_from(paths[i]));
        if (is_there || m->count == MEMORY_FILES_MAX)
            continue;
        put(&changed, paths[i], "resources: []\nnamePrefix: added-\n");
        judge(&changed, before, reads, paths[i], tally);
    }
    /* what was looked for in vain appears */
    for (size_t i = 0; i < reads->count; i++) {
        struct maker changed = *m;
        if ((reads->at[i].how & TREE_READ_MISS) == 0 || reads->at[i].path.len == 0)
            continue;
        changed.files[changed.count].path = reads->at[i].path;
        changed.files[changed.count++].text = S("namePrefix: added-\n");
        struct memory_tree *files = tree_of(&changed);
        assert_true(is_noticed(reads, &files->tree));
        tree_free(&files->tree);
    }
}

TEST(what_is_not_in_the_read_set_does_not_change_the_result)
{
    struct tally tally = {0};

    for (size_t seed = 1; seed <= OVERLAYS; seed++) {
        auto_arena struct arena *arena = arena_new(64 * LIMIT_MIB);
        struct maker m = {.state = seed, .arena = arena};
        struct reads *reads = arena_new0(arena, struct reads);
        reads->arena = arena;
        make(&m);
        struct memory_tree *files = tree_of(&m);
        struct outcome before = build(files, arena, reads);
        tally.built += before.outcome == KUSTOMIZE_DONE;
        assert_false(is_noticed(reads, &files->tree));
        tree_free(&files->tree);
        change_each_file(&m, &before, reads, &tally);
        add_files(&m, &before, reads, &tally);
    }
    /* the property was put to the test: there are changes of all sorts */
    assert_true(tally.built > OVERLAYS / 2);
    assert_true(tally.same > OVERLAYS * 5);
    assert_true(tally.noticed > OVERLAYS * 10);
    assert_true(tally.changed > OVERLAYS * 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(what_is_not_in_the_read_set_does_not_change_the_result),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
