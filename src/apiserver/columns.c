/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/columns.h"

#include "base/clock.h"
#include "schema/selector.h"

static struct val text(struct arena *arena, str s)
{
    return val_string(arena, s);
}

static struct val none_or(struct arena *arena, str s)
{
    return text(arena, str_is_empty(s) ? S("<none>") : s);
}

static const struct val *at(const struct val *object, const char *path)
{
    str rest = str_from(path), part;

    while (object != NULL && str_split(&rest, '.', &part))
        object = val_get(object, part);
    return object;
}

static int64_t number(const struct val *object, const char *path)
{
    return val_i64_or(at(object, path), 0);
}

str columns_age(struct arena *arena, str time)
{
    int64_t when;

    if (str_is_empty(time) || !clock_parse(time, &when))
        return S("<unknown>");
    int64_t s = (clock_wall_ms() - when) / 1000;
    long long m = s / 60, h = m / 60, d = h / 24, y = d / 365;
    if (s < -1)
        return S("<invalid>");
    if (s < 120)
        return arena_printf(arena, "%llds", (long long)MAX(s, (int64_t)0));
    if (m < 10)
        return s % 60 == 0 ? arena_printf(arena, "%lldm", m)
                           : arena_printf(arena, "%lldm%llds", m, (long long)(s % 60));
    if (m < 180)
        return arena_printf(arena, "%lldm", m);
    if (h < 8)
        return m % 60 == 0 ? arena_printf(arena, "%lldh", h)
                           : arena_printf(arena, "%lldh%lldm", h, m % 60);
    if (h < 48)
        return arena_printf(arena, "%lldh", h);
    if (d < 8)
        return h % 24 == 0 ? arena_printf(arena, "%lldd", d)
                           : arena_printf(arena, "%lldd%lldh", d, h % 24);
    if (y < 2)
        return arena_printf(arena, "%lldd", d);
    if (y < 8)
        return d % 365 == 0 ? arena_printf(arena, "%lldy", y)
                            : arena_printf(arena, "%lldy%lldd", y, d % 365);
    return arena_printf(arena, "%lldy", y);
}

/* ---- cells ---- */

static struct val c_age(struct arena *arena, const struct val *object, const char *path)
{
    return text(arena, columns_age(arena, val_str(at(object, path))));
}

static struct val c_text(struct arena *arena, const struct val *object, const char *path)
{
    return text(arena, val_text(at(object, path)));
}

static struct val c_none(struct arena *arena, const struct val *object, const char *path)
{
    return none_or(arena, val_text(at(object, path)));
}

static struct val c_number(struct arena *arena, const struct val *object, const char *path)
{
    return val_int(arena, number(object, path));
}

static struct val c_count(struct arena *arena, const struct val *object, const char *path)
{
    return val_int(arena, (int64_t)val_count(at(object, path)));
}

/* "ready/wanted" of two paths with a space between. */
static struct val c_ratio(struct arena *arena, const struct val *object, const char *path)
{
    str both = str_from(path), left, right;

    str_split(&both, ' ', &left);
    right = both;
    return text(arena,
                arena_printf(arena, "%lld/%lld", (long long)number(object, arena_z(arena, left)),
                             (long long)number(object, arena_z(arena, right))));
}

static str joined(struct arena *arena, str list, str more)
{
    if (str_is_empty(list))
        return more;
    return arena_printf(arena, "%.*s,%.*s", STR(list), STR(more));
}

/* One member of each container. */
static str of_containers(struct arena *arena, const struct val *containers, str member)
{
    str all = STR_EMPTY;
    struct val_iter it = val_iter(containers);

    while (val_next(&it))
        all = joined(arena, all, val_get_str(it.value, member));
    return all;
}

static struct val c_containers(struct arena *arena, const struct val *object, const char *path)
{
    return text(arena, of_containers(arena, at(object, path), S("name")));
}

static struct val c_images(struct arena *arena, const struct val *object, const char *path)
{
    return text(arena, of_containers(arena, at(object, path), S("image")));
}

static struct val c_selector(struct arena *arena, const struct val *object, const char *path)
{
    return none_or(arena, selector_text(arena, at(object, path)));
}

static struct val c_map(struct arena *arena, const struct val *object, const char *path)
{
    str all = STR_EMPTY;
    struct val_iter it = val_iter(at(object, path));

    while (val_next(&it))
        all = joined(arena, all,
                     arena_printf(arena, "%.*s=%.*s", STR(it.key), STR(val_text(it.value))));
    return none_or(arena, all);
}

static struct val c_list(struct arena *arena, const struct val *object, const char *path)
{
    str all = STR_EMPTY;
    struct val_iter it = val_iter(at(object, path));

    while (val_next(&it))
        all = joined(arena, all, val_text(it.value));
    return none_or(arena, all);
}

static struct val c_pod_ready(struct arena *arena, const struct val *object,
                              UNUSED const char *path)
{
    long long ready = 0;
    struct val_iter it = val_iter(at(object, "status.containerStatuses"));

    while (val_next(&it))
        ready += val_get_bool(it.value, S("ready"), false) ? 1 : 0;
    return text(arena,
                arena_printf(arena, "%lld/%zu", ready, val_count(at(object, "spec.containers"))));
}

/* Why a container waits or ended, or the Pod's phase. */
static struct val c_pod_status(struct arena *arena, const struct val *object,
                               UNUSED const char *path)
{
    str status = val_str(at(object, "status.phase"));

    if (!str_is_empty(val_str(at(object, "status.reason"))))
        status = val_str(at(object, "status.reason"));
    struct val_iter it = val_iter(at(object, "status.containerStatuses"));
    while (val_next(&it)) {
        str waiting = val_str(at(it.value, "state.waiting.reason"));
        str ended = val_str(at(it.value, "state.terminated.reason"));

        if (!str_is_empty(waiting))
            status = waiting;
        else if (!str_is_empty(ended))
            status = ended;
    }
    if (at(object, "metadata.deletionTimestamp") != NULL)
        status = S("Terminating");
    return text(arena, status);
}

static struct val c_pod_restarts(struct arena *arena, const struct val *object,
                                 UNUSED const char *path)
{
    int64_t restarts = 0;
    struct val_iter it = val_iter(at(object, "status.containerStatuses"));

    while (val_next(&it))
        restarts += val_i64_or(val_get(it.value, S("restartCount")), 0);
    return text(arena, arena_printf(arena, "%lld", (long long)restarts));
}

static struct val c_service_ports(struct arena *arena, const struct val *object,
                                  UNUSED const char *path)
{
    str all = STR_EMPTY;
    struct val_iter it = val_iter(at(object, "spec.ports"));

    while (val_next(&it)) {
        int64_t node_port = val_i64_or(val_get(it.value, S("nodePort")), 0);
        str port = val_text(val_get(it.value, S("port")));
        str protocol = val_get_str(it.value, S("protocol"));

        if (node_port > 0)
            port = arena_printf(arena, "%.*s:%lld", STR(port), (long long)node_port);
        all = joined(arena, all, arena_printf(arena, "%.*s/%.*s", STR(port), STR(protocol)));
    }
    return none_or(arena, all);
}

static struct val c_external(struct arena *arena, const struct val *object, UNUSED const char *path)
{
    str type = val_str(at(object, "spec.type"));
    str all = STR_EMPTY;

    if (str_eq(type, S("ExternalName")))
        return text(arena, val_str(at(object, "spec.externalName")));
    struct val_iter it = val_iter(at(object, "status.loadBalancer.ingress"));
    while (val_next(&it)) {
        str ip = val_get_str(it.value, S("ip"));

        all = joined(arena, all, str_is_empty(ip) ? val_get_str(it.value, S("hostname")) : ip);
    }
    it = val_iter(at(object, "spec.externalIPs"));
    while (val_next(&it))
        all = joined(arena, all, val_str(it.value));
    if (str_is_empty(all) && str_eq(type, S("LoadBalancer")))
        return text(arena, S("<pending>"));
    return none_or(arena, all);
}

static struct val c_hosts(struct arena *arena, const struct val *object, UNUSED const char *path)
{
    str all = STR_EMPTY;
    struct val_iter it = val_iter(at(object, "spec.rules"));

    while (val_next(&it))
        if (!str_is_empty(val_get_str(it.value, S("host"))))
            all = joined(arena, all, val_get_str(it.value, S("host")));
    return text(arena, str_is_empty(all) ? S("*") : all);
}

static struct val c_ingress_ports(struct arena *arena, const struct val *object,
                                  UNUSED const char *path)
{
    return text(arena, val_count(at(object, "spec.tls")) > 0 ? S("80, 443") : S("80"));
}

static struct val c_job_status(struct arena *arena, const struct val *object,
                               UNUSED const char *path)
{
    str status = S("Running");
    struct val_iter it = val_iter(at(object, "status.conditions"));

    while (val_next(&it))
        if (str_eq(val_get_str(it.value, S("status")), S("True")) &&
            (str_eq(val_get_str(it.value, S("type")), S("Complete")) ||
             str_eq(val_get_str(it.value, S("type")), S("Failed")) ||
             str_eq(val_get_str(it.value, S("type")), S("Suspended"))))
            status = val_get_str(it.value, S("type"));
    if (at(object, "metadata.deletionTimestamp") != NULL)
        status = S("Terminating");
    return text(arena, status);
}

static struct val c_namespace_status(struct arena *arena, const struct val *object,
                                     const char *path)
{
    return c_text(arena, object, path);
}

static struct val c_node_status(struct arena *arena, const struct val *object,
                                UNUSED const char *path)
{
    str status = S("Unknown");
    struct val_iter it = val_iter(at(object, "status.conditions"));

    while (val_next(&it))
        if (str_eq(val_get_str(it.value, S("type")), S("Ready")))
            status = str_eq(val_get_str(it.value, S("status")), S("True")) ? S("Ready")
                                                                           : S("NotReady");
    if (val_is_true(at(object, "spec.unschedulable")))
        status = arena_printf(arena, "%.*s,SchedulingDisabled", STR(status));
    return text(arena, status);
}

static struct val c_node_roles(struct arena *arena, const struct val *object,
                               UNUSED const char *path)
{
    str all = STR_EMPTY;
    struct val_iter it = val_iter(at(object, "metadata.labels"));

    while (val_next(&it)) {
        str role = it.key;

        if (str_skip(&role, S("node-role.kubernetes.io/")))
            all = joined(arena, all, role);
    }
    return none_or(arena, all);
}

static struct val c_node_address(struct arena *arena, const struct val *object, const char *path)
{
    struct val_iter it = val_iter(at(object, "status.addresses"));

    while (val_next(&it))
        if (str_eq(val_get_str(it.value, S("type")), str_from(path)))
            return text(arena, val_get_str(it.value, S("address")));
    return text(arena, S("<none>"));
}

static struct val c_reference(struct arena *arena, const struct val *object, const char *path)
{
    const struct val *of = at(object, path);

    return text(arena, arena_printf(arena, "%.*s/%.*s", STR(val_get_str(of, S("kind"))),
                                    STR(val_get_str(of, S("name")))));
}

static struct val c_involved(struct arena *arena, const struct val *object, const char *path)
{
    const struct val *of = at(object, path);
    str kind = val_get_str(of, S("kind"));
    char *lower = arena_bytes(arena, kind.len + 1);

    for (size_t i = 0; i < kind.len; i++)
        lower[i] = kind.at[i] >= 'A' && kind.at[i] <= 'Z' ? (char)(kind.at[i] + 32) : kind.at[i];
    return text(arena, arena_printf(arena, "%.*s/%.*s", STR(str_of(lower, kind.len)),
                                    STR(val_get_str(of, S("name")))));
}

static struct val c_scale_target(struct arena *arena, const struct val *object,
                                 UNUSED const char *path)
{
    return c_reference(arena, object, "spec.scaleTargetRef");
}

static struct val c_created_at(struct arena *arena, const struct val *object, const char *path)
{
    return c_text(arena, object, path);
}

#define AGE                                                                                        \
    {                                                                                              \
        "Age", "string", 0, c_age, "metadata.creationTimestamp"                                    \
    }
#define TEMPLATE(path)                                                                             \
    {"Containers", "string", 1, c_containers, path ".spec.containers"},                            \
    {                                                                                              \
        "Images", "string", 1, c_images, path ".spec.containers"                                   \
    }
#define SELECTOR                                                                                   \
    {                                                                                              \
        "Selector", "string", 1, c_selector, "spec.selector"                                       \
    }

static const struct column pods[] = {
        {"Ready", "string", 0, c_pod_ready, NULL},
        {"Status", "string", 0, c_pod_status, NULL},
        {"Restarts", "string", 0, c_pod_restarts, NULL},
        AGE,
        {"IP", "string", 1, c_none, "status.podIP"},
        {"Node", "string", 1, c_none, "spec.nodeName"},
        {"Nominated Node", "string", 1, c_none, "status.nominatedNodeName"},
        {"Readiness Gates", "string", 1, c_none, "spec.readinessGates"},
};
static const struct column deployments[] = {
        {"Ready", "string", 0, c_ratio, "status.readyReplicas spec.replicas"},
        {"Up-to-date", "string", 0, c_number, "status.updatedReplicas"},
        {"Available", "string", 0, c_number, "status.availableReplicas"},
        AGE,
        TEMPLATE("spec.template"),
        SELECTOR,
};
static const struct column replicasets[] = {
        {"Desired", "integer", 0, c_number, "spec.replicas"},
        {"Current", "integer", 0, c_number, "status.replicas"},
        {"Ready", "integer", 0, c_number, "status.readyReplicas"},
        AGE,
        TEMPLATE("spec.template"),
        SELECTOR,
};
static const struct column statefulsets[] = {
        {"Ready", "string", 0, c_ratio, "status.readyReplicas spec.replicas"},
        AGE,
        TEMPLATE("spec.template"),
};
static const struct column daemonsets[] = {
        {"Desired", "integer", 0, c_number, "status.desiredNumberScheduled"},
        {"Current", "integer", 0, c_number, "status.currentNumberScheduled"},
        {"Ready", "integer", 0, c_number, "status.numberReady"},
        {"Up-to-date", "integer", 0, c_number, "status.updatedNumberScheduled"},
        {"Available", "integer", 0, c_number, "status.numberAvailable"},
        {"Node Selector", "string", 0, c_map, "spec.template.spec.nodeSelector"},
        AGE,
        TEMPLATE("spec.template"),
        SELECTOR,
};
static const struct column jobs[] = {
        {"Status", "string", 0, c_job_status, NULL},
        {"Completions", "string", 0, c_ratio, "status.succeeded spec.completions"},
        AGE,
        TEMPLATE("spec.template"),
        SELECTOR,
};
static const struct column cronjobs[] = {
        {"Schedule", "string", 0, c_text, "spec.schedule"},
        {"Timezone", "string", 0, c_none, "spec.timeZone"},
        {"Suspend", "boolean", 0, c_text, "spec.suspend"},
        {"Active", "integer", 0, c_count, "status.active"},
        {"Last Schedule", "string", 0, c_age, "status.lastScheduleTime"},
        AGE,
};
static const struct column services[] = {
        {"Type", "string", 0, c_text, "spec.type"},
        {"Cluster-IP", "string", 0, c_none, "spec.clusterIP"},
        {"External-IP", "string", 0, c_external, NULL},
        {"Port(s)", "string", 0, c_service_ports, NULL},
        AGE,
        {"Selector", "string", 1, c_map, "spec.selector"},
};
static const struct column ingresses[] = {
        {"Class", "string", 0, c_none, "spec.ingressClassName"},
        {"Hosts", "string", 0, c_hosts, NULL},
        {"Address", "string", 0, c_text, "status.loadBalancer.ip"},
        {"Ports", "string", 0, c_ingress_ports, NULL},
        AGE,
};
static const struct column configmaps[] = {{"Data", "string", 0, c_count, "data"}, AGE};
static const struct column secrets[] = {
        {"Type", "string", 0, c_text, "type"},
        {"Data", "integer", 0, c_count, "data"},
        AGE,
};
static const struct column namespaces[] = {
        {"Status", "string", 0, c_namespace_status, "status.phase"},
        AGE,
};
static const struct column nodes[] = {
        {"Status", "string", 0, c_node_status, NULL},
        {"Roles", "string", 0, c_node_roles, NULL},
        AGE,
        {"Version", "string", 0, c_text, "status.nodeInfo.kubeletVersion"},
        {"Internal-IP", "string", 1, c_node_address, "InternalIP"},
        {"External-IP", "string", 1, c_node_address, "ExternalIP"},
        {"OS-Image", "string", 1, c_none, "status.nodeInfo.osImage"},
        {"Kernel-Version", "string", 1, c_none, "status.nodeInfo.kernelVersion"},
        {"Container-Runtime", "string", 1, c_none, "status.nodeInfo.containerRuntimeVersion"},
};
static const struct column serviceaccounts[] = {{"Secrets", "integer", 0, c_count, "secrets"}, AGE};
static const struct column events[] = {
        {"Last Seen", "string", 0, c_age, "lastTimestamp"},
        {"Type", "string", 0, c_text, "type"},
        {"Reason", "string", 0, c_text, "reason"},
        {"Object", "string", 0, c_involved, "involvedObject"},
        {"Message", "string", 0, c_text, "message"},
};
static const struct column claims[] = {
        {"Status", "string", 0, c_text, "status.phase"},
        {"Volume", "string", 0, c_text, "spec.volumeName"},
        {"Capacity", "string", 0, c_text, "status.capacity.storage"},
        {"Access Modes", "string", 0, c_list, "status.accessModes"},
        {"StorageClass", "string", 0, c_text, "spec.storageClassName"},
        AGE,
};
static const struct column volumes[] = {
        {"Capacity", "string", 0, c_text, "spec.capacity.storage"},
        {"Access Modes", "string", 0, c_list, "spec.accessModes"},
        {"Reclaim Policy", "string", 0, c_text, "spec.persistentVolumeReclaimPolicy"},
        {"Status", "string", 0, c_text, "status.phase"},
        {"StorageClass", "string", 0, c_text, "spec.storageClassName"},
        AGE,
};
static const struct column autoscalers[] = {
        {"Reference", "string", 0, c_scale_target, NULL},
        {"MinPods", "string", 0, c_text, "spec.minReplicas"},
        {"MaxPods", "string", 0, c_text, "spec.maxReplicas"},
        {"Replicas", "string", 0, c_number, "status.currentReplicas"},
        AGE,
};
static const struct column definitions[] = {
        {"Created At", "date", 0, c_created_at, "metadata.creationTimestamp"},
};
static const struct column roles[] = {
        {"Created At", "date", 0, c_created_at, "metadata.creationTimestamp"},
};
static const struct column bindings[] = {
        {"Role", "string", 0, c_reference, "roleRef"},
        AGE,
};
static const struct column leases[] = {
        {"Holder", "string", 0, c_text, "spec.holderIdentity"},
        AGE,
};
static const struct column policies[] = {
        {"Pod-Selector", "string", 0, c_selector, "spec.podSelector"},
        AGE,
};
static const struct column budgets[] = {
        {"Min Available", "string", 0, c_text, "spec.minAvailable"},
        {"Max Unavailable", "string", 0, c_text, "spec.maxUnavailable"},
        {"Allowed Disruptions", "integer", 0, c_number, "status.disruptionsAllowed"},
        AGE,
};
static const struct column classes[] = {
        {"Provisioner", "string", 0, c_text, "provisioner"},
        {"ReclaimPolicy", "string", 0, c_text, "reclaimPolicy"},
        {"VolumeBindingMode", "string", 0, c_text, "volumeBindingMode"},
        AGE,
};
static const struct column priorities[] = {
        {"Value", "integer", 0, c_number, "value"},
        {"Global-Default", "boolean", 0, c_text, "globalDefault"},
        AGE,
};
static const struct column plain[] = {AGE};

#define TABLE(key, columns)                                                                        \
    {                                                                                              \
        S_INIT(key), columns, COUNT(columns)                                                       \
    }
static const struct {
    str key;
    const struct column *columns;
    size_t count;
} tables[] = {
        TABLE("/pods", pods),
        TABLE("apps/deployments", deployments),
        TABLE("apps/replicasets", replicasets),
        TABLE("/replicationcontrollers", replicasets),
        TABLE("apps/statefulsets", statefulsets),
        TABLE("apps/daemonsets", daemonsets),
        TABLE("batch/jobs", jobs),
        TABLE("batch/cronjobs", cronjobs),
        TABLE("/services", services),
        TABLE("networking.k8s.io/ingresses", ingresses),
        TABLE("networking.k8s.io/networkpolicies", policies),
        TABLE("/configmaps", configmaps),
        TABLE("/secrets", secrets),
        TABLE("/namespaces", namespaces),
        TABLE("/nodes", nodes),
        TABLE("/serviceaccounts", serviceaccounts),
        TABLE("/events", events),
        TABLE("/persistentvolumeclaims", claims),
        TABLE("/persistentvolumes", volumes),
        TABLE("autoscaling/horizontalpodautoscalers", autoscalers),
        TABLE("apiextensions.k8s.io/customresourcedefinitions", definitions),
        TABLE("rbac.authorization.k8s.io/roles", roles),
        TABLE("rbac.authorization.k8s.io/clusterroles", roles),
        TABLE("rbac.authorization.k8s.io/rolebindings", bindings),
        TABLE("rbac.authorization.k8s.io/clusterrolebindings", bindings),
        TABLE("coordination.k8s.io/leases", leases),
        TABLE("policy/poddisruptionbudgets", budgets),
        TABLE("storage.k8s.io/storageclasses", classes),
        TABLE("scheduling.k8s.io/priorityclasses", priorities),
};

const struct column *columns_of(str kind_key, size_t *ret_count)
{
    for (size_t i = 0; i < COUNT(tables); i++)
        if (str_eq(tables[i].key, kind_key)) {
            *ret_count = tables[i].count;
            return tables[i].columns;
        }
    *ret_count = COUNT(plain);
    return plain;
}
