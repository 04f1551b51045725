/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Services of the deployments of a DevOps Project, and their external access (PRODUCT section 4).
 *
 * Only what a deployment of the project lists in its status is shown or changed: a Service of no
 * deployment, or of another project's, is out of reach here, whatever name is asked for.
 */
#include "web/resource.h"

#define SERVICES_MAX 2000

struct target {
    struct kube *kube;
    str cluster;
    str address; /* of a Ready node: ExternalIP, else InternalIP */
};

struct service {
    size_t target;
    str namespace_;
    str name;
    str application;
};

struct services {
    struct target *targets;
    size_t target_count;
    struct service *services;
    size_t count;
    size_t at;
    struct val *list;
    struct val *rows;
};

static const struct gvr gvr_services = {S_INIT(""), S_INIT("v1"), S_INIT("services")};
static const struct gvr gvr_nodes = {S_INIT(""), S_INIT("v1"), S_INIT("nodes")};

/* ---- which ---- */

static str cluster_name(const struct val *application)
{
    str name = VAL_STR(application, "spec", "destination", "name");
    return name.len > 0 ? name : VAL_STR(application, "spec", "destination", "server");
}

/* SIZE_MAX: the destination cannot be used now; its deployment says why. */
static size_t target_of(struct web_call *call, struct services *s, const struct val *application)
{
    str cluster = cluster_name(application);

    for (size_t i = 0; i < s->target_count; i++) {
        if (str_eq(s->targets[i].cluster, cluster))
            return i;
    }
    struct kube *kube = engine_app_kube(call->web->options.engine, application, NULL);
    if (kube == NULL)
        return SIZE_MAX;
    s->targets[s->target_count] = (struct target){kube, cluster, STR_EMPTY};
    return s->target_count++;
}

static void add_services(struct web_call *call, struct services *s, const struct val *application)
{
    struct val_iter it = val_iter(VAL_AT(application, "status", "resources"));

    while (val_next(&it) && s->count < SERVICES_MAX) {
        if (!str_eq(val_get_str(it.value, S("kind")), S("Service")) ||
            val_get_str(it.value, S("group")).len > 0)
            continue;
        size_t target = target_of(call, s, application);
        if (target == SIZE_MAX)
            return;
        s->services[s->count++] =
                (struct service){target, val_get_str(it.value, S("namespace")),
                                 val_get_str(it.value, S("name")), object_name(application)};
    }
}

static struct services *gather(struct web_call *call, const struct val *applications)
{
    struct services *s = arena_new0(call->arena, struct services);
    struct val_iter it = val_iter(applications);

    s->targets = arena_array(call->arena, val_count(applications) + 1, struct target);
    s->services = arena_array(call->arena, SERVICES_MAX, struct service);
    s->list = web_items(call->arena, &s->rows);
    while (val_next(&it))
        add_services(call, s, it.value);
    return s;
}

/* ---- list ---- */

static void next_service(struct web_call *call);

static void add_ports(struct arena *arena, struct val *row, const struct val *service,
                      const struct target *target)
{
    struct val *ports = val_ensure_list(arena, row, S("ports"));
    struct val *links = val_ensure_list(arena, row, S("links"));
    struct val_iter it = val_iter(VAL_AT(service, "spec", "ports"));

    while (val_next(&it)) {
        static const char *const keys[] = {"name", "port", "protocol", "nodePort"};
        struct val *port = val_append(arena, ports, val_map());
        for (size_t i = 0; i < COUNT(keys); i++) {
            const struct val *value = val_get(it.value, str_from(keys[i]));
            if (value != NULL)
                val_set(arena, port, str_from(keys[i]), val_dup_value(arena, value));
        }
        int64_t node_port = val_i64_or(val_get(it.value, S("nodePort")), 0);
        if (node_port > 0 && target->address.len > 0)
            val_append(arena, links,
                       val_string(arena, arena_printf(arena, "%.*s:%lld", STR(target->address),
                                                      (long long)node_port)));
    }
    it = val_iter(VAL_AT(service, "status", "loadBalancer", "ingress"));
    while (val_next(&it)) {
        str host = val_get_str(it.value, S("ip"));
        host = host.len > 0 ? host : val_get_str(it.value, S("hostname"));
        val_append(arena, links, val_string(arena, host));
    }
}

static void add_row(struct web_call *call, const struct val *object)
{
    struct arena *arena = call->arena;
    struct services *s = call->state;
    const struct service *service = &s->services[s->at];
    const struct target *target = &s->targets[service->target];
    struct val *row = val_append(arena, s->rows, val_map());
    str type = VAL_STR(object, "spec", "type");

    val_set_str(arena, row, S("name"), service->name);
    val_set_str(arena, row, S("project"), service->namespace_);
    val_set_str(arena, row, S("cluster"), target->cluster);
    val_set_str(arena, row, S("application"), service->application);
    val_set_str(arena, row, S("type"), type.len > 0 ? type : S("ClusterIP"));
    val_set_str(arena, row, S("clusterIP"), VAL_STR(object, "spec", "clusterIP"));
    val_set_str(arena, row, S("created"), VAL_STR(object, "metadata", "creationTimestamp"));
    add_ports(arena, row, object, target);
}

static void on_service(struct web_call *call, struct kube_response *response)
{
    struct services *s = call->state;

    /* One that is not there (yet) is no row; the deployment's own page says that it is missing. */
    if (response->ok)
        add_row(call, response->object);
    s->at++;
    next_service(call);
}

static void next_service(struct web_call *call)
{
    struct services *s = call->state;

    if (s->at == s->count) {
        web_reply_val(call, 200, s->list);
        return;
    }
    const struct service *service = &s->services[s->at];
    web_kube_at(call, s->targets[service->target].kube,
                &(struct kube_request){.verb = KUBE_GET,
                                       .gvr = gvr_services,
                                       .namespace_ = service->namespace_,
                                       .name = service->name},
                on_service);
}

static bool is_ready(const struct val *node)
{
    struct val_iter it = val_iter(VAL_AT(node, "status", "conditions"));

    while (val_next(&it)) {
        if (str_eq(val_get_str(it.value, S("type")), S("Ready")))
            return str_eq(val_get_str(it.value, S("status")), S("True"));
    }
    return false;
}

static str address_of(const struct val *node, str type)
{
    struct val_iter it = val_iter(VAL_AT(node, "status", "addresses"));

    while (val_next(&it)) {
        if (str_eq(val_get_str(it.value, S("type")), type))
            return val_get_str(it.value, S("address"));
    }
    return STR_EMPTY;
}

static str node_address(struct arena *arena, const struct val *nodes)
{
    static const str types[] = {S_INIT("ExternalIP"), S_INIT("InternalIP")};

    for (size_t i = 0; i < COUNT(types); i++) {
        struct val_iter it = val_iter(nodes);
        while (val_next(&it)) {
            str address = is_ready(it.value) ? address_of(it.value, types[i]) : STR_EMPTY;
            if (address.len > 0)
                return arena_str(arena, address);
        }
    }
    return STR_EMPTY;
}

static void next_target(struct web_call *call);

static void on_nodes(struct web_call *call, struct kube_response *response)
{
    struct services *s = call->state;

    if (response->ok)
        s->targets[s->at].address =
                node_address(call->arena, val_get(response->object, S("items")));
    s->at++;
    next_target(call);
}

static void next_target(struct web_call *call)
{
    struct services *s = call->state;

    if (s->at == s->target_count) {
        s->at = 0;
        next_service(call);
        return;
    }
    web_kube_at(call, s->targets[s->at].kube,
                &(struct kube_request){.verb = KUBE_LIST, .gvr = gvr_nodes, .limit = 100},
                on_nodes);
}

static bool take_applications(struct web_call *call, struct kube_response *response)
{
    if (!response->ok) {
        web_reply_kube(call, response, "listing deployments");
        return false;
    }
    if (call->web->options.engine == NULL) {
        web_fail(call, ERR_UNAVAILABLE, "the server is still starting");
        return false;
    }
    /* The answer goes with this turn, what was gathered of it must stay. */
    call->state = gather(call, val_get(val_dup(call->arena, response->object), S("items")));
    return true;
}

static void on_applications(struct web_call *call, struct kube_response *response)
{
    if (take_applications(call, response))
        next_target(call);
}

static void list_applications(struct web_call *call, web_next_fn *then)
{
    web_kube(call,
             &(struct kube_request){.verb = KUBE_LIST,
                                    .gvr = web_gvr_applications,
                                    .namespace_ = call->namespace_},
             then);
}

void web_service_list(struct web_call *call)
{
    list_applications(call, on_applications);
}

/* ---- Edit External Access ---- */

static const struct {
    str mode;
    str type;
} modes[] = {
        {S_INIT("None"), S_INIT("ClusterIP")},
        {S_INIT("NodePort"), S_INIT("NodePort")},
        {S_INIT("LoadBalancer"), S_INIT("LoadBalancer")},
};

static bool mode_type(str mode, str *ret_type)
{
    for (size_t i = 0; i < COUNT(modes); i++) {
        if (str_eq(modes[i].mode, mode)) {
            *ret_type = modes[i].type;
            return true;
        }
    }
    return false;
}

static void on_changed(struct web_call *call, struct kube_response *response)
{
    struct services *s = call->state;

    if (!response->ok) {
        web_reply_kube(call, response, "changing the external access");
        return;
    }
    add_row(call, response->object);
    web_reply_val(call, 200, val_item(s->rows, 0));
}

/* The type, and for None the ports without their node ports: the port is given back. */
static struct val *access_patch(struct arena *arena, const struct val *service, str type)
{
    struct val *patch = val_new(arena, val_map());
    struct val *spec = val_ensure_map(arena, patch, S("spec"));

    val_set_str(arena, val_ensure_map(arena, patch, S("metadata")), S("resourceVersion"),
                object_resource_version(service));
    val_set_str(arena, spec, S("type"), type);
    if (!str_eq(type, S("ClusterIP")))
        return patch;
    struct val *ports = val_set(arena, spec, S("ports"),
                                val_dup_value(arena, VAL_AT(service, "spec", "ports")));
    struct val_iter it = val_iter(ports);
    while (val_next(&it))
        val_del(it.value, S("nodePort"));
    return patch;
}

static void on_service_read(struct web_call *call, struct kube_response *response)
{
    struct services *s = call->state;
    const struct service *service = &s->services[s->at];
    str type = STR_EMPTY;

    if (!response->ok) {
        web_reply_kube(call, response, "reading the Service");
        return;
    }
    if (!mode_type(web_body_str(call, S("mode")), &type)) {
        web_fail(call, ERR_INVALID, "mode must be None, NodePort or LoadBalancer");
        return;
    }
    if (str_eq(VAL_STR(response->object, "spec", "clusterIP"), S("None")) ||
        str_eq(VAL_STR(response->object, "spec", "type"), S("ExternalName"))) {
        web_fail(call, ERR_INVALID,
                 "Service '%.*s' has no address of its own (headless or ExternalName), so it has "
                 "no external access",
                 STR(service->name));
        return;
    }
    web_kube_at(call, s->targets[service->target].kube,
                &(struct kube_request){.verb = KUBE_PATCH_MERGE,
                                       .gvr = gvr_services,
                                       .namespace_ = service->namespace_,
                                       .name = service->name,
                                       .field_manager = S("taut-console"),
                                       .body = access_patch(call->arena, response->object, type)},
                on_changed);
}

static void on_access_nodes(struct web_call *call, struct kube_response *response)
{
    struct services *s = call->state;
    const struct service *service = &s->services[s->at];

    if (response->ok)
        s->targets[service->target].address =
                node_address(call->arena, val_get(response->object, S("items")));
    web_kube_at(call, s->targets[service->target].kube,
                &(struct kube_request){.verb = KUBE_GET,
                                       .gvr = gvr_services,
                                       .namespace_ = service->namespace_,
                                       .name = service->name},
                on_service_read);
}

static void on_access_applications(struct web_call *call, struct kube_response *response)
{
    if (!take_applications(call, response))
        return;
    struct services *s = call->state;
    for (s->at = 0; s->at < s->count; s->at++) {
        const struct service *service = &s->services[s->at];
        if (!str_eq(s->targets[service->target].cluster, call->params[1]) ||
            !str_eq(service->namespace_, call->params[2]) ||
            !str_eq(service->name, call->params[3]))
            continue;
        web_kube_at(call, s->targets[service->target].kube,
                    &(struct kube_request){.verb = KUBE_LIST, .gvr = gvr_nodes, .limit = 100},
                    on_access_nodes);
        return;
    }
    web_fail(call, ERR_NOT_FOUND,
             "no deployment of '%.*s' brings a Service '%.*s' to project '%.*s' of cluster '%.*s'",
             STR(call->params[0]), STR(call->params[3]), STR(call->params[2]),
             STR(call->params[1]));
}

void web_service_access(struct web_call *call)
{
    list_applications(call, on_access_applications);
}
