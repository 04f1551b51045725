/* SPDX-License-Identifier: Apache-2.0 */
/* vars: $(NAME) in the fields of varReference becomes a value of another resource. */
#include "base/buf.h"
#include "base/map.h"
#include "doc/yaml_scalar.h"
#include "render/kustomize/transform.h"

/* ---- collecting ---- */

static bool matches_var(const struct resource *r, const struct var *v, const struct id *id)
{
    (void)r;
    struct id wanted = {.group = v->object.group,
                        .version = v->object.version,
                        .kind = v->object.kind,
                        .name = v->object.name,
                        .namespace_ = v->object.namespace_};

    return wanted.namespace_.len > 0 ? id_eq(&wanted, id) : id_gvkn_eq(&wanted, id);
}

static bool any_id_matches(struct build *b, const struct resource *r, const struct var *v)
{
    struct id id = {0};

    if (node_is_empty(r->node))
        return false;
    group_version_split(resource_api_version(r), &id.group, &id.version);
    for (size_t i = 0; i < r->previous.count; i++) {
        struct id previous = id_previous(r, i, id.group, id.version);
        if (matches_var(r, v, &previous))
            return true;
    }
    id = id_current(b, r);
    return matches_var(r, v, &id);
}

static bool add_var(struct build *b, struct var_set *set, const struct var *v)
{
    for (size_t i = 0; i < set->count; i++)
        if (str_eq(set->at[i].name, v->name))
            return build_fail(b, KUSTOMIZE_ERROR_CONFLICT, "var '%.*s' already encountered",
                              STR(v->name));
    set->at = build_grow(b, set->at, set->count + 1, &set->size, sizeof(*set->at));
    set->at[set->count++] = *v;
    return true;
}

bool vars_merge(struct build *b, struct resmap *m, struct var_set *set, const struct var *vars,
                size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct var v = vars[i];
        struct resource *found = NULL;
        str *texts[] = {&v.name,        &v.object.group,      &v.object.version,  &v.object.kind,
                        &v.object.name, &v.object.namespace_, &v.field.field_path};
        for (size_t t = 0; t < COUNT(texts); t++)
            if (texts[t]->at == NULL)
                *texts[t] = STR_EMPTY;
        if (v.object.api_version.len > 0)
            group_version_split(v.object.api_version, &v.object.group, &v.object.version);
        if (v.field.field_path.len == 0)
            v.field.field_path = S("metadata.name");
        for (size_t r = 0; r < m->count; r++) {
            if (!any_id_matches(b, m->at[r], &v))
                continue;
            if (found != NULL)
                return build_fail(
                        b, KUSTOMIZE_ERROR_CONFLICT,
                        "found several resId matches for var %.*s (unable to disambiguate)",
                        STR(v.name));
            found = m->at[r];
        }
        if (found != NULL)
            strs_add(b, &found->var_names, v.name);
        if (!add_var(b, set, &v))
            return false;
    }
    return true;
}

bool vars_absorb(struct build *b, struct var_set *set, const struct var_set *other)
{
    for (size_t i = 0; i < other->count; i++)
        if (!add_var(b, set, &other->at[i]))
            return false;
    return true;
}

/* ---- values ---- */

struct var_value {
    enum node_tag tag; /* TAG_MAP: cannot be put into text */
    str text;          /* as a field's whole value */
    str inlined;       /* as a part of a text */
    bool used;
};

struct var_context {
    struct map *values;
};

static bool scalar_value(struct build *b, const struct node *n, struct var_value *ret)
{
    char number[YAML_NUMBER_SIZE];
    int64_t whole = 0;
    double real = 0;

    *ret = (struct var_value){.tag = TAG_STR, .text = n->value, .inlined = n->value};
    if (n->tag == TAG_INT) {
        str digits =
                n->value.len > 1 && n->value.at[0] == '+' ? str_from_index(n->value, 1) : n->value;
        if (!str_to_i64(digits, &whole))
            return false;
        ret->tag = TAG_INT;
        ret->text = ret->inlined = arena_printf(b->arena, "%lld", (long long)whole);
    } else if (n->tag == TAG_FLOAT) {
        if (!yaml_to_double(n->value, &real))
            return false;
        ret->tag = TAG_FLOAT;
        yaml_format_json(real, number);
        ret->text = ret->inlined = arena_str(b->arena, str_from(number));
    } else if (n->tag == TAG_BOOL) {
        ret->tag = TAG_BOOL;
        ret->text = ret->inlined = yaml_word_is_true(n->value) ? S("true") : S("false");
    }
    return true;
}

/* "ports[0]" is two parts for a var. */
static struct strs var_path(struct build *b, str path)
{
    struct strs split = path_split_brackets(b, path);
    struct strs parts = {.at = arena_array(b->arena, split.count * 2, str)};

    for (size_t i = 0; i < split.count; i++) {
        str part = split.at[i];
        size_t open = str_rfind_char(part, '[');
        int64_t index = 0;
        bool indexed = open != SIZE_MAX && str_ends(part, S("]")) &&
                       str_to_i64(str_of(part.at + open + 1, part.len - open - 2), &index) &&
                       index >= 0;
        if (!indexed) {
            parts.at[parts.count++] = part;
            continue;
        }
        if (open > 0)
            parts.at[parts.count++] = str_first(part, open);
        parts.at[parts.count++] = str_of(part.at + open + 1, part.len - open - 2);
    }
    return parts;
}

static bool find_value(struct build *b, const struct resmap *m, const struct var *v,
                       struct var_value *ret)
{
    for (size_t i = 0; i < m->count; i++) {
        if (!strs_has(&m->at[i]->var_names, v->name))
            continue;
        struct strs path = var_path(b, v->field.field_path);
        struct node *field = NULL;
        if (!path_lookup(b, m->at[i]->node, &path, NODE_ZERO, &field) || field == NULL ||
            (field->kind == NODE_SCALAR && !scalar_value(b, field, ret)))
            return build_fail(b, KUSTOMIZE_ERROR_TRANSFORM,
                              "field specified in var '%.*s' not found in corresponding resource",
                              STR(v->name));
        if (field->kind != NODE_SCALAR)
            *ret = (struct var_value){.tag = TAG_MAP};
        return true;
    }
    return build_fail(b, KUSTOMIZE_ERROR_TRANSFORM,
                      "var '%.*s' cannot be mapped to a field in the set of known resources",
                      STR(v->name));
}

/* ---- replacing ---- */

static void write_value(struct node *n, enum node_tag tag, str text)
{
    n->tag = tag & 15;
    n->value = text;
    n->style = STYLE_PLAIN;
}

static void expand(struct build *b, struct node *n, const struct var_context *c)
{
    auto_buf struct buf out = {0};
    str in = n->value;
    size_t from = 0;

    if (str_find_char(in, '$') == SIZE_MAX) {
        write_value(n, TAG_STR, in);
        return;
    }
    buf_init(&out, LIMIT_FILE_BYTES);
    for (size_t i = 0; i + 1 < in.len; i++) {
        if (in.at[i] != '$')
            continue;
        buf_add(&out, str_of(in.at + from, i - from));
        size_t close =
                in.at[i + 1] == '(' ? str_find_char(str_from_index(in, i + 2), ')') : SIZE_MAX;
        if (close != SIZE_MAX) {
            str name = str_of(in.at + i + 2, close);
            struct var_value *value = map_get(c->values, name);
            bool whole = i == 0 && close + 3 == in.len;
            if (value != NULL && value->tag != TAG_MAP) {
                value->used = true;
                if (whole) {
                    write_value(n, value->tag, value->text);
                    return;
                }
                buf_add(&out, value->inlined);
            } else {
                buf_addf(&out, "$(%.*s)", STR(name));
            }
            i += close + 2;
        } else if (in.at[i + 1] == '$') {
            buf_addc(&out, '$');
            i++;
        } else {
            buf_addc(&out, '$');
            buf_addc(&out, in.at[i + 1]);
            i++;
        }
        from = i + 1;
    }
    buf_add(&out, str_from_index(in, from));
    write_value(n, TAG_STR, arena_str(b->arena, buf_str(&out)));
}

static bool set_vars(struct build *b, struct node *n, void *context)
{
    const struct var_context *c = context;

    if (node_is_null(n))
        return true;
    if (n->kind == NODE_SCALAR) {
        if (node_is_string(n))
            expand(b, n, c);
        return true;
    }
    if (n->kind == NODE_MAP) {
        if ((n->flags & NODE_ODD_KEY) != 0)
            return build_fail(b, KUSTOMIZE_ERROR_TRANSFORM, "invalid map key in a var's field");
        for (uint32_t i = 0; i < n->count; i++)
            if (node_is_string(n->members[i].value))
                expand(b, n->members[i].value, c);
        return true;
    }
    for (uint32_t i = 0; n->kind == NODE_LIST && i < n->count; i++) {
        if (!node_is_string(n->items[i]))
            return build_fail(b, KUSTOMIZE_ERROR_TRANSFORM,
                              "invalid value type in a var's field: expect a string");
        expand(b, n->items[i], c);
    }
    return true;
}

bool transform_vars(struct build *b, struct resmap *m, const struct var_set *vars,
                    const struct fields *specs)
{
    auto_map struct map *values = map_new();
    struct var_context context = {.values = values};

    if (vars->count == 0)
        return true;
    for (size_t i = 0; i < vars->count; i++) {
        struct var_value *value = arena_new0(b->arena, struct var_value);
        if (!find_value(b, m, &vars->at[i], value))
            return false;
        map_set(values, vars->at[i].name, value);
    }
    for (size_t r = 0; r < m->count; r++) {
        if (arena_is_over(b->arena))
            return build_fail(b, KUSTOMIZE_ERROR_LIMIT, "the render needs too much memory");
        for (size_t f = 0; f < specs->count; f++) {
            struct field_visit visit = {
                    .spec = &specs->at[f], .set = set_vars, .context = &context};
            if (!field_visit(b, m->at[r]->node, &visit))
                return false;
        }
    }
    struct map_iter it = map_iter(values);
    while (map_next(&it))
        if (!((struct var_value *)it.value)->used)
            build_warn(b, "well-defined vars that were never replaced: %.*s", STR(it.key));
    return true;
}
