/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Services page (PRODUCT section 4).
 *
 * Only what a deployment of the project lists in its status is shown or changed: a Service of no
 * deployment, or of another project's, is out of reach here, whatever name is asked for.
 */
#include "web/services.h"

const struct gvr services_gvr = {S_INIT(""), S_INIT("v1"), S_INIT("services")};
static const struct gvr nodes_gvr = {S_INIT(""), S_INIT("v1"), S_INIT("nodes")};

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

    for (size_t i = 0; i < s->target_count; i++)
        if (str_eq(s->targets[i].cluster, cluster))
            return i;
    struct kube *kube = engine_app_kube(call->web->options.engine, application, NULL);
    if (kube == NULL)
        return SIZE_MAX;
    s->targets[s->target_count] = (struct services_target){.kube = kube, .cluster = cluster};
    return s->target_count++;
}

static void add_services(struct web_call *call, struct services *s, const struct val *application)
{
    struct val_iter it = val_iter(VAL_AT(application, "status", "resources"));

    while (val_next(&it) && s->count < LIMIT_SERVICES) {
        if (!str_eq(val_get_str(it.value, S("kind")), S("Service")) ||
            val_get_str(it.value, S("group")).len > 0)
            continue;
        size_t target = target_of(call, s, application);
        if (target == SIZE_MAX)
            return;
        s->items[s->count++] =
                (struct services_item){target, val_get_str(it.value, S("namespace")),
                                       val_get_str(it.value, S("name")), application};
    }
}

bool services_take(struct web_call *call, struct kube_response *response)
{
    struct services *s = arena_new0(call->arena, struct services);
    const struct val *applications;
    struct val_iter it;

    if (!response->ok) {
        web_reply_kube(call, response, "listing deployments");
        return false;
    }
    if (web_engine(call) == NULL)
        return false;
    /* The answer goes with this turn, what was gathered of it must stay. */
    applications = val_get(val_dup(call->arena, response->object), S("items"));
    s->targets = arena_array(call->arena, val_count(applications) + 1, struct services_target);
    s->items = arena_array(call->arena, LIMIT_SERVICES, struct services_item);
    s->list = web_items(call->arena, &s->rows);
    it = val_iter(applications);
    while (val_next(&it))
        add_services(call, s, it.value);
    call->state = s;
    return true;
}

void services_list_applications(struct web_call *call, web_next_fn *then)
{
    web_kube(call,
             &(struct kube_request){.verb = KUBE_LIST,
                                    .gvr = web_gvr_applications,
                                    .namespace_ = call->namespace_},
             then);
}

/* ---- where a node port answers ---- */

static bool is_ready(const struct val *node)
{
    struct val_iter it = val_iter(VAL_AT(node, "status", "conditions"));

    while (val_next(&it))
        if (str_eq(val_get_str(it.value, S("type")), S("Ready")))
            return str_eq(val_get_str(it.value, S("status")), S("True"));
    return false;
}

static str address_of(const struct val *node, str type)
{
    struct val_iter it = val_iter(VAL_AT(node, "status", "addresses"));

    while (val_next(&it))
        if (str_eq(val_get_str(it.value, S("type")), type))
            return val_get_str(it.value, S("address"));
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

void services_ask_nodes(struct web_call *call, size_t at, web_next_fn *then)
{
    struct services *s = call->state;

    web_kube_at(call, s->targets[at].kube,
                &(struct kube_request){.verb = KUBE_LIST, .gvr = nodes_gvr, .limit = 100}, then);
}

void services_take_nodes(struct web_call *call, size_t at, struct kube_response *response)
{
    struct services *s = call->state;
    struct services_target *target = &s->targets[at];
    const struct val *nodes = val_get(response->object, S("items"));

    if (!response->ok)
        target->no_address = arena_str(call->arena, err_message(&response->err));
    else
        target->address = node_address(call->arena, nodes);
    if (response->ok && str_is_empty(target->address))
        target->no_address = val_count(nodes) == 0 ? S("noNodes") : S("notReady");
}

/* ---- rows ---- */

static void add_ports(struct arena *arena, struct val *row, const struct val *service,
                      const struct services_target *target)
{
    struct val *ports = val_ensure_list(arena, row, S("ports"));
    struct val *links = val_ensure_list(arena, row, S("links"));
    struct val *balancers;
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
    balancers = val_ensure_list(arena, row, S("balancers"));
    it = val_iter(VAL_AT(service, "status", "loadBalancer", "ingress"));
    while (val_next(&it)) {
        str host = val_get_str(it.value, S("ip"));
        host = host.len > 0 ? host : val_get_str(it.value, S("hostname"));
        val_append(arena, balancers, val_string(arena, host));
    }
}

struct val *services_add_row(struct web_call *call, const struct services_item *item,
                             const struct val *object)
{
    struct arena *arena = call->arena;
    struct services *s = call->state;
    const struct services_target *target = &s->targets[item->target];
    struct val *row = val_append(arena, s->rows, val_map());
    str type = VAL_STR(object, "spec", "type");

    val_set_str(arena, row, S("name"), item->name);
    val_set_str(arena, row, S("project"), item->namespace_);
    val_set_str(arena, row, S("cluster"), target->cluster);
    val_set_str(arena, row, S("application"), object_name(item->application));
    val_set_str(arena, row, S("type"), type.len > 0 ? type : S("ClusterIP"));
    val_set_str(arena, row, S("clusterIP"), VAL_STR(object, "spec", "clusterIP"));
    val_set_str(arena, row, S("created"), VAL_STR(object, "metadata", "creationTimestamp"));
    if (!str_is_empty(target->no_address))
        val_set_str(arena, row, S("noAddress"), target->no_address);
    add_ports(arena, row, object, target);
    access_add_git(call, item, row);
    return row;
}

static bool is_same_place(const struct services_item *a, const struct services_item *b)
{
    return a->target == b->target && str_eq(a->namespace_, b->namespace_);
}

static void next_place(struct web_call *call);

/* All Services of one project of one cluster came: the rows of those that deployments bring. */
static void on_place(struct web_call *call, struct kube_response *response)
{
    struct services *s = call->state;
    const struct services_item *first = &s->items[s->at];

    /* One that is not there (yet) is no row; the deployment's own page says that it is missing. */
    for (size_t i = s->at; response->ok && i < s->count; i++) {
        struct val_iter it = val_iter(val_get(response->object, S("items")));

        while (is_same_place(first, &s->items[i]) && val_next(&it))
            if (str_eq(object_name(it.value), s->items[i].name)) {
                services_add_row(call, &s->items[i], it.value);
                break;
            }
    }
    s->at++;
    next_place(call);
}

static void next_place(struct web_call *call)
{
    struct services *s = call->state;
    const struct services_item *item;

    for (; s->at < s->count; s->at++) {
        size_t before = 0;

        while (before < s->at && !is_same_place(&s->items[before], &s->items[s->at]))
            before++;
        if (before == s->at)
            break;
    }
    if (s->at == s->count) {
        web_reply_val(call, 200, s->list);
        return;
    }
    item = &s->items[s->at];
    web_kube_at(call, s->targets[item->target].kube,
                &(struct kube_request){
                        .verb = KUBE_LIST, .gvr = services_gvr, .namespace_ = item->namespace_},
                on_place);
}

static void next_target(struct web_call *call);

static void on_nodes(struct web_call *call, struct kube_response *response)
{
    struct services *s = call->state;

    services_take_nodes(call, s->at++, response);
    next_target(call);
}

static void next_target(struct web_call *call)
{
    struct services *s = call->state;

    if (s->at == s->target_count) {
        s->at = 0;
        next_place(call);
        return;
    }
    services_ask_nodes(call, s->at, on_nodes);
}

static void on_applications(struct web_call *call, struct kube_response *response)
{
    if (services_take(call, response))
        next_target(call);
}

void web_service_list(struct web_call *call)
{
    services_list_applications(call, on_applications);
}
