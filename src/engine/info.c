/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/info.h"
#include "engine/health.h"

#define INFO_PORTS 4

typedef str info_fn(const struct val *object, struct arena *arena);

static str of_two(struct arena *arena, int64_t done, int64_t wanted)
{
    return arena_printf(arena, "%lld/%lld", (long long)done, (long long)wanted);
}

static str info_replicas(const struct val *object, struct arena *arena)
{
    return of_two(arena, health_number(object, "status", "readyReplicas", 0),
                  health_number(object, "spec", "replicas", 1));
}

static str info_daemon_set(const struct val *object, struct arena *arena)
{
    return of_two(arena, health_number(object, "status", "numberReady", 0),
                  health_number(object, "status", "desiredNumberScheduled", 0));
}

static str info_job(const struct val *object, struct arena *arena)
{
    return of_two(arena, health_number(object, "status", "succeeded", 0),
                  health_number(object, "spec", "completions", 1));
}

static str info_pod(const struct val *object, struct arena *arena)
{
    struct val_iter it = val_iter(VAL_AT(object, "status", "containerStatuses"));
    int64_t ready = 0;

    while (val_next(&it))
        if (val_get_bool(it.value, S("ready"), false))
            ready++;
    return of_two(arena, ready, (int64_t)val_count(VAL_AT(object, "spec", "containers")));
}

static str info_service(const struct val *object, struct arena *arena)
{
    struct val_iter it = val_iter(VAL_AT(object, "spec", "ports"));
    str type = VAL_STR(object, "spec", "type");
    str out = str_is_empty(type) ? S("ClusterIP") : type;

    for (size_t i = 0; i < INFO_PORTS && val_next(&it); i++) {
        long long port = (long long)val_i64_or(val_get(it.value, S("port")), 0);
        long long node = (long long)val_i64_or(val_get(it.value, S("nodePort")), 0);
        str protocol = val_get_str(it.value, S("protocol"));

        if (str_is_empty(protocol))
            protocol = S("TCP");
        out = node > 0 ? arena_printf(arena, "%.*s %lld:%lld/%.*s", STR(out), port, node,
                                      STR(protocol))
                       : arena_printf(arena, "%.*s %lld/%.*s", STR(out), port, STR(protocol));
    }
    return out;
}

static str info_ingress(const struct val *object, struct arena *arena)
{
    struct val_iter it = val_iter(VAL_AT(object, "spec", "rules"));
    str out = STR_EMPTY;

    for (size_t i = 0; i < INFO_PORTS && val_next(&it); i++) {
        str host = val_get_str(it.value, S("host"));

        out = str_is_empty(out) ? host : arena_printf(arena, "%.*s %.*s", STR(out), STR(host));
    }
    return out;
}

static str info_cron_job(const struct val *object, UNUSED struct arena *arena)
{
    return VAL_STR(object, "spec", "schedule");
}

static str info_claim(const struct val *object, UNUSED struct arena *arena)
{
    return VAL_STR(object, "status", "capacity", "storage");
}

static str info_slice(const struct val *object, struct arena *arena)
{
    struct val_iter it = val_iter(val_get(object, S("endpoints")));
    int64_t ready = 0;
    int64_t all = 0;

    while (val_next(&it)) {
        all++;
        if (val_get_bool(val_get(it.value, S("conditions")), S("ready"), true))
            ready++;
    }
    return of_two(arena, ready, all);
}

static const struct {
    str group;
    str kind;
    info_fn *fn;
} rules[] = {
        {S_INIT("apps"), S_INIT("Deployment"), info_replicas},
        {S_INIT("apps"), S_INIT("ReplicaSet"), info_replicas},
        {S_INIT("apps"), S_INIT("StatefulSet"), info_replicas},
        {S_INIT("apps"), S_INIT("DaemonSet"), info_daemon_set},
        {S_INIT("batch"), S_INIT("Job"), info_job},
        {S_INIT("batch"), S_INIT("CronJob"), info_cron_job},
        {S_INIT(""), S_INIT("Pod"), info_pod},
        {S_INIT(""), S_INIT("ReplicationController"), info_replicas},
        {S_INIT(""), S_INIT("Service"), info_service},
        {S_INIT(""), S_INIT("PersistentVolumeClaim"), info_claim},
        {S_INIT("networking.k8s.io"), S_INIT("Ingress"), info_ingress},
        {S_INIT("discovery.k8s.io"), S_INIT("EndpointSlice"), info_slice},
};

str info_of(const struct val *object, struct arena *arena)
{
    struct gvk gvk = gvk_of(object);

    for (size_t i = 0; i < COUNT(rules); i++)
        if (str_eq(rules[i].group, gvk.group) && str_eq(rules[i].kind, gvk.kind)) {
            str line = rules[i].fn(object, arena);

            return str_first(line, str_utf8_clip(line, LIMIT_INFO_BYTES));
        }
    return STR_EMPTY;
}
