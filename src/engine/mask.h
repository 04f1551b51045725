/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Mask: values of Secrets never leave the engine (PRODUCT section 2). They become "••• (changed)"
 * or "••• (same)", and the last-applied annotation, which may repeat them, goes too.
 */
#include "doc/val.h"

/* Masks both in place, each against the other; either may be NULL. Other kinds are left alone but
 * for the last-applied annotation. */
/* A server's sentence about an object, as people may read it: one that refuses a Secret's content
 * may repeat a value, and is replaced. `status` is the answer's. */
str mask_sentence(str group, str kind, int status, str sentence);
void mask_pair(struct arena *arena, struct val *live, struct val *wanted);
