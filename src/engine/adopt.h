/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Adopt: the managedFields entries of those whose place we take become our own Apply entry (ENGINE
 * section 2). Without it, a field that leaves Git would stay in the cluster and be called Synced.
 */
#include "schema/gvk.h"

/* A JSON patch with the object's resourceVersion, or NULL when nothing is to be merged. */
const struct val *adopt_patch(struct arena *arena, const struct val *live);
