/* SPDX-License-Identifier: Apache-2.0 */
/* What clusters add to be reached and to grow: addresses of Ingresses, autoscalers. */
#include "sandbox/pod.h"
#include "sandbox/workload.h"

enum { SCALER_MS = 15000, CPU_PERCENT = 10 };

/* As an ingress controller on this machine would. */
void ingress_reconcile(struct world_key *key, const struct val *ingress)
{
    struct arena *arena = key->at;
    struct val status = val_map();

    if (ingress == NULL || VAL_AT(ingress, "metadata", "deletionTimestamp") != NULL)
        return;
    struct val *balancer = val_ensure_map(arena, &status, S("loadBalancer"));
    struct val *one = val_append(arena, val_ensure_list(arena, balancer, S("ingress")), val_map());
    val_set_str(arena, one, S("ip"), S("127.0.0.1"));
    world_status(key, ingress, "ingress-controller", &status);
}

/* ---- autoscalers ---- */

static const struct {
    str kind;
    enum world_kind to;
} scaled[] = {
        {S_INIT("Deployment"), WORLD_DEPLOYMENT},
        {S_INIT("StatefulSet"), WORLD_STATEFUL_SET},
        {S_INIT("ReplicaSet"), WORLD_REPLICA_SET},
};

static struct thing *target_of(struct world_key *key, const struct val *scaler)
{
    const struct val *ref = VAL_AT(scaler, "spec", "scaleTargetRef");

    for (size_t i = 0; i < COUNT(scaled); i++) {
        if (str_eq(val_get_str(ref, S("kind")), scaled[i].kind))
            return world_find(key->world, scaled[i].to, key->namespace_,
                              val_get_str(ref, S("name")));
    }
    return NULL;
}

/* No Pod here has work to do: the load is low, so that there are as few as may be. */
static void add_metrics(struct world_key *key, const struct val *scaler, struct val *status)
{
    struct arena *arena = key->at;
    struct val_iter it = val_iter(VAL_AT(scaler, "spec", "metrics"));

    while (val_next(&it)) {
        const struct val *resource = val_get(it.value, S("resource"));
        if (!str_eq(val_get_str(it.value, S("type")), S("Resource")))
            continue;
        struct val *row =
                val_append(arena, val_ensure_list(arena, status, S("currentMetrics")), val_map());
        val_set_str(arena, row, S("type"), S("Resource"));
        struct val *told = val_ensure_map(arena, row, S("resource"));
        val_set_str(arena, told, S("name"), val_get_str(resource, S("name")));
        struct val *current = val_ensure_map(arena, told, S("current"));
        val_set_str(arena, current, S("averageValue"), S("10m"));
        if (VAL_AT(resource, "target", "averageUtilization") != NULL)
            val_set(arena, current, S("averageUtilization"), val_int(arena, CPU_PERCENT));
    }
}

static void scaler_status(struct world_key *key, const struct val *scaler, int64_t now,
                          int64_t wanted)
{
    struct arena *arena = key->at;
    const struct val *was = VAL_AT(scaler, "status", "conditions");
    const struct val *last = VAL_AT(scaler, "status", "lastScaleTime");
    struct val status = val_map();
    struct val conditions = val_list();

    if (now != wanted)
        val_set_str(arena, &status, S("lastScaleTime"), world_now(key));
    else if (last != NULL)
        val_set(arena, &status, S("lastScaleTime"), *last);
    val_set(arena, &status, S("currentReplicas"), val_int(arena, now));
    val_set(arena, &status, S("desiredReplicas"), val_int(arena, wanted));
    add_metrics(key, scaler, &status);
    pod_condition(key, &conditions, was, "AbleToScale", true, "ReadyForNewScale",
                  S("recommended size matches current size"));
    pod_condition(key, &conditions, was, "ScalingActive", true, "ValidMetricFound",
                  S("the HPA was able to successfully calculate a replica count from cpu resource "
                    "utilization (percentage of request)"));
    pod_condition(key, &conditions, was, "ScalingLimited", false, "DesiredWithinRange",
                  S("the desired count is within the acceptable range"));
    val_set(arena, &status, S("conditions"), conditions);
    world_status(key, scaler, "kube-controller-manager", &status);
}

static void scaler_lost(struct world_key *key, const struct val *scaler)
{
    struct arena *arena = key->at;
    struct val status = val_map();
    struct val conditions = val_list();
    str message = arena_printf(arena,
                               "the HPA controller was unable to get the target's current scale: "
                               "\"%.*s\" not found",
                               STR(VAL_STR(scaler, "spec", "scaleTargetRef", "name")));

    val_set(arena, &status, S("currentReplicas"), val_int(arena, 0));
    val_set(arena, &status, S("desiredReplicas"), val_int(arena, 0));
    pod_condition(key, &conditions, VAL_AT(scaler, "status", "conditions"), "AbleToScale", false,
                  "FailedGetScale", message);
    val_set(arena, &status, S("conditions"), conditions);
    world_status(key, scaler, "kube-controller-manager", &status);
}

/* Keeps the number of replicas between the two bounds; 0 replicas switch it off. */
void autoscaler_reconcile(struct world_key *key, const struct val *scaler)
{
    if (scaler == NULL || VAL_AT(scaler, "metadata", "deletionTimestamp") != NULL)
        return;
    world_later(key, world_delay(key->world, SCALER_MS));
    struct thing *target = target_of(key, scaler);
    struct val *object = target == NULL ? NULL : world_parse(key, target);
    if (object == NULL) {
        scaler_lost(key, scaler);
        return;
    }

    int64_t least = val_i64_or(VAL_AT(scaler, "spec", "minReplicas"), 1);
    int64_t most = MAX(val_i64_or(VAL_AT(scaler, "spec", "maxReplicas"), least), least);
    int64_t now = val_i64_or(VAL_AT(object, "spec", "replicas"), 1);
    int64_t wanted = now == 0 ? 0 : MAX(MIN(now, most), least);
    if (wanted != now) {
        struct val patch = val_map();
        struct val *spec = val_ensure_map(key->at, &patch, S("spec"));
        val_set(key->at, spec, S("replicas"), val_int(key->at, wanted));
        world_patch(key, target, NULL, "kube-controller-manager", &patch);
    }
    scaler_status(key, scaler, now, wanted);
}
