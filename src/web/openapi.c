/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenAPI description, made from the route table, so that the two cannot differ; the shapes of
 * bodies and answers come from data/api-schemas.json, by method and pattern. */
#include "web/openapi.h"
#include "doc/json.h"
#include "web/call.h"

extern const char data_api_schemas[];
extern const size_t data_api_schemas_size;

static const struct val *read_shapes(struct arena *arena)
{
    struct val *shapes = NULL;

    /* Our own file, read by a unit test: it parses. */
    if (!json_parse(arena, str_of(data_api_schemas, data_api_schemas_size), NULL, &shapes, NULL))
        return NULL;
    return shapes;
}

static void add_parameters(struct arena *arena, struct val *operation, str pattern)
{
    struct val *list = NULL;
    str part;

    while (str_split(&pattern, '/', &part)) {
        if (!str_skip(&part, S("{")) || !str_chop(&part, S("}")))
            continue;
        if (list == NULL)
            list = val_ensure_list(arena, operation, S("parameters"));
        struct val *parameter = val_append(arena, list, val_map());
        val_set_str(arena, parameter, S("name"), part);
        val_set_str(arena, parameter, S("in"), S("path"));
        val_set(arena, parameter, S("required"), val_bool(true));
        val_set_str(arena, val_ensure_map(arena, parameter, S("schema")), S("type"), S("string"));
    }
}

static void add_query(struct arena *arena, struct val *operation, const struct val *query)
{
    struct val_iter it = val_iter(query);

    while (val_next(&it)) {
        struct val *list = val_ensure_list(arena, operation, S("parameters"));
        struct val *parameter = val_append(arena, list, val_map());
        val_set_str(arena, parameter, S("name"), it.key);
        val_set_str(arena, parameter, S("in"), S("query"));
        val_set_str(arena, parameter, S("description"), val_str(it.value));
        val_set_str(arena, val_ensure_map(arena, parameter, S("schema")), S("type"), S("string"));
    }
}

/* `name` empty: any object. */
static void add_shape(struct arena *arena, struct val *place, str name)
{
    struct val *content = val_ensure_map(arena, place, S("content"));
    struct val *json = val_ensure_map(arena, content, S("application/json"));
    struct val *schema = val_ensure_map(arena, json, S("schema"));

    if (name.len == 0)
        val_set_str(arena, schema, S("type"), S("object"));
    else
        val_set_str(arena, schema, S("$ref"), arena_join(arena, S("#/components/schemas/"), name));
}

static void add_right(struct arena *arena, struct val *operation, const struct web_route *route)
{
    if (route->flags & WEB_PUBLIC)
        val_ensure_list(arena, operation, S("security"));
    if (route->may.verb == NULL)
        return;
    val_set_str(arena, operation, S("x-taut-right"),
                arena_printf(arena, "%s %s%s%s%s%s", route->may.verb, route->may.resource,
                             route->may.subresource[0] != '\0' ? "/" : "", route->may.subresource,
                             route->may.group[0] != '\0' ? "." : "", route->may.group));
}

static void add_route(struct arena *arena, struct val *paths, const struct web_route *route,
                      const struct val *shapes)
{
    str key = arena_printf(arena, "%s %s", route->method, route->pattern);
    const struct val *shape = val_get(val_get(shapes, S("routes")), key);
    char method[16] = "";
    struct val *path = val_ensure_map(arena, paths, str_from(route->pattern));

    for (size_t i = 0; route->method[i] != '\0' && i + 1 < sizeof(method); i++)
        method[i] = (char)(route->method[i] | 0x20);
    struct val *operation = val_ensure_map(arena, path, arena_str(arena, str_from(method)));
    val_set_str(arena, operation, S("summary"), str_from(route->summary));
    add_parameters(arena, operation, str_from(route->pattern));
    add_query(arena, operation, val_get(shape, S("query")));
    if (route->flags & WEB_BODY)
        add_shape(arena, val_ensure_map(arena, operation, S("requestBody")),
                  val_get_str(shape, S("body")));
    add_right(arena, operation, route);
    struct val *responses = val_ensure_map(arena, operation, S("responses"));
    struct val *done = val_ensure_map(arena, responses, S("2XX"));
    val_set_str(arena, done, S("description"), S("Done"));
    if (val_get_str(shape, S("answer")).len > 0)
        add_shape(arena, done, val_get_str(shape, S("answer")));
    val_set_str(arena, val_ensure_map(arena, responses, S("default")), S("description"),
                S("A Kubernetes Status object whose message is one sentence"));
}

struct val *web_openapi_document(struct arena *arena)
{
    struct val *document = val_new(arena, val_map());

    val_set_str(arena, document, S("openapi"), S("3.0.3"));
    struct val *info = val_ensure_map(arena, document, S("info"));
    val_set_str(arena, info, S("title"), S("Taut"));
    val_set_str(arena, info, S("version"), S("v1"));
    const struct val *shapes = read_shapes(arena);
    struct val *components = val_ensure_map(arena, document, S("components"));
    val_set(arena, components, S("schemas"), val_dup_value(arena, val_get(shapes, S("schemas"))));
    struct val *scheme = val_ensure_map(
            arena, val_ensure_map(arena, components, S("securitySchemes")), S("bearer"));
    val_set_str(arena, scheme, S("type"), S("http"));
    val_set_str(arena, scheme, S("scheme"), S("bearer"));
    struct val *need =
            val_append(arena, val_ensure_list(arena, document, S("security")), val_map());
    val_ensure_list(arena, need, S("bearer"));
    struct val *paths = val_ensure_map(arena, document, S("paths"));
    for (size_t i = 0; i < web_route_count; i++) {
        if (web_routes[i].method != NULL)
            add_route(arena, paths, &web_routes[i], shapes);
    }
    return document;
}

void web_openapi(struct web_call *call)
{
    web_reply_val(call, 200, web_openapi_document(call->arena));
}
