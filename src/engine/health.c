/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/health.h"

static const char *const names[] = {
        [HEALTH_NONE] = "",
        [HEALTH_HEALTHY] = "Healthy",
        [HEALTH_SUSPENDED] = "Suspended",
        [HEALTH_PROGRESSING] = "Progressing",
        [HEALTH_MISSING] = "Missing",
        [HEALTH_DEGRADED] = "Degraded",
        [HEALTH_UNKNOWN] = "Unknown",
};

const char *health_name(enum health_status status)
{
    return names[status];
}

enum health_status health_parse(str name)
{
    for (size_t i = 1; i < COUNT(names); i++)
        if (str_eq(name, str_from(names[i])))
            return (enum health_status)i;
    return HEALTH_NONE;
}

struct health health_make(enum health_status status, str message)
{
    return (struct health){status, message};
}

const struct val *health_condition(const struct val *object, str type)
{
    struct val_iter it = val_iter(VAL_AT(object, "status", "conditions"));

    while (val_next(&it))
        if (str_eq(val_get_str(it.value, S("type")), type))
            return it.value;
    return NULL;
}

bool health_condition_is(const struct val *object, str type, str status)
{
    return str_eq(val_get_str(health_condition(object, type), S("status")), status);
}

int64_t health_number(const struct val *object, const char *section, const char *field,
                      int64_t otherwise)
{
    const char *const path[] = {section, field};

    return val_i64_or(val_walk(object, path, 2), otherwise);
}

static const struct health_rule *rule_find(const struct health_rule *rules, struct gvk gvk)
{
    for (; rules->kind != NULL; rules++)
        if (str_eq(gvk.kind, str_from(rules->kind)) && str_eq(gvk.group, str_from(rules->group)))
            return rules;
    return NULL;
}

struct health health_of(const struct val *object, struct arena *arena)
{
    struct gvk gvk = gvk_of(object);
    const struct health_rule *rule;

    if (VAL_AT(object, "metadata", "deletionTimestamp") != NULL)
        return health_make(HEALTH_PROGRESSING, S("Pending deletion"));
    rule = rule_find(health_workloads, gvk);
    if (rule == NULL)
        rule = rule_find(health_others, gvk);
    return rule == NULL ? health_make(HEALTH_NONE, STR_EMPTY) : rule->fn(object, arena);
}
