/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Select: the label and field selector of a list, a watch or a delete-collection.
 */
#include "apiserver/api.h"

struct select {
    struct selector *labels;
    struct selector *fields;
    bool all; /* neither excludes anything */
};

/* Parses both and checks that the kind knows the fields; a refusal is already the answer. */
MUST_USE bool select_open(struct api *api, struct arena *arena, struct select *ret_select);
bool select_matches(const struct select *select, const struct val *object);
