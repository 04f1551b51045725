/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/openapi.h"

#include "apiserver/discovery.h"
#include "doc/hash.h"

#define PREFIX S("#/components/schemas/")
#define METADATA S("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta")
#define LIST_METADATA S("io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta")

struct document {
    struct arena *arena;
    const struct apiserver *server;
    str group;
    str version;
    struct val *schemas;
    struct val *paths;
};

static void add_definition(struct document *document, str name);

/* A copy in which references are JSON pointers; what they name joins the document. */
static struct val copy_schema(struct document *document, const struct val *schema)
{
    struct arena *arena = document->arena;

    if (val_is(schema, VAL_LIST)) {
        struct val list = val_list();
        struct val_iter it = val_iter(schema);

        while (val_next(&it))
            val_append(arena, &list, copy_schema(document, it.value));
        return list;
    }
    if (!val_is(schema, VAL_MAP))
        return val_dup_value(arena, schema);
    struct val map = val_map();
    struct val_iter it = val_iter(schema);
    while (val_next(&it)) {
        if (str_eq(it.key, S("$ref")) && val_is(it.value, VAL_STRING)) {
            str name = val_str(it.value);

            str_skip(&name, PREFIX);
            val_set_str(arena, &map, it.key, arena_join(arena, PREFIX, name));
            add_definition(document, name);
        } else {
            val_add(arena, &map, it.key, copy_schema(document, it.value));
        }
    }
    return map;
}

static void add_definition(struct document *document, str name)
{
    const struct val *schema = val_get(type_definitions(), name);

    if (val_get(document->schemas, name) != NULL)
        return;
    struct val *place = val_set(document->arena, document->schemas, name, val_map());
    if (schema != NULL)
        *place = copy_schema(document, schema);
}

static struct val gvk_value(struct arena *arena, const struct document *document, str kind)
{
    struct val gvk = val_map();

    val_set_str(arena, &gvk, S("group"), document->group);
    val_set_str(arena, &gvk, S("kind"), kind);
    val_set_str(arena, &gvk, S("version"), document->version);
    return gvk;
}

/* "com.example.v1.Foo" for group example.com, as apiextensions names them. */
static str definition_name(struct arena *arena, str group, str version, str kind)
{
    str name = STR_EMPTY, rest = group, part;

    while (str_split(&rest, '.', &part))
        name = str_is_empty(name) ? part : arena_printf(arena, "%.*s.%.*s", STR(part), STR(name));
    return arena_printf(arena, "%.*s.%.*s.%.*s", STR(name), STR(version), STR(kind));
}

static void set_ref(struct document *document, struct val *properties, const char *key, str name)
{
    struct val *property = val_ensure_map(document->arena, properties, str_from(key));
    struct val *all = val_ensure_list(document->arena, property, S("allOf"));
    struct val *ref = val_append(document->arena, all, val_map());

    val_set_str(document->arena, ref, S("$ref"), arena_join(document->arena, PREFIX, name));
    add_definition(document, name);
}

static void add_custom(struct document *document, const struct kind *kind,
                       const struct kind_version *version)
{
    struct arena *arena = document->arena;
    str name = definition_name(arena, kind->group, version->name, kind->name);
    struct val schema =
            version->schema != NULL ? copy_schema(document, version->schema) : val_map();

    if (val_get(&schema, S("type")) == NULL)
        val_set_str(arena, &schema, S("type"), S("object"));
    struct val *properties = val_ensure_map(arena, &schema, S("properties"));
    val_set_str(arena, val_ensure_map(arena, properties, S("apiVersion")), S("type"), S("string"));
    val_set_str(arena, val_ensure_map(arena, properties, S("kind")), S("type"), S("string"));
    val_del(properties, S("metadata"));
    set_ref(document, properties, "metadata", METADATA);
    val_append(arena, val_ensure_list(arena, &schema, S("x-kubernetes-group-version-kind")),
               gvk_value(arena, document, kind->name));
    val_set(arena, document->schemas, name, schema);

    struct val list = val_map();
    val_set_str(arena, &list, S("type"), S("object"));
    properties = val_ensure_map(arena, &list, S("properties"));
    set_ref(document, properties, "metadata", LIST_METADATA);
    struct val *items = val_ensure_map(arena, properties, S("items"));
    val_set_str(arena, items, S("type"), S("array"));
    val_set_str(arena, val_ensure_map(arena, items, S("items")), S("$ref"),
                arena_join(arena, PREFIX, name));
    val_append(arena, val_ensure_list(arena, &list, S("x-kubernetes-group-version-kind")),
               gvk_value(arena, document, kind->list));
    val_set(arena, document->schemas, arena_join(arena, name, S("List")), list);
}

/* A built-in kind's definition is the one that names its group, version and kind. */
static void add_builtin(struct document *document, const struct kind *kind)
{
    struct val_iter it = val_iter(type_definitions());

    while (val_next(&it)) {
        const struct val *gvks = val_get(it.value, S("x-kubernetes-group-version-kind"));
        const struct val *gvk = val_item(gvks, 0);
        str name = val_get_str(gvk, S("kind"));

        if (val_count(gvks) == 1 && str_eq(val_get_str(gvk, S("group")), document->group) &&
            str_eq(val_get_str(gvk, S("version")), document->version) &&
            (str_eq(name, kind->name) || str_eq(name, kind->list)))
            add_definition(document, it.key);
    }
}

static void add_parameter(struct arena *arena, struct val *parameters, const char *name,
                          const char *type)
{
    struct val *parameter = val_append(arena, parameters, val_map());

    val_set_str(arena, parameter, S("name"), str_from(name));
    val_set_str(arena, parameter, S("in"), S("query"));
    val_set_str(arena, val_ensure_map(arena, parameter, S("schema")), S("type"), str_from(type));
}

static void add_operation(struct document *document, struct val *path, const struct kind *kind,
                          const char *method, const char *action)
{
    struct arena *arena = document->arena;
    struct val *operation = val_ensure_map(arena, path, str_from(method));

    struct val *parameters = val_ensure_list(arena, operation, S("parameters"));
    if (strcmp(method, "get") != 0) {
        add_parameter(arena, parameters, "dryRun", "string");
        add_parameter(arena, parameters, "fieldManager", "string");
        add_parameter(arena, parameters, "fieldValidation", "string");
    }
    if (strcmp(method, "patch") == 0)
        add_parameter(arena, parameters, "force", "boolean");
    struct val *ok =
            val_ensure_map(arena, val_ensure_map(arena, operation, S("responses")), S("200"));
    val_set_str(arena, ok, S("description"), S("OK"));
    val_set_str(arena, operation, S("x-kubernetes-action"), str_from(action));
    val_set(arena, operation, S("x-kubernetes-group-version-kind"),
            gvk_value(arena, document, kind->name));
}

static void add_paths(struct document *document, const struct kind *kind)
{
    struct arena *arena = document->arena;
    str root = str_is_empty(kind->group) ? arena_printf(arena, "/api/%.*s", STR(document->version))
                                         : arena_printf(arena, "/apis/%.*s/%.*s", STR(kind->group),
                                                        STR(document->version));
    str all = arena_printf(arena, "%.*s/%s%.*s", STR(root),
                           kind->namespaced ? "namespaces/{namespace}/" : "", STR(kind->plural));

    struct val *path = val_ensure_map(arena, document->paths, all);
    if (kind_has_verb(kind, VERB_LIST))
        add_operation(document, path, kind, "get", "list");
    if (kind_has_verb(kind, VERB_CREATE))
        add_operation(document, path, kind, "post", "post");
    if (!kind_has_verb(kind, VERB_GET))
        return;
    path = val_ensure_map(arena, document->paths, arena_printf(arena, "%.*s/{name}", STR(all)));
    add_operation(document, path, kind, "get", "get");
    add_operation(document, path, kind, "put", "put");
    add_operation(document, path, kind, "patch", "patch");
    add_operation(document, path, kind, "delete", "delete");
}

static void add_kind(void *owner, const struct kind *kind)
{
    struct document *document = owner;
    const struct kind_version *version = kind_version_find(kind, document->version);

    if (version == NULL || !str_eq(kind->group, document->group))
        return;
    if (kind->is_crd)
        add_custom(document, kind, version);
    else
        add_builtin(document, kind);
    add_paths(document, kind);
}

static bool answer_document(struct api *api, str group, str version)
{
    struct arena *arena = api->arena;
    struct val *answer = val_new(arena, val_map());
    struct document document = {arena, api->server, group, version, NULL, NULL};

    val_set_str(arena, answer, S("openapi"), S("3.0.0"));
    struct val *info = val_ensure_map(arena, answer, S("info"));
    val_set_str(arena, info, S("title"), S("Kubernetes"));
    val_set_str(arena, info, S("version"), S("v1.34.4"));
    document.paths = val_new(arena, val_map());
    document.schemas = val_new(arena, val_map());
    registry_each(api->server->registry, add_kind, &document);
    if (val_count(document.paths) == 0)
        return false;
    val_set(arena, answer, S("paths"), *document.paths);
    struct val *components = val_ensure_map(arena, answer, S("components"));
    val_set(arena, components, S("schemas"), *document.schemas);
    api_answer(api, 200, answer);
    return true;
}

static void answer_index(struct api *api)
{
    struct arena *arena = api->arena;
    struct val *answer = val_new(arena, val_map());
    struct val *paths = val_ensure_map(arena, answer, S("paths"));

    struct val_iter it = val_iter(discovery_groups(api->server, arena));
    while (val_next(&it)) {
        struct val_iter at = val_iter(it.value);

        while (val_next(&at)) {
            str path = str_is_empty(it.key)
                               ? arena_printf(arena, "api/%.*s", STR(val_str(at.value)))
                               : arena_printf(arena, "apis/%.*s/%.*s", STR(it.key),
                                              STR(val_str(at.value)));
            /* documents change with the CRDs alone, which the generation counts */
            str url = arena_printf(arena, "/openapi/v3/%.*s?hash=%.*s-%llu", STR(path),
                                   STR(api->server->boot),
                                   (unsigned long long)registry_generation(api->server->registry));
            val_set_str(arena, val_ensure_map(arena, paths, path), S("serverRelativeURL"), url);
        }
    }
    api_answer(api, 200, answer);
}

bool openapi_serve(struct api *api, str path)
{
    if (str_eq(path, S("v3"))) {
        answer_index(api);
        return true;
    }
    if (str_skip(&path, S("v3/api/")))
        return answer_document(api, STR_EMPTY, path);
    if (!str_skip(&path, S("v3/apis/")))
        return false;
    size_t slash = str_find_char(path, '/');
    return slash != SIZE_MAX &&
           answer_document(api, str_first(path, slash), str_from_index(path, slash + 1));
}
