/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Convert: the few built-in kinds whose fields differ between their served versions
 * (HorizontalPodAutoscaler v1 and v2, Event core and events.k8s.io). A CRD's versions differ in
 * apiVersion alone (conversion strategy None).
 */
#include "apiserver/registry.h"

/* Changes the fields of `object`, of another version of the kind, to those of `version`. */
void convert_object(struct arena *arena, const struct kind *kind,
                    const struct kind_version *version, struct val *object);
