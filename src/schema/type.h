/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Type: what the fields of a kind are, for merging, validation, defaults and ownership. Made from
 * OpenAPI: the built-in kinds' from the tables in data/kube, a custom kind's from its CRD.
 *
 * Owner:  built-in types live for the process; those of a CRD as long as their `struct type_set`.
 *         Types may be recursive: walk a value and its type together, never a type alone.
 * Source: the conversion rules are those of kube-openapi's schemaconv; merging follows
 *         structured-merge-diff.
 */
#include "schema/gvk.h"

enum type_kind {
    TYPE_ANY,    /* not described: maps merge key by key, lists are atomic */
    TYPE_OPAQUE, /* not described and atomic */
    TYPE_SCALAR, /* any scalar: quantity, int-or-string, time */
    TYPE_STRING,
    TYPE_INTEGER,
    TYPE_NUMBER,
    TYPE_BOOL,
    TYPE_LIST,
    TYPE_MAP, /* fields, or any key with `element`, or both */
};

enum type_list { TYPE_LIST_ATOMIC, TYPE_LIST_SET, TYPE_LIST_MAP };

/* Bits of type_field.patch, for strategic merge patches. */
enum type_patch { TYPE_PATCH_MERGE = 1, TYPE_PATCH_RETAIN_KEYS = 2 };

struct type;

struct type_field {
    str name;
    const struct type *type;
    const struct val *default_value; /* NULL = none */
    uint8_t patch;                   /* enum type_patch bits; 0 = replace */
    str merge_key;                   /* patchMergeKey */
    bool required;
    bool omits_zero; /* Go leaves it out when it is "", 0 or false; built-ins only */
};

struct type {
    enum type_kind kind;
    enum type_list list;
    bool atomic;           /* a map that is owned and replaced as one */
    bool preserve_unknown; /* x-kubernetes-preserve-unknown-fields */
    bool embedded;         /* x-kubernetes-embedded-resource */
    bool nullable;
    bool int_or_string;
    bool quantity;
    bool is_time;
    str format;      /* "int32", "date-time", … */
    str go_name;     /* last part of the definition's name: "DeploymentSpec"; built-ins only */
    const str *keys; /* of a TYPE_LIST_MAP, sorted */
    size_t key_count;
    const struct type_field *fields; /* sorted by name */
    size_t field_count;
    const struct type *element; /* of items or of values; NULL = none allowed but the fields */
    const struct val *schema;   /* the OpenAPI node: enum, pattern, minimum …; may be NULL */
};

/* The type of a built-in kind, or NULL. */
const struct type *type_builtin(struct gvk gvk);
/* A definition of data/kube/schemas.json by its name, such as
 * "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"; NULL when unknown. */
const struct type *type_definition(str name);
/* All definitions as they stand in data/kube/schemas.json: OpenAPI v3 schemas without descriptions,
 * in which "$ref" is the bare name of a definition. For serving OpenAPI. */
const struct val *type_definitions(void);

struct type_set;
/* From a CRD version's schema.openAPIV3Schema (NULL: everything is preserved); apiVersion, kind and
 * metadata are those of every object. The schema is copied. */
struct type_set *type_set_new(const struct val *open_api_v3_schema);
void type_set_free(struct type_set *set);
AUTO_DEFINE(type_set, type_set_free)
#define auto_type_set AUTO(type_set)
const struct type *type_set_root(const struct type_set *set);

/* For a kind that nobody described: metadata is known, the rest is TYPE_ANY. */
const struct type *type_unknown(void);

const struct type_field *type_field(const struct type *type, str name);
/* The type of a member: its field's, else the element, else NULL. */
const struct type *type_member(const struct type *type, str name);
/* What the value makes of TYPE_ANY and TYPE_OPAQUE: a map, a list or a scalar type. */
const struct type *type_deduce(const struct type *type, const struct val *v);
