/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Health of one live object, and the roll-up of many (spec/argocd.md 1.3.1, 1.3.2).
 *
 * Rules are one table by group and kind; kinds without a row have no health. Input is a live object
 * of any cluster: every field may be absent or of the wrong type.
 */
#include "schema/gvk.h"

/* In the order of the roll-up: the worst is the last. HEALTH_NONE: this kind has no health. */
enum health_status {
    HEALTH_NONE,
    HEALTH_HEALTHY,
    HEALTH_SUSPENDED,
    HEALTH_PROGRESSING,
    HEALTH_MISSING,
    HEALTH_DEGRADED,
    HEALTH_UNKNOWN,
};
const char *health_name(enum health_status status); /* "Healthy"…; "" for HEALTH_NONE */
enum health_status health_parse(str name);

struct health {
    enum health_status status;
    str message; /* borrows the object, the arena, or a literal */
};

/* `arena` holds messages that are made up here. */
struct health health_of(const struct val *object, struct arena *arena);

/* One kind's rule; rules live in health_workloads.c and health_other.c. */
typedef struct health health_fn(const struct val *object, struct arena *arena);
struct health_rule {
    const char *group;
    const char *kind;
    health_fn *fn;
};
extern const struct health_rule health_workloads[];
extern const struct health_rule health_others[];

struct health health_make(enum health_status status, str message);
/* The condition of this type in status.conditions, or NULL. */
const struct val *health_condition(const struct val *object, str type);
bool health_condition_is(const struct val *object, str type, str status);
int64_t health_number(const struct val *object, const char *section, const char *field,
                      int64_t otherwise);
