/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Field specs: which fields of which kinds a transformer changes. The defaults are a table; the
 * `configurations` and `crds` of a kustomization add to them.
 */
#include "render/kustomize/build.h"

enum spec_list {
    SPEC_NAME_PREFIX,
    SPEC_NAME_SUFFIX,
    SPEC_NAMESPACE,
    SPEC_COMMON_LABELS,
    SPEC_LABELS,
    SPEC_TEMPLATE_LABELS,
    SPEC_COMMON_ANNOTATIONS,
    SPEC_VAR_REFERENCE,
    SPEC_IMAGES,
    SPEC_REPLICAS,
    SPEC_LIST_COUNT
};

struct config {
    struct fields lists[SPEC_LIST_COUNT];
    struct name_target *targets;
    size_t target_count;
    bool is_default; /* exactly the built-in tables */
};

const struct config *config_empty(void);
const struct config *config_default(void);
/* Appends what is not there yet and sorts; "conflicting fieldspecs" is an error. */
MUST_USE bool config_merge(struct build *b, const struct config *into, const struct config *more,
                           const struct config **ret);
const struct config *config_from_file(struct build *b, const struct config_file *file);
MUST_USE bool fields_merge_one(struct build *b, struct fields *list, const struct field_spec *spec);
MUST_USE bool fields_merge(struct build *b, struct fields *list, const struct fields *more);
/* Adds a name reference to a config that is being made. */
MUST_USE bool config_add_reference(struct build *b, struct config *config,
                                   const struct name_target *target);

typedef bool field_fn(struct build *b, struct node *n, void *context);

struct field_visit {
    const struct field_spec *spec;
    enum node_kind create_kind; /* NODE_ZERO: never create */
    enum node_tag create_tag;
    field_fn *set;
    void *context;
};
/* Calls `set` on every field that the spec names in this resource, if its kind matches. */
MUST_USE bool field_visit(struct build *b, struct node *object, const struct field_visit *visit);

/* Splits at '/' (or '.'), where '\' escapes. */
struct strs path_split(struct build *b, str path, char delimiter);
/* The same, and [a.b] is one part; [k=v] keeps its brackets. */
struct strs path_split_brackets(struct build *b, str path);
/* kyaml's lookup of one part: a field, an index, "-", [key=value]. Creates when create is not
 * NODE_ZERO; *ret NULL = not there. */
MUST_USE bool path_step(struct build *b, struct node *n, str part, str next, enum node_kind create,
                        struct node **ret);
MUST_USE bool path_lookup(struct build *b, struct node *n, const struct strs *path,
                          enum node_kind create, struct node **ret);

/* The kinds that the legacy order puts first, in their order; field specs are sorted by it, too. */
#define KINDS_FIRST_COUNT 22
extern const char *const kinds_first[KINDS_FIRST_COUNT];
