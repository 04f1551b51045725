/* SPDX-License-Identifier: Apache-2.0 */
#include "schema/managed.h"

#include "base/clock.h"
#include "doc/json.h"
#include "schema/owners.h"

#include <stdlib.h>

/* The steps and their order are those of apimachinery's fieldmanager and structured-merge-diff's
 * Updater; what the versions of a kind differ in is not converted. */

static const struct val *without_managed(struct arena *arena, const struct val *object)
{
    if (object == NULL || VAL_AT(object, "metadata", "managedFields") == NULL)
        return object;
    struct val *copy = val_dup(arena, object);
    val_del(val_get(copy, S("metadata")), S("managedFields"));
    return copy;
}

static struct owner owner_of_request(struct arena *arena, const struct managed_request *request,
                                     bool is_apply)
{
    return (struct owner){
            .manager = str_is_empty(request->manager) ? S("unknown") : request->manager,
            .operation = is_apply ? S("Apply") : S("Update"),
            .api_version = gvk_api_version(arena, request->gvk.group, request->gvk.version),
            .subresource = request->subresource,
            .set = fieldset_new(arena),
    };
}

static struct merge_changes changes_of(struct arena *arena, const struct managed_request *request,
                                       const struct val *from, const struct val *to)
{
    struct merge_changes changes = merge_compare(arena, request->type, from, to);

    if (request->ignore == NULL)
        return changes;
    changes.added = fieldset_recursive_difference(arena, changes.added, request->ignore);
    changes.modified = fieldset_recursive_difference(arena, changes.modified, request->ignore);
    changes.removed = fieldset_recursive_difference(arena, changes.removed, request->ignore);
    return changes;
}

/* ---- conflicts ---- */

struct conflict {
    struct owner *owner;
    struct fieldset *set;
};

static str owner_text(struct arena *arena, const struct owner *owner)
{
    auto_buf struct buf text = {0};

    buf_init(&text, 64 * LIMIT_KIB);
    json_format_string(&text, owner->manager, 0);
    if (!str_is_empty(owner->subresource)) {
        buf_add(&text, S(" with subresource "));
        json_format_string(&text, owner->subresource, 0);
    }
    if (!owner_is_apply(owner))
        buf_addf(&text, " using %.*s", STR(owner->api_version));
    return arena_str(arena, buf_str(&text));
}

struct conflict_writer {
    struct arena *arena;
    struct buf text;
    struct val *causes;
    str owner;
    str first; /* path of the first conflict */
};

static void write_conflict(void *at, struct path path)
{
    struct conflict_writer *w = at;
    str field = path_text(w->arena, path);
    struct val cause = val_map();

    if (val_count(w->causes) == 0)
        w->first = field;
    buf_addf(&w->text, "\n- %.*s", STR(field));
    val_set_str(w->arena, &cause, S("reason"), S("FieldManagerConflict"));
    val_set_str(w->arena, &cause, S("message"),
                arena_join(w->arena, S("conflict with "), w->owner));
    val_set_str(w->arena, &cause, S("field"), field);
    val_append(w->arena, w->causes, cause);
}

static int compare_conflicts(const void *a, const void *b)
{
    return str_cmp(((const struct conflict *)a)->owner->manager,
                   ((const struct conflict *)b)->owner->manager);
}

static bool tell_conflicts(struct arena *arena, struct conflict *conflicts, size_t count,
                           const struct val **ret_causes, struct err *err)
{
    struct conflict_writer w = {.arena = arena, .causes = val_new(arena, val_list())};

    buf_init(&w.text, LIMIT_MIB);
    qsort(conflicts, count, sizeof(*conflicts), compare_conflicts);
    for (size_t i = 0; i < count; i++) {
        w.owner = owner_text(arena, conflicts[i].owner);
        buf_addf(&w.text, "%sconflicts with %.*s:", i == 0 ? "" : "\n", STR(w.owner));
        fieldset_each(conflicts[i].set, write_conflict, &w);
    }
    *ret_causes = w.causes;
    if (val_count(w.causes) == 1)
        (void)err_set(err, ERR_CONFLICT, "Apply failed with 1 conflict: conflict with %.*s: %.*s",
                      STR(w.owner), STR(w.first));
    else
        (void)err_set(err, ERR_CONFLICT, "Apply failed with %zu conflicts: %.*s",
                      val_count(w.causes), STR(buf_str(&w.text)));
    buf_done(&w.text);
    return false;
}

/* What changed leaves the other managers; without force, an apply may not take it from them. */
static bool settle(struct owners *owners, const struct owner *self,
                   const struct merge_changes *changes, bool may_take,
                   const struct val **ret_causes, struct err *err)
{
    struct arena *arena = owners->arena;
    struct fieldset *taken = fieldset_union(arena, changes->modified, changes->added);
    struct conflict *conflicts = arena_array(arena, owners->count, struct conflict);
    size_t count = 0;

    for (size_t i = 0; i < owners->count; i++) {
        struct owner *owner = &owners->at[i];
        if (self != NULL && owner_same(owner, self))
            continue;
        struct fieldset *both = fieldset_intersection(arena, owner->set, taken);
        if (!fieldset_is_empty(both))
            conflicts[count++] = (struct conflict){owner, both};
    }
    if (count > 0 && !may_take)
        return tell_conflicts(arena, conflicts, count, ret_causes, err);
    for (size_t i = 0; i < count; i++)
        conflicts[i].owner->set =
                fieldset_difference(arena, conflicts[i].owner->set, conflicts[i].set);
    for (size_t i = 0; i < owners->count; i++) {
        struct owner *owner = &owners->at[i];
        if (self == NULL || !owner_same(owner, self))
            owner->set = fieldset_difference(arena, owner->set, changes->removed);
    }
    owners_drop_empty(owners, self);
    return true;
}

/* ---- apply ---- */

static bool check_patch(struct arena *arena, const struct managed_request *request,
                        const struct val *patch, struct err *err)
{
    struct gvk gvk = gvk_of(patch);
    struct err reason = {0};

    if (!val_is(patch, VAL_MAP))
        return err_set(err, ERR_INVALID, "the apply patch must be an object");
    if (!str_eq(gvk.group, request->gvk.group) || !str_eq(gvk.version, request->gvk.version)) {
        str wanted = gvk_api_version(arena, request->gvk.group, request->gvk.version);
        return err_set(err, ERR_INVALID,
                       "Incorrect version specified in apply patch. Specified patch version: "
                       "%.*s, expected: %.*s",
                       STR(val_get_str(patch, S("apiVersion"))), STR(wanted));
    }
    if (val_count(VAL_AT(patch, "metadata", "managedFields")) > 0)
        return err_set(err, ERR_INVALID, "metadata.managedFields must be nil");
    if (merge_check(arena, request->type, patch, /*allow_duplicates=*/false, &reason))
        return true;
    str space = object_namespace(patch);
    return err_set(err, reason.code == ERR_LIMIT ? ERR_LIMIT : ERR_INTERNAL,
                   "failed to create typed patch object (%.*s/%.*s; %.*s/%.*s, Kind=%.*s): %s",
                   STR(space), STR(object_name(patch)), STR(gvk.group), STR(gvk.version),
                   STR(gvk.kind), reason.message);
}

/* What the manager owned, no longer sets, and nobody else owns, goes. */
static struct val prune(struct owners *owners, const struct type *type, struct val merged,
                        const struct fieldset *last)
{
    struct arena *arena = owners->arena;
    struct fieldset *owned = fieldset_new(arena);

    if (fieldset_is_empty(last))
        return merged;
    last = merge_named_fields(arena, type, last);
    struct val pruned = merge_remove(arena, type, &merged, last);
    for (size_t i = 0; i < owners->count; i++)
        owned = fieldset_union(arena, owned, owners->at[i].set);

    struct fieldset *all = merge_named_fields(arena, type, merge_fields(arena, type, &merged));
    struct fieldset *kept = merge_named_fields(arena, type, merge_fields(arena, type, &pruned));
    kept = fieldset_union(arena, kept, merge_named_fields(arena, type, owned));
    pruned = merge_remove(arena, type, &merged, fieldset_difference(arena, all, kept));

    /* Items that nobody owns, or only updaters, and that were never ours stay. */
    kept = merge_named_fields(arena, type, merge_fields(arena, type, &pruned));
    struct fieldset *gone =
            fieldset_intersection(arena, fieldset_difference(arena, all, kept), last);
    return merge_remove(arena, type, &merged, gone);
}

/* An object that nobody tracked before: what it holds is given an owner, so that the first apply
 * cannot silently take it. */
static void own_what_was_there(struct owners *owners, const struct managed_request *request,
                               const struct val *live)
{
    struct arena *arena = owners->arena;
    struct managed_request before = *request;

    before.manager = S("before-first-apply");
    struct owner owner = owner_of_request(arena, &before, /*is_apply=*/false);
    owner.set = owners_strip(arena, changes_of(arena, request, NULL, live).added);
    clock_format(request->now_ms, owner.time);
    if (!fieldset_is_empty(owner.set))
        owners_add(owners, &owner);
}

bool managed_apply(struct arena *arena, const struct managed_request *request,
                   const struct val *live, const struct val *patch,
                   struct managed_result *ret_result, struct err *err)
{
    const struct type *type = request->type;
    struct owner self = owner_of_request(arena, request, /*is_apply=*/true);

    if (!check_patch(arena, request, patch, err))
        return false;
    patch = without_managed(arena, patch);
    struct owners before = owners_parse(arena, live);
    struct owners owners = owners_copy(&before);
    live = without_managed(arena, live);
    if (live != NULL && owners.count == 0)
        own_what_was_there(&owners, request, live);

    struct owner *mine = owners_find(&owners, &self);
    const struct fieldset *last = mine == NULL ? NULL : mine->set;
    self.set = merge_fields(arena, type, patch);
    if (request->ignore != NULL)
        self.set = fieldset_recursive_difference(arena, self.set, request->ignore);
    if (mine == NULL)
        mine = owners_add(&owners, &self);
    mine->set = self.set;
    mine->api_version = self.api_version;
    struct val merged = merge_values(arena, type, live, patch);
    merged = prune(&owners, type, merged, last);

    struct merge_changes changes = changes_of(arena, request, live, &merged);
    if (!settle(&owners, &self, &changes, request->force, &ret_result->causes, err))
        return false;
    for (size_t i = 0; i < owners.count; i++)
        owners.at[i].set = owners_strip(arena, owners.at[i].set);
    owners_drop_empty(&owners, NULL);

    bool same_object = live != NULL && val_eq(live, &merged);
    bool same_owners = owners_same_sets(&before, &owners);
    mine = owners_find(&owners, &self);
    if (mine != NULL && (!same_object || !same_owners))
        clock_format(request->now_ms, mine->time);
    if (!arena_check(arena, "applying an object", err))
        return false;
    ret_result->object = val_dup(arena, &merged);
    ret_result->changed = !same_object || !same_owners;
    owners_write(&owners, ret_result->object);
    return true;
}

/* ---- update ---- */

/* A request may bring its own managedFields: [] leaves them, [{}] clears them. */
static struct owners owners_of_update(struct arena *arena, const struct managed_request *request,
                                      const struct val *live, const struct val *object,
                                      bool *ret_reset)
{
    const struct val *given = VAL_AT(object, "metadata", "managedFields");
    const struct val *only = val_count(given) == 1 ? val_item(given, 0) : NULL;

    *ret_reset = false;
    if (live != NULL && !str_is_empty(request->subresource))
        return owners_parse(arena, live);
    if (val_is(only, VAL_MAP) && val_count(only) == 0) {
        *ret_reset = true;
        return owners_parse(arena, NULL);
    }
    struct owners owners = owners_parse(arena, object);
    return owners.count > 0 ? owners : owners_parse(arena, live);
}

void managed_update(struct arena *arena, const struct managed_request *request,
                    const struct val *live, struct val *object)
{
    struct owner self = owner_of_request(arena, request, /*is_apply=*/false);
    bool reset = false;
    struct owners owners = owners_of_update(arena, request, live, object, &reset);

    val_del(val_get(object, S("metadata")), S("managedFields"));
    /* Nobody tracked this object so far: an update does not begin to. */
    if (reset || (live != NULL && !request->is_create && owners.count == 0)) {
        owners_write(&owners, object);
        return;
    }
    struct merge_changes changes = changes_of(arena, request, without_managed(arena, live), object);
    (void)settle(&owners, NULL, &changes, /*may_take=*/true, NULL, NULL);
    self.set = owners_strip(arena, fieldset_union(arena, changes.modified, changes.added));
    for (size_t i = 0; i < owners.count; i++)
        owners.at[i].set = owners_strip(arena, owners.at[i].set);
    owners_drop_empty(&owners, NULL);
    if (!fieldset_is_empty(self.set)) {
        struct owner *mine = owners_find(&owners, &self);
        if (mine == NULL)
            mine = owners_add(&owners, &self);
        else
            mine->set = fieldset_union(arena, mine->set, self.set);
        clock_format(request->now_ms, mine->time);
    }
    owners_cap(&owners);
    owners_write(&owners, object);
}

/* ---- reading ---- */

struct fieldset *managed_entry_fields(struct arena *arena, const struct val *entry)
{
    struct fieldset *set = NULL;

    return fieldset_parse(arena, val_get(entry, S("fieldsV1")), &set, NULL) ? set : NULL;
}

const struct val *managed_find(const struct val *object, str manager, str operation,
                               str subresource)
{
    struct val_iter it = val_iter(VAL_AT(object, "metadata", "managedFields"));

    while (val_next(&it))
        if (str_eq(val_get_str(it.value, S("manager")), manager) &&
            str_eq(val_get_str(it.value, S("operation")), operation) &&
            str_eq(val_get_str(it.value, S("subresource")), subresource))
            return it.value;
    return NULL;
}

/* The set has the path, or an atomic value above it. */
static bool set_holds(const struct fieldset *set, struct path path)
{
    for (size_t i = 0; i < path.count; i++) {
        const struct fieldset_node *node = fieldset_find(set, &path.at[i]);
        if (node == NULL)
            return false;
        if (node->member && (i + 1 == path.count || fieldset_is_empty(node->children)))
            return true;
        set = node->children;
    }
    return false;
}

const struct val *managed_owner_of(struct arena *arena, const struct val *object, struct path path)
{
    struct val_iter it = val_iter(VAL_AT(object, "metadata", "managedFields"));
    const struct val *found = NULL;

    while (val_next(&it)) {
        if (!set_holds(managed_entry_fields(arena, it.value), path))
            continue;
        /* RFC 3339 in UTC sorts as text. */
        if (found == NULL ||
            str_cmp(val_get_str(it.value, S("time")), val_get_str(found, S("time"))) > 0)
            found = it.value;
    }
    return found;
}

struct hash managed_hash(const struct val *object)
{
    static const str names[] = {S_INIT("manager"), S_INIT("operation"), S_INIT("apiVersion"),
                                S_INIT("subresource"), S_INIT("fieldsV1")};
    struct val_iter it = val_iter(VAL_AT(object, "metadata", "managedFields"));
    struct hasher *hasher = hash_begin();

    while (val_next(&it)) {
        if (str_eq(val_get_str(it.value, S("subresource")), S("status")))
            continue;
        for (size_t i = 0; i < COUNT(names); i++) {
            struct hash one = hash_val(val_get(it.value, names[i]));
            hash_add(hasher, str_of((const char *)one.bytes, HASH_SIZE));
        }
    }
    return hash_end(hasher);
}

bool managed_take_over(struct arena *arena, struct val *object, const str *managers, size_t count,
                       str manager)
{
    struct owners owners = owners_parse(arena, object);
    struct owner self = {.manager = manager,
                         .operation = S("Apply"),
                         .api_version = val_get_str(object, S("apiVersion")),
                         .set = fieldset_new(arena)};
    bool taken = false;

    struct owner *mine = owners_find(&owners, &self);
    if (mine == NULL)
        mine = owners_add(&owners, &self);
    for (size_t i = 0; i < owners.count; i++) {
        struct owner *other = &owners.at[i];
        bool is_named = false;
        for (size_t k = 0; k < count; k++)
            is_named = is_named || str_eq(other->manager, managers[k]);
        if (other == mine || !is_named || !str_is_empty(other->subresource))
            continue;
        mine->set = fieldset_union(arena, mine->set, other->set);
        if (str_cmp(str_from(other->time), str_from(mine->time)) > 0)
            memcpy(mine->time, other->time, sizeof(mine->time));
        other->set = fieldset_new(arena);
        taken = true;
    }
    owners_drop_empty(&owners, NULL);
    if (taken)
        owners_write(&owners, object);
    return taken;
}
