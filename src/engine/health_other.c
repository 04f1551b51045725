/* SPDX-License-Identifier: Apache-2.0 */
#include "doc/json.h"
#include "engine/health.h"

/* Health of the built-in kinds that run nothing themselves (spec/argocd.md 1.3.1). */

static struct health by_ingress(const struct val *o)
{
    if (val_count(VAL_AT(o, "status", "loadBalancer", "ingress")) > 0)
        return health_make(HEALTH_HEALTHY, STR_EMPTY);
    return health_make(HEALTH_PROGRESSING, S("waits for an address of a load balancer"));
}

static struct health service(const struct val *o, UNUSED struct arena *arena)
{
    if (str_eq(VAL_STR(o, "spec", "type"), S("LoadBalancer")))
        return by_ingress(o);
    return health_make(HEALTH_HEALTHY, STR_EMPTY);
}

static struct health ingress(const struct val *o, UNUSED struct arena *arena)
{
    return by_ingress(o);
}

static struct health volume_claim(const struct val *o, UNUSED struct arena *arena)
{
    static const struct {
        str phase;
        enum health_status status;
    } rows[] = {
            {S_INIT("Lost"), HEALTH_DEGRADED},
            {S_INIT("Pending"), HEALTH_PROGRESSING},
            {S_INIT("Bound"), HEALTH_HEALTHY},
    };
    str phase = VAL_STR(o, "status", "phase");

    for (size_t i = 0; i < COUNT(rows); i++)
        if (str_eq(phase, rows[i].phase))
            return health_make(rows[i].status, STR_EMPTY);
    return health_make(HEALTH_UNKNOWN, STR_EMPTY);
}

/* Reasons of an autoscaler's conditions that mean trouble. */
static const struct {
    str type;
    str reason;
} scaler_trouble[] = {
        {S_INIT("AbleToScale"), S_INIT("FailedGetScale")},
        {S_INIT("AbleToScale"), S_INIT("FailedUpdateScale")},
        {S_INIT("ScalingActive"), S_INIT("FailedGetResourceMetric")},
        {S_INIT("ScalingActive"), S_INIT("FailedGetObjectMetric")},
        {S_INIT("ScalingActive"), S_INIT("FailedGetPodsMetric")},
        {S_INIT("ScalingActive"), S_INIT("FailedGetExternalMetric")},
        {S_INIT("ScalingActive"), S_INIT("FailedComputeMetricsReplicas")},
        {S_INIT("ScalingActive"), S_INIT("InvalidSelector")},
};

static struct health scaler_conditions(const struct val *conditions)
{
    struct val_iter it = val_iter(conditions);
    struct health health = health_make(HEALTH_PROGRESSING, S("waits to autoscale"));

    while (val_next(&it)) {
        str type = val_get_str(it.value, S("type"));
        str reason = val_get_str(it.value, S("reason"));
        bool is_true = str_eq(val_get_str(it.value, S("status")), S("True"));

        for (size_t i = 0; i < COUNT(scaler_trouble); i++)
            if (str_eq(type, scaler_trouble[i].type) && str_eq(reason, scaler_trouble[i].reason))
                return health_make(HEALTH_DEGRADED, val_get_str(it.value, S("message")));
        if (is_true && health.status == HEALTH_PROGRESSING &&
            (str_eq(type, S("AbleToScale")) || str_eq(type, S("ScalingLimited"))))
            health = health_make(HEALTH_HEALTHY, val_get_str(it.value, S("message")));
    }
    return health;
}

static struct health autoscaler(const struct val *o, struct arena *arena)
{
    str version = gvk_of(o).version;
    str text = object_annotation(o, S("autoscaling.alpha.kubernetes.io/conditions"));
    struct val *conditions = NULL;

    if (str_eq(version, S("v2")))
        return scaler_conditions(VAL_AT(o, "status", "conditions"));
    if (!str_eq(version, S("v1")))
        return health_make(HEALTH_UNKNOWN,
                           arena_printf(arena, "HorizontalPodAutoscaler %.*s has no health rule",
                                        STR(version)));
    if (str_is_empty(text) || text.len > LIMIT_HEALTH_ARENA / 8 ||
        !json_parse(arena, text, NULL, &conditions, NULL))
        return health_make(HEALTH_PROGRESSING, S("waits to autoscale"));
    return scaler_conditions(conditions);
}

static struct health api_service(const struct val *o, UNUSED struct arena *arena)
{
    const struct val *available = health_condition(o, S("Available"));

    return health_make(str_eq(val_get_str(available, S("status")), S("True")) ? HEALTH_HEALTHY
                                                                              : HEALTH_PROGRESSING,
                       val_get_str(available, S("message")));
}

static struct health workflow(const struct val *o, UNUSED struct arena *arena)
{
    static const struct {
        str phase;
        enum health_status status;
    } rows[] = {
            {S_INIT(""), HEALTH_PROGRESSING},        {S_INIT("Pending"), HEALTH_PROGRESSING},
            {S_INIT("Running"), HEALTH_PROGRESSING}, {S_INIT("Succeeded"), HEALTH_HEALTHY},
            {S_INIT("Failed"), HEALTH_DEGRADED},     {S_INIT("Error"), HEALTH_DEGRADED},
    };
    str phase = VAL_STR(o, "status", "phase");

    for (size_t i = 0; i < COUNT(rows); i++)
        if (str_eq(phase, rows[i].phase))
            return health_make(rows[i].status, VAL_STR(o, "status", "message"));
    return health_make(HEALTH_UNKNOWN, VAL_STR(o, "status", "message"));
}

const struct health_rule health_others[] = {
        {"", "Service", service},
        {"networking.k8s.io", "Ingress", ingress},
        {"extensions", "Ingress", ingress},
        {"", "PersistentVolumeClaim", volume_claim},
        {"autoscaling", "HorizontalPodAutoscaler", autoscaler},
        {"apiregistration.k8s.io", "APIService", api_service},
        {"argoproj.io", "Workflow", workflow},
        {0},
};
