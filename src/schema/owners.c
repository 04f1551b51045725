/* SPDX-License-Identifier: Apache-2.0 */
#include "schema/owners.h"

#include <stdlib.h>

enum { UPDATERS_MAX = 10 }; /* as the API server's DefaultMaxUpdateManagers */

bool owner_is_apply(const struct owner *owner)
{
    return str_eq(owner->operation, S("Apply"));
}

bool owner_same(const struct owner *a, const struct owner *b)
{
    return str_eq(a->manager, b->manager) && str_eq(a->operation, b->operation) &&
           str_eq(a->subresource, b->subresource) &&
           (owner_is_apply(a) || str_eq(a->api_version, b->api_version));
}

struct owner *owners_find(struct owners *owners, const struct owner *like)
{
    for (size_t i = 0; i < owners->count; i++)
        if (owner_same(&owners->at[i], like))
            return &owners->at[i];
    return NULL;
}

struct owner *owners_add(struct owners *owners, const struct owner *owner)
{
    if (owners->count == owners->size) {
        size_t size = owners->size == 0 ? 8 : owners->size * 2;
        struct owner *at = arena_array(owners->arena, size, struct owner);
        if (owners->count > 0)
            memcpy(at, owners->at, owners->count * sizeof(*at));
        owners->at = at;
        owners->size = size;
    }
    owners->at[owners->count] = *owner;
    return &owners->at[owners->count++];
}

struct owners owners_parse(struct arena *arena, const struct val *object)
{
    struct owners owners = {.arena = arena};
    struct val_iter it = val_iter(VAL_AT(object, "metadata", "managedFields"));

    while (val_next(&it)) {
        struct owner owner = {.manager = val_get_str(it.value, S("manager")),
                              .operation = val_get_str(it.value, S("operation")),
                              .api_version = val_get_str(it.value, S("apiVersion")),
                              .subresource = val_get_str(it.value, S("subresource"))};
        str time = val_get_str(it.value, S("time"));
        struct fieldset *set = NULL;
        bool known = owner_is_apply(&owner) || str_eq(owner.operation, S("Update"));
        if (!known || !fieldset_parse(arena, val_get(it.value, S("fieldsV1")), &set, NULL))
            return (struct owners){.arena = arena};
        if (time.len < sizeof(owner.time))
            memcpy(owner.time, time.at, time.len);
        owner.set = set;
        struct owner *twin = owners_find(&owners, &owner);
        if (twin != NULL)
            twin->set = fieldset_union(arena, twin->set, set);
        else
            owners_add(&owners, &owner);
    }
    return owners;
}

struct owners owners_copy(const struct owners *owners)
{
    struct owners copy = {.arena = owners->arena};

    for (size_t i = 0; i < owners->count; i++)
        owners_add(&copy, &owners->at[i]);
    return copy;
}

void owners_drop_empty(struct owners *owners, const struct owner *keep)
{
    size_t count = 0;

    for (size_t i = 0; i < owners->count; i++) {
        bool is_kept = keep != NULL && owner_same(&owners->at[i], keep);
        if (is_kept || !fieldset_is_empty(owners->at[i].set))
            owners->at[count++] = owners->at[i];
    }
    owners->count = count;
}

bool owners_same_sets(const struct owners *a, const struct owners *b)
{
    struct owners *other = (struct owners *)(uintptr_t)b;

    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        const struct owner *twin = owners_find(other, &a->at[i]);
        if (twin == NULL || !str_eq(twin->api_version, a->at[i].api_version) ||
            !fieldset_eq(twin->set, a->at[i].set))
            return false;
    }
    return true;
}

struct fieldset *owners_strip(struct arena *arena, const struct fieldset *set)
{
    static const char *const paths[][2] = {
            {"apiVersion", NULL},
            {"kind", NULL},
            {"metadata", NULL},
            {"metadata", "name"},
            {"metadata", "namespace"},
            {"metadata", "creationTimestamp"},
            {"metadata", "selfLink"},
            {"metadata", "uid"},
            {"metadata", "clusterName"},
            {"metadata", "generation"},
            {"metadata", "managedFields"},
            {"metadata", "resourceVersion"},
    };
    struct fieldset *strip = fieldset_new(arena);

    for (size_t i = 0; i < COUNT(paths); i++) {
        struct path_element elements[2] = {
                {.kind = PATH_FIELD, .name = str_from(paths[i][0])},
                {.kind = PATH_FIELD, .name = str_from(paths[i][1])},
        };
        fieldset_insert(arena, strip, (struct path){elements, paths[i][1] == NULL ? 1 : 2});
    }
    return fieldset_difference(arena, set, strip);
}

/* ---- the cap ---- */

static int compare_age(const void *a, const void *b)
{
    const struct owner *x = *(struct owner *const *)a;
    const struct owner *y = *(struct owner *const *)b;
    int order = str_cmp(str_from(x->time), str_from(y->time));

    return order != 0 ? order : str_cmp(x->manager, y->manager);
}

void owners_cap(struct owners *owners)
{
    struct owner **updaters = arena_array(owners->arena, owners->count, struct owner *);
    size_t count = 0;

    for (size_t i = 0; i < owners->count; i++)
        if (!owner_is_apply(&owners->at[i]))
            updaters[count++] = &owners->at[i];
    if (count <= UPDATERS_MAX)
        return;
    qsort(updaters, count, sizeof(*updaters), compare_age);
    size_t left = count;
    for (size_t i = 0; i < count && left > UPDATERS_MAX; i++) {
        /* Joins the oldest of its version. */
        struct owner *first = NULL;
        for (size_t k = 0; k < i && first == NULL; k++)
            if (str_eq(updaters[k]->api_version, updaters[i]->api_version) &&
                !fieldset_is_empty(updaters[k]->set))
                first = updaters[k];
        if (first == NULL)
            continue;
        first->manager = S("ancient-changes");
        first->subresource = STR_EMPTY;
        first->set = fieldset_union(owners->arena, first->set, updaters[i]->set);
        memcpy(first->time, updaters[i]->time, sizeof(first->time));
        updaters[i]->set = fieldset_new(owners->arena);
        left--;
    }
    owners_drop_empty(owners, NULL);
}

/* ---- writing ---- */

static int compare_written(const void *a, const void *b)
{
    const struct owner *x = a;
    const struct owner *y = b;
    int order = str_cmp(x->operation, y->operation);

    if (order == 0)
        order = str_cmp(str_from(x->time), str_from(y->time));
    if (order == 0)
        order = str_cmp(x->manager, y->manager);
    if (order == 0)
        order = str_cmp(x->api_version, y->api_version);
    return order != 0 ? order : str_cmp(x->subresource, y->subresource);
}

static struct val entry_of(struct arena *arena, const struct owner *owner)
{
    struct val entry = val_map();

    val_set_str(arena, &entry, S("manager"), owner->manager);
    val_set_str(arena, &entry, S("operation"), owner->operation);
    val_set_str(arena, &entry, S("apiVersion"), owner->api_version);
    if (owner->time[0] != '\0')
        val_set_str(arena, &entry, S("time"), str_from(owner->time));
    val_set_str(arena, &entry, S("fieldsType"), S("FieldsV1"));
    val_set(arena, &entry, S("fieldsV1"), fieldset_format(arena, owner->set));
    if (!str_is_empty(owner->subresource))
        val_set_str(arena, &entry, S("subresource"), owner->subresource);
    return entry;
}

void owners_write(const struct owners *owners, struct val *object)
{
    struct owners sorted = owners_copy(owners);
    struct val list = val_list();

    if (sorted.count == 0) {
        val_del(val_get(object, S("metadata")), S("managedFields"));
        return;
    }
    qsort(sorted.at, sorted.count, sizeof(*sorted.at), compare_written);
    for (size_t i = 0; i < sorted.count; i++)
        val_append(owners->arena, &list, entry_of(owners->arena, &sorted.at[i]));
    val_set(owners->arena, val_ensure_map(owners->arena, object, S("metadata")), S("managedFields"),
            list);
}
