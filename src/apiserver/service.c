/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/service.h"

#include "base/map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NODE_PORT_FIRST 30000
#define NODE_PORT_LAST 32767
#define IP_FIRST 0x0a600001u /* 10.96.0.1 is the API server's own */
#define IP_LAST 0x0a60fffeu

/* What the other Services hold. */
struct taken {
    struct map *ips;
    struct map *ports;
    str except_uid;
    struct arena *arena;
};

static char mark;

static void take_port(struct taken *taken, int64_t port)
{
    char text[24];
    int len = snprintf(text, sizeof(text), "%lld", (long long)port);

    map_set(taken->ports, str_of(text, (size_t)len), &mark);
}

static bool port_is_taken(const struct taken *taken, int64_t port)
{
    char text[24];
    int len = snprintf(text, sizeof(text), "%lld", (long long)port);

    return map_has(taken->ports, str_of(text, (size_t)len));
}

/* The text behind the next `key` of *rest, up to `end`. Stored objects are compact JSON, and a
 * quote inside a text is escaped, so a key is found where it stands and nowhere else. */
static bool next_value(str *rest, str key, char end, str *ret_value)
{
    const char *at = rest->len == 0 ? NULL : memmem(rest->at, rest->len, key.at, key.len);

    if (at == NULL)
        return false;
    *rest = str_from_index(*rest, (size_t)(at - rest->at) + key.len);
    *ret_value = str_first(*rest, MIN(str_find_char(*rest, end), rest->len));
    return true;
}

/* All Services are looked at for each that is made: parsing them would be most of the work. */
static bool note_service(void *owner, const struct store_row *row)
{
    struct taken *taken = owner;
    str rest = row->json;
    str value;

    if (str_eq(row->uid, taken->except_uid))
        return true;
    while (next_value(&rest, S("\"clusterIP\":\""), '"', &value))
        map_set(taken->ips, value, &mark);
    rest = row->json;
    while (next_value(&rest, S("\"nodePort\":"), ',', &value)) {
        int64_t port =
                strtoll(value.at, NULL, 10); /* ends at what is no digit; JSON always has it */

        if (port != 0)
            take_port(taken, port);
    }
    return true;
}

static bool look(struct api *api, const struct val *object, struct taken *taken)
{
    struct store_range range = {.resource = S("/services")};
    struct err err = {0};

    map_set(taken->ips, S("10.96.0.1"), &mark);
    taken->except_uid = object_uid(object);
    if (!store_each(api->server->store, &range, note_service, taken, &err))
        return api_fail_err(api, &err);
    return true;
}

static bool refuse(struct api *api, const struct val *object, const char *field, str value,
                   str detail)
{
    struct val *problems = val_new(api->arena, val_list());
    struct val *problem = val_append(api->arena, problems, val_map());

    val_set_str(api->arena, problem, S("reason"), S("FieldValueInvalid"));
    val_set_str(api->arena, problem, S("message"),
                arena_printf(api->arena, "Invalid value: %.*s: %.*s", STR(value), STR(detail)));
    val_set_str(api->arena, problem, S("field"), str_from(field));
    return api_fail_invalid(api, object_name(object), problems);
}

static bool parse_ip(str text, uint32_t *ret_ip)
{
    uint32_t ip = 0;
    str part;
    int count = 0;

    while (str_split(&text, '.', &part)) {
        uint64_t number;

        if (!str_to_u64(part, &number) || number > 255 || ++count > 4)
            return false;
        ip = ip << 8 | (uint32_t)number;
    }
    *ret_ip = ip;
    return count == 4;
}

/* The first free address behind a start that spreads the names, as random ones would. */
static str free_ip(struct arena *arena, const struct taken *taken, str seed)
{
    uint32_t count = IP_LAST - IP_FIRST + 1;
    uint32_t start = (uint32_t)(str_hash(seed) % count);

    for (uint32_t i = 0; i < count; i++) {
        uint32_t ip = IP_FIRST + (start + i) % count;
        str text = arena_printf(arena, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255, ip >> 8 & 255,
                                ip & 255);

        if (!map_has(taken->ips, text))
            return text;
    }
    return STR_EMPTY;
}

static void set_ip(struct arena *arena, struct val *spec, str ip)
{
    struct val *ips = val_ensure_list(arena, spec, S("clusterIPs"));

    val_set_str(arena, spec, S("clusterIP"), ip);
    if (val_count(ips) == 0)
        val_append(arena, ips, val_string(arena, ip));
    struct val *families = val_ensure_list(arena, spec, S("ipFamilies"));
    if (val_count(families) == 0)
        val_append(arena, families, val_string_borrow(S("IPv4")));
    if (val_get(spec, S("ipFamilyPolicy")) == NULL)
        val_set_str(arena, spec, S("ipFamilyPolicy"), S("SingleStack"));
}

static bool allocate_ip(struct api *api, struct val *object, const struct taken *taken)
{
    struct val *spec = val_get(object, S("spec"));
    str ip = val_get_str(spec, S("clusterIP"));
    uint32_t number;

    if (str_is_empty(ip))
        ip = val_str(val_item(val_get(spec, S("clusterIPs")), 0));
    if (str_is_empty(ip)) {
        ip = free_ip(api->arena, taken, object_uid(object));
        if (str_is_empty(ip))
            return api_fail(api, 500, "InternalError",
                            "failed to allocate a serviceIP: range is full");
    } else if (!str_eq(ip, S("None"))) {
        str shown = arena_printf(api->arena, "[\"%.*s\"]", STR(ip));

        if (!parse_ip(ip, &number) || number < IP_FIRST || number > IP_LAST)
            return refuse(api, object, "spec.clusterIPs", shown,
                          arena_printf(api->arena,
                                       "failed to allocate IP %.*s: the provided IP (%.*s) is not "
                                       "in the valid range. The range of valid IPs is "
                                       "10.96.0.0/16",
                                       STR(ip), STR(ip)));
        if (map_has(taken->ips, ip))
            return refuse(api, object, "spec.clusterIPs", shown,
                          arena_printf(api->arena,
                                       "failed to allocate IP %.*s: provided IP is already "
                                       "allocated",
                                       STR(ip)));
    }
    set_ip(api->arena, spec, ip);
    return true;
}

static int64_t free_port(const struct taken *taken, str seed)
{
    int64_t count = NODE_PORT_LAST - NODE_PORT_FIRST + 1;
    int64_t start = (int64_t)(str_hash(seed) % (uint64_t)count);

    for (int64_t i = 0; i < count; i++)
        if (!port_is_taken(taken, NODE_PORT_FIRST + (start + i) % count))
            return NODE_PORT_FIRST + (start + i) % count;
    return 0;
}

static bool allocate_port(struct api *api, struct val *object, struct val *port, size_t index,
                          struct taken *taken)
{
    int64_t number = val_i64_or(val_get(port, S("nodePort")), 0);
    char field[64];

    snprintf(field, sizeof(field), "spec.ports[%zu].nodePort", index);
    if (number == 0) {
        number = free_port(taken, object_uid(object));
        if (number == 0)
            return api_fail(api, 500, "InternalError",
                            "failed to allocate a nodePort: range is full");
    } else {
        str shown = arena_printf(api->arena, "%lld", (long long)number);

        if (number < NODE_PORT_FIRST || number > NODE_PORT_LAST)
            return refuse(api, object, field, shown,
                          S("provided port is not in the valid range. The range of valid ports is "
                            "30000-32767"));
        if (port_is_taken(taken, number))
            return refuse(api, object, field, shown, S("provided port is already allocated"));
    }
    take_port(taken, number);
    val_set(api->arena, port, S("nodePort"), val_int(api->arena, number));
    return true;
}

static bool wants_ports(const struct val *spec)
{
    str type = val_get_str(spec, S("type"));

    return str_eq(type, S("NodePort")) ||
           (str_eq(type, S("LoadBalancer")) &&
            val_get_bool(spec, S("allocateLoadBalancerNodePorts"), true));
}

static bool allocate(struct api *api, struct val *object)
{
    struct val *spec = val_ensure_map(api->arena, object, S("spec"));
    auto_map struct map *ips = map_new();
    auto_map struct map *ports = map_new();
    struct taken taken = {.ips = ips, .ports = ports, .arena = api->arena};

    if (!look(api, object, &taken))
        return false;
    if (!str_eq(val_get_str(spec, S("type")), S("ExternalName")) &&
        !allocate_ip(api, object, &taken))
        return false;
    if (!wants_ports(spec))
        return true;
    struct val_iter it = val_iter(val_get(spec, S("ports")));
    while (val_next(&it))
        if (!allocate_port(api, object, it.value, it.index, &taken))
            return false;
    return true;
}

bool service_create(struct api *api, struct val *object)
{
    struct val *status = val_ensure_map(api->arena, object, S("status"));

    val_ensure_map(api->arena, status, S("loadBalancer"));
    return allocate(api, object);
}

static const struct val *port_like(const struct val *ports, const struct val *port)
{
    struct val_iter it = val_iter(ports);

    while (val_next(&it))
        if (val_eq(val_get(it.value, S("port")), val_get(port, S("port"))) &&
            str_eq(val_get_str(it.value, S("protocol")), val_get_str(port, S("protocol"))))
            return it.value;
    return NULL;
}

/* What was allocated and is not named stays; what the new type has no use for goes. */
static void carry_over(struct arena *arena, struct val *spec, const struct val *old)
{
    static const char *const kept[] = {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"};
    bool external = str_eq(val_get_str(spec, S("type")), S("ExternalName"));
    bool was_external = str_eq(val_get_str(old, S("type")), S("ExternalName"));

    for (size_t i = 0; i < COUNT(kept) && !external && !was_external; i++) {
        const struct val *value = val_get(old, str_from(kept[i]));

        if (value != NULL && val_get(spec, str_from(kept[i])) == NULL)
            val_set(arena, spec, str_from(kept[i]), val_dup_value(arena, value));
    }
    for (size_t i = 0; i < COUNT(kept) && external && !was_external; i++)
        val_del(spec, str_from(kept[i]));

    struct val_iter it = val_iter(val_get(spec, S("ports")));
    while (val_next(&it)) {
        const struct val *before =
                val_get(port_like(val_get(old, S("ports")), it.value), S("nodePort"));

        if (wants_ports(spec)) {
            if (before != NULL && val_get(it.value, S("nodePort")) == NULL)
                val_set(arena, it.value, S("nodePort"), *before);
        } else if (wants_ports(old) && val_eq(before, val_get(it.value, S("nodePort")))) {
            val_del(it.value, S("nodePort"));
        }
    }
    if (!wants_ports(spec))
        val_del(spec, S("externalTrafficPolicy"));
    if (!str_eq(val_get_str(spec, S("type")), S("LoadBalancer")))
        val_del(spec, S("allocateLoadBalancerNodePorts"));
}

bool service_update(struct api *api, struct val *object, const struct val *live)
{
    struct val *spec = val_ensure_map(api->arena, object, S("spec"));
    const struct val *old = val_get(live, S("spec"));

    carry_over(api->arena, spec, old);
    if (val_eq(val_get(spec, S("ports")), val_get(old, S("ports"))) &&
        str_eq(val_get_str(spec, S("clusterIP")), val_get_str(old, S("clusterIP"))) &&
        str_eq(val_get_str(spec, S("type")), val_get_str(old, S("type"))))
        return true;
    /* a changed address is the validation's to refuse, in its own words */
    if (!str_is_empty(val_get_str(old, S("clusterIP"))) &&
        !str_eq(val_get_str(spec, S("clusterIP")), val_get_str(old, S("clusterIP"))) &&
        !str_eq(val_get_str(spec, S("type")), S("ExternalName")))
        return true;
    return allocate(api, object);
}
