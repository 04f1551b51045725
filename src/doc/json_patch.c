/* SPDX-License-Identifier: Apache-2.0 */
#include "doc/json_patch.h"

#include "doc/pointer.h"

enum { OP_ADD, OP_REMOVE, OP_REPLACE, OP_MOVE, OP_COPY, OP_TEST, OP_COUNT };
static const char *const op_names[OP_COUNT] = {"add", "remove", "replace", "move", "copy", "test"};

struct patcher {
    struct arena *arena;
    struct val *root;
    struct err *err;
};

/* A negative index counts from the end, as the API server allows; `count` is what 0 counts from. */
static bool list_index(str part, size_t count, size_t *ret_index)
{
    str digits = part;

    if (!str_skip(&digits, S("-")))
        return pointer_index(part, ret_index);
    size_t back = 0;
    if (!pointer_index(digits, &back) || back == 0 || back > count)
        return false;
    *ret_index = count - back;
    return true;
}

static bool missing(struct patcher *p, const char *operation, str path)
{
    return err_set(p->err, ERR_INVALID, "%s operation does not apply: path '%.*s' does not exist",
                   operation, STR(path));
}

/* The container that holds the last part of the path, and that part decoded. */
static struct val *find_parent(struct patcher *p, str path, str *ret_last)
{
    struct val *at = p->root;
    str rest = path;
    str part = STR_EMPTY;

    while (pointer_next(p->arena, &rest, &part)) {
        size_t index = 0;
        if (rest.len == 0) {
            *ret_last = part;
            return at;
        }
        if (val_is(at, VAL_LIST))
            at = list_index(part, val_count(at), &index) ? val_item(at, index) : NULL;
        else
            at = val_get(at, part);
    }
    return NULL;
}

static struct val *find(struct patcher *p, str path)
{
    str last = STR_EMPTY;
    size_t index = 0;

    if (path.len == 0)
        return p->root;
    struct val *parent = find_parent(p, path, &last);
    if (val_is(parent, VAL_LIST))
        return list_index(last, val_count(parent), &index) ? val_item(parent, index) : NULL;
    return val_get(parent, last);
}

static bool add(struct patcher *p, const char *operation, str path, struct val value)
{
    str last = STR_EMPTY;
    size_t index = 0;

    if (path.len == 0) {
        *p->root = value;
        return true;
    }
    struct val *parent = find_parent(p, path, &last);
    if (val_is(parent, VAL_MAP)) {
        val_set(p->arena, parent, last, value);
        return true;
    }
    if (!val_is(parent, VAL_LIST))
        return missing(p, operation, path);
    if (str_eq(last, S("-"))) {
        val_append(p->arena, parent, value);
        return true;
    }
    if (!list_index(last, val_count(parent) + 1, &index) || index > val_count(parent))
        return err_set(p->err, ERR_INVALID,
                       "%s operation does not apply: index '%.*s' of path "
                       "'%.*s' is out of range",
                       operation, STR(last), STR(path));
    val_insert(p->arena, parent, index, value);
    return true;
}

static bool remove_at(struct patcher *p, const char *operation, str path)
{
    str last = STR_EMPTY;
    size_t index = 0;

    if (path.len == 0)
        return err_set(p->err, ERR_INVALID, "%s operation may not remove the whole document",
                       operation);
    struct val *parent = find_parent(p, path, &last);
    bool done = false;
    if (val_is(parent, VAL_LIST))
        done = list_index(last, val_count(parent), &index) && val_remove(parent, index);
    else
        done = val_del(parent, last);
    return done || missing(p, operation, path);
}

static bool move(struct patcher *p, str from, str path)
{
    const struct val *value = find(p, from);

    if (value == NULL)
        return missing(p, "move", from);
    if (str_starts(path, from) && path.len > from.len && path.at[from.len] == '/')
        return err_set(p->err, ERR_INVALID, "move operation may not move '%.*s' into itself",
                       STR(from));
    struct val moved = *value;
    return remove_at(p, "move", from) && add(p, "move", path, moved);
}

static bool test(struct patcher *p, str path, const struct val *expected)
{
    const struct val *value = find(p, path);

    if (val_eq(value, expected))
        return true;
    return err_set(p->err, ERR_INVALID, "testing path '%.*s' failed: the value differs", STR(path));
}

static bool apply_one(struct patcher *p, int op, const struct val *operation)
{
    const struct val *value = val_get(operation, S("value"));
    str path = val_get_str(operation, S("path"));
    str from = val_get_str(operation, S("from"));
    struct val *at = NULL;

    switch (op) {
    case OP_ADD:
        return add(p, "add", path, val_dup_value(p->arena, value));
    case OP_REMOVE:
        return remove_at(p, "remove", path);
    case OP_REPLACE:
        at = find(p, path);
        if (at == NULL)
            return missing(p, "replace", path);
        *at = val_dup_value(p->arena, value);
        return true;
    case OP_MOVE:
        return move(p, from, path);
    case OP_COPY:
        at = find(p, from);
        if (at == NULL)
            return missing(p, "copy", from);
        return add(p, "copy", path, val_dup_value(p->arena, at));
    default:
        return test(p, path, value);
    }
}

static bool check_operation(struct patcher *p, const struct val *operation, int *ret_op)
{
    str name = val_get_str(operation, S("op"));
    const struct val *path = val_get(operation, S("path"));
    const struct val *from = val_get(operation, S("from"));
    int op = 0;

    if (!val_is(operation, VAL_MAP))
        return err_set(p->err, ERR_INVALID, "it is not a map");
    while (op < OP_COUNT && !str_eq(name, str_from(op_names[op])))
        op++;
    if (op == OP_COUNT)
        return err_set(p->err, ERR_INVALID, "the operation '%.*s' is unknown", STR(name));
    if (!val_is(path, VAL_STRING) || !pointer_is_valid(val_str(path)))
        return err_set(p->err, ERR_INVALID, "%s needs a path that is a JSON pointer", op_names[op]);
    bool needs_from = op == OP_MOVE || op == OP_COPY;
    if (needs_from && (!val_is(from, VAL_STRING) || !pointer_is_valid(val_str(from))))
        return err_set(p->err, ERR_INVALID, "%s needs a from that is a JSON pointer", op_names[op]);
    bool needs_value = op == OP_ADD || op == OP_REPLACE;
    if (needs_value && val_get(operation, S("value")) == NULL)
        return err_set(p->err, ERR_INVALID, "%s needs a value", op_names[op]);
    *ret_op = op;
    return true;
}

bool json_patch_apply(struct arena *arena, struct val *root, const struct val *patch,
                      struct err *err)
{
    struct patcher p = {arena, root, err};

    if (!val_is(patch, VAL_LIST))
        return err_set(err, ERR_INVALID, "a JSON patch must be a list of operations");
    if (val_count(patch) > LIMIT_JSON_PATCH_OPERATIONS)
        return err_set(err, ERR_LIMIT,
                       "a JSON patch may have at most %d operations, this one has "
                       "%zu",
                       LIMIT_JSON_PATCH_OPERATIONS, val_count(patch));
    struct val_iter it = val_iter(patch);
    while (val_next(&it)) {
        int op = 0;
        if (!check_operation(&p, it.value, &op) || !apply_one(&p, op, it.value))
            return err_wrap(err, "operation %zu of the JSON patch", it.index + 1);
        if (!arena_check(arena, "the JSON patch", err))
            return false;
    }
    return true;
}
