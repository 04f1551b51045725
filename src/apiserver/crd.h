/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * CustomResourceDefinitions: each becomes a kind of the registry; their own validation, defaults
 * and conditions.
 *
 * Source: apiextensions-apiserver: names and sentences of conditions and errors.
 */
#include "apiserver/api.h"

#define CRD_KEY S("apiextensions.k8s.io/customresourcedefinitions")

/* Fills the registry from the store. */
MUST_USE bool crd_load_all(struct apiserver *server, struct err *err);
/* Defaults of a definition's own fields (listKind, singular, conversion). */
void crd_default(struct arena *arena, struct val *crd);
/* Appends what is wrong with a definition; `old` NULL = it is created. */
void crd_validate(struct arena *arena, const struct val *crd, const struct val *old,
                  struct val *problems);
/* Sets status.acceptedNames, conditions and storedVersions before a definition is saved. */
void crd_set_status(struct apiserver *server, struct arena *arena, struct val *crd);
/* A definition was saved or erased: its kind is served, changed or gone. */
void crd_saved(struct apiserver *server, const struct val *crd);
void crd_erased(struct apiserver *server, const struct val *crd);
