/* SPDX-License-Identifier: Apache-2.0 */
#include "render/kustomize/target.h"

#include "doc/yaml.h"
#include "render/kustomize/schema.h"

/* ---- the kustomization file ---- */

static const char *const file_names[] = {"kustomization.yaml", "kustomization.yml",
                                         "Kustomization"};

static bool find_file(struct build *b, const struct loader *l, str *ret_name)
{
    size_t found = 0;

    for (size_t i = 0; i < COUNT(file_names); i++) {
        if (!loader_has(b, l, str_from(file_names[i])))
            continue;
        found++;
        *ret_name = str_from(file_names[i]);
    }
    str root = l->root.len == 0 ? S(".") : l->root;
    if (found == 0)
        return build_fail(b, KUSTOMIZE_ERROR_LOAD,
                          "unable to find one of 'kustomization.yaml', 'kustomization.yml' or "
                          "'Kustomization' in directory '%.*s'",
                          STR(root));
    if (found > 1)
        return build_fail(b, KUSTOMIZE_ERROR_CONFIG,
                          "Found multiple kustomization files under: %.*s", STR(root));
    return true;
}

static void warn_deprecated(struct build *b, const struct kustomization *k)
{
    const struct {
        bool set;
        const char *name;
        const char *instead;
        const char *hint;
    } rows[] = {
            {k->bases.set, "bases", "resources", ""},
            {k->common_labels.set, "commonLabels", "labels", ""},
            {k->image_tags.set, "imageTags", "images", ""},
            {k->patches_json6902.set, "patchesJson6902", "patches", ""},
            {k->patches_strategic_merge.set, "patchesStrategicMerge", "patches", ""},
            {k->vars.set, "vars", "replacements", "[EXPERIMENTAL] "},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        if (rows[i].set)
            build_warn(b,
                       "# Warning: '%s' is deprecated. Please use '%s' instead. %sRun 'kustomize "
                       "edit fix' to update your Kustomization automatically.",
                       rows[i].name, rows[i].instead, rows[i].hint);
}

static void append_strs(struct build *b, struct strs *list, const struct strs *more)
{
    for (size_t i = 0; i < more->count; i++)
        strs_add(b, list, more->at[i]);
    list->set = list->set || more->set;
}

static void fix(struct build *b, struct kustomization *k)
{
    if (k->kind.len == 0)
        k->kind = S("Kustomization");
    if (k->api_version.len == 0)
        k->api_version = str_eq(k->kind, S("Component")) ? S("kustomize.config.k8s.io/v1alpha1")
                                                         : S("kustomize.config.k8s.io/v1beta1");
    if (k->bases.set)
        append_strs(b, &k->resources, &k->bases);
    if (k->image_tags.count > 0) {
        size_t count = k->images.count + k->image_tags.count;
        struct image *images = arena_array(b->arena, count, struct image);
        for (size_t i = 0; i < count; i++)
            images[i] =
                    i < k->images.count ? k->images.at[i] : k->image_tags.at[i - k->images.count];
        k->images.at = images;
        k->images.count = count;
    }
}

/* Nothing but kind and apiVersion. */
static bool is_empty(const struct kustomization *k)
{
    return k->metadata == NULL && !k->openapi.set && k->name_prefix.len == 0 &&
           k->name_suffix.len == 0 && k->namespace_.len == 0 && !k->common_labels.set &&
           !k->common_annotations.set && !k->labels.set && !k->patches_strategic_merge.set &&
           !k->patches_json6902.set && !k->patches.set && !k->images.set &&
           k->image_tags.count == 0 && !k->replacements.set && !k->replicas.set && !k->vars.set &&
           k->sort_options == NULL && !k->resources.set && !k->components.set && !k->crds.set &&
           !k->config_maps.set && !k->secrets.set && k->helm_globals == NULL &&
           k->helm_charts == NULL && val_count(k->helm_inflation) == 0 &&
           k->generator_options == NULL && !k->configurations.set && !k->generators.set &&
           !k->transformers.set && !k->validators.set && !k->build_metadata.set;
}

static bool check(struct build *b, const struct kustomization *k, str file)
{
    bool component = str_eq(k->kind, S("Component"));
    str version = component ? S("kustomize.config.k8s.io/v1alpha1")
                            : S("kustomize.config.k8s.io/v1beta1");

    if (is_empty(k))
        return build_fail(b, KUSTOMIZE_ERROR_CONFIG, "%.*s: kustomization.yaml is empty",
                          STR(file));
    if (!component && !str_eq(k->kind, S("Kustomization")))
        return build_fail(b, KUSTOMIZE_ERROR_CONFIG,
                          "%.*s: kind should be Kustomization or Component", STR(file));
    if (!str_eq(k->api_version, version))
        return build_fail(b, KUSTOMIZE_ERROR_CONFIG, "%.*s: apiVersion for %.*s should be %.*s",
                          STR(file), STR(k->kind), STR(version));
    if (val_count(k->helm_charts) > 0 || val_count(k->helm_inflation) > 0)
        return build_fail(b, KUSTOMIZE_ERROR_UNSUPPORTED,
                          "%.*s: not supported yet: helmCharts in a kustomization", STR(file));
    return true;
}

bool target_load(struct build *b, const struct loader *loader, struct target *ret)
{
    struct target t = {.b = b, .loader = loader};
    str text = STR_EMPTY;
    struct val *doc = NULL;

    if (!find_file(b, loader, &t.file_name) || !loader_read(b, loader, t.file_name, &text))
        return false;
    str file = loader_file_name(b, loader, t.file_name);
    struct yaml_options options = {
            .dialect = YAML_11, .duplicates = YAML_DUPLICATES_LAST, .file = file};
    b->error_class = KUSTOMIZE_ERROR_CONFIG;
    if (!yaml_parse(b->arena, text, &options, &doc, b->err) ||
        !kustomization_decode(b->arena, doc, file, &t.k, b->err))
        return err_wrap(b->err, "invalid Kustomization");
    warn_deprecated(b, &t.k);
    fix(b, &t.k);
    if (!check(b, &t.k, file))
        return false;
    *ret = t;
    return true;
}

bool target_use_openapi(struct target *t)
{
    struct build *b = t->b;
    bool has_path = false;
    bool has_version = false;
    str path = pairs_get(&t->k.openapi, S("path"), &has_path);
    str version = pairs_get(&t->k.openapi, S("version"), &has_version);
    str text = STR_EMPTY;

    if (has_path && !loader_read(b, t->loader, path, &text))
        return false;
    if (schema_is_set(b->schema))
        return true;
    if (has_path && has_version)
        return build_fail(b, KUSTOMIZE_ERROR_CONFIG,
                          "openapi: builtin version and custom schema provided, cannot use both");
    if (has_version && version.len > 0 && !str_eq(version, S("v1.21.2")) &&
        !str_eq(version, S("v1212")))
        return build_fail(b, KUSTOMIZE_ERROR_CONFIG,
                          "openapi: the specified OpenAPI version is not built in");
    if (has_version && version.len > 0)
        schema_set_builtin(b->schema);
    b->error_class = KUSTOMIZE_ERROR_CONFIG;
    return !has_path ||
           schema_set_custom(b->schema, text, loader_file_name(b, t->loader, path), b->err);
}

/* ---- resources ---- */

static bool add_file(struct target *t, struct accumulator *ra, str path)
{
    struct build *b = t->b;
    struct resmap resources = {0};
    struct resmap checked = {0};
    str text = STR_EMPTY;

    if (!loader_read(b, t->loader, path, &text) ||
        !resources_parse(b, text, loader_file_name(b, t->loader, path), &resources))
        return err_wrap(b->err, "accumulating resources from '%.*s'", STR(path));
    if (!resmap_append_all(b, &checked, &resources))
        return err_wrap(b->err, "accumulating resources from '%.*s'", STR(path));
    if (t->origin != NULL && !origin_annotate_all(b, &resources, origin_append(b, t->origin, path)))
        return false;
    return resmap_append_all(b, &ra->resources, &resources) ||
           err_wrap(b->err, "merging resources from '%.*s'", STR(path));
}

static bool add_directory(struct target *t, struct accumulator *ra, const struct loader *loader,
                          const struct origin *origin, bool is_component)
{
    struct build *b = t->b;
    struct target child = {0};
    str root = loader->root.len == 0 ? S(".") : loader->root;

    if (!target_load(b, loader, &child))
        return err_wrap(b->err, "couldn't make target for path '%.*s'", STR(root));
    child.origin = origin;
    child.k.build_metadata = t->k.build_metadata;
    if (!target_use_openapi(&child))
        return false;
    bool says_component = str_eq(child.k.kind, S("Component"));
    if (is_component && !says_component)
        return build_fail(b, KUSTOMIZE_ERROR_CONFIG,
                          "expected kind 'Component' for path '%.*s' but got '%.*s'", STR(root),
                          STR(child.k.kind));
    if (!is_component && says_component)
        return build_fail(b, KUSTOMIZE_ERROR_CONFIG, "expected kind != 'Component' for path '%.*s'",
                          STR(root));
    struct accumulator own = {.config = config_empty()};
    struct accumulator *sub = is_component ? ra : &own;
    struct accumulator merged = {.config = config_empty()};
    struct accumulator *into = is_component ? &merged : ra;
    bool ok = target_accumulate(&child, sub) ||
              err_wrap(b->err, "recursed accumulation of path '%.*s'", STR(root));
    ok = ok && ((resmap_append_all(b, &into->resources, &sub->resources) &&
                 config_merge(b, into->config, sub->config, &into->config) &&
                 vars_absorb(b, &into->vars, &sub->vars)) ||
                err_wrap(b->err, "recursed merging from path '%.*s'", STR(root)));
    if (is_component && ok)
        *ra = merged;
    return ok;
}

/* A file, or else a directory or repository. */
static bool add_resource(struct target *t, struct accumulator *ra, str path)
{
    struct build *b = t->b;
    struct err file_error = {0};
    struct err *err = b->err;
    struct loader *child = NULL;
    size_t needs = b->need_count;

    b->err = &file_error;
    bool is_file = add_file(t, ra, path);
    b->err = err;
    if (is_file)
        return true;
    if (b->need_count > needs)
        return true; /* a file from the network: asked for */
    bool malformed = b->malformed_yaml;
    enum kustomize_error_class class_ = b->error_class;
    enum load_outcome outcome = loader_child(b, t->loader, path, &child);
    if (outcome == LOAD_NEEDED)
        return true;
    if (outcome == LOAD_FAILED) {
        bool file_counts = malformed || (class_ != KUSTOMIZE_ERROR_LOAD &&
                                         b->error_class == KUSTOMIZE_ERROR_LOAD);
        if (file_counts) {
            b->error_class = class_;
            if (b->err != NULL)
                *b->err = file_error;
            return false;
        }
        return err_wrap(b->err, "accumulating resources: accumulation err='%s'",
                        file_error.message);
    }
    return add_directory(t, ra, child, origin_append(b, t->origin, path), /*is_component=*/false);
}

static bool looks_like_repository(struct build *b, str path)
{
    struct repo_spec spec = {0};
    size_t question = str_find_char(path, '?');
    str plain = question == SIZE_MAX ? path : str_first(path, question);

    return repo_spec_parse(b->arena, path, &spec) && !str_ends(plain, S(".yaml")) &&
           !str_ends(plain, S(".yml")) && !str_ends(plain, S(".json"));
}

static bool add_resources(struct target *t, struct accumulator *ra, const struct strs *paths)
{
    for (size_t i = 0; i < paths->count; i++) {
        str path = paths->at[i];
        struct loader *child = NULL;
        if (!is_remote_file(path) || !looks_like_repository(t->b, path)) {
            if (!add_resource(t, ra, path))
                return false;
            continue;
        }
        /* the original first fetches it as a file, which cannot be one */
        enum load_outcome outcome = loader_child(t->b, t->loader, path, &child);
        if (outcome == LOAD_FAILED)
            return false;
        if (outcome == LOAD_OK && !add_directory(t, ra, child, origin_append(t->b, t->origin, path),
                                                 /*is_component=*/false))
            return false;
    }
    return true;
}

static bool add_components(struct target *t, struct accumulator *ra)
{
    for (size_t i = 0; i < t->k.components.count; i++) {
        str path = t->k.components.at[i];
        struct loader *child = NULL;
        enum load_outcome outcome = loader_child(t->b, t->loader, path, &child);
        if (outcome == LOAD_FAILED)
            return err_wrap(t->b->err, "accumulating components: loader.New");
        if (outcome == LOAD_OK && !add_directory(t, ra, child, origin_append(t->b, t->origin, path),
                                                 /*is_component=*/true))
            return err_wrap(t->b->err, "accumulating components");
    }
    return true;
}

/* ---- configuration ---- */

static bool merge_configurations(struct target *t, struct accumulator *ra)
{
    struct build *b = t->b;
    const struct config *own = config_empty();
    const struct config *config = config_default();
    const struct config *crds = NULL;

    for (size_t i = 0; i < t->k.configurations.count; i++) {
        str path = t->k.configurations.at[i];
        str file = loader_file_name(b, t->loader, path);
        struct yaml_options options = {
                .dialect = YAML_11, .duplicates = YAML_DUPLICATES_REFUSE, .file = file};
        struct config_file decoded = {0};
        str text = STR_EMPTY;
        struct val *doc = NULL;
        if (!loader_read(b, t->loader, path, &text))
            return err_wrap(b->err, "configurations");
        b->error_class = KUSTOMIZE_ERROR_CONFIG;
        if (!yaml_parse(b->arena, text, &options, &doc, b->err) ||
            !config_file_decode(b->arena, doc, file, &decoded, b->err))
            return false;
        if (!config_merge(b, own, config_from_file(b, &decoded), &own))
            return false;
    }
    return config_merge(b, config, own, &config) &&
           config_merge(b, ra->config, config, &ra->config) &&
           config_from_crds(b, t->loader, &t->k.crds, &crds) &&
           config_merge(b, ra->config, crds, &ra->config);
}

/* ---- plugin documents ---- */

static bool load_documents(struct target *t, const struct strs *entries, struct resmap *ret)
{
    struct build *b = t->b;
    struct accumulator documents = {.config = config_empty()};
    struct strs paths = {0};
    bool ok = true;

    for (size_t i = 0; i < entries->count && ok; i++) {
        struct err ignored = {0};
        struct err *err = b->err;
        struct resmap inline_ones = {0};
        b->err = &ignored;
        bool is_inline = resources_parse(b, entries->at[i], S("inline document"), &inline_ones);
        b->err = err;
        if (!is_inline) {
            strs_add(b, &paths, entries->at[i]);
            continue;
        }
        if (t->origin != NULL)
            ok = origin_annotate_all(b, &inline_ones, origin_append(b, t->origin, t->file_name));
        ok = ok && resmap_append_all(b, &documents.resources, &inline_ones);
    }
    ok = ok && add_resources(t, &documents, &paths);
    *ret = documents.resources;
    return ok;
}

/* ---- generators ---- */

static bool absorb(struct target *t, struct accumulator *ra, struct resmap *made,
                   const struct origin *origin)
{
    return origin_annotate_missing(t->b, made, origin) &&
           resmap_absorb_all(t->b, &ra->resources, made);
}

static bool run_generators(struct target *t, struct accumulator *ra)
{
    struct build *b = t->b;
    struct resmap documents = {0};

    for (int secrets = 0; secrets < 2; secrets++) {
        size_t count = secrets ? t->k.secrets.count : t->k.config_maps.count;
        const struct generator *list = secrets ? t->k.secrets.at : t->k.config_maps.at;
        for (size_t i = 0; i < count; i++) {
            struct resmap made = {0};
            if (!generate_config_map(b, t->loader, &list[i], secrets != 0, t->k.generator_options,
                                     &made) ||
                !absorb(t, ra, &made,
                        origin_of_builtin(t, secrets ? "SecretGenerator" : "ConfigMapGenerator")))
                return false;
        }
    }
    if (!load_documents(t, &t->k.generators, &documents))
        return err_wrap(b->err, "loading generator plugins");
    for (size_t i = 0; i < documents.count; i++) {
        struct resmap made = {0};
        if (!plugin_generate(b, t->loader, documents.at[i], &made) ||
            !absorb(t, ra, &made, origin_of_document(b, documents.at[i])))
            return false;
    }
    return true;
}

/* ---- transformers ---- */

static bool done(struct target *t, struct accumulator *ra, const char *kind)
{
    bool ok = t->origin == NULL ||
              origin_add_transformation(t->b, &ra->resources, origin_of_builtin(t, kind));

    resmap_drop_empty(&ra->resources);
    return ok;
}

static bool run_patches(struct target *t, struct accumulator *ra)
{
    struct build *b = t->b;

    if (t->k.patches_strategic_merge.count > 0 &&
        (!transform_strategic_merges(b, &ra->resources, t->loader, &t->k.patches_strategic_merge,
                                     STR_EMPTY) ||
         !done(t, ra, "PatchStrategicMergeTransformer")))
        return false;
    for (size_t i = 0; i < t->k.patches.count; i++)
        if (!transform_patch(b, &ra->resources, t->loader, &t->k.patches.at[i]) ||
            !done(t, ra, "PatchTransformer"))
            return false;
    return true;
}

static bool run_names(struct target *t, struct accumulator *ra)
{
    struct build *b = t->b;
    const struct fields *lists = ra->config->lists;
    struct namespace_options options = {
            .namespace_ = t->k.namespace_, .specs = &lists[SPEC_NAMESPACE], .subjects = STR_EMPTY};

    if (t->k.namespace_.len > 0 &&
        (!transform_namespace(b, &ra->resources, &options) || !done(t, ra, "NamespaceTransformer")))
        return false;
    if (t->k.name_prefix.len > 0 &&
        (!transform_prefix(b, &ra->resources, t->k.name_prefix, &lists[SPEC_NAME_PREFIX]) ||
         !done(t, ra, "PrefixTransformer")))
        return false;
    return t->k.name_suffix.len == 0 ||
           (transform_suffix(b, &ra->resources, t->k.name_suffix, &lists[SPEC_NAME_SUFFIX]) &&
            done(t, ra, "SuffixTransformer"));
}

static bool run_label(struct target *t, struct accumulator *ra, const struct label *label)
{
    static const struct field_spec metadata_labels = {.path = S_INIT("metadata/labels"),
                                                      .create = true};
    struct build *b = t->b;
    const struct fields *lists = ra->config->lists;
    struct fields specs = label->fields;

    if (!fields_merge(b, &specs, &lists[SPEC_LABELS]))
        return false;
    if (label->include_selectors) {
        if (!fields_merge(b, &specs, &lists[SPEC_COMMON_LABELS]))
            return false;
    } else {
        if (label->include_templates && !fields_merge(b, &specs, &lists[SPEC_TEMPLATE_LABELS]))
            return false;
        if (!fields_merge_one(b, &specs, &metadata_labels))
            return false;
    }
    return transform_labels(b, &ra->resources, &label->pairs, &specs) &&
           done(t, ra, "LabelTransformer");
}

static bool run_labels(struct target *t, struct accumulator *ra)
{
    struct build *b = t->b;
    const struct fields *lists = ra->config->lists;

    for (size_t i = 0; i < t->k.labels.count; i++)
        if (!run_label(t, ra, &t->k.labels.at[i]))
            return false;
    if ((t->k.labels.count > 0 || t->k.common_labels.count > 0) &&
        (!transform_labels(b, &ra->resources, &t->k.common_labels, &lists[SPEC_COMMON_LABELS]) ||
         !done(t, ra, "LabelTransformer")))
        return false;
    return t->k.common_annotations.count == 0 ||
           (transform_annotations(b, &ra->resources, &t->k.common_annotations,
                                  &lists[SPEC_COMMON_ANNOTATIONS]) &&
            done(t, ra, "AnnotationsTransformer"));
}

static bool run_values(struct target *t, struct accumulator *ra)
{
    struct build *b = t->b;
    const struct fields *lists = ra->config->lists;

    for (size_t i = 0; i < t->k.patches_json6902.count; i++)
        if (!transform_json6902(b, &ra->resources, t->loader, &t->k.patches_json6902.at[i]) ||
            !done(t, ra, "PatchJson6902Transformer"))
            return false;
    for (size_t i = 0; i < t->k.replicas.count; i++)
        if (!transform_replicas(b, &ra->resources, &t->k.replicas.at[i], &lists[SPEC_REPLICAS]) ||
            !done(t, ra, "ReplicaCountTransformer"))
            return false;
    for (size_t i = 0; i < t->k.images.count; i++)
        if (!transform_image(b, &ra->resources, &t->k.images.at[i], &lists[SPEC_IMAGES]) ||
            !done(t, ra, "ImageTagTransformer"))
            return false;
    for (size_t i = 0; i < t->k.replacements.count; i++) /* an empty list got lost upstream */
        if (t->k.replacements.at[i].targets.count == 0)
            t->k.replacements.at[i].targets.set = false;
    return t->k.replacements.count == 0 ||
           (transform_replacements(b, &ra->resources, t->loader, t->k.replacements.at,
                                   t->k.replacements.count) &&
            done(t, ra, "ReplacementTransformer"));
}

static bool run_documents(struct target *t, struct accumulator *ra)
{
    struct build *b = t->b;
    struct resmap documents = {0};

    if (!load_documents(t, &t->k.transformers, &documents))
        return err_wrap(b->err, "loading transformers");
    for (size_t i = 0; i < documents.count; i++) {
        if (!plugin_transform(b, t->loader, documents.at[i], &ra->resources))
            return false;
        if (t->origin != NULL &&
            !origin_add_transformation(b, &ra->resources, origin_of_document(b, documents.at[i])))
            return false;
        resmap_changed(&ra->resources);
        resmap_drop_empty(&ra->resources);
    }
    return true;
}

/* ---- validators ---- */

static bool same_but_validated(struct build *b, const struct resource *before,
                               const struct resource *after)
{
    struct resource *copy = resource_copy(b, after);
    struct pairs labels = resource_map(b, copy, "labels");
    bool found = false;

    (void)pairs_get(&labels, S("validated-by"), &found);
    if (found) {
        pairs_del(&labels, S("validated-by"));
        if (!resource_set_map(b, copy, "labels", &labels))
            return false;
    }
    return node_eq(before->node, copy->node);
}

static bool run_validators(struct target *t, struct accumulator *ra)
{
    struct build *b = t->b;
    struct resmap documents = {0};

    if (!load_documents(t, &t->k.validators, &documents))
        return err_wrap(b->err, "loading validators");
    for (size_t i = 0; i < documents.count; i++) {
        size_t count = ra->resources.count;
        struct resource **before = arena_array(b->arena, count, struct resource *);
        struct resmap view = {0};
        for (size_t r = 0; r < count; r++) {
            before[r] = resource_copy(b, ra->resources.at[r]);
            resmap_push(b, &view, ra->resources.at[r]);
        }
        if (!plugin_transform(b, t->loader, documents.at[i], &view))
            return false;
        for (size_t r = 0; r < count; r++)
            if (!same_but_validated(b, before[r], ra->resources.at[r]))
                return build_fail(b, KUSTOMIZE_ERROR_TRANSFORM,
                                  "validator shouldn't modify the resource map: %.*s %.*s differs",
                                  STR(resource_kind(before[r])), STR(resource_name(before[r])));
    }
    return true;
}

/* ---- all steps ---- */

bool target_accumulate(struct target *t, struct accumulator *ra)
{
    struct build *b = t->b;

    if (!add_resources(t, ra, &t->k.resources))
        return false;
    if (arena_is_over(b->arena))
        return build_fail(b, KUSTOMIZE_ERROR_LIMIT, "the render needs too much memory");
    return merge_configurations(t, ra) && run_generators(t, ra) && add_components(t, ra) &&
           run_patches(t, ra) && run_names(t, ra) && run_labels(t, ra) && run_values(t, ra) &&
           run_documents(t, ra) && run_validators(t, ra) &&
           vars_merge(b, &ra->resources, &ra->vars, t->k.vars.at, t->k.vars.count);
}
