/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/convert.h"

/* autoscaling/v1 knows one metric, the average CPU utilisation in per cent. */
static const struct val *cpu_target(const struct val *spec)
{
    struct val_iter it = val_iter(val_get(spec, S("metrics")));

    while (val_next(&it)) {
        const struct val *resource = val_get(it.value, S("resource"));

        if (str_eq(val_get_str(it.value, S("type")), S("Resource")) &&
            str_eq(val_get_str(resource, S("name")), S("cpu")))
            return VAL_AT(resource, "target", "averageUtilization");
    }
    return NULL;
}

static void autoscaler_to_v1(struct arena *arena, struct val *object)
{
    struct val *spec = val_get(object, S("spec"));
    const struct val *target = cpu_target(spec);

    if (target != NULL)
        val_set(arena, spec, S("targetCPUUtilizationPercentage"), val_dup_value(arena, target));
    val_del(spec, S("metrics"));
    val_del(spec, S("behavior"));
    struct val *status = val_get(object, S("status"));
    val_del(status, S("currentMetrics"));
    val_del(status, S("conditions"));
}

static void autoscaler_to_v2(struct arena *arena, struct val *object)
{
    struct val *spec = val_get(object, S("spec"));
    const struct val *percent = val_get(spec, S("targetCPUUtilizationPercentage"));

    if (percent == NULL)
        return;
    struct val *metric = val_append(arena, val_ensure_list(arena, spec, S("metrics")), val_map());
    val_set_str(arena, metric, S("type"), S("Resource"));
    struct val *resource = val_ensure_map(arena, metric, S("resource"));
    val_set_str(arena, resource, S("name"), S("cpu"));
    struct val *target = val_ensure_map(arena, resource, S("target"));
    val_set_str(arena, target, S("type"), S("Utilization"));
    val_set(arena, target, S("averageUtilization"), val_dup_value(arena, percent));
    val_del(spec, S("targetCPUUtilizationPercentage"));
}

void convert_object(struct arena *arena, const struct kind *kind,
                    const struct kind_version *version, struct val *object)
{
    if (str_eq(kind->key, S("autoscaling/horizontalpodautoscalers"))) {
        if (str_eq(version->name, S("v1")))
            autoscaler_to_v1(arena, object);
        else
            autoscaler_to_v2(arena, object);
    }
}
