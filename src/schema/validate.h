/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Validate: objects against their types: unknown fields, wrong types, a CRD's rules; pruning and
 * defaults.
 *
 * Owner:  texts in the arena. Object changes happen in place; the object lives in `arena`.
 * Bounds: LIMIT_SCHEMA_PROBLEMS problems are told, then it stops.
 */
#include "schema/type.h"

/* Appends the paths of fields that the type does not declare to `ret_paths` (a list of strings):
 * "spec.foo", "spec.template.spec.containers[0].bar". With `prune` they are removed as well. */
void validate_unknown(struct arena *arena, const struct type *type, struct val *object, bool prune,
                      struct val *ret_paths);

/* A built-in object decodes: every field that is there has a value that Go would take. The error is
 * the API server's sentence of a failed decode (400): 'Deployment in version "v1" cannot be handled
 * as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas
 * of type int32'. */
MUST_USE bool validate_decode(struct arena *arena, const struct type *type,
                              const struct val *object, struct err *err);

/* One problem is a map {field, reason, message} as in Status.details.causes; reason is
 * FieldValueInvalid, FieldValueRequired, FieldValueNotSupported, FieldValueDuplicate,
 * FieldValueTooLong, FieldValueTypeInvalid … */
void validate_problem(struct arena *arena, struct val *problems, const char *reason, str field,
                      const char *format, ...) PRINTF_LIKE(5, 6);
/* All problems in one text, "spec.a: Required value" or "[…, …]", as in the server's
 * 'Foo "x" is invalid: …'. */
str validate_summary(struct arena *arena, const struct val *problems);
/* The CRD's rules: type, required, enum, pattern, length, minimum, items, properties, uniqueness of
 * sets and map lists, anyOf, oneOf, allOf, not. x-kubernetes-validations (CEL) are not evaluated.
 */
void validate_structural(struct arena *arena, const struct type *type, const struct val *object,
                         struct val *problems);
/* metadata of any object: name, namespace, labels, annotations, finalizers, ownerReferences.
 * `namespaced`: the kind's scope. Names follow RFC 1123 subdomains, or labels where `label_name`.
 */
void validate_metadata(struct arena *arena, const struct val *object, bool namespaced,
                       bool label_name, struct val *problems);
/* The most usual mistakes in built-in kinds: a workload's selector and template labels, containers'
 * names and images, ports, a Service's ports, restart policies, immutable fields on update (`old`
 * NULL = create). The server knows more rules; what is told here, it would tell as well. */
void validate_builtin(struct arena *arena, struct gvk gvk, const struct val *object,
                      const struct val *old, struct val *problems);

/* Defaults of the schema (CRDs), also in added maps. */
void validate_default(struct arena *arena, const struct type *type, struct val *object);
/* The built-in kinds' defaults, as the API server's conversion sets them. */
void validate_default_builtin(struct arena *arena, struct gvk gvk, struct val *object);
/* Texts of quantities in their canonical form (100m, not 0.1), and nulls dropped, as Go's decode
 * and encode of a built-in kind leave them. */
void validate_normalise_builtin(struct arena *arena, const struct type *type, struct val *object);
