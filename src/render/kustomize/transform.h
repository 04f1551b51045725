/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * transform: the built-in transformers and generators, each over a set of resources. The order in
 * which a kustomization runs them is target.c's.
 */
#include "render/kustomize/field_spec.h"
#include "render/kustomize/loader.h"

MUST_USE bool transform_labels(struct build *b, struct resmap *m, const struct pairs *labels,
                               const struct fields *specs);
MUST_USE bool transform_annotations(struct build *b, struct resmap *m,
                                    const struct pairs *annotations, const struct fields *specs);
MUST_USE bool transform_prefix(struct build *b, struct resmap *m, str prefix,
                               const struct fields *specs);
MUST_USE bool transform_suffix(struct build *b, struct resmap *m, str suffix,
                               const struct fields *specs);
struct namespace_options {
    str namespace_;
    const struct fields *specs;
    bool unset_only;
    str subjects; /* setRoleBindingSubjects */
};
MUST_USE bool transform_namespace(struct build *b, struct resmap *m,
                                  const struct namespace_options *options);
/* The namespace of one resource, without its history (ValueAddTransformer). */
MUST_USE bool namespace_set(struct build *b, struct resource *r,
                            const struct namespace_options *options);
MUST_USE bool transform_image(struct build *b, struct resmap *m, const struct image *image,
                              const struct fields *specs);
MUST_USE bool transform_replicas(struct build *b, struct resmap *m, const struct replica *replica,
                                 const struct fields *specs);
MUST_USE bool transform_hashes(struct build *b, struct resmap *m);

/* patches: */
struct patch_source {
    str text;
    str file;
};
/* A strategic merge patch onto one resource; it may delete it. */
MUST_USE bool merge_patch(struct build *b, struct resource *r, struct resource *patch);
MUST_USE bool transform_patch(struct build *b, struct resmap *m, const struct loader *loader,
                              const struct patch *patch);
MUST_USE bool transform_strategic_merges(struct build *b, struct resmap *m,
                                         const struct loader *loader, const struct strs *paths,
                                         str inline_patches);
MUST_USE bool transform_json6902(struct build *b, struct resmap *m, const struct loader *loader,
                                 const struct patch *patch);
/* json_patch.c */
MUST_USE bool json_patch_parse(struct build *b, str text, str file, const struct val **ret_patch);
MUST_USE bool build_json_patch(struct build *b, struct resource *r, const struct val *patch);

/* names and values across resources: */
MUST_USE bool transform_name_references(struct build *b, struct resmap *m,
                                        const struct config *config);
MUST_USE bool transform_replacements(struct build *b, struct resmap *m, const struct loader *loader,
                                     struct replacement *list, size_t count);
struct var_set {
    struct var *at;
    size_t count, size;
};
MUST_USE bool vars_merge(struct build *b, struct resmap *m, struct var_set *set,
                         const struct var *vars, size_t count);
MUST_USE bool vars_absorb(struct build *b, struct var_set *set, const struct var_set *other);
MUST_USE bool transform_vars(struct build *b, struct resmap *m, const struct var_set *vars,
                             const struct fields *specs);

/* generators: */
MUST_USE bool generate_config_map(struct build *b, const struct loader *loader,
                                  const struct generator *args, bool is_secret,
                                  const struct generator_options *global, struct resmap *ret);
MUST_USE bool resource_hash(struct build *b, const struct resource *r, str *ret_hash);

/* documents of built-in plugins: */
MUST_USE bool plugin_generate(struct build *b, const struct loader *loader,
                              struct resource *document, struct resmap *ret);
MUST_USE bool plugin_transform(struct build *b, const struct loader *loader,
                               struct resource *document, struct resmap *m);
