/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON patches (RFC 6902) as json-patch v4 applies them, which Kustomize uses: "replace" of a
 * missing key of a map adds it, "copy" of one copies null, indices may be negative, the part before
 * the first '/' of a path is ignored.
 */
#include "doc/json.h"
#include "doc/yaml.h"
#include "render/kustomize/transform.h"

struct json_op {
    struct build *b;
    struct arena *arena; /* of the values; gone after the patch */
    const struct val *op;
    str name;
    str path;
    bool raw; /* the patch was JSON: texts were not escaped as Go escapes them */
};

/* ---- reading ---- */

static bool is_patch(const struct val *v)
{
    if (val_is(v, VAL_NULL))
        return true;
    if (!val_is(v, VAL_LIST))
        return false;
    struct val_iter it = val_iter(v);
    while (val_next(&it))
        if (!val_is(it.value, VAL_MAP) && !val_is(it.value, VAL_NULL))
            return false;
    return true;
}

bool json_patch_parse(struct build *b, str text, str file, const struct val **ret_patch)
{
    struct val *patch = NULL;

    if (text.len == 0)
        return build_fail(b, KUSTOMIZE_ERROR_YAML, "%.*s: empty json patch operations", STR(file));
    if (text.at[0] == '[') {
        struct json_options options = {.file = file, .places = true, .last_duplicate_wins = true};
        if (!json_parse(b->arena, text, &options, &patch, b->err)) {
            b->error_class = KUSTOMIZE_ERROR_YAML;
            return false;
        }
        patch->style |= VAL_MARK_A;
    } else {
        struct yaml_options options = {
                .dialect = YAML_11, .duplicates = YAML_DUPLICATES_LAST, .file = file};
        if (!yaml_parse(b->arena, text, &options, &patch, b->err)) {
            b->error_class = KUSTOMIZE_ERROR_YAML;
            return false;
        }
    }
    if (!is_patch(patch))
        return build_fail(b, KUSTOMIZE_ERROR_YAML,
                          "%.*s: a JSON patch must be a list of operations", STR(file));
    if (val_count(patch) > LIMIT_JSON_PATCH_OPERATIONS)
        return build_fail(b, KUSTOMIZE_ERROR_LIMIT,
                          "%.*s: a JSON patch of more than %d operations "
                          "(LIMIT_JSON_PATCH_OPERATIONS)",
                          STR(file), LIMIT_JSON_PATCH_OPERATIONS);
    *ret_patch = patch;
    return true;
}

/* ---- pointers ---- */

static str unescape(struct arena *arena, str part)
{
    if (str_find_char(part, '~') == SIZE_MAX)
        return part;
    char *out = arena_bytes(arena, part.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < part.len; i++) {
        if (part.at[i] == '~' && i + 1 < part.len &&
            (part.at[i + 1] == '0' || part.at[i + 1] == '1')) {
            out[len++] = part.at[i + 1] == '0' ? '~' : '/';
            i++;
        } else {
            out[len++] = part.at[i];
        }
    }
    return str_of(out, len);
}

static bool index_of(str part, int64_t *ret)
{
    if (part.len > 1 && part.at[0] == '+')
        part = str_from_index(part, 1);
    return str_to_i64(part, ret);
}

/* What a container holds at a key. false: no such index. *ret NULL: no such key, or null. */
static bool get(struct val *container, str key, struct val **ret)
{
    int64_t index = 0;

    *ret = NULL;
    if (val_is(container, VAL_MAP)) {
        *ret = val_get(container, key);
        return true;
    }
    if (!index_of(key, &index))
        return false;
    if (index < 0)
        index += (int64_t)val_count(container);
    if (index < 0 || index >= (int64_t)val_count(container))
        return false;
    *ret = val_item(container, (size_t)index);
    return true;
}

/* The container that the path's last part is in; NULL when the way there is missing. */
static struct val *find_parent(struct json_op *o, struct val *doc, str path, str *ret_key)
{
    str rest = path;
    str part = STR_EMPTY;
    struct val *at = doc;

    if (str_find_char(path, '/') == SIZE_MAX)
        return NULL;
    (void)str_split(&rest, '/', &part);
    (void)str_split(&rest, '/', &part);
    while (rest.at != NULL) {
        struct val *next = NULL;
        if (!get(at, unescape(o->arena, part), &next) ||
            (!val_is(next, VAL_MAP) && !val_is(next, VAL_LIST)))
            return NULL;
        at = next;
        (void)str_split(&rest, '/', &part);
    }
    *ret_key = unescape(o->arena, part);
    return at;
}

/* ---- operations ---- */

static bool refuse(struct json_op *o, const char *what, str path)
{
    str place = val_place(o->arena, o->op);

    return build_fail(o->b, KUSTOMIZE_ERROR_TRANSFORM, "%.*s%sthe %.*s operation %s: '%.*s'",
                      STR(place), place.len > 0 ? ": " : "", STR(o->name), what, STR(path));
}

static bool add(struct json_op *o, struct val *container, str key, struct val value, str path)
{
    int64_t index = 0;
    int64_t count = (int64_t)val_count(container);

    if (val_is(container, VAL_MAP)) {
        val_set(o->arena, container, key, value);
        return true;
    }
    if (str_eq(key, S("-"))) {
        val_append(o->arena, container, value);
        return true;
    }
    if (!index_of(key, &index))
        return refuse(o, "has a path that was not a proper array index", path);
    if (index > count || index < -(count + 1))
        return refuse(o, "accesses an invalid index", path);
    if (index < 0)
        index += count + 1;
    val_insert(o->arena, container, (size_t)index, value);
    return true;
}

static bool take_out(struct json_op *o, struct val *container, str key, str path)
{
    int64_t index = 0;
    int64_t count = (int64_t)val_count(container);

    if (val_is(container, VAL_MAP)) {
        if (!val_del(container, key))
            return refuse(o, "is unable to remove a nonexistent key", path);
        return true;
    }
    if (!index_of(key, &index) || index >= count || index < -count)
        return refuse(o, "accesses an invalid index", path);
    val_remove(container, (size_t)(index < 0 ? index + count : index));
    return true;
}

static struct val value_of(const struct json_op *o)
{
    const struct val *value = val_get(o->op, S("value"));

    return value == NULL ? val_null() : val_dup_value(o->arena, value);
}

static bool is_escaped_by_go(str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.at[i] == '<' || s.at[i] == '>' || s.at[i] == '&')
            return true;
    return str_contains(s, S("\xE2\x80\xA8")) || str_contains(s, S("\xE2\x80\xA9"));
}

/* As bytes of compact JSON, which is how the original compares scalars. */
static bool equal(const struct json_op *o, const struct val *a, const struct val *b)
{
    if (val_kind(a) != val_kind(b))
        return false;
    switch (val_kind(a)) {
    case VAL_NULL:
        return true;
    case VAL_BOOL:
        return val_is_true(a) == val_is_true(b);
    case VAL_NUMBER:
        return str_eq(val_text(a), val_text(b));
    case VAL_STRING:
        return str_eq(val_str(a), val_str(b)) && !(o->raw && is_escaped_by_go(val_str(a)));
    case VAL_LIST:
    case VAL_MAP:
        break;
    }
    if (val_count(a) != val_count(b))
        return false;
    struct val_iter it = val_iter(a);
    struct val_iter other = val_iter(b);
    while (val_next(&it)) {
        const struct val *mate = NULL;
        if (val_is(a, VAL_MAP))
            mate = val_get(b, it.key);
        else if (val_next(&other))
            mate = other.value;
        if (mate == NULL || !equal(o, it.value, mate))
            return false;
    }
    return true;
}

static bool test(struct json_op *o, struct val *doc)
{
    const struct val *wanted = val_get(o->op, S("value"));
    struct val *actual = doc;
    str key = STR_EMPTY;

    if (o->path.len > 0) {
        struct val *container = find_parent(o, doc, o->path, &key);
        if (container == NULL)
            return refuse(o, "does not apply: the doc is missing the path", o->path);
        if (!get(container, key, &actual))
            return refuse(o, "accesses an invalid index", o->path);
    }
    if (val_is(actual, VAL_NULL))
        actual = NULL;
    bool passes = actual == NULL ? val_kind(wanted) == VAL_NULL
                                 : wanted != NULL && equal(o, actual, wanted);
    return passes || refuse(o, "failed: the value differs", o->path);
}

static bool replace(struct json_op *o, struct val *doc)
{
    str key = STR_EMPTY;
    struct val *old = NULL;

    if (o->path.len == 0) {
        struct val value = value_of(o);
        if (value.kind != VAL_MAP && value.kind != VAL_LIST)
            return refuse(o, "must have an object or array as value", o->path);
        *doc = value;
        return true;
    }
    struct val *container = find_parent(o, doc, o->path, &key);
    if (container == NULL)
        return refuse(o, "does not apply: the doc is missing the path", o->path);
    if (!get(container, key, &old))
        return refuse(o, "does not apply: the doc is missing the key", o->path);
    if (val_is(container, VAL_MAP))
        val_set(o->arena, container, key, value_of(o));
    else
        *old = value_of(o);
    return true;
}

static bool move_or_copy(struct json_op *o, struct val *doc, bool moves)
{
    const struct val *from_field = val_get(o->op, S("from"));
    str from = val_str(from_field);
    str key = STR_EMPTY;
    struct val *found = NULL;

    if (!val_is(from_field, VAL_STRING))
        return refuse(o, "is missing its from field", from);
    struct val *container = find_parent(o, doc, from, &key);
    if (container == NULL)
        return refuse(o, "does not apply: the doc is missing the from path", from);
    if (!get(container, key, &found))
        return refuse(o, "accesses an invalid index", from);
    struct val value = found == NULL ? val_null() : val_dup_value(o->arena, found);
    if (moves && !take_out(o, container, key, from))
        return false;
    container = find_parent(o, doc, o->path, &key);
    if (container == NULL)
        return refuse(o, "does not apply: the doc is missing the destination path", o->path);
    return add(o, container, key, value, o->path);
}

static bool apply_one(struct json_op *o, struct val *doc)
{
    str key = STR_EMPTY;
    const struct val *path = val_get(o->op, S("path"));

    o->name = val_get_str(o->op, S("op"));
    o->path = val_str(path);
    bool is_add = str_eq(o->name, S("add"));
    bool is_remove = str_eq(o->name, S("remove"));
    bool is_move = str_eq(o->name, S("move"));
    bool is_known = is_add || is_remove || is_move || str_eq(o->name, S("replace")) ||
                    str_eq(o->name, S("copy")) || str_eq(o->name, S("test"));
    if (!is_known)
        return refuse(o, "is unknown", o->name);
    if (!val_is(path, VAL_STRING))
        return refuse(o, "is missing its path", STR_EMPTY);
    if (str_eq(o->name, S("test")))
        return test(o, doc);
    if (str_eq(o->name, S("replace")))
        return replace(o, doc);
    if (!is_add && !is_remove)
        return move_or_copy(o, doc, is_move);
    struct val *container = find_parent(o, doc, o->path, &key);
    if (container == NULL)
        return refuse(o, "does not apply: the doc is missing the path", o->path);
    return is_add ? add(o, container, key, value_of(o), o->path)
                  : take_out(o, container, key, o->path);
}

bool build_json_patch(struct build *b, struct resource *r, const struct val *patch)
{
    auto_arena struct arena *scratch = arena_new(LIMIT_RENDER_ARENA / 4);
    struct val *doc = val_new(scratch, val_null());
    struct val_iter it = val_iter(patch);

    if (!node_to_val(scratch, r->node, doc, b->err)) {
        b->error_class = KUSTOMIZE_ERROR_YAML;
        return false;
    }
    while (val_next(&it)) {
        struct json_op o = {
                .b = b, .arena = scratch, .op = it.value, .raw = (patch->style & VAL_MARK_A) != 0};
        if (!apply_one(&o, doc))
            return false;
        if (arena_is_over(scratch))
            return build_fail(b, KUSTOMIZE_ERROR_LIMIT, "a JSON patch needs too much memory");
    }
    if (!val_is(doc, VAL_MAP))
        return build_fail(b, KUSTOMIZE_ERROR_TRANSFORM, "a JSON patch left no object");
    if (r->unshared == b->shares + 1)
        node_into_json(b->arena, &b->texts, doc, r->node);
    else
        node_assign(r->node, node_from_json(b->arena, &b->texts, doc));
    r->unshared = b->shares + 1;
    return true;
}
