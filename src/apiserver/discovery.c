/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/discovery.h"

#include "apiserver/openapi.h"
#include "doc/json.h"

#define RELEASE "v1.34.4"

static const struct {
    const char *word;
    enum kind_verb verb;
} verb_words[] = {
        {"create", VERB_CREATE},
        {"delete", VERB_DELETE},
        {"deletecollection", VERB_DELETECOLLECTION},
        {"get", VERB_GET},
        {"list", VERB_LIST},
        {"patch", VERB_PATCH},
        {"update", VERB_UPDATE},
        {"watch", VERB_WATCH},
};

static const char *const sub_verbs[] = {"get", "patch", "update"};
static const char *const sub_names[] = {"finalize", "scale", "status"};

static void add_texts(struct arena *arena, struct val *map, const char *key, const str *texts,
                      size_t count)
{
    if (count == 0)
        return;
    struct val *list = val_ensure_list(arena, map, str_from(key));
    for (size_t i = 0; i < count; i++)
        val_append(arena, list, val_string(arena, texts[i]));
}

static void add_verbs(struct arena *arena, struct val *map, unsigned verbs)
{
    struct val *list = val_ensure_list(arena, map, S("verbs"));

    for (size_t i = 0; i < COUNT(verb_words); i++)
        if ((verbs & verb_words[i].verb) != 0)
            val_append(arena, list, val_string_borrow(str_from(verb_words[i].word)));
}

static void add_sub_verbs(struct arena *arena, struct val *map, str sub)
{
    struct val *list = val_ensure_list(arena, map, S("verbs"));

    for (size_t i = 0; i < COUNT(sub_verbs); i++)
        if (!str_eq(sub, S("finalize")) || strcmp(sub_verbs[i], "update") == 0)
            val_append(arena, list, val_string_borrow(str_from(sub_verbs[i])));
}

static struct gvk sub_gvk(const struct kind *kind, const struct kind_version *version, str sub)
{
    if (str_eq(sub, S("scale")))
        return (struct gvk){S("autoscaling"), S("v1"), S("Scale")};
    return (struct gvk){kind->group, version->name, kind->name};
}

/* What is collected: all served (group, version) pairs, in the registry's order. */
struct gather {
    struct arena *arena;
    const struct apiserver *server;
    str group; /* of one group or version alone */
    str version;
    struct val *groups; /* group name → list of versions */
    struct val *list;
};

static void gather_group(void *owner, const struct kind *kind)
{
    struct gather *gather = owner;

    for (size_t i = 0; i < kind->version_count; i++) {
        struct val *versions = val_ensure_list(gather->arena, gather->groups, kind->group);
        bool has = false;
        struct val_iter it = val_iter(versions);

        while (val_next(&it))
            has |= str_eq(val_str(it.value), kind->versions[i].name);
        if (!has && kind->versions[i].served)
            val_append(gather->arena, versions, val_string(gather->arena, kind->versions[i].name));
    }
}

struct val *discovery_groups(const struct apiserver *server, struct arena *arena)
{
    struct gather gather = {.arena = arena, .server = server};

    gather.groups = val_new(arena, val_map());
    registry_each(server->registry, gather_group, &gather);
    return gather.groups;
}

/* ---- aggregated ---- */

static void add_gvk(struct arena *arena, struct val *map, struct gvk gvk)
{
    struct val *of = val_ensure_map(arena, map, S("responseKind"));

    val_set_str(arena, of, S("group"), gvk.group);
    val_set_str(arena, of, S("version"), gvk.version);
    val_set_str(arena, of, S("kind"), gvk.kind);
}

static void gather_aggregated(void *owner, const struct kind *kind)
{
    struct gather *gather = owner;
    struct arena *arena = gather->arena;
    const struct kind_version *version = kind_version_find(kind, gather->version);

    if (version == NULL || !str_eq(kind->group, gather->group))
        return;
    struct val *row = val_append(arena, gather->list, val_map());
    val_set_str(arena, row, S("resource"), kind->plural);
    add_gvk(arena, row, (struct gvk){kind->group, version->name, kind->name});
    val_set_str(arena, row, S("scope"), kind->namespaced ? S("Namespaced") : S("Cluster"));
    val_set_str(arena, row, S("singularResource"), kind->singular);
    add_verbs(arena, row, kind->verbs);
    add_texts(arena, row, "shortNames", kind->short_names, kind->short_name_count);
    add_texts(arena, row, "categories", kind->categories, kind->category_count);
    for (size_t i = 0; i < COUNT(sub_names); i++) {
        str sub = str_from(sub_names[i]);

        if (!kind_has_subresource(kind, version, sub))
            continue;
        struct val *at =
                val_append(arena, val_ensure_list(arena, row, S("subresources")), val_map());
        val_set_str(arena, at, S("subresource"), sub);
        add_gvk(arena, at, sub_gvk(kind, version, sub));
        add_sub_verbs(arena, at, sub);
    }
}

static void answer_aggregated(struct api *api, bool core)
{
    struct arena *arena = api->arena;
    struct val *groups = discovery_groups(api->server, arena);
    struct val *answer = val_new(arena, val_map());

    val_set_str(arena, answer, S("kind"), S("APIGroupDiscoveryList"));
    val_set_str(arena, answer, S("apiVersion"), S("apidiscovery.k8s.io/v2"));
    val_ensure_map(arena, answer, S("metadata"));
    struct val *items = val_ensure_list(arena, answer, S("items"));
    struct val_iter it = val_iter(groups);
    while (val_next(&it)) {
        if (str_is_empty(it.key) != core)
            continue;
        struct val *item = val_append(arena, items, val_map());
        struct val *metadata = val_ensure_map(arena, item, S("metadata"));
        if (!core)
            val_set_str(arena, metadata, S("name"), it.key);
        struct val *versions = val_ensure_list(arena, item, S("versions"));
        struct val_iter at = val_iter(it.value);
        while (val_next(&at)) {
            struct gather gather = {.arena = arena, .group = it.key, .version = val_str(at.value)};
            struct val *version = val_append(arena, versions, val_map());

            val_set_str(arena, version, S("version"), gather.version);
            gather.list = val_ensure_list(arena, version, S("resources"));
            val_set_str(arena, version, S("freshness"), S("Current"));
            gather.list = val_get(version, S("resources"));
            registry_each(api->server->registry, gather_aggregated, &gather);
        }
    }
    api_answer(api, 200, answer);
}

/* ---- the old lists ---- */

static void gather_old(void *owner, const struct kind *kind)
{
    struct gather *gather = owner;
    struct arena *arena = gather->arena;
    const struct kind_version *version = kind_version_find(kind, gather->version);

    if (version == NULL || !str_eq(kind->group, gather->group))
        return;
    struct val *row = val_append(arena, gather->list, val_map());
    val_set_str(arena, row, S("name"), kind->plural);
    val_set_str(arena, row, S("singularName"), kind->singular);
    val_set(arena, row, S("namespaced"), val_bool(kind->namespaced));
    val_set_str(arena, row, S("kind"), kind->name);
    add_verbs(arena, row, kind->verbs);
    add_texts(arena, row, "shortNames", kind->short_names, kind->short_name_count);
    add_texts(arena, row, "categories", kind->categories, kind->category_count);
    for (size_t i = 0; i < COUNT(sub_names); i++) {
        str sub = str_from(sub_names[i]);
        struct gvk gvk = sub_gvk(kind, version, sub);

        if (!kind_has_subresource(kind, version, sub))
            continue;
        struct val *at = val_append(arena, gather->list, val_map());
        val_set_str(arena, at, S("name"),
                    arena_printf(arena, "%.*s/%.*s", STR(kind->plural), STR(sub)));
        val_set_str(arena, at, S("singularName"), STR_EMPTY);
        val_set(arena, at, S("namespaced"), val_bool(kind->namespaced));
        if (!str_eq(gvk.group, kind->group)) {
            val_set_str(arena, at, S("group"), gvk.group);
            val_set_str(arena, at, S("version"), gvk.version);
        }
        val_set_str(arena, at, S("kind"), gvk.kind);
        add_sub_verbs(arena, at, sub);
    }
}

static bool answer_version(struct api *api, str group, str version)
{
    struct arena *arena = api->arena;
    struct val *answer = val_new(arena, val_map());
    struct gather gather = {.arena = arena, .group = group, .version = version};

    val_set_str(arena, answer, S("kind"), S("APIResourceList"));
    val_set_str(arena, answer, S("apiVersion"), S("v1"));
    val_set_str(arena, answer, S("groupVersion"), gvk_api_version(arena, group, version));
    gather.list = val_ensure_list(arena, answer, S("resources"));
    registry_each(api->server->registry, gather_old, &gather);
    if (val_count(gather.list) == 0)
        return false;
    api_answer(api, 200, answer);
    return true;
}

static void fill_group(struct arena *arena, struct val *group, str name, const struct val *versions)
{
    val_set_str(arena, group, S("name"), name);
    struct val *list = val_ensure_list(arena, group, S("versions"));
    struct val_iter it = val_iter(versions);
    while (val_next(&it)) {
        struct val *row = val_append(arena, list, val_map());

        val_set_str(arena, row, S("groupVersion"), gvk_api_version(arena, name, val_str(it.value)));
        val_set_str(arena, row, S("version"), val_str(it.value));
    }
    val_set(arena, group, S("preferredVersion"), val_dup_value(arena, val_item(list, 0)));
}

static void answer_groups(struct api *api)
{
    struct arena *arena = api->arena;
    struct val *answer = val_new(arena, val_map());

    val_set_str(arena, answer, S("kind"), S("APIGroupList"));
    val_set_str(arena, answer, S("apiVersion"), S("v1"));
    struct val *list = val_ensure_list(arena, answer, S("groups"));
    struct val_iter it = val_iter(discovery_groups(api->server, arena));
    while (val_next(&it))
        if (!str_is_empty(it.key))
            fill_group(arena, val_append(arena, list, val_map()), it.key, it.value);
    api_answer(api, 200, answer);
}

static bool answer_group(struct api *api, str name)
{
    struct val *versions = val_get(discovery_groups(api->server, api->arena), name);
    struct val *answer = val_new(api->arena, val_map());

    if (versions == NULL)
        return false;
    val_set_str(api->arena, answer, S("kind"), S("APIGroup"));
    val_set_str(api->arena, answer, S("apiVersion"), S("v1"));
    fill_group(api->arena, answer, name, versions);
    api_answer(api, 200, answer);
    return true;
}

static void answer_core(struct api *api)
{
    struct arena *arena = api->arena;
    struct val *answer = val_new(arena, val_map());

    val_set_str(arena, answer, S("kind"), S("APIVersions"));
    val_append(arena, val_ensure_list(arena, answer, S("versions")), val_string_borrow(S("v1")));
    val_ensure_list(arena, answer, S("serverAddressByClientCIDRs"));
    api_answer(api, 200, answer);
}

static void answer_release(struct api *api)
{
    static const char *const facts[][2] = {
            {"major", "1"},        {"minor", "34"},           {"gitVersion", RELEASE "+taut"},
            {"gitCommit", ""},     {"gitTreeState", "clean"}, {"buildDate", "1970-01-01T00:00:00Z"},
            {"goVersion", "none"}, {"compiler", "C"},         {"platform", "linux/amd64"},
    };
    struct val *answer = val_new(api->arena, val_map());

    for (size_t i = 0; i < COUNT(facts); i++)
        val_set_str(api->arena, answer, str_from(facts[i][0]), str_from(facts[i][1]));
    api_answer(api, 200, answer);
}

static bool serve_apis(struct api *api, str rest)
{
    size_t slash = str_find_char(rest, '/');

    if (slash == SIZE_MAX)
        return answer_group(api, rest);
    return answer_version(api, str_first(rest, slash), str_from_index(rest, slash + 1));
}

static bool serve(struct api *api, str path)
{
    while (path.len > 1 && str_chop(&path, S("/")))
        ;
    if (str_eq(path, S("/livez")) || str_eq(path, S("/readyz")) || str_eq(path, S("/healthz"))) {
        api->status = 200;
        api->text = S("ok");
        return true;
    }
    if (str_eq(path, S("/version"))) {
        answer_release(api);
        return true;
    }
    if (str_eq(path, S("/api"))) {
        if (api->aggregated)
            answer_aggregated(api, /*core=*/true);
        else
            answer_core(api);
        return true;
    }
    if (str_eq(path, S("/apis"))) {
        if (api->aggregated)
            answer_aggregated(api, /*core=*/false);
        else
            answer_groups(api);
        return true;
    }
    if (str_skip(&path, S("/openapi/")))
        return openapi_serve(api, path);
    if (str_skip(&path, S("/api/")))
        return answer_version(api, STR_EMPTY, path);
    return str_skip(&path, S("/apis/")) && serve_apis(api, path);
}

void discovery_serve(struct api *api)
{
    str path = api->q.path;
    size_t mark = str_find_char(path, '?');

    if (mark != SIZE_MAX)
        path = str_first(path, mark);
    if (serve(api, path))
        return;
    if (api->want_text) {
        api->status = 404;
        api->text = S("404 page not found\n");
    } else {
        api_fail_causes(api, 404, "NotFound", val_new(api->arena, val_map()),
                        "the server could not find the requested resource");
    }
}
