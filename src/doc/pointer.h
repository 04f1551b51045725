/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Pointer: RFC 6901 JSON pointers into a tree, "/spec/ports/0/name" ("~0" is "~", "~1" is "/").
 *
 * Bounds: LIMIT_DOC_DEPTH parts.
 */
#include "doc/val.h"

/* The value at the pointer, or NULL. "" is the whole tree. */
struct val *pointer_get(const struct val *root, str pointer);
bool pointer_is_valid(str pointer);
/* Sets a member or item, or appends with "-"; the parent must exist. */
MUST_USE bool pointer_set(struct arena *arena, struct val *root, str pointer, struct val value,
                          struct err *err);
/* Removes a member or item; false when there is none (then nothing changed). */
bool pointer_delete(struct val *root, str pointer);
/* Makes the pointer's parts from names: "/a~1b/0". */
str pointer_join(struct arena *arena, str pointer, str part);
/* Takes the next part off *rest, decoded; false at the end. *rest must begin with '/' or be empty.
 */
bool pointer_next(struct arena *arena, str *rest, str *ret_part);
/* Decimal without sign and leading zeros. */
bool pointer_index(str part, size_t *ret_index);
