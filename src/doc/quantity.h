/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Quantity: Kubernetes' numbers with suffixes (100m, 1.5Gi, 2e3).
 *
 * Value: digits × 10^exponent, kept exactly; what is below 10^-9 is rounded up, as Kubernetes does.
 */
#include "doc/val.h"

enum quantity_format { QUANTITY_DECIMAL, QUANTITY_BINARY, QUANTITY_EXPONENT };

struct quantity {
    __int128 nano; /* in 10^-9 */
    enum quantity_format format;
};

MUST_USE bool quantity_parse(str text, struct quantity *ret_quantity);
int quantity_cmp(const struct quantity *a, const struct quantity *b);
/* The canonical text, as the API server writes it: "1500m", "1536Mi", "2k". */
str quantity_format(struct arena *arena, const struct quantity *quantity);
/* The canonical text of a text, or the text itself when it is none. */
str quantity_canonical(struct arena *arena, str text);
/* Whole number rounded up (bytes, cores), saturating. */
int64_t quantity_ceil(const struct quantity *quantity);
