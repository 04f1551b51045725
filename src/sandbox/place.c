/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/place.h"

#include "base/mem.h"
#include "sandbox/pod.h"

static const struct gvr accounts = {S_INIT(""), S_INIT("v1"), S_INIT("serviceaccounts")};
static const struct gvr config_maps = {S_INIT(""), S_INIT("v1"), S_INIT("configmaps")};

/* Once for each namespace that we see; "already there" is fine. */
void place_namespace_reconcile(struct world_key *key, const struct val *object)
{
    struct arena *arena = key->at;
    struct val account = val_map();
    struct val roots = val_map();

    if (object == NULL || VAL_AT(object, "metadata", "deletionTimestamp") != NULL ||
        key->memo != NULL)
        return;
    key->memo = mem_new(1, 1);
    val_set_str(arena, &account, S("apiVersion"), S("v1"));
    val_set_str(arena, &account, S("kind"), S("ServiceAccount"));
    struct val *metadata = val_ensure_map(arena, &account, S("metadata"));
    val_set_str(arena, metadata, S("name"), S("default"));
    val_set_str(arena, metadata, S("namespace"), key->name);
    world_create_other(key, accounts, &account);

    val_set_str(arena, &roots, S("apiVersion"), S("v1"));
    val_set_str(arena, &roots, S("kind"), S("ConfigMap"));
    metadata = val_ensure_map(arena, &roots, S("metadata"));
    val_set_str(arena, metadata, S("name"), S("kube-root-ca.crt"));
    val_set_str(arena, metadata, S("namespace"), key->name);
    val_set_str(arena, val_ensure_map(arena, metadata, S("annotations")),
                S("kubernetes.io/description"),
                S("The sandbox's Pods run nothing and connect to nothing, so they need no "
                  "certificate of the API server."));
    val_set_str(arena, val_ensure_map(arena, &roots, S("data")), S("ca.crt"), STR_EMPTY);
    world_create_other(key, config_maps, &roots);
}

/* ---- the node ---- */

static void add_condition(struct world_key *key, struct val *conditions, const char *type,
                          bool status, const char *reason, str message)
{
    pod_condition(key, conditions, NULL, type, status, reason, message);
    val_set_str(key->at, val_item(conditions, val_count(conditions) - 1), S("lastHeartbeatTime"),
                world_now(key));
}

static struct val node_status(struct world_key *key)
{
    static const char *const amounts[][2] = {
            {"cpu", "16"}, {"memory", "64Gi"}, {"ephemeral-storage", "500Gi"}, {"pods", "10000"}};
    struct arena *arena = key->at;
    struct val status = val_map();
    struct val *addresses = val_ensure_list(arena, &status, S("addresses"));
    struct val conditions = val_list();

    struct val *address = val_append(arena, addresses, val_map());
    val_set_str(arena, address, S("type"), S("InternalIP"));
    val_set_str(arena, address, S("address"), S("127.0.0.1"));
    address = val_append(arena, addresses, val_map());
    val_set_str(arena, address, S("type"), S("Hostname"));
    val_set_str(arena, address, S("address"), S(POD_NODE));
    for (size_t i = 0; i < COUNT(amounts); i++) {
        str name = str_from(amounts[i][0]);
        str amount = str_from(amounts[i][1]);
        val_set_str(arena, val_ensure_map(arena, &status, S("capacity")), name, amount);
        val_set_str(arena, val_ensure_map(arena, &status, S("allocatable")), name, amount);
    }
    add_condition(key, &conditions, "MemoryPressure", false, "KubeletHasSufficientMemory",
                  S("the sandbox has sufficient memory available"));
    add_condition(key, &conditions, "DiskPressure", false, "KubeletHasNoDiskPressure",
                  S("the sandbox has no disk pressure"));
    add_condition(key, &conditions, "PIDPressure", false, "KubeletHasSufficientPID",
                  S("the sandbox has sufficient PID available"));
    add_condition(key, &conditions, "Ready", true, "KubeletReady",
                  S("the sandbox is simulating ready status"));
    val_set(arena, &status, S("conditions"), conditions);
    struct val *info = val_ensure_map(arena, &status, S("nodeInfo"));
    static const char *const facts[][2] = {
            {"machineID", ""},
            {"systemUUID", ""},
            {"bootID", ""},
            {"kernelVersion", "simulated"},
            {"osImage", "Taut sandbox (simulated)"},
            {"containerRuntimeVersion", "sandbox://1"},
            {"kubeletVersion", "v1.34.0"},
            {"kubeProxyVersion", ""},
            {"operatingSystem", "linux"},
            {"architecture", "amd64"},
    };
    for (size_t i = 0; i < COUNT(facts); i++)
        val_set_str(arena, info, str_from(facts[i][0]), str_from(facts[i][1]));
    return status;
}

void place_node_create(struct world_key *key)
{
    static const char *const labels[][2] = {
            {"kubernetes.io/hostname", POD_NODE},
            {"kubernetes.io/os", "linux"},
            {"kubernetes.io/arch", "amd64"},
            {"node-role.kubernetes.io/control-plane", ""},
    };
    struct arena *arena = key->at;
    struct val node = val_map();

    val_set_str(arena, &node, S("apiVersion"), S("v1"));
    val_set_str(arena, &node, S("kind"), S("Node"));
    struct val *metadata = val_ensure_map(arena, &node, S("metadata"));
    val_set_str(arena, metadata, S("name"), S(POD_NODE));
    for (size_t i = 0; i < COUNT(labels); i++)
        val_set_str(arena, val_ensure_map(arena, metadata, S("labels")), str_from(labels[i][0]),
                    str_from(labels[i][1]));
    world_create(key, WORLD_NODE, "kubelet", &node);
}

void place_node_reconcile(struct world_key *key, const struct val *object)
{
    if (object == NULL || !str_eq(key->name, S(POD_NODE)) ||
        val_count(VAL_AT(object, "status", "addresses")) > 0)
        return;
    struct val status = node_status(key);
    world_status(key, object, "kubelet", &status);
}

/* ---- claims ---- */

void place_claim_reconcile(struct world_key *key, const struct val *object)
{
    struct arena *arena = key->at;
    struct val status = val_map();

    if (object == NULL || str_eq(VAL_STR(object, "status", "phase"), S("Bound")) ||
        VAL_AT(object, "metadata", "deletionTimestamp") != NULL)
        return;
    const struct val *spec = val_get(object, S("spec"));
    val_set_str(arena, &status, S("phase"), S("Bound"));
    val_set(arena, &status, S("accessModes"),
            val_dup_value(arena, val_get(spec, S("accessModes"))));
    const struct val *requests = VAL_AT(spec, "resources", "requests");
    val_set(arena, &status, S("capacity"), val_dup_value(arena, requests));
    world_status(key, object, "kube-controller-manager", &status);
}
