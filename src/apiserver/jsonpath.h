/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * JSONPath: the part of it that additionalPrinterColumns use: .a.b, ['a.b'], .a\.b, [0], [*],
 * [?(@.type=="Ready")].
 */
#include "doc/val.h"

/* The first value at the path, or NULL. */
const struct val *jsonpath_first(struct arena *arena, const struct val *root, str path);
