/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * target: one kustomization file and the order of its steps.
 *
 * Resources and bases are accumulated first, then generators, components, transformers, validators
 * and vars; hashes, name references and vars come once, at the root.
 */
#include "render/kustomize/transform.h"

struct accumulator {
    struct resmap resources;
    const struct config *config;
    struct var_set vars;
};

struct target {
    struct build *b;
    const struct loader *loader;
    struct kustomization k;
    str file_name;               /* kustomization.yaml, … */
    const struct origin *origin; /* NULL: not asked for */
};

MUST_USE bool target_load(struct build *b, const struct loader *loader, struct target *ret);
/* Takes openapi.path or .version into use, unless one is in use already. */
MUST_USE bool target_use_openapi(struct target *t);
MUST_USE bool target_accumulate(struct target *t, struct accumulator *ra);
/* crds.c: field specs from OpenAPI definitions. */
MUST_USE bool config_from_crds(struct build *b, const struct loader *loader,
                               const struct strs *paths, const struct config **ret);
/* origin.c: the annotations of buildMetadata. */
const struct origin *origin_append(struct build *b, const struct origin *o, str path);
MUST_USE bool origin_annotate_all(struct build *b, struct resmap *m, const struct origin *o);
MUST_USE bool origin_annotate_missing(struct build *b, struct resmap *m, const struct origin *o);
MUST_USE bool origin_add_transformation(struct build *b, struct resmap *m, const struct origin *o);
const struct origin *origin_of_builtin(struct target *t, const char *kind);
const struct origin *origin_of_document(struct build *b, const struct resource *document);
#define ORIGIN_KEY S("config.kubernetes.io/origin")
#define TRANSFORMATIONS_KEY S("alpha.config.kubernetes.io/transformations")
/* overrides.c: Argo CD's source.kustomize as edits of the root. */
MUST_USE bool overrides_apply(struct target *t, const struct val *overrides);
