/* SPDX-License-Identifier: Apache-2.0 */
#include "render/kustomize/build.h"

#include <stdlib.h>

void resmap_push(struct build *b, struct resmap *m, struct resource *r)
{
    m->at = build_grow(b, m->at, m->count + 1, &m->size, sizeof(*m->at));
    m->at[m->count++] = r;
}

void resmap_changed(struct resmap *m)
{
    m->by_id = NULL;
}

/* ---- the set of ids ---- */

struct id_slot {
    uint64_t hash;
    const struct resource *resource; /* NULL: free */
};

struct id_set {
    struct id_slot *slots;
    size_t size, count;
};

static uint64_t id_hash(const struct id *id)
{
    uint64_t hash = str_hash(id->name);

    hash = hash * 31 + str_hash(id_namespace(id));
    hash = hash * 31 + str_hash(id->kind);
    hash = hash * 31 + str_hash(id->group);
    return hash * 31 + str_hash(id->version);
}

static void set_grow(struct build *b, struct id_set *set)
{
    struct id_set grown = {.size = MAX(set->size * 2, (size_t)64), .count = set->count};

    grown.slots = arena_array(b->arena, grown.size, struct id_slot);
    for (size_t i = 0; i < set->size; i++) {
        size_t at = set->slots[i].hash & (grown.size - 1);
        if (set->slots[i].resource == NULL)
            continue;
        while (grown.slots[at].resource != NULL)
            at = (at + 1) & (grown.size - 1);
        grown.slots[at] = set->slots[i];
    }
    *set = grown;
}

/* false: its id was there already. */
static bool set_add(struct build *b, struct id_set *set, const struct resource *r)
{
    struct id id = id_current(b, r);
    uint64_t hash = id_hash(&id);

    if (set->count * 2 >= set->size)
        set_grow(b, set);
    size_t at = hash & (set->size - 1);
    for (; set->slots[at].resource != NULL; at = (at + 1) & (set->size - 1)) {
        if (set->slots[at].hash != hash)
            continue;
        struct id other = id_current(b, set->slots[at].resource);
        if (id_eq(&id, &other))
            return false;
    }
    set->slots[at] = (struct id_slot){.hash = hash, .resource = r};
    set->count++;
    return true;
}

static struct id_set *index_of(struct build *b, struct resmap *m)
{
    if (m->by_id != NULL)
        return m->by_id;
    m->by_id = arena_new0(b->arena, struct id_set);
    for (size_t i = 0; i < m->count; i++)
        (void)set_add(b, m->by_id, m->at[i]);
    return m->by_id;
}

bool resmap_append(struct build *b, struct resmap *m, struct resource *r)
{
    if (m->count >= LIMIT_RENDER_OBJECTS)
        return build_fail(b, KUSTOMIZE_ERROR_LIMIT, "more than %d objects (LIMIT_RENDER_OBJECTS)",
                          LIMIT_RENDER_OBJECTS);
    if (!set_add(b, index_of(b, m), r)) {
        struct id id = id_current(b, r);
        return build_fail(b, KUSTOMIZE_ERROR_CONFLICT,
                          "may not add resource with an already registered id: %.*s",
                          STR(id_text(b, &id)));
    }
    resmap_push(b, m, r);
    return true;
}

bool resmap_append_all(struct build *b, struct resmap *m, const struct resmap *other)
{
    for (size_t i = 0; i < other->count; i++)
        if (!resmap_append(b, m, other->at[i]))
            return false;
    return true;
}

void resmap_drop_empty(struct resmap *m)
{
    size_t kept = 0;

    for (size_t i = 0; i < m->count; i++)
        if (!node_is_empty(m->at[i]->node))
            m->at[kept++] = m->at[i];
    if (kept != m->count)
        resmap_changed(m);
    m->count = kept;
}

static bool matches_any_id(struct build *b, const struct resource *r, const struct id *wanted)
{
    struct id id = {0};

    if (node_is_empty(r->node))
        return false;
    if (r->previous.count > 0) {
        group_version_split(resource_api_version(r), &id.group, &id.version);
        for (size_t i = 0; i < r->previous.count; i++) {
            if (!str_eq(r->previous.at[i].name, wanted->name))
                continue;
            struct id previous = id_previous(r, i, id.group, id.version);
            if (id_eq(wanted, &previous))
                return true;
        }
    }
    if (!str_eq(resource_name(r), wanted->name))
        return false;
    id = id_current(b, r);
    return id_eq(wanted, &id);
}

bool resmap_get_by_id(struct build *b, const struct resmap *m, const struct id *id,
                      struct resource **ret)
{
    struct resource *found = NULL;

    for (size_t i = 0; i < m->count; i++) {
        if (!matches_any_id(b, m->at[i], id))
            continue;
        if (found != NULL)
            return build_fail(
                    b, KUSTOMIZE_ERROR_TRANSFORM,
                    "multiple matches for Id %.*s; failed to find unique target for patch",
                    STR(id_text(b, id)));
        found = m->at[i];
    }
    if (found == NULL)
        return build_fail(b, KUSTOMIZE_ERROR_TRANSFORM,
                          "no matches for Id %.*s; failed to find unique target for patch",
                          STR(id_text(b, id)));
    *ret = found;
    return true;
}

/* ---- generated objects ---- */

static struct pairs merged(struct build *b, struct pairs under, const struct pairs *over)
{
    for (size_t i = 0; i < over->count; i++)
        pairs_put(b, &under, over->at[i].key, over->at[i].value);
    return under;
}

static void merge_data(struct build *b, struct resource *r, const struct resource *old,
                       const char *field)
{
    struct pairs data = {0};
    const struct node *maps[2] = {node_get(old->node, str_from(field)),
                                  node_get(r->node, str_from(field))};

    for (size_t m = 0; m < 2; m++)
        for (uint32_t i = 0; node_is(maps[m], NODE_MAP) && i < maps[m]->count; i++)
            pairs_put(b, &data, maps[m]->members[i].key, node_text(maps[m]->members[i].value));
    node_clear(r->node, str_from(field));
    if (data.count == 0)
        return;
    bool is_data = strcmp(field, "data") == 0;
    for (size_t i = 0; i < data.count; i++) {
        struct node *value = node_scalar(b->arena, TAG_STR, data.at[i].value);
        /* upstream puts texts into data and bytes into binaryData; texts are always UTF-8 here */
        struct node *map =
                node_ensure_map(b->arena, r->node, is_data ? S("data") : str_from(field));
        if (value->value.len > 0 && memchr(value->value.at, '\n', value->value.len) != NULL)
            value->style = STYLE_LITERAL;
        node_set(b->arena, map, data.at[i].key, value);
    }
}

/* What a generated object takes over from the one that it merges with or replaces. */
static bool take_over(struct build *b, struct resource *r, struct resource *old)
{
    struct pairs labels = merged(b, resource_map(b, old, "labels"),
                                 &(struct pairs[]){resource_map(b, r, "labels")}[0]);
    struct pairs annotations = merged(b, resource_map(b, old, "annotations"),
                                      &(struct pairs[]){resource_map(b, r, "annotations")}[0]);
    bool needs_hash = r->needs_hash;

    if (!resource_set_map(b, r, "labels", &labels) ||
        !resource_set_map(b, r, "annotations", &annotations))
        return false;
    if (!resource_set_name(b, r, resource_name(old)) ||
        !resource_set_namespace(b, r, resource_namespace(old)))
        return build_fail(b, KUSTOMIZE_ERROR_TRANSFORM, "metadata of %.*s is no map",
                          STR(resource_name(old)));
    r->previous = old->previous;
    r->previous.size = r->previous.count;
    r->prefixes = old->prefixes;
    r->suffixes = old->suffixes;
    r->behavior = old->behavior;
    r->needs_hash = needs_hash && old->needs_hash;
    r->allow_name_change = old->allow_name_change;
    r->allow_kind_change = old->allow_kind_change;
    r->var_names = old->var_names;
    return true;
}

static bool absorb(struct build *b, struct resmap *m, struct resource *r)
{
    struct id id = id_current(b, r);
    size_t found = SIZE_MAX;

    for (size_t i = 0; i < m->count; i++) {
        if (!matches_any_id(b, m->at[i], &id))
            continue;
        if (found != SIZE_MAX)
            return build_fail(b, KUSTOMIZE_ERROR_CONFLICT,
                              "found multiple objects that could accept merge of %.*s",
                              STR(id_text(b, &id)));
        found = i;
    }
    bool replaces = r->behavior == BEHAVIOR_MERGE || r->behavior == BEHAVIOR_REPLACE;
    if (found == SIZE_MAX) {
        if (replaces)
            return build_fail(b, KUSTOMIZE_ERROR_CONFLICT,
                              "id %.*s does not exist; cannot merge or replace",
                              STR(id_text(b, &id)));
        return resmap_append(b, m, r);
    }
    if (!replaces)
        return build_fail(b, KUSTOMIZE_ERROR_CONFLICT,
                          "id %.*s exists; behavior must be merge or replace",
                          STR(id_text(b, &id)));
    struct resource *old = m->at[found];
    bool merges = r->behavior == BEHAVIOR_MERGE;
    struct pairs before = resource_map(b, old, "annotations");
    bool has_origin = false;
    str origin = pairs_get(&before, S("config.kubernetes.io/origin"), &has_origin);
    if (!take_over(b, r, old))
        return false;
    if (merges && has_origin) {
        struct pairs annotations = resource_map(b, r, "annotations");
        pairs_put(b, &annotations, S("config.kubernetes.io/origin"), origin);
        if (!resource_set_map(b, r, "annotations", &annotations))
            return false;
    }
    if (merges) {
        merge_data(b, r, old, "data");
        merge_data(b, r, old, "binaryData");
    }
    m->at[found] = r;
    resmap_changed(m);
    return true;
}

bool resmap_absorb_all(struct build *b, struct resmap *m, const struct resmap *other)
{
    for (size_t i = 0; i < other->count; i++)
        if (!absorb(b, m, other->at[i]))
            return false;
    return true;
}

/* ---- selecting ---- */

static bool selects(struct build *b, const struct resource *r, const struct selector_regex *s,
                    bool *ret)
{
    struct id current = id_current(b, r);
    struct id original = id_original(b, r);
    bool ok = false;

    *ret = false;
    if (!selector_matches_namespace(b, s, id_namespace(&original), &ok) ||
        (!ok && !selector_matches_namespace(b, s, id_namespace(&current), &ok)))
        return false;
    if (!ok)
        return true;
    if (!selector_matches_name(b, s, original.name, &ok) ||
        (!ok && !selector_matches_name(b, s, current.name, &ok)))
        return false;
    if (!ok)
        return true;
    if (!selector_matches_gvk(b, s, &current, &ok))
        return false;
    if (!ok)
        return true;
    return resource_matches_selectors(b, r, s->selector, ret);
}

bool resmap_select(struct build *b, const struct resmap *m, const struct selector *s,
                   struct resmap *ret)
{
    struct selector_regex regex = {0};

    if (!selector_compile(b, s, &regex))
        return false;
    for (size_t i = 0; i < m->count; i++) {
        bool matches = false;
        if (!selects(b, m->at[i], &regex, &matches))
            return false;
        if (matches)
            resmap_push(b, ret, m->at[i]);
    }
    return true;
}

/* ---- the legacy order ---- */

struct sort_row {
    struct resource *resource;
    struct id id;
    int order;
    str gvk_key;
    str id_key;
};

static int order_of(str kind, const struct strs *first, const struct strs *last)
{
    int order = 0;

    for (size_t i = 0; i < first->count; i++)
        if (str_eq(first->at[i], kind))
            order = (int)i - (int)first->count;
    for (size_t i = 0; i < last->count; i++)
        if (str_eq(last->at[i], kind))
            order = 1 + (int)i;
    return order;
}

static int compare_rows(const void *left, const void *right)
{
    const struct sort_row *a = left;
    const struct sort_row *b = right;

    if (a->order != b->order)
        return a->order < b->order ? -1 : 1;
    bool same = str_eq(a->id.kind, b->id.kind) && str_eq(a->id.group, b->id.group) &&
                str_eq(a->id.version, b->id.version);
    if (!same) {
        int order = str_cmp(a->gvk_key, b->gvk_key);
        bool reversed = str_eq(a->id.kind, S("Namespace")) && str_eq(b->id.kind, S("Namespace")) &&
                        (a->id.group.len == 0 || b->id.group.len == 0);
        if (order != 0)
            return reversed ? -order : order;
    }
    return str_cmp(a->id_key, b->id_key);
}

bool resmap_sort_legacy(struct build *b, struct resmap *m, const struct strs *first,
                        const struct strs *last)
{
    auto_arena struct arena *arena = arena_new(LIMIT_RENDER_ARENA / 4);
    struct sort_row *rows = arena_array(arena, m->count, struct sort_row);

    for (size_t i = 0; i < m->count; i++) {
        struct id id = id_current(b, m->at[i]);
        str group = id.group.len == 0 ? S("~G") : id.group;
        str version = id.version.len == 0 ? S("~V") : id.version;
        str kind = id.kind.len == 0 ? S("~K") : id.kind;
        str no_group = id.group.len == 0 ? S("[noGrp]") : id.group;
        str no_version = id.version.len == 0 ? S("[noVer]") : id.version;
        str no_kind = id.kind.len == 0 ? S("[noKind]") : id.kind;
        str ns = id.namespace_.len == 0 ? S("~X") : id.namespace_;
        str name = id.name.len == 0 ? S("~N") : id.name;
        rows[i] = (struct sort_row){
                .resource = m->at[i],
                .id = id,
                .order = order_of(id.kind, first, last),
                .gvk_key =
                        arena_printf(arena, "%.*s_%.*s_%.*s", STR(group), STR(version), STR(kind)),
                .id_key = arena_printf(arena, "%.*s.%.*s.%.*s|%.*s|%.*s", STR(no_kind),
                                       STR(no_version), STR(no_group), STR(ns), STR(name)),
        };
    }
    if (arena_is_over(arena))
        return build_fail(b, KUSTOMIZE_ERROR_LIMIT, "the render needs too much memory");
    qsort(rows, m->count, sizeof(*rows), compare_rows);
    size_t count = m->count;
    m->count = 0;
    resmap_changed(m);
    for (size_t i = 0; i < count; i++)
        if (!resmap_append(b, m, rows[i].resource))
            return false;
    return true;
}
