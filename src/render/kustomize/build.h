/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * build: what one `kustomize build` carries through its steps. Every step takes it first.
 *
 * Owner:  its arena owns all resources, texts and tables; freed with the result.
 * Errors: a step that fails returns false after build_fail, which keeps the class of the error.
 */
#include "doc/regex.h"
#include "render/kustomize/kustomization.h"
#include "render/kustomize/kustomize.h"
#include "render/kustomize/node.h"

struct schema;

struct build {
    struct arena *arena;
    struct err *err;
    const struct tree_set *trees;
    const struct kustomize_options *options;
    enum kustomize_error_class error_class;
    struct schema *schema;
    struct kustomize_need *needs;
    size_t need_count;
    str *warnings;
    size_t warning_count;
    struct node_texts texts;
    size_t shares;       /* counts steps after which a node may stand in two places of a tree */
    size_t copied_nodes; /* by replacements; each may double a tree */
    bool malformed_yaml; /* the last error was a text that is no YAML */
    struct regex **regexes;
    size_t regex_count, regex_size;
};

bool build_fail(struct build *b, enum kustomize_error_class class_, const char *format, ...)
        PRINTF_LIKE(3, 4);
void build_warn(struct build *b, const char *format, ...) PRINTF_LIKE(2, 3);
void build_need(struct build *b, str url, str revision, bool is_file);
/* A compiled pattern that lives as long as the build. */
MUST_USE bool build_regex(struct build *b, str pattern, struct regex **ret);
void *build_grow(struct build *b, void *at, size_t count, size_t *size, size_t one);

/* ---- identity ---- */

struct id {
    str group, version, kind, name, namespace_;
    bool is_cluster; /* certainly cluster-scoped */
};

struct previous {
    str name, namespace_, kind;
};

enum behavior { BEHAVIOR_UNSPECIFIED, BEHAVIOR_CREATE, BEHAVIOR_REPLACE, BEHAVIOR_MERGE };

struct origin {
    str path, repo, ref, configured_in;
    str by_api_version, by_kind, by_name, by_namespace;
};

/* One resource. What Kustomize keeps in internal annotations stands beside the tree; a marker
 * annotation stands for them in it, because patches can see and remove them. */
struct resource {
    struct node *node; /* NULL: deleted */
    size_t unshared;   /* b->shares + 1 when nothing stands twice in the tree */
    struct {
        struct previous *at;
        size_t count, size;
    } previous;
    struct strs prefixes, suffixes;
    bool needs_hash;
    bool allow_name_change, allow_kind_change;
    enum behavior behavior;
    struct strs var_names;
};

struct resmap {
    struct resource **at;
    size_t count, size;
    struct id_set *by_id; /* of the current ids; NULL when it must be made again */
};

struct id id_current(struct build *b, const struct resource *r);
struct id id_original(struct build *b, const struct resource *r);
struct id id_previous(const struct resource *r, size_t index, str group, str version);
str id_namespace(const struct id *id); /* the effective one */
bool id_eq(const struct id *a, const struct id *b);
bool id_gvkn_eq(const struct id *a, const struct id *b);
/* Empty fields of the selector match anything. */
bool id_is_selected(const struct id *id, str group, str version, str kind);
str id_text(struct build *b, const struct id *id);
void group_version_split(str api_version, str *ret_group, str *ret_version);
extern const char id_not_a_namespace[];

/* ---- resources ---- */

str resource_kind(const struct resource *r);
str resource_api_version(const struct resource *r);
str resource_name(const struct resource *r);
str resource_namespace(const struct resource *r);
bool resource_set_name(struct build *b, struct resource *r, str name);
bool resource_set_namespace(struct build *b, struct resource *r, str namespace_);
MUST_USE bool resource_store_previous(struct build *b, struct resource *r);
MUST_USE bool resource_mark(struct build *b, struct resource *r);
/* Forgets the bookkeeping when a patch took the marker away. */
void resource_check_mark(struct resource *r);
void resource_add_prefix(struct build *b, struct resource *r, str prefix);
void resource_add_suffix(struct build *b, struct resource *r, str suffix);
struct resource *resource_new(struct build *b, struct node *node);
struct resource *resource_copy(struct build *b, const struct resource *r);
/* metadata.labels or metadata.annotations as sorted pairs of spellings. */
struct pairs resource_map(struct build *b, const struct resource *r, const char *field);
bool resource_set_map(struct build *b, struct resource *r, const char *field,
                      const struct pairs *pairs);
str pairs_get(const struct pairs *pairs, str key, bool *ret_found);
void pairs_put(struct build *b, struct pairs *pairs, str key, str value);
void pairs_del(struct pairs *pairs, str key);
void strs_add(struct build *b, struct strs *list, str text);
bool strs_has(const struct strs *list, str text);

/* ---- sets of resources ---- */

void resmap_push(struct build *b, struct resmap *m, struct resource *r);
MUST_USE bool resmap_append(struct build *b, struct resmap *m, struct resource *r);
MUST_USE bool resmap_append_all(struct build *b, struct resmap *m, const struct resmap *other);
MUST_USE bool resmap_absorb_all(struct build *b, struct resmap *m, const struct resmap *other);
void resmap_changed(struct resmap *m); /* ids may have changed */
void resmap_drop_empty(struct resmap *m);
/* By current or previous ids; exactly one or an error. */
MUST_USE bool resmap_get_by_id(struct build *b, const struct resmap *m, const struct id *id,
                               struct resource **ret);
MUST_USE bool resmap_select(struct build *b, const struct resmap *m, const struct selector *s,
                            struct resmap *ret);
MUST_USE bool resmap_sort_legacy(struct build *b, struct resmap *m, const struct strs *first,
                                 const struct strs *last);
/* Resources of a YAML or JSON text. */
MUST_USE bool resources_parse(struct build *b, str text, str file, struct resmap *ret);

/* ---- selectors ---- */

struct selector_regex {
    const struct selector *selector;
    struct regex *group, *version, *kind, *name, *namespace_;
};
MUST_USE bool selector_compile(struct build *b, const struct selector *s,
                               struct selector_regex *ret);
MUST_USE bool selector_matches_gvk(struct build *b, const struct selector_regex *r,
                                   const struct id *id, bool *ret);
MUST_USE bool selector_matches_name(struct build *b, const struct selector_regex *r, str name,
                                    bool *ret);
MUST_USE bool selector_matches_namespace(struct build *b, const struct selector_regex *r,
                                         str namespace_, bool *ret);
/* Kubernetes' label selector grammar over a set of pairs. */
MUST_USE bool labels_match(struct build *b, str selector, const struct pairs *labels, bool *ret);
MUST_USE bool resource_matches_selectors(struct build *b, const struct resource *r,
                                         const struct selector *s, bool *ret);
