/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/sandbox.h"

#include "base/mem.h"
#include "sandbox/place.h"
#include "sandbox/pod.h"
#include "sandbox/service.h"
#include "sandbox/workload.h"

struct sandbox {
    struct world *world;
    struct service_ports *ports;
};

/* The node is made with the first namespace: `default` exists in every cluster. */
static void namespace_reconcile(struct world_key *key, const struct val *object)
{
    bool is_first = str_eq(key->name, S("default")) && object != NULL;

    if (is_first && world_find(key->world, WORLD_NODE, STR_EMPTY, S(POD_NODE)) == NULL) {
        if (key->memo == NULL)
            place_node_create(key);
    }
    place_namespace_reconcile(key, object);
}

static world_fn *const controllers[WORLD_KINDS] = {
        [WORLD_NAMESPACE] = namespace_reconcile,
        [WORLD_NODE] = place_node_reconcile,
        [WORLD_POD] = pod_reconcile,
        [WORLD_DEPLOYMENT] = deployment_reconcile,
        [WORLD_REPLICA_SET] = replica_set_reconcile,
        [WORLD_STATEFUL_SET] = stateful_set_reconcile,
        [WORLD_DAEMON_SET] = daemon_set_reconcile,
        [WORLD_JOB] = job_reconcile,
        [WORLD_CRON_JOB] = cron_job_reconcile,
        [WORLD_INGRESS] = ingress_reconcile,
        [WORLD_AUTOSCALER] = autoscaler_reconcile,
        [WORLD_SERVICE] = service_reconcile,
        [WORLD_CLAIM] = place_claim_reconcile,
};

struct sandbox *sandbox_new(struct kube *kube, const struct sandbox_options *options)
{
    static const struct sandbox_options none = {0};
    struct sandbox *sandbox = new0(struct sandbox);
    struct world_options world = {0};

    if (options == NULL)
        options = &none;
    world.speed = options->speed;
    if (!options->no_node_ports)
        sandbox->ports = service_ports_new();
    sandbox->world = world_new(kube, &world, controllers, sandbox->ports);
    return sandbox;
}

void sandbox_free(struct sandbox *sandbox)
{
    if (sandbox == NULL)
        return;
    world_free(sandbox->world);
    service_ports_free(sandbox->ports);
    mem_free(sandbox);
}

bool sandbox_is_idle(const struct sandbox *sandbox)
{
    return world_is_idle(sandbox->world);
}
