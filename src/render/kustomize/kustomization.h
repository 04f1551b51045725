/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The kustomization file and the documents of built-in plugins as structs, filled by field tables.
 *
 * Reading is as strict as Kustomize's: YAML 1.1, names of fields without regard to case, unknown
 * fields refused (in plugin documents ignored), no conversion of numbers to texts.
 * A str whose `at` is NULL was not given; a list's `set` says that it stood there.
 */
#include "doc/val.h"

struct strs {
    str *at;
    size_t count;
    bool set;
};

struct pair {
    str key;
    str value;
};

struct pairs { /* sorted by key */
    struct pair *at;
    size_t count, size; /* size 0: the array is shared and must be copied before it grows */
    bool set;
};

struct selector {
    str group, version, kind, name, namespace_;
    str annotation_selector, label_selector;
};

struct field_spec {
    str group, version, kind, path;
    bool create;
};

struct fields {
    struct field_spec *at;
    size_t count;
    bool set;
};

struct label {
    struct pairs pairs;
    bool include_selectors, include_templates;
    struct fields fields;
};

struct patch_options {
    bool allow_name_change, allow_kind_change;
};

struct patch {
    str path, patch;
    struct selector *target;
    struct patch_options *options;
};

struct image {
    str name, new_name, tag_suffix, new_tag, digest;
};

struct replica {
    str name;
    int64_t count;
};

struct field_options {
    str delimiter, encoding;
    int64_t index;
    bool create;
};

struct source_selector {
    struct selector select;
    str field_path;
    struct field_options *options;
};

struct target_selector {
    struct selector *select;
    struct {
        struct selector *at;
        size_t count;
        bool set;
    } reject;
    struct strs field_paths;
    struct field_options *options;
};

struct replacement {
    struct source_selector *source;
    struct {
        struct target_selector *at;
        size_t count;
        bool set;
    } targets;
    str source_value;
    str path;
};

struct var {
    str name;
    struct {
        str api_version, group, version, kind, name, namespace_;
    } object;
    struct {
        str field_path;
    } field;
};

struct generator_options {
    struct pairs labels, annotations;
    bool disable_name_suffix_hash, immutable;
};

struct generator {
    str namespace_, name, behavior, type, env;
    struct strs literals, files, envs;
    struct generator_options *options;
    struct selector metadata; /* plugin documents: name and namespace */
};

struct object_meta {
    str name, namespace_;
    struct pairs labels, annotations;
};

struct sort_options {
    str order;
    struct {
        struct strs first, last;
    } * legacy;
};

#define LIST_OF(type)                                                                              \
    struct {                                                                                       \
        struct type *at;                                                                           \
        size_t count;                                                                              \
        bool set;                                                                                  \
    }

struct kustomization {
    str kind, api_version;
    struct object_meta *metadata;
    struct pairs openapi;
    str name_prefix, name_suffix, namespace_;
    struct pairs common_labels, common_annotations;
    LIST_OF(label) labels;
    struct strs patches_strategic_merge;
    LIST_OF(patch) patches_json6902;
    LIST_OF(patch) patches;
    LIST_OF(image) images;
    LIST_OF(image) image_tags;
    LIST_OF(replacement) replacements;
    LIST_OF(replica) replicas;
    LIST_OF(var) vars;
    struct sort_options *sort_options;
    struct strs resources, components, crds, bases;
    LIST_OF(generator) config_maps;
    LIST_OF(generator) secrets;
    const struct val *helm_globals, *helm_charts, *helm_inflation;
    struct generator_options *generator_options;
    struct strs configurations, generators, transformers, validators, build_metadata;
};

struct name_target {
    str group, version, kind;
    struct fields referrers;
};

/* A `configurations` file. */
struct config_file {
    struct fields name_prefix, name_suffix, namespace_, common_labels, labels, template_labels;
    struct fields common_annotations, var_reference, images, replicas;
    LIST_OF(name_target) name_reference;
};

struct value_target {
    struct selector *selector;
    str field_path;
    int64_t position;
};

/* What a document with apiVersion builtin can say, of all kinds together. */
struct plugin_document {
    struct selector metadata;
    struct pairs labels, annotations;
    struct fields fields;
    str prefix, suffix;
    bool unset_only;
    str set_role_binding_subjects;
    struct image image;
    struct selector *target;
    str path, patch, json_op, patches;
    struct patch_options *options;
    struct strs paths;
    LIST_OF(replacement) replacements;
    struct replica replica;
    str value, target_file_path;
    LIST_OF(value_target) targets;
    str cloud;
    struct selector kubernetes_service;
    struct {
        str name, project_id;
    } service_account;
};

MUST_USE bool kustomization_decode(struct arena *arena, const struct val *v, str file,
                                   struct kustomization *ret, struct err *err);
MUST_USE bool generator_decode(struct arena *arena, const struct val *v, str file,
                               struct generator *ret, struct err *err);
MUST_USE bool plugin_document_decode(struct arena *arena, const struct val *v, str file,
                                     struct plugin_document *ret, struct err *err);
MUST_USE bool config_file_decode(struct arena *arena, const struct val *v, str file,
                                 struct config_file *ret, struct err *err);
MUST_USE bool replacement_decode(struct arena *arena, const struct val *v, str file,
                                 struct replacement *ret, struct err *err);
MUST_USE bool value_targets_decode(struct arena *arena, const struct val *v, str file,
                                   struct plugin_document *ret, struct err *err);
