/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/service.h"

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "sandbox/node_port.h"
#include "sandbox/pod.h"

enum { SETTLE_MS = 100, BUSY_RETRY_MS = 10000, ENDPOINTS_MAX = 100, NAMES_SHOWN = 50 };

/* One Service with node ports: what its page says. */
struct open_service {
    struct service_ports *ports;
    str namespace_;
    str name;
    struct map *ready; /* names of the ready Pods */
    struct map *open;  /* "30001" → struct node_port */
};

struct service_ports {
    struct map *services; /* "namespace/name" → struct open_service */
};

struct memo {
    int64_t looked_ms;
};

/* ---- the page ---- */

static bool write_page(void *owner, struct buf *page)
{
    const struct open_service *s = owner;
    struct map_iter it = map_iter(s->ready);
    size_t shown = 0;

    if (map_count(s->ready) == 0)
        return false;
    /* Names of Kubernetes objects hold nothing that HTML would read as markup. */
    buf_addf(page,
             "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
             "<title>%.*s</title><style>body{font:16px/1.5 system-ui,sans-serif;margin:3rem auto;"
             "max-width:40rem;padding:0 1rem}code{background:#eee;padding:.1em .3em}</style></head>"
             "<body>\n<h1>Service <code>%.*s</code></h1>\n<p>Project <code>%.*s</code></p>\n"
             "<p>Ready Pods: %zu</p>\n<ul>\n",
             STR(s->name), STR(s->name), STR(s->namespace_), map_count(s->ready));
    while (map_next(&it) && shown++ < NAMES_SHOWN)
        buf_addf(page, "<li><code>%.*s</code></li>\n", STR(it.key));
    buf_add(page, S("</ul>\n<p>This is Taut's sandbox, a simulated cluster: no container runs "
                    "behind this page.</p>\n</body></html>\n"));
    return true;
}

/* ---- ports ---- */

struct service_ports *service_ports_new(void)
{
    struct service_ports *ports = new0(struct service_ports);

    ports->services = map_new();
    return ports;
}

static void close_service(struct service_ports *ports, str text)
{
    struct open_service *s = map_del(ports->services, text);

    if (s == NULL)
        return;
    struct map_iter it = map_iter(s->open);
    while (map_next(&it))
        node_port_free(it.value);
    map_free(s->open);
    map_free(s->ready);
    str_own_free(&s->namespace_);
    str_own_free(&s->name);
    mem_free(s);
}

void service_ports_free(struct service_ports *ports)
{
    if (ports == NULL)
        return;
    struct map_iter it = map_iter(ports->services);
    while (map_next(&it))
        close_service(ports, it.key);
    map_free(ports->services);
    mem_free(ports);
}

static str key_text(struct world_key *key)
{
    return arena_printf(key->at, "%.*s/%.*s", STR(key->namespace_), STR(key->name));
}

static struct open_service *open_service(struct service_ports *ports, struct world_key *key)
{
    str text = key_text(key);
    struct open_service *s = map_get(ports->services, text);

    if (s != NULL)
        return s;
    s = new0(struct open_service);
    s->ports = ports;
    s->namespace_ = str_own(key->namespace_);
    s->name = str_own(key->name);
    s->open = map_new();
    s->ready = map_new();
    map_set(ports->services, text, s);
    return s;
}

static void open_port(struct world_key *key, const struct val *service, struct open_service *s,
                      int64_t number)
{
    str text = arena_printf(key->at, "%lld", (long long)number);
    struct node_port *port = NULL;
    struct err err = {0};

    if (map_has(s->open, text))
        return;
    if (node_port_new(world_kube(key->world)->loop, (uint16_t)number, write_page, s, &port, &err)) {
        map_set(s->open, text, port);
        return;
    }
    world_event(key, service, "sandbox", "Warning", "NodePortBusy",
                arena_printf(key->at, "The sandbox cannot answer on 127.0.0.1:%lld: %s",
                             (long long)number, err.message));
    world_later(key, BUSY_RETRY_MS);
}

static void open_ports(struct world_key *key, const struct val *service,
                       struct service_ports *ports)
{
    struct open_service *s = open_service(ports, key);
    struct val wanted = val_map();
    struct val_iter it = val_iter(VAL_AT(service, "spec", "ports"));

    while (val_next(&it)) {
        int64_t number = val_i64_or(val_get(it.value, S("nodePort")), 0);
        str protocol = val_get_str(it.value, S("protocol"));
        if (number <= 0 || number > 65535 ||
            (!str_is_empty(protocol) && !str_eq(protocol, S("TCP"))))
            continue;
        val_set(key->at, &wanted, arena_printf(key->at, "%lld", (long long)number), val_null());
        open_port(key, service, s, number);
    }
    struct map_iter open = map_iter(s->open);
    while (map_next(&open)) {
        if (val_get(&wanted, open.key) != NULL)
            continue;
        struct node_port *port = open.value;
        map_del(s->open, open.key);
        node_port_free(port);
    }
    if (map_count(s->open) == 0 && val_count(&wanted) == 0)
        close_service(ports, key_text(key));
}

/* ---- end points ---- */

struct matching {
    struct world_key *key;
    const struct thing *service;
    const struct val *selector;
    struct val *endpoints; /* of the EndpointSlice */
    struct open_service *open;
};

static bool selects(const struct val *selector, const struct val *pod)
{
    struct val_iter it = val_iter(selector);

    while (val_next(&it))
        if (!str_eq(object_label(pod, it.key), val_str(it.value)))
            return false;
    return val_count(selector) > 0;
}

static void add_endpoint(void *owner, struct thing *thing)
{
    struct matching *m = owner;
    struct arena *arena = m->key->at;
    struct val endpoint = val_map();
    struct val addresses = val_list();

    if (thing->finished || !world_selects(m->service, thing) ||
        val_count(m->endpoints) >= ENDPOINTS_MAX)
        return;
    const struct val *pod = world_parse(m->key, thing);
    str ip = VAL_STR(pod, "status", "podIP");
    if (!selects(m->selector, pod) || str_is_empty(ip))
        return;
    bool ready = thing->ready && !thing->deleting;
    if (ready && m->open != NULL)
        map_set(m->open->ready, thing->name, m->open);
    val_append(arena, &addresses, val_string(arena, ip));
    val_set(arena, &endpoint, S("addresses"), addresses);
    struct val *conditions = val_ensure_map(arena, &endpoint, S("conditions"));
    val_set(arena, conditions, S("ready"), val_bool(ready));
    val_set(arena, conditions, S("serving"), val_bool(thing->ready));
    val_set(arena, conditions, S("terminating"), val_bool(thing->deleting));
    val_set_str(arena, &endpoint, S("nodeName"), S(POD_NODE));
    struct val *target = val_ensure_map(arena, &endpoint, S("targetRef"));
    val_set_str(arena, target, S("kind"), S("Pod"));
    val_set_str(arena, target, S("name"), thing->name);
    val_set_str(arena, target, S("namespace"), thing->namespace_);
    val_set_str(arena, target, S("uid"), thing->uid);
    val_append(arena, m->endpoints, endpoint);
}

static struct val slice_ports(struct world_key *key, const struct val *service)
{
    struct val ports = val_list();
    struct val_iter it = val_iter(VAL_AT(service, "spec", "ports"));
    struct arena *arena = key->at;

    while (val_next(&it)) {
        struct val port = val_map();
        const struct val *target = val_get(it.value, S("targetPort"));
        const struct val *number =
                val_is(target, VAL_NUMBER) ? target : val_get(it.value, S("port"));
        val_set_str(arena, &port, S("name"), val_get_str(it.value, S("name")));
        val_set_str(arena, &port, S("protocol"), val_get_str(it.value, S("protocol")));
        val_set(arena, &port, S("port"), val_dup_value(arena, number));
        val_append(arena, &ports, port);
    }
    return ports;
}

/* The slice's name follows from the Service's, so that a restart finds it again. */
static void write_slice(struct world_key *key, const struct val *service,
                        const struct val *endpoints)
{
    struct arena *arena = key->at;
    struct val slice = val_map();
    str hash = pod_template_hash(arena, val_get(val_get(service, S("metadata")), S("uid")));
    str name = arena_printf(arena, "%.*s-%.5s", STR(key->name), hash.at);
    struct thing *was = world_find(key->world, WORLD_ENDPOINT_SLICE, key->namespace_, name);
    struct val ports = slice_ports(key, service);

    if (was != NULL) {
        const struct val *old = world_parse(key, was);
        struct val patch = val_map();
        if (val_eq(val_get(old, S("endpoints")), endpoints) &&
            val_eq(val_get(old, S("ports")), &ports))
            return;
        val_set(arena, &patch, S("endpoints"), *endpoints);
        val_set(arena, &patch, S("ports"), ports);
        world_patch(key, was, NULL, "kube-controller-manager", &patch);
        return;
    }
    val_set_str(arena, &slice, S("apiVersion"), S("discovery.k8s.io/v1"));
    val_set_str(arena, &slice, S("kind"), S("EndpointSlice"));
    struct val *metadata = val_ensure_map(arena, &slice, S("metadata"));
    val_set_str(arena, metadata, S("name"), name);
    val_set_str(arena, metadata, S("namespace"), key->namespace_);
    struct val *labels = val_ensure_map(arena, metadata, S("labels"));
    val_set_str(arena, labels, S("kubernetes.io/service-name"), key->name);
    val_set_str(arena, labels, S("endpointslice.kubernetes.io/managed-by"),
                S("endpointslice-controller.k8s.io"));
    val_append(arena, val_ensure_list(arena, metadata, S("ownerReferences")),
               pod_owner_reference(arena, service));
    val_set_str(arena, &slice, S("addressType"), S("IPv4"));
    val_set(arena, &slice, S("endpoints"), *endpoints);
    val_set(arena, &slice, S("ports"), ports);
    world_create(key, WORLD_ENDPOINT_SLICE, "kube-controller-manager", &slice);
}

void service_reconcile(struct world_key *key, const struct val *service)
{
    struct service_ports *ports = world_owner(key->world);
    struct memo *memo = key->memo;
    struct val endpoints = val_list();

    if (service == NULL || VAL_AT(service, "metadata", "deletionTimestamp") != NULL) {
        if (ports != NULL)
            close_service(ports, key_text(key));
        return;
    }
    /* Every Pod of the project comes by here: look once for a bunch of them. */
    if (memo == NULL)
        key->memo = memo = new0(struct memo);
    int64_t now = clock_mono_ms();
    if (memo->looked_ms != 0 && now - memo->looked_ms < SETTLE_MS) {
        world_later(key, SETTLE_MS);
        return;
    }
    memo->looked_ms = now;
    if (ports != NULL)
        open_ports(key, service, ports);
    struct matching m = {
            .key = key,
            .service = world_find(key->world, WORLD_SERVICE, key->namespace_, key->name),
            .selector = VAL_AT(service, "spec", "selector"),
            .endpoints = &endpoints,
            .open = ports == NULL ? NULL : map_get(ports->services, key_text(key)),
    };
    if (m.open != NULL)
        map_clear(m.open->ready);
    world_each(key->world, WORLD_POD, add_endpoint, &m);
    if (val_count(m.selector) > 0)
        write_slice(key, service, &endpoints);
}
