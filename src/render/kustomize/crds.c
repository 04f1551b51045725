/* SPDX-License-Identifier: Apache-2.0 */
/* crds: OpenAPI definitions whose x-kubernetes-… extensions say which fields are names, labels or
 * annotations. An ordinary CustomResourceDefinition has none of that and adds nothing. */
#include "doc/yaml.h"
#include "render/kustomize/target.h"

enum { REFERENCE_DEPTH_MAX = 64 };

struct crd_walk {
    struct build *b;
    const struct val *definitions;
    struct config *config;
    str kind;
    unsigned depth;
};

static const struct val *schema_of(const struct val *definition)
{
    const struct val *schema = val_get(definition, S("Schema"));

    return schema != NULL ? schema : val_get(definition, S("schema"));
}

static bool add_spec(struct crd_walk *w, enum spec_list list, str path)
{
    struct field_spec spec = {.kind = w->kind, .path = path};

    return fields_merge_one(w->b, &w->config->lists[list], &spec);
}

static bool add_reference(struct crd_walk *w, const struct val *property, str path)
{
    const struct val *version = val_get(property, S("x-kubernetes-object-ref-api-version"));
    const struct val *kind = val_get(property, S("x-kubernetes-object-ref-kind"));
    str key = val_get_str(property, S("x-kubernetes-object-ref-name-key"));

    if (!val_is(version, VAL_STRING) || !val_is(kind, VAL_STRING))
        return true;
    struct field_spec *spec = arena_new0(w->b->arena, struct field_spec);
    spec->kind = w->kind;
    spec->path =
            arena_printf(w->b->arena, "%.*s/%.*s", STR(path), STR(key.len == 0 ? S("name") : key));
    struct name_target target = {.version = val_str(version), .kind = val_str(kind)};
    target.referrers.at = spec;
    target.referrers.count = 1;
    return config_add_reference(w->b, w->config, &target);
}

static bool walk(struct crd_walk *w, const struct val *definition, str prefix)
{
    struct val_iter it = val_iter(val_get(schema_of(definition), S("properties")));

    if (w->depth > REFERENCE_DEPTH_MAX)
        return build_fail(w->b, KUSTOMIZE_ERROR_LIMIT,
                          "crds: definitions refer to each other "
                          "without end");
    while (val_next(&it)) {
        const struct val *p = it.value;
        str path = prefix.len == 0
                           ? it.key
                           : arena_printf(w->b->arena, "%.*s/%.*s", STR(prefix), STR(it.key));
        if (val_is(val_get(p, S("x-kubernetes-annotation")), VAL_STRING) &&
            !add_spec(w, SPEC_COMMON_ANNOTATIONS, path))
            return false;
        if (val_is(val_get(p, S("x-kubernetes-label-selector")), VAL_STRING) &&
            !add_spec(w, SPEC_COMMON_LABELS, path))
            return false;
        if (val_is(val_get(p, S("x-kubernetes-identity")), VAL_STRING) &&
            !add_spec(w, SPEC_NAME_PREFIX, path))
            return false;
        if (!add_reference(w, p, path))
            return false;
        const struct val *next = val_get(w->definitions, val_get_str(p, S("$ref")));
        if (next == NULL || arena_is_over(w->b->arena))
            continue;
        w->depth++;
        if (!walk(w, next, path))
            return false;
        w->depth--;
    }
    return true;
}

static bool from_definitions(struct build *b, const struct val *definitions, struct config *config)
{
    struct val_iter it = val_iter(definitions);

    while (val_next(&it)) {
        const struct val *properties = val_get(schema_of(it.value), S("properties"));
        if (val_get(properties, S("kind")) == NULL ||
            val_get(properties, S("apiVersion")) == NULL ||
            val_get(properties, S("metadata")) == NULL)
            continue;
        size_t dot = str_rfind_char(it.key, '.');
        struct crd_walk w = {.b = b,
                             .definitions = definitions,
                             .config = config,
                             .kind = dot == SIZE_MAX ? it.key : str_from_index(it.key, dot + 1)};
        if (!walk(&w, it.value, STR_EMPTY))
            return false;
    }
    return true;
}

bool config_from_crds(struct build *b, const struct loader *loader, const struct strs *paths,
                      const struct config **ret)
{
    const struct config *all = config_empty();

    for (size_t i = 0; i < paths->count; i++) {
        str file = loader_file_name(b, loader, paths->at[i]);
        struct yaml_options options = {
                .dialect = YAML_11, .duplicates = YAML_DUPLICATES_LAST, .file = file};
        struct config *one = arena_new0(b->arena, struct config);
        str text = STR_EMPTY;
        struct val *doc = NULL;
        if (!loader_read(b, loader, paths->at[i], &text))
            return err_wrap(b->err, "loading CRDs");
        b->error_class = KUSTOMIZE_ERROR_YAML;
        if (!yaml_parse(b->arena, text, &options, &doc, b->err))
            return false;
        if (!val_is(doc, VAL_MAP))
            return build_fail(b, KUSTOMIZE_ERROR_CONFIG,
                              "%.*s: unable to parse open API definition: it must be a map",
                              STR(file));
        if (!from_definitions(b, doc, one) || !config_merge(b, all, one, &all))
            return false;
    }
    *ret = all;
    return true;
}
