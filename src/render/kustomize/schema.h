/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * schema: what OpenAPI decides in Kustomize: which kinds are certainly cluster-scoped, and which
 * lists a strategic merge merges by which keys. Built in: Kubernetes 1.21.2; `openapi.path` of a
 * kustomization brings one's own instead.
 *
 * Owner: the build's arena.
 */
#include "doc/val.h"

struct schema;

/* Where in the schema a walk stands; `known` is false below what the schema describes. */
struct schema_at {
    bool known;
    uint16_t definition;      /* of the built-in table, 0 = known, nothing below it merges */
    const struct val *custom; /* of a custom schema */
    bool merges;              /* a list with a merge strategy */
    const char *keys;         /* "a" or "a,b"; "" = merged by value */
};

struct schema *schema_new(struct arena *arena);
/* A custom schema's text, as read: JSON or YAML. */
MUST_USE bool schema_set_custom(struct schema *schema, str text, str file, struct err *err);
bool schema_is_set(const struct schema *schema);
void schema_set_builtin(struct schema *schema); /* openapi.version was given */
bool schema_is_cluster_scoped(const struct schema *schema, str api_version, str kind);
struct schema_at schema_of_kind(const struct schema *schema, str api_version, str kind);
struct schema_at schema_field(const struct schema *schema, struct schema_at at, str field);
struct schema_at schema_element(const struct schema *schema, struct schema_at at);
