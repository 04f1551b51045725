/* SPDX-License-Identifier: Apache-2.0 */
#include "render/kustomize/kustomization.h"

#include <stdlib.h>

enum field_type {
    F_STR,
    F_BOOL,
    F_INT,
    F_STRS,
    F_PAIRS,
    F_STRUCT,     /* in place */
    F_STRUCT_PTR, /* allocated; NULL when absent */
    F_STRUCTS,    /* a list */
    F_ANY,        /* the val itself */
};

struct shape;

struct field_row {
    const char *name;
    enum field_type type;
    size_t offset;
    const struct shape *shape;
};

struct shape {
    const char *name;
    size_t size;
    const struct field_row *rows;
    size_t count;
    bool strict;
};

#define ROW(type, field, name, kind)                                                               \
    {                                                                                              \
        name, kind, offsetof(struct type, field), NULL                                             \
    }
#define ROW_OF(type, field, name, kind, shape)                                                     \
    {                                                                                              \
        name, kind, offsetof(struct type, field), &shape                                           \
    }
#define SHAPE(type, rows, strict)                                                                  \
    {                                                                                              \
#type, sizeof(struct type), rows, COUNT(rows), strict                                      \
    }

#include "render/kustomize/kustomization.inc"

/* ---- walking the tables ---- */

struct decoder {
    struct arena *arena;
    struct err *err;
    str file;
    bool strict;
    unsigned depth;
};

static bool refuse(struct decoder *d, const struct val *v, const char *path, const char *what)
{
    str place = val_place(d->arena, v);

    return err_set(d->err, ERR_INVALID, "%.*s: %s%s%s", STR(place.len > 0 ? place : d->file), path,
                   *path == '\0' ? "" : ": ", what);
}

static bool want(struct decoder *d, const struct val *v, const char *path, enum val_kind kind)
{
    if (val_is(v, kind))
        return true;
    return refuse(d, v, path,
                  arena_printf(d->arena, "must be a %s, but is a %s", val_kind_name(kind),
                               val_kind_name(val_kind(v)))
                          .at);
}

static bool decode_struct(struct decoder *d, const struct val *v, const char *path,
                          const struct shape *shape, void *ret);

static bool decode_strs(struct decoder *d, const struct val *v, const char *path, struct strs *ret)
{
    if (!want(d, v, path, VAL_LIST))
        return false;
    ret->at = arena_array(d->arena, val_count(v), str);
    ret->count = 0;
    ret->set = true;
    struct val_iter it = val_iter(v);
    while (val_next(&it)) {
        if (!val_is(it.value, VAL_NULL) && !want(d, it.value, path, VAL_STRING))
            return false;
        ret->at[ret->count++] = val_str(it.value);
    }
    return true;
}

static int compare_pairs(const void *a, const void *b)
{
    return str_cmp(((const struct pair *)a)->key, ((const struct pair *)b)->key);
}

static bool decode_pairs(struct decoder *d, const struct val *v, const char *path,
                         struct pairs *ret)
{
    if (!want(d, v, path, VAL_MAP))
        return false;
    ret->at = arena_array(d->arena, val_count(v), struct pair);
    ret->count = 0;
    ret->set = true;
    struct val_iter it = val_iter(v);
    while (val_next(&it)) {
        if (!val_is(it.value, VAL_NULL) && !want(d, it.value, path, VAL_STRING))
            return false;
        ret->at[ret->count++] = (struct pair){.key = it.key, .value = val_str(it.value)};
    }
    qsort(ret->at, ret->count, sizeof(*ret->at), compare_pairs);
    return true;
}

static bool decode_structs(struct decoder *d, const struct val *v, const char *path,
                           const struct shape *shape, void *ret)
{
    LIST_OF(pair) *list = ret; /* any list: they have one layout */
    char *items = NULL;
    size_t index = 0;

    if (!want(d, v, path, VAL_LIST))
        return false;
    items = arena_alloc_array(d->arena, val_count(v), shape->size);
    struct val_iter it = val_iter(v);
    while (val_next(&it)) {
        const char *item = arena_printf(d->arena, "%s[%zu]", path, index).at;
        if (!val_is(it.value, VAL_NULL) &&
            !decode_struct(d, it.value, item, shape, items + index * shape->size))
            return false;
        index++;
    }
    list->at = (void *)items;
    list->count = index;
    list->set = true;
    return true;
}

static bool decode_field(struct decoder *d, const struct val *v, const char *path,
                         const struct field_row *row, void *at)
{
    if (val_is(v, VAL_NULL))
        return true; /* as absent */
    switch (row->type) {
    case F_STR:
        if (!want(d, v, path, VAL_STRING))
            return false;
        *(str *)at = val_str(v);
        return true;
    case F_BOOL:
        if (!want(d, v, path, VAL_BOOL))
            return false;
        *(bool *)at = val_is_true(v);
        return true;
    case F_INT:
        if (!want(d, v, path, VAL_NUMBER))
            return false;
        if (!str_to_i64(val_text(v), (int64_t *)at))
            return refuse(d, v, path, "must be a whole number");
        return true;
    case F_STRS:
        return decode_strs(d, v, path, at);
    case F_PAIRS:
        return decode_pairs(d, v, path, at);
    case F_STRUCT:
        return decode_struct(d, v, path, row->shape, at);
    case F_STRUCT_PTR:
        *(void **)at = arena_alloc(d->arena, row->shape->size);
        return decode_struct(d, v, path, row->shape, *(void **)at);
    case F_STRUCTS:
        return decode_structs(d, v, path, row->shape, at);
    case F_ANY:
        *(const struct val **)at = v;
        return true;
    }
    return true;
}

static const struct field_row *find_row(const struct shape *shape, str name)
{
    for (size_t i = 0; i < shape->count; i++)
        if (str_eq(name, str_from(shape->rows[i].name)))
            return &shape->rows[i];
    for (size_t i = 0; i < shape->count; i++)
        if (str_eq_nocase(name, str_from(shape->rows[i].name)))
            return &shape->rows[i];
    return NULL;
}

static bool decode_struct(struct decoder *d, const struct val *v, const char *path,
                          const struct shape *shape, void *ret)
{
    if (!want(d, v, path, VAL_MAP))
        return false;
    /* of two spellings of one field the later counts, by the bytes of the keys */
    str *decoded = arena_array(d->arena, shape->count, str);
    struct val_iter it = val_iter(v);
    while (val_next(&it)) {
        const struct field_row *row = find_row(shape, it.key);
        str name = arena_printf(d->arena, "%s%s%.*s", path, *path == '\0' ? "" : ".", STR(it.key));
        if (row == NULL && d->strict)
            return refuse(d, it.value, "",
                          arena_printf(d->arena, "unknown field \"%.*s\"", STR(name)).at);
        if (row == NULL)
            continue;
        str *last = &decoded[row - shape->rows];
        if (last->at != NULL && str_cmp(it.key, *last) < 0)
            continue;
        *last = it.key;
        if (!decode_field(d, it.value, name.at, row, (char *)ret + row->offset))
            return false;
    }
    return true;
}

static bool decode(struct arena *arena, const struct val *v, str file, const struct shape *shape,
                   void *ret, struct err *err)
{
    struct decoder d = {.arena = arena, .err = err, .file = file, .strict = shape->strict};

    memset(ret, 0, shape->size);
    if (val_is(v, VAL_NULL))
        return true;
    return decode_struct(&d, v, "", shape, ret);
}

bool kustomization_decode(struct arena *arena, const struct val *v, str file,
                          struct kustomization *ret, struct err *err)
{
    return decode(arena, v, file, &kustomization_shape, ret, err);
}

bool generator_decode(struct arena *arena, const struct val *v, str file, struct generator *ret,
                      struct err *err)
{
    return decode(arena, v, file, &generator_document_shape, ret, err);
}

bool plugin_document_decode(struct arena *arena, const struct val *v, str file,
                            struct plugin_document *ret, struct err *err)
{
    return decode(arena, v, file, &plugin_document_shape, ret, err);
}

bool config_file_decode(struct arena *arena, const struct val *v, str file, struct config_file *ret,
                        struct err *err)
{
    return decode(arena, v, file, &config_file_shape, ret, err);
}

bool replacement_decode(struct arena *arena, const struct val *v, str file, struct replacement *ret,
                        struct err *err)
{
    return decode(arena, v, file, &replacement_file_shape, ret, err);
}

bool value_targets_decode(struct arena *arena, const struct val *v, str file,
                          struct plugin_document *ret, struct err *err)
{
    return decode(arena, v, file, &plugin_document_shape, ret, err);
}
