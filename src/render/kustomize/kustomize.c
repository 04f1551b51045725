/* SPDX-License-Identifier: Apache-2.0 */
#include "render/kustomize/kustomize.h"

#include "base/mem.h"
#include "doc/yaml_emit.h"
#include "render/kustomize/field_spec.h"
#include "render/kustomize/schema.h"
#include "render/kustomize/target.h"

static const char *const default_last[] = {"MutatingWebhookConfiguration",
                                           "ValidatingWebhookConfiguration"};

static struct strs words(struct build *b, const char *const *list, size_t count)
{
    struct strs s = {.at = arena_array(b->arena, count, str), .count = count};

    for (size_t i = 0; i < count; i++)
        s.at[i] = str_from(list[i]);
    return s;
}

/* ---- the tail of the root ---- */

static bool drop_local(struct build *b, struct resmap *m)
{
    size_t kept = 0;

    for (size_t i = 0; i < m->count; i++) {
        struct resource *r = m->at[i];
        struct pairs annotations = {0};
        bool found = false;
        if (node_is_empty(r->node))
            continue;
        if (resource_kind(r).len == 0)
            return build_fail(b, KUSTOMIZE_ERROR_TRANSFORM, "missing kind in object %.*s",
                              STR(resource_name(r)));
        if (resource_name(r).len == 0 && !str_ends(resource_kind(r), S("List")))
            return build_fail(b, KUSTOMIZE_ERROR_TRANSFORM,
                              "missing metadata.name in object of kind %.*s",
                              STR(resource_kind(r)));
        if (NODE_AT(r->node, "metadata", "annotations", "config.kubernetes.io/local-config") !=
            NULL)
            annotations = resource_map(b, r, "annotations");
        str local = pairs_get(&annotations, S("config.kubernetes.io/local-config"), &found);
        if (!found || str_eq(local, S("false")))
            m->at[kept++] = r;
    }
    m->count = kept;
    resmap_changed(m);
    return true;
}

static bool sort_resources(struct build *b, struct resmap *m, const struct sort_options *options)
{
    struct strs first = words(b, kinds_first, COUNT(kinds_first));
    struct strs last = words(b, default_last, COUNT(default_last));

    if (options == NULL)
        return resmap_sort_legacy(b, m, &first, &last);
    bool legacy = str_eq(options->order, S("legacy"));
    if (!legacy && !str_eq(options->order, S("fifo")))
        return build_fail(b, KUSTOMIZE_ERROR_CONFIG,
                          "the field 'sortOptions.order' must be one of [fifo, legacy]");
    if (!legacy && options->legacy != NULL)
        return build_fail(b, KUSTOMIZE_ERROR_CONFIG,
                          "the field 'sortOptions.legacySortOptions' is set but the selected sort "
                          "order is 'fifo', not 'legacy'");
    if (!legacy)
        return true;
    return options->legacy == NULL
                   ? resmap_sort_legacy(b, m, &first, &last)
                   : resmap_sort_legacy(b, m, &options->legacy->first, &options->legacy->last);
}

static bool label_managed(struct build *b, struct resmap *m)
{
    static const struct field_spec spec = {.path = S_INIT("metadata/labels"), .create = true};
    struct fields specs = {.at = (struct field_spec *)(uintptr_t)&spec, .count = 1};
    struct pair pair = {.key = S("app.kubernetes.io/managed-by"), .value = S("kustomize-v5.8.1")};
    struct pairs pairs = {.at = &pair, .count = 1};

    return transform_labels(b, m, &pairs, &specs);
}

/* Annotations in which the original keeps its books; it takes them away also where people wrote
 * them. */
static const str build_annotations[] = {
        S_INIT("internal.config.kubernetes.io/previousNames"),
        S_INIT("internal.config.kubernetes.io/previousKinds"),
        S_INIT("internal.config.kubernetes.io/previousNamespaces"),
        S_INIT("internal.config.kubernetes.io/prefixes"),
        S_INIT("internal.config.kubernetes.io/suffixes"),
        S_INIT("internal.config.kubernetes.io/refBy"),
        S_INIT("internal.config.kubernetes.io/generatorBehavior"),
        S_INIT("internal.config.kubernetes.io/needsHashSuffix"),
        S_INIT("internal.config.kubernetes.io/allowNameChange"),
        S_INIT("internal.config.kubernetes.io/allowKindChange"),
        S_INIT("internal.config.kubernetes.io/path"),
        S_INIT("internal.config.kubernetes.io/index"),
        S_INIT("internal.config.kubernetes.io/id"),
        S_INIT("internal.config.kubernetes.io/seqindent"),
        S_INIT("internal.config.kubernetes.io/annotations-migration-resource-id"),
        S_INIT("config.kubernetes.io/path"),
        S_INIT("config.kubernetes.io/index"),
        S_INIT("config.k8s.io/id"),
};

/* Annotations become texts; what was only for the build goes. */
static bool clean_annotations(struct build *b, struct resmap *m, const struct strs *metadata)
{
    bool keep_origin = strs_has(metadata, S("originAnnotations"));
    bool keep_transformations = strs_has(metadata, S("transformerAnnotations"));

    for (size_t i = 0; i < m->count; i++) {
        struct resource *r = m->at[i];
        struct node *meta = node_get(r->node, S("metadata"));
        if (node_is(meta, NODE_MAP) && node_get(meta, S("annotations")) == NULL)
            continue;
        struct pairs annotations = resource_map(b, r, "annotations");
        if (!keep_origin)
            pairs_del(&annotations, ORIGIN_KEY);
        if (!keep_transformations)
            pairs_del(&annotations, TRANSFORMATIONS_KEY);
        for (size_t d = 0; d < COUNT(build_annotations); d++)
            pairs_del(&annotations, build_annotations[d]);
        if (node_is(meta, NODE_MAP))
            node_clear(meta, S("annotations"));
        if (!resource_set_map(b, r, "annotations", &annotations))
            return false;
    }
    return true;
}

static bool finish(struct target *t, struct accumulator *ra)
{
    struct build *b = t->b;
    struct resmap *m = &ra->resources;

    if (!transform_hashes(b, m) || !transform_name_references(b, m, ra->config) ||
        !transform_vars(b, m, &ra->vars, &ra->config->lists[SPEC_VAR_REFERENCE]) ||
        !drop_local(b, m) || !sort_resources(b, m, t->k.sort_options))
        return false;
    if (strs_has(&t->k.build_metadata, S("managedByLabel")) && !label_managed(b, m))
        return false;
    return clean_annotations(b, m, &t->k.build_metadata);
}

/* ---- output ---- */

static bool write_one(struct build *b, const struct resource *r, struct arena *arena,
                      struct buf *out, const struct val **ret_object)
{
    struct val *object = val_new(arena, val_null());

    b->error_class = KUSTOMIZE_ERROR_YAML;
    if (!node_to_val(arena, r->node, object, b->err) || !yaml_emit(object, out, b->err)) {
        struct id id = id_current(b, r);
        if (buf_is_over(out) || arena_is_over(arena))
            b->error_class = KUSTOMIZE_ERROR_LIMIT;
        return err_wrap(b->err, "%.*s", STR(id_text(b, &id)));
    }
    *ret_object = object;
    return true;
}

/* ---- a file for each object ---- */

static void add_part(struct buf *out, str part)
{
    if (part.len == 0)
        return;
    for (size_t i = 0; i < part.len; i++)
        buf_addc(out,
                 part.at[i] >= 'A' && part.at[i] <= 'Z' ? (char)(part.at[i] | 0x20) : part.at[i]);
    buf_addc(out, '_');
}

/* [namespace_][group_]version_kind_name.yaml; the namespace when the output has several. */
static str file_name(struct build *b, const struct id *id, bool with_namespace)
{
    auto_buf struct buf name = {0};

    buf_init(&name, LIMIT_FILE_BYTES);
    if (with_namespace && !id->is_cluster)
        add_part(&name, id_namespace(id));
    add_part(&name, id->group);
    add_part(&name, id->version);
    add_part(&name, id->kind);
    add_part(&name, id->name);
    return arena_printf(b->arena, "%.*s.yaml", (int)(name.len - 1), name.at);
}

static const str *file_names(struct build *b, const struct resmap *m)
{
    str *names = arena_array(b->arena, m->count, str);
    str only = (str){0};
    bool several = false;

    for (size_t i = 0; i < m->count; i++) {
        struct id id = id_current(b, m->at[i]);
        if (id.is_cluster)
            continue;
        several = several || (only.at != NULL && !str_eq(only, id_namespace(&id)));
        only = id_namespace(&id);
    }
    for (size_t i = 0; i < m->count; i++) {
        struct id id = id_current(b, m->at[i]);
        names[i] = file_name(b, &id, several);
    }
    return names;
}

/* Of objects and text, what is not asked for is not kept; the text is always written, because not
 * every object can be. */
static bool write_out(struct build *b, const struct resmap *m, struct kustomize_result *result)
{
    bool keeps_objects = b->options->wants != KUSTOMIZE_WANTS_YAML;
    bool keeps_text = b->options->wants == KUSTOMIZE_WANTS_ALL || !keeps_objects;
    size_t count = keeps_objects ? m->count : 0;
    const struct val **objects = arena_array(b->arena, count, const struct val *);
    auto_buf struct buf out = {0};

    buf_init(&out, LIMIT_RENDER_BYTES);
    for (size_t i = 0; i < m->count; i++) {
        auto_arena struct arena *scratch = arena_new(LIMIT_RENDER_ARENA / 4);
        const struct val *object = NULL;
        if (!keeps_text)
            buf_reset(&out);
        else if (i > 0)
            buf_add(&out, S("---\n"));
        if (!write_one(b, m->at[i], keeps_objects ? b->arena : scratch, &out, &object))
            return false;
        if (keeps_objects)
            objects[i] = object;
    }
    result->objects = objects;
    result->object_count = count;
    if (b->options->wants == KUSTOMIZE_WANTS_FILES)
        result->file_names = file_names(b, m);
    if (keeps_text)
        result->text = buf_take(&out, &result->yaml.len);
    result->yaml.at = result->text == NULL ? "" : result->text;
    return true;
}

static bool build(struct build *b, str path, struct kustomize_result *result)
{
    struct loader loader = {0};
    struct target target = {0};
    struct accumulator ra = {.config = config_empty()};
    static const struct origin root = {.path = S_INIT(""), .repo = S_INIT(""), .ref = S_INIT("")};

    if (!loader_new(b, b->trees->entries[0].tree, path, &loader) ||
        !target_load(b, &loader, &target) || !overrides_apply(&target, b->options->overrides) ||
        !target_use_openapi(&target))
        return false;
    if (target.k.build_metadata.count > 0)
        target.origin = &root;
    return target_accumulate(&target, &ra) && b->need_count == 0 && finish(&target, &ra) &&
           write_out(b, &ra.resources, result);
}

enum kustomize_outcome kustomize_build(const struct tree_set *trees, str path,
                                       const struct kustomize_options *options,
                                       struct kustomize_result *ret_result, struct err *err)
{
    struct err own = {0};
    struct build b = {.arena = arena_new(LIMIT_RENDER_ARENA),
                      .err = err == NULL ? &own : err,
                      .trees = trees,
                      .options = options};

    *ret_result = (struct kustomize_result){.arena = b.arena};
    b.schema = schema_new(b.arena);
    bool ok = build(&b, path, ret_result);
    for (size_t i = 0; i < b.regex_count; i++)
        regex_free(b.regexes[i]);
    ret_result->needs = b.needs;
    ret_result->need_count = b.need_count;
    ret_result->warnings = b.warnings;
    ret_result->warning_count = b.warning_count;
    if (b.need_count > 0)
        return KUSTOMIZE_NEEDS;
    if (ok && !arena_is_over(b.arena))
        return KUSTOMIZE_DONE;
    if (ok) {
        b.error_class = KUSTOMIZE_ERROR_LIMIT;
        ok = arena_check(b.arena, "a Kustomize build", b.err);
    }
    ret_result->error_class = b.err->code == ERR_LIMIT ? KUSTOMIZE_ERROR_LIMIT : b.error_class;
    return KUSTOMIZE_FAILED;
}

void kustomize_result_done(struct kustomize_result *result)
{
    arena_free(result->arena);
    mem_free(result->text);
    *result = (struct kustomize_result){0};
}
