/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents in `generators`, `transformers` and `validators`: with apiVersion "builtin" they
 * configure the built-in plugins. Anything else would be a program to run, and is refused.
 */
#include "doc/yaml.h"
#include "render/kustomize/transform.h"

struct plugin_args {
    struct build *b;
    const struct loader *loader;
    struct resource *document;
    struct plugin_document *doc;
    struct resmap *m;
};

typedef bool plugin_fn(struct plugin_args *a);

static bool bad(struct plugin_args *a, const char *what)
{
    return build_fail(a->b, KUSTOMIZE_ERROR_CONFIG, "plugin %.*s %.*s fails configuration: %s",
                      STR(resource_kind(a->document)), STR(resource_name(a->document)), what);
}

static bool run_annotations(struct plugin_args *a)
{
    return transform_annotations(a->b, a->m, &a->doc->annotations, &a->doc->fields);
}

static bool run_labels(struct plugin_args *a)
{
    return transform_labels(a->b, a->m, &a->doc->labels, &a->doc->fields);
}

static bool run_hash(struct plugin_args *a)
{
    return transform_hashes(a->b, a->m);
}

static bool run_image(struct plugin_args *a)
{
    return transform_image(a->b, a->m, &a->doc->image, &a->doc->fields);
}

static bool run_namespace(struct plugin_args *a)
{
    str subjects = a->doc->set_role_binding_subjects;
    struct namespace_options options = {.namespace_ = a->doc->metadata.namespace_,
                                        .specs = &a->doc->fields,
                                        .unset_only = a->doc->unset_only,
                                        .subjects = subjects};

    if (subjects.len > 0 && !str_eq(subjects, S("none")) && !str_eq(subjects, S("defaultOnly")) &&
        !str_eq(subjects, S("allServiceAccounts")))
        return bad(a,
                   "setRoleBindingSubjects must be one of defaultOnly, none, allServiceAccounts");
    return transform_namespace(a->b, a->m, &options);
}

static bool run_prefix(struct plugin_args *a)
{
    if (!a->doc->fields.set)
        return bad(a, "fieldSpecs is not expected to be nil");
    return transform_prefix(a->b, a->m, a->doc->prefix, &a->doc->fields);
}

static bool run_suffix(struct plugin_args *a)
{
    if (!a->doc->fields.set)
        return bad(a, "fieldSpecs is not expected to be nil");
    return transform_suffix(a->b, a->m, a->doc->suffix, &a->doc->fields);
}

static bool run_prefix_suffix(struct plugin_args *a)
{
    return run_prefix(a) && run_suffix(a);
}

static bool run_patch(struct plugin_args *a)
{
    struct patch patch = {.path = a->doc->path,
                          .patch = a->doc->patch,
                          .target = a->doc->target,
                          .options = a->doc->options};

    return transform_patch(a->b, a->m, a->loader, &patch);
}

static bool run_json6902(struct plugin_args *a)
{
    struct patch patch = {.path = a->doc->path, .patch = a->doc->json_op, .target = a->doc->target};

    return transform_json6902(a->b, a->m, a->loader, &patch);
}

static bool run_strategic_merge(struct plugin_args *a)
{
    return transform_strategic_merges(a->b, a->m, a->loader, &a->doc->paths, a->doc->patches);
}

static bool run_replacements(struct plugin_args *a)
{
    return transform_replacements(a->b, a->m, a->loader, a->doc->replacements.at,
                                  a->doc->replacements.count);
}

static bool run_replicas(struct plugin_args *a)
{
    return transform_replicas(a->b, a->m, &a->doc->replica, &a->doc->fields);
}

/* ---- ValueAddTransformer ---- */

/* Puts a part into a path of parts: at position 0 it is the first. */
static str insert_part(struct build *b, str path, int64_t position, str part)
{
    str rest = path;
    str piece = STR_EMPTY;
    str out = STR_EMPTY;
    int64_t index = 0;
    bool absolute = str_skip(&rest, S("/"));
    bool done = false;

    while (rest.at != NULL && str_split(&rest, '/', &piece)) {
        if (piece.len == 0)
            continue;
        if (index++ == position) {
            out = arena_printf(b->arena, "%.*s%s%.*s", STR(out), out.len > 0 ? "/" : "", STR(part));
            done = true;
        }
        out = arena_printf(b->arena, "%.*s%s%.*s", STR(out), out.len > 0 ? "/" : "", STR(piece));
    }
    if (!done)
        out = arena_printf(b->arena, "%.*s%s%.*s", STR(out), out.len > 0 ? "/" : "", STR(part));
    return absolute ? arena_join(b->arena, S("/"), out) : out;
}

static bool add_value(struct plugin_args *a, struct resource *r, const struct value_target *t,
                      str value)
{
    struct strs path = path_split(a->b, t->field_path, '/');
    struct namespace_options options = {.namespace_ = value};
    struct node *field = NULL;

    if (str_eq(t->field_path, S("metadata/namespace")))
        return namespace_set(a->b, r, &options);
    if (!path_lookup(a->b, r->node, &path, NODE_SCALAR, &field))
        return false;
    if (field == NULL)
        return true;
    if (!node_is_null(field) && field->kind != NODE_SCALAR)
        return bad(a, "wrong node kind: the field must be a scalar");
    str text = t->position > 0 ? insert_part(a->b, node_spelling(field), t->position - 1, value)
                               : value;
    (void)node_set_scalar(field, TAG_NONE, text);
    return true;
}

static bool read_targets(struct plugin_args *a, struct plugin_document *more)
{
    struct yaml_options options = {.dialect = YAML_11,
                                   .duplicates = YAML_DUPLICATES_LAST,
                                   .file = a->doc->target_file_path};
    str text = STR_EMPTY;
    struct val *doc = NULL;

    if (!loader_read(a->b, a->loader, a->doc->target_file_path, &text))
        return false;
    a->b->error_class = KUSTOMIZE_ERROR_CONFIG;
    return yaml_parse(a->b->arena, text, &options, &doc, a->b->err) &&
           value_targets_decode(a->b->arena, doc, options.file, more, a->b->err);
}

static bool run_value_add(struct plugin_args *a)
{
    str value = a->doc->value.at == NULL ? STR_EMPTY : str_trim(a->doc->value);
    struct plugin_document more = {0};

    if (value.len == 0)
        value = tree_path_base(a->loader->root);
    if (a->doc->target_file_path.len > 0 && !read_targets(a, &more))
        return false;
    if (a->doc->targets.count + more.targets.count == 0)
        return bad(a, "must specify at least one target");
    for (size_t i = 0; i < a->doc->targets.count + more.targets.count; i++) {
        const struct value_target *t = i < a->doc->targets.count
                                               ? &a->doc->targets.at[i]
                                               : &more.targets.at[i - a->doc->targets.count];
        struct resmap selected = {0};
        if (t->field_path.len == 0)
            return bad(a, "fieldPath cannot be empty");
        if (t->position < 0)
            return bad(a, "filePathPosition cannot be negative");
        if (t->selector != NULL && !resmap_select(a->b, a->m, t->selector, &selected))
            return false;
        const struct resmap *list = t->selector == NULL ? a->m : &selected;
        for (size_t k = 0; k < list->count; k++)
            if (!add_value(a, list->at[k], t, value))
                return false;
    }
    resmap_changed(a->m);
    return true;
}

static const struct {
    const char *kind;
    plugin_fn *run;
} transformer_rows[] = {
        {"AnnotationsTransformer", run_annotations},
        {"HashTransformer", run_hash},
        {"ImageTagTransformer", run_image},
        {"LabelTransformer", run_labels},
        {"NamespaceTransformer", run_namespace},
        {"PatchJson6902Transformer", run_json6902},
        {"PatchStrategicMergeTransformer", run_strategic_merge},
        {"PatchTransformer", run_patch},
        {"PrefixSuffixTransformer", run_prefix_suffix},
        {"PrefixTransformer", run_prefix},
        {"SuffixTransformer", run_suffix},
        {"ReplacementTransformer", run_replacements},
        {"ReplicaCountTransformer", run_replicas},
        {"ValueAddTransformer", run_value_add},
};

/* ---- loading ---- */

static bool is_builtin(struct plugin_args *a)
{
    if (str_eq(resource_api_version(a->document), S("builtin")))
        return true;
    return build_fail(a->b, KUSTOMIZE_ERROR_UNSUPPORTED,
                      "external plugins disabled; unable to load external plugin '%.*s'",
                      STR(resource_kind(a->document)));
}

static bool to_value(struct plugin_args *a, struct val *ret)
{
    if (node_to_val(a->b->arena, a->document->node, ret, a->b->err))
        return true;
    a->b->error_class = KUSTOMIZE_ERROR_YAML;
    return false;
}

static str file_of(const struct resource *document)
{
    struct val at = {.file = document->node->file};

    return val_file(&at);
}

bool plugin_transform(struct build *b, const struct loader *loader, struct resource *document,
                      struct resmap *m)
{
    struct plugin_document doc = {0};
    struct plugin_args a = {.b = b, .loader = loader, .document = document, .doc = &doc, .m = m};
    struct val value = val_null();

    b->shares++;
    if (!is_builtin(&a))
        return false;
    for (size_t i = 0; i < COUNT(transformer_rows); i++) {
        if (!str_eq(resource_kind(document), str_from(transformer_rows[i].kind)))
            continue;
        b->error_class = KUSTOMIZE_ERROR_CONFIG;
        if (!to_value(&a, &value) ||
            !plugin_document_decode(b->arena, &value, file_of(document), &doc, b->err))
            return false;
        return transformer_rows[i].run(&a);
    }
    return build_fail(b, KUSTOMIZE_ERROR_CONFIG, "unable to load builtin transformer %.*s",
                      STR(resource_kind(document)));
}

static bool iam_policy(struct plugin_args *a, struct resmap *ret)
{
    struct arena *arena = a->b->arena;
    const struct plugin_document *d = a->doc;

    if (!str_eq(d->cloud, S("gke")))
        return bad(a, "cloud provider not supported yet");
    struct node *object = node_new(arena, NODE_MAP);
    node_add(arena, object, S("apiVersion"), node_scalar(arena, TAG_STR, S("v1")));
    node_add(arena, object, S("kind"), node_scalar(arena, TAG_STR, S("ServiceAccount")));
    struct node *meta = node_ensure_map(arena, object, S("metadata"));
    struct node *annotations = node_ensure_map(arena, meta, S("annotations"));
    str account = arena_printf(arena, "%.*s@%.*s.iam.gserviceaccount.com",
                               STR(d->service_account.name), STR(d->service_account.project_id));
    node_add(arena, annotations, S("iam.gke.io/gcp-service-account"),
             node_scalar(arena, TAG_STR, account));
    node_add(arena, meta, S("name"), node_scalar(arena, TAG_STR, d->kubernetes_service.name));
    if (d->kubernetes_service.namespace_.len > 0)
        node_add(arena, meta, S("namespace"),
                 node_scalar(arena, TAG_STR, d->kubernetes_service.namespace_));
    resmap_push(a->b, ret, resource_new(a->b, object));
    return true;
}

bool plugin_generate(struct build *b, const struct loader *loader, struct resource *document,
                     struct resmap *ret)
{
    struct plugin_document doc = {0};
    struct plugin_args a = {.b = b, .loader = loader, .document = document, .doc = &doc};
    struct generator args = {0};
    struct val value = val_null();
    bool is_secret = str_eq(resource_kind(document), S("SecretGenerator"));

    if (!is_builtin(&a))
        return false;
    b->error_class = KUSTOMIZE_ERROR_CONFIG;
    if (!to_value(&a, &value))
        return false;
    if (str_eq(resource_kind(document), S("IAMPolicyGenerator")))
        return plugin_document_decode(b->arena, &value, file_of(document), &doc, b->err) &&
               iam_policy(&a, ret);
    if (str_eq(resource_kind(document), S("HelmChartInflationGenerator")))
        return build_fail(b, KUSTOMIZE_ERROR_UNSUPPORTED,
                          "not supported yet: Helm charts in a kustomization");
    if (!is_secret && !str_eq(resource_kind(document), S("ConfigMapGenerator")))
        return build_fail(b, KUSTOMIZE_ERROR_CONFIG, "plugin %.*s is not a generator",
                          STR(resource_kind(document)));
    if (!generator_decode(b->arena, &value, file_of(document), &args, b->err))
        return false;
    if (args.name.len == 0)
        args.name = args.metadata.name;
    if (args.namespace_.len == 0)
        args.namespace_ = args.metadata.namespace_;
    return generate_config_map(b, loader, &args, is_secret, NULL, ret);
}
