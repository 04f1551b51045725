/* SPDX-License-Identifier: Apache-2.0 */
#include "render/kustomize/field_spec.h"

#include <stdio.h>

/* ---- the default tables ---- */

#define SPEC(group, version, kind, path, create)                                                   \
    {S_INIT(group), S_INIT(version), S_INIT(kind), S_INIT(path), create},
#define NOTHING(...)

#include "render/kustomize/field_spec_tables.inc"

static struct config default_config;
static const struct config empty_config;

const struct config *config_empty(void)
{
    return &empty_config;
}

const struct config *config_default(void)
{
    if (default_config.is_default)
        return &default_config;
    for (size_t i = 0; i < SPEC_LIST_COUNT; i++)
        default_config.lists[i] =
                (struct fields){.at = (struct field_spec *)(uintptr_t)default_lists[i].at,
                                .count = default_lists[i].count};
    /* the references stand in one table, cut at its targets */
    static struct name_target targets[COUNT(default_target_rows) - 1];
    size_t at = 0;
    for (size_t i = 0; i < COUNT(targets); i++) {
        const __typeof__(default_target_rows[0]) *row = &default_target_rows[i + 1];
        targets[i] = (struct name_target){
                .group = row->group, .version = row->version, .kind = row->kind};
        targets[i].referrers.at = (struct field_spec *)(uintptr_t)&default_references[at];
        targets[i].referrers.count = row->count;
        at += row->count;
    }
    default_config.targets = targets;
    default_config.target_count = COUNT(targets);
    default_config.is_default = true;
    return &default_config;
}

/* ---- merging ---- */

bool fields_merge_one(struct build *b, struct fields *list, const struct field_spec *spec)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct field_spec *have = &list->at[i];
        if (!str_eq(have->path, spec->path) ||
            (spec->group.len > 0 && !str_eq(spec->group, have->group)) ||
            (spec->version.len > 0 && !str_eq(spec->version, have->version)) ||
            (spec->kind.len > 0 && !str_eq(spec->kind, have->kind)))
            continue;
        if (have->create != spec->create)
            return build_fail(b, KUSTOMIZE_ERROR_CONFLICT, "conflicting fieldspecs for %.*s",
                              STR(spec->path));
        return true;
    }
    struct field_spec *grown = arena_array(b->arena, list->count + 1, struct field_spec);
    if (list->count > 0)
        memcpy(grown, list->at, list->count * sizeof(*grown));
    grown[list->count] = *spec;
    list->at = grown;
    list->count++;
    return true;
}

bool fields_merge(struct build *b, struct fields *list, const struct fields *more)
{
    for (size_t i = 0; i < more->count; i++)
        if (!fields_merge_one(b, list, &more->at[i]))
            return false;
    return true;
}

const char *const kinds_first[KINDS_FIRST_COUNT] = {"Namespace",
                                                    "ResourceQuota",
                                                    "StorageClass",
                                                    "CustomResourceDefinition",
                                                    "ServiceAccount",
                                                    "PodSecurityPolicy",
                                                    "Role",
                                                    "ClusterRole",
                                                    "RoleBinding",
                                                    "ClusterRoleBinding",
                                                    "ConfigMap",
                                                    "Secret",
                                                    "Endpoints",
                                                    "Service",
                                                    "LimitRange",
                                                    "PriorityClass",
                                                    "PersistentVolume",
                                                    "PersistentVolumeClaim",
                                                    "Deployment",
                                                    "StatefulSet",
                                                    "CronJob",
                                                    "PodDisruptionBudget"};

static int kind_order(str kind)
{
    for (size_t i = 0; i < COUNT(kinds_first); i++)
        if (str_eq(kind, str_from(kinds_first[i])))
            return (int)i - (int)COUNT(kinds_first);
    if (str_eq(kind, S("MutatingWebhookConfiguration")))
        return 1;
    return str_eq(kind, S("ValidatingWebhookConfiguration")) ? 2 : 0;
}

static bool gvk_less(str group, str version, str kind, str group2, str version2, str kind2)
{
    int left = kind_order(kind);
    int right = kind_order(kind2);
    char a[600];
    char c[600];

    if (left != right)
        return left < right;
    (void)snprintf(a, sizeof(a), "%.*s_%.*s_%.*s", STR(group.len == 0 ? S("~G") : group),
                   STR(version.len == 0 ? S("~V") : version), STR(kind.len == 0 ? S("~K") : kind));
    (void)snprintf(c, sizeof(c), "%.*s_%.*s_%.*s", STR(group2.len == 0 ? S("~G") : group2),
                   STR(version2.len == 0 ? S("~V") : version2),
                   STR(kind2.len == 0 ? S("~K") : kind2));
    return str_cmp(str_from(a), str_from(c)) < 0;
}

/* Insertion sort: what was sorted stays as it is, new specs sink to their place. */
static void sort_fields(struct fields *list)
{
    for (size_t i = 1; i < list->count; i++) {
        struct field_spec s = list->at[i];
        size_t at = i;
        for (; at > 0 && gvk_less(s.group, s.version, s.kind, list->at[at - 1].group,
                                  list->at[at - 1].version, list->at[at - 1].kind);
             at--)
            list->at[at] = list->at[at - 1];
        list->at[at] = s;
    }
}

static void sort_targets(struct config *c)
{
    for (size_t i = 1; i < c->target_count; i++) {
        struct name_target t = c->targets[i];
        size_t at = i;
        for (; at > 0 && gvk_less(t.group, t.version, t.kind, c->targets[at - 1].group,
                                  c->targets[at - 1].version, c->targets[at - 1].kind);
             at--)
            c->targets[at] = c->targets[at - 1];
        c->targets[at] = t;
    }
}

bool config_add_reference(struct build *b, struct config *config, const struct name_target *target)
{
    bool found = false;

    for (size_t i = 0; i < config->target_count; i++) {
        struct name_target *have = &config->targets[i];
        if (!str_eq(have->group, target->group) || !str_eq(have->version, target->version) ||
            !str_eq(have->kind, target->kind))
            continue;
        found = true;
        if (!fields_merge(b, &have->referrers, &target->referrers))
            return false;
    }
    if (found)
        return true;
    struct name_target *grown = arena_array(b->arena, config->target_count + 1, struct name_target);
    if (config->target_count > 0)
        memcpy(grown, config->targets, config->target_count * sizeof(*grown));
    grown[config->target_count] = *target;
    config->targets = grown;
    config->target_count++;
    return true;
}

static bool is_empty(const struct config *c)
{
    if (c->target_count > 0)
        return false;
    for (size_t i = 0; i < SPEC_LIST_COUNT; i++)
        if (c->lists[i].count > 0)
            return false;
    return true;
}

static struct fields fields_dup(struct build *b, const struct fields *list)
{
    struct fields copy = *list;

    copy.at = arena_array(b->arena, list->count, struct field_spec);
    if (list->count > 0)
        memcpy(copy.at, list->at, list->count * sizeof(*copy.at));
    return copy;
}

bool config_merge(struct build *b, const struct config *into, const struct config *more,
                  const struct config **ret)
{
    if (is_empty(more) || into == more) {
        *ret = into;
        return true;
    }
    if (is_empty(into) && more->is_default) {
        *ret = more;
        return true;
    }
    struct config *c = arena_new0(b->arena, struct config);
    for (size_t i = 0; i < SPEC_LIST_COUNT; i++) {
        c->lists[i] = fields_dup(b, &into->lists[i]);
        if (!fields_merge(b, &c->lists[i], &more->lists[i]))
            return false;
        c->lists[i] = fields_dup(b, &c->lists[i]);
        sort_fields(&c->lists[i]);
    }
    c->targets = arena_array(b->arena, into->target_count, struct name_target);
    c->target_count = into->target_count;
    if (into->target_count > 0)
        memcpy(c->targets, into->targets, into->target_count * sizeof(*c->targets));
    for (size_t i = 0; i < more->target_count; i++)
        if (!config_add_reference(b, c, &more->targets[i]))
            return false;
    sort_targets(c);
    *ret = c;
    return true;
}

const struct config *config_from_file(struct build *b, const struct config_file *file)
{
    struct config *c = arena_new0(b->arena, struct config);

    c->lists[SPEC_NAME_PREFIX] = file->name_prefix;
    c->lists[SPEC_NAME_SUFFIX] = file->name_suffix;
    c->lists[SPEC_NAMESPACE] = file->namespace_;
    c->lists[SPEC_COMMON_LABELS] = file->common_labels;
    c->lists[SPEC_LABELS] = file->labels;
    c->lists[SPEC_TEMPLATE_LABELS] = file->template_labels;
    c->lists[SPEC_COMMON_ANNOTATIONS] = file->common_annotations;
    c->lists[SPEC_VAR_REFERENCE] = file->var_reference;
    c->lists[SPEC_IMAGES] = file->images;
    c->lists[SPEC_REPLICAS] = file->replicas;
    for (size_t i = 0; i < SPEC_LIST_COUNT; i++)
        sort_fields(&c->lists[i]);
    c->targets = file->name_reference.at;
    c->target_count = file->name_reference.count;
    sort_targets(c);
    return c;
}

/* ---- paths ---- */

struct strs path_split(struct build *b, str path, char delimiter)
{
    struct strs parts = {0};
    str rest = path.at == NULL ? STR_EMPTY : path;
    str part = STR_EMPTY;
    size_t most = 1;

    for (size_t i = 0; i < rest.len; i++)
        most += rest.at[i] == delimiter;
    parts.at = arena_array(b->arena, most, str);
    for (bool first = true; str_split(&rest, delimiter, &part); first = false) {
        if (first && part.len == 0 && most > 1)
            continue; /* a leading delimiter */
        str *last = parts.count > 0 ? &parts.at[parts.count - 1] : NULL;
        if (last != NULL && last->len > 0 && last->at[last->len - 1] == '\\')
            *last = arena_printf(b->arena, "%.*s%c%.*s", (int)last->len - 1, last->at, delimiter,
                                 STR(part));
        else
            parts.at[parts.count++] = part;
    }
    return parts;
}

struct strs path_split_brackets(struct build *b, str path)
{
    struct strs split = path_split(b, path, '.');
    struct strs parts = {.at = arena_array(b->arena, split.count, str)};

    for (size_t i = 0; i < split.count; i++) {
        str part = split.at[i];
        if (!str_starts(part, S("[")) || str_ends(part, S("]"))) {
            parts.at[parts.count++] = part;
            continue;
        }
        while (i + 1 < split.count) {
            i++;
            part = arena_printf(b->arena, "%.*s.%.*s", STR(part), STR(split.at[i]));
            if (str_ends(split.at[i], S("]")))
                break;
        }
        if (str_contains(part, S("="))) {
            parts.at[parts.count++] = part;
            continue;
        }
        while (part.len > 0 && (part.at[0] == '[' || part.at[0] == ']'))
            part = str_from_index(part, 1);
        while (part.len > 0 && (part.at[part.len - 1] == '[' || part.at[part.len - 1] == ']'))
            part.len--;
        parts.at[parts.count++] = part;
    }
    return parts;
}

static bool is_list_index(str part)
{
    return part.len >= 2 && part.at[0] == '[' && part.at[part.len - 1] == ']';
}

static bool wrong_kind(struct build *b, const char *expected, str part)
{
    return build_fail(b, KUSTOMIZE_ERROR_TRANSFORM, "wrong node kind at '%.*s': expected %s",
                      STR(part), expected);
}

static enum node_kind kind_for(str next, enum node_kind otherwise)
{
    int64_t index = 0;

    if (is_list_index(next) || (str_to_i64(next, &index) && index >= 0))
        return NODE_LIST;
    return next.len == 0 ? otherwise : NODE_MAP;
}

static bool step_element(struct build *b, struct node *n, str part, enum node_kind create,
                         struct node **ret)
{
    str inner = str_of(part.at + 1, part.len - 2);
    size_t equals = str_find_char(inner, '=');

    if (equals == SIZE_MAX)
        return build_fail(b, KUSTOMIZE_ERROR_TRANSFORM,
                          "list path element '%.*s' must contain fieldName=fieldValue", STR(part));
    str key = str_first(inner, equals);
    str value = str_from_index(inner, equals + 1);
    if (n->kind != NODE_LIST)
        return wrong_kind(b, "SequenceNode", part);
    for (uint32_t i = 0; i < n->count; i++) {
        struct node *item = n->items[i];
        const struct node *field = key.len == 0 ? item : node_get(item, key);
        bool is_match = field != NULL && str_eq(node_spelling(field), value);
        if (is_match) {
            *ret = item;
            return true;
        }
    }
    if (create == NODE_ZERO)
        return true;
    struct node *scalar = node_scalar(b->arena, TAG_NONE, value);
    struct node *item = scalar;
    if (key.len > 0) {
        item = node_new(b->arena, NODE_MAP);
        node_add_new(b->arena, item, key, scalar);
    }
    node_append(b->arena, n, item);
    *ret = item;
    return true;
}

bool path_step(struct build *b, struct node *n, str part, str next, enum node_kind create,
               struct node **ret)
{
    int64_t index = 0;

    *ret = NULL;
    bool is_number = str_to_i64(part, &index);
    if (is_number || str_eq(part, S("-"))) {
        if (is_number && index < 0)
            return build_fail(b, KUSTOMIZE_ERROR_TRANSFORM, "array index %lld cannot be negative",
                              (long long)index);
        if (node_is_null(n))
            return true;
        if (n->kind != NODE_LIST)
            return wrong_kind(b, "SequenceNode", part);
        if (!is_number) {
            if (n->count == 0)
                return build_fail(b, KUSTOMIZE_ERROR_TRANSFORM, "'-' of an empty list");
            index = n->count - 1;
        }
        if (index < n->count)
            *ret = n->items[index];
        return true;
    }
    if (str_eq(part, S("*")))
        return build_fail(b, KUSTOMIZE_ERROR_TRANSFORM, "wildcard is not supported here");
    if (node_is_null(n))
        return true;
    if (is_list_index(part))
        return step_element(b, n, part, create, ret);
    if (n->kind != NODE_MAP)
        return wrong_kind(b, "MappingNode", part);
    *ret = node_get(n, part);
    if (*ret == NULL && create != NODE_ZERO) {
        *ret = node_new(b->arena, kind_for(next, create));
        node_put(b->arena, n, part, *ret);
    }
    return true;
}

bool path_lookup(struct build *b, struct node *n, const struct strs *path, enum node_kind create,
                 struct node **ret)
{
    struct node *at = n;

    for (size_t i = 0; i < path->count && at != NULL; i++) {
        str part = str_trim(path->at[i]);
        if (part.len == 0)
            continue;
        str next = i + 1 < path->count ? str_trim(path->at[i + 1]) : STR_EMPTY;
        if (!path_step(b, at, part, next, create, &at))
            return false;
    }
    *ret = at;
    return true;
}

/* ---- visiting ---- */

struct walk {
    struct build *b;
    const struct field_visit *visit;
    str rest; /* of the path; at == NULL when used up */
};

static bool walk(const struct walk *w, struct node *n);

/* Takes one part off the path; escapes are rare. */
static str take_part(struct build *b, str *rest)
{
    str part = STR_EMPTY;

    (void)str_split(rest, '/', &part);
    while (part.len > 0 && part.at[part.len - 1] == '\\' && rest->at != NULL) {
        str more = STR_EMPTY;
        (void)str_split(rest, '/', &more);
        part = arena_printf(b->arena, "%.*s/%.*s", (int)part.len - 1, part.at, STR(more));
    }
    return part;
}

static bool walk_map(const struct walk *w, struct node *n)
{
    const struct field_visit *v = w->visit;
    struct walk next = *w;
    str name = take_part(w->b, &next.rest);
    bool is_list = str_chop(&name, S("[]"));
    bool is_last = next.rest.at == NULL;
    enum node_kind kind = is_list ? NODE_LIST : NODE_ZERO;
    enum node_kind create = NODE_ZERO;
    enum node_tag tag = TAG_NONE;
    struct node *field = NULL;

    if (name.len == 0)
        return build_fail(w->b, KUSTOMIZE_ERROR_TRANSFORM,
                          "cannot set or create an empty field name");
    if (v->spec->create && v->create_kind != NODE_ZERO && !is_list) {
        create = kind = is_last ? v->create_kind : NODE_MAP;
        tag = is_last ? v->create_tag : TAG_MAP;
    }
    if (!path_step(w->b, n, str_trim(name), STR_EMPTY, create, &field))
        return false;
    if (field == NULL)
        return true;
    if (field->tag == TAG_NULL && kind != NODE_ZERO) {
        if (kind != NODE_SCALAR)
            field->value = (str){0}; /* no members either */
        field->kind = kind & 3;
        field->tag = tag & 15;
    }
    return walk(&next, field);
}

static bool walk(const struct walk *w, struct node *n)
{
    if (w->rest.at == NULL)
        return w->visit->set(w->b, n, w->visit->context);
    if (node_is_null(n))
        return true;
    if (n->kind == NODE_LIST) {
        for (uint32_t i = 0; i < n->count; i++)
            if (!walk(w, n->items[i]))
                return false;
        return true;
    }
    if (n->kind == NODE_MAP)
        return walk_map(w, n);
    return build_fail(w->b, KUSTOMIZE_ERROR_TRANSFORM, "expected sequence or mapping node");
}

bool field_visit(struct build *b, struct node *object, const struct field_visit *visit)
{
    const struct field_spec *spec = visit->spec;
    struct walk w = {.b = b, .visit = visit, .rest = spec->path};
    str group = STR_EMPTY;
    str version = STR_EMPTY;

    if (spec->kind.len > 0 && !str_eq(spec->kind, node_spelling(node_get(object, S("kind")))))
        return true;
    if (spec->group.len > 0 || spec->version.len > 0) {
        group_version_split(node_spelling(node_get(object, S("apiVersion"))), &group, &version);
        if ((spec->group.len > 0 && !str_eq(spec->group, group)) ||
            (spec->version.len > 0 && !str_eq(spec->version, version)))
            return true;
    }
    if (w.rest.at == NULL)
        w.rest = STR_EMPTY;
    if (w.rest.len > 1 && w.rest.at[0] == '/')
        w.rest = str_from_index(w.rest, 1);
    if (walk(&w, object))
        return true;
    struct resource r = {.node = object};
    struct id id = id_current(b, &r);
    return err_wrap(b->err, "considering field '%.*s' of object %.*s", STR(spec->path),
                    STR(id_text(b, &id)));
}
