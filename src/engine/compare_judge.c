/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/compare_judge.h"
#include "engine/fields.h"
#include "engine/ignore.h"
#include "engine/mask.h"

static void row_set(struct row *row, enum row_status status, enum row_reason reason, str note)
{
    row->status = status;
    row->reason = reason;
    row->note = note;
}

static struct ignore_target row_target(const struct row *row)
{
    return (struct ignore_target){row->gvk, row->namespace_, row->name};
}

void judge_live(const struct judge *judge, struct row *row, const struct live *live)
{
    str instance;

    row->live = ROW_LIVE_PRESENT;
    row->uid = arena_str(judge->arena, live->uid);
    row->resource_version = arena_str(judge->arena, live->resource_version);
    row->live_options = arena_str(judge->arena, live->options);
    row->images = arena_str(judge->arena, live->images);
    row->deleting = live->deleting;
    row->ignore_health = live->ignore_health;
    row->ignore_extraneous = live->ignore_extraneous;
    row->spec_hash = live->spec_hash;
    row->owner_hash = live->owner_hash;
    row->health.status = live->health;
    row->health.message = arena_str(judge->arena, live->health_message);
    if (live->health == HEALTH_PROGRESSING || live->health == HEALTH_DEGRADED) {
        str cause = children_cause(cluster_children(row->cluster), live->uid, judge->arena);

        if (!str_is_empty(cause) && !live->deleting)
            row->health.message = cause;
    }
    row->label_missing = !str_eq(live->label, judge->mark->label);
    row->owner = mark_owner(judge->mark, live->tracking, live->installation, row->gvk,
                            row->namespace_, row->name, &instance);
    if (row->owner == MARK_SIBLING && !judge->instance_exists(judge->owner, instance))
        row->owner = MARK_NOBODY;
    row->holder = arena_str(judge->arena, row->owner == MARK_SIBLING ? instance : STR_EMPTY);
}

void judge_absent(UNUSED const struct judge *judge, struct row *row)
{
    row->live = ROW_LIVE_ABSENT;
    row->uid = row->resource_version = row->live_options = row->images = STR_EMPTY;
    row->health = health_make(HEALTH_MISSING, STR_EMPTY);
    row->owner = MARK_NOBODY;
    row->is_known = true;
    row_set(row, ROW_OUT_OF_SYNC, REASON_MISSING, STR_EMPTY);
}

bool judge_ownership(const struct judge *judge, struct row *row)
{
    row->is_known = true;
    if (row->deleting) {
        row_set(row, ROW_OUT_OF_SYNC, REASON_DELETING, S("it is being deleted"));
        return true;
    }
    if ((row->owner == MARK_SIBLING || row->owner == MARK_FOREIGN) && !judge->take_ownership) {
        str whose = row->owner == MARK_FOREIGN
                            ? S("it belongs to another installation")
                            : arena_printf(judge->arena, "it belongs to application %.*s",
                                           STR(row->holder));

        row_set(row, ROW_OUT_OF_SYNC, REASON_SHARED, whose);
        return true;
    }
    if (row->owner != MARK_OURS) {
        row_set(row, ROW_OUT_OF_SYNC, REASON_UNMANAGED, S("it exists and is not managed by Taut"));
        return true;
    }
    row->is_known = false;
    return false;
}

struct hash judge_key(const struct row *row, const struct val *ignore, bool skip_validation)
{
    struct ignore_target target = row_target(row);
    struct hasher *hasher = hash_begin();
    struct hash kind = cluster_kind_hash(row->cluster, row->gvk);

    hash_add(hasher, str_of((const char *)kind.bytes, HASH_SIZE));
    hash_add(hasher, row->gvk.version);
    hash_add(hasher, row->key);
    hash_add(hasher, row->uid);
    hash_add(hasher, str_of((const char *)row->want->hash.bytes, HASH_SIZE));
    hash_add(hasher, str_of((const char *)row->spec_hash.bytes, HASH_SIZE));
    hash_add(hasher, str_of((const char *)row->owner_hash.bytes, HASH_SIZE));
    hash_add(hasher, skip_validation ? S("lax") : S("strict"));
    if (ignore_matches(ignore, &target)) {
        struct hash rules = hash_val(ignore);

        hash_add(hasher, str_of((const char *)rules.bytes, HASH_SIZE));
    }
    return hash_end(hasher);
}

void judge_verdict(const struct judge *judge, struct row *row, const struct verdict *verdict)
{
    str note = arena_str(judge->arena, verdict->message);

    row->is_known = true;
    switch (verdict->answer) {
    case VERDICT_SYNCED:
        row_set(row, ROW_SYNCED, REASON_NONE, note);
        break;
    case VERDICT_DIFFERS:
        row_set(row, ROW_OUT_OF_SYNC, REASON_DIFFERS, note);
        break;
    case VERDICT_REFUSED:
        row_set(row, ROW_OUT_OF_SYNC, REASON_REFUSED, note);
        break;
    }
}

static enum judge_next judge_decide(const struct judge *judge, struct row *row,
                                    enum verdict_answer answer, str message,
                                    struct verdict *ret_verdict)
{
    *ret_verdict = (struct verdict){.answer = answer,
                                    .desired = row->want->hash,
                                    .message = arena_str(judge->arena, message)};
    judge_verdict(judge, row, ret_verdict);
    return JUDGE_DECIDED;
}

static enum judge_next judge_trouble(const struct judge *judge, struct row *row, str note)
{
    row->is_known = false;
    row_set(row, ROW_UNKNOWN, REASON_TROUBLE, arena_str(judge->arena, note));
    return JUDGE_DECIDED;
}

static bool is_permanent(const struct kube_response *response)
{
    return response->status == 400 || response->status == 422 ||
           (response->status == 500 &&
            str_contains(err_message(&response->err), S("failed to create typed patch object")));
}

static bool namespace_is_coming(const struct judge *judge, const struct row *row)
{
    return row->want->options.create_namespace ||
           (judge->desired != NULL &&
            desired_find(judge->desired, object_key(judge->arena, S(""), S("Namespace"), S(""),
                                                    row->namespace_)) != NULL);
}

static enum judge_next judge_failure(const struct judge *judge, struct row *row,
                                     const struct kube_response *response,
                                     struct verdict *ret_verdict)
{
    str sentence = mask_sentence(row->gvk.group, row->gvk.kind, response->status,
                                 err_message(&response->err));

    if (str_contains(sentence, S("does not support dry run")))
        return judge_trouble(judge, row, sentence);
    if (is_permanent(response))
        return judge_decide(judge, row, VERDICT_REFUSED, sentence, ret_verdict);
    if (response->status == 403 && str_contains(sentence, S("being terminated"))) {
        judge_absent(judge, row);
        row->note = S("its namespace is being deleted");
        return JUDGE_DECIDED;
    }
    if (response->status == 403)
        return judge_trouble(judge, row, sentence);
    if (response->status == 404) {
        row->is_known = true;
        row_set(row, ROW_OUT_OF_SYNC, REASON_MISSING,
                namespace_is_coming(judge, row) ? STR_EMPTY : arena_str(judge->arena, sentence));
        return JUDGE_DECIDED;
    }
    row->note = arena_str(judge->arena, sentence);
    return JUDGE_KEEP_LAST;
}

enum judge_next judge_answer(const struct judge *judge, struct row *row,
                             const struct kube_response *response, struct verdict *ret_verdict)
{
    struct hash hash;
    struct hash owners;

    *ret_verdict = (struct verdict){0};
    if (!response->ok)
        return judge_failure(judge, row, response, ret_verdict);
    if (!str_eq(object_uid(response->object), row->uid) ||
        !str_eq(object_resource_version(response->object), row->resource_version))
        return JUDGE_ASK_AGAIN;
    hash = live_spec_hash(response->object);
    owners = live_owner_hash(response->object);
    if (hash_eq(&hash, &row->spec_hash) && hash_eq(&owners, &row->owner_hash))
        return judge_decide(judge, row, VERDICT_SYNCED, STR_EMPTY, ret_verdict);
    return JUDGE_NEEDS_BODY;
}

struct first_path {
    struct arena *arena;
    str path;
};

static void take_path(void *owner, str path, UNUSED const struct val *live,
                      UNUSED const struct val *wanted)
{
    struct first_path *first = owner;

    first->path = arena_str(first->arena, path);
}

/* What is Synced and yet not as Git alone would have it: a field that left Git and stays, because
 * another manager holds it, or one that another client sets. Empty when there is nothing. */
static str note_of_others(struct arena *arena, const struct val *predicted, const struct val *live,
                          const struct val *wanted_view, const struct val *live_view)
{
    const struct val *managed = VAL_AT(predicted, "metadata", "managedFields");
    struct first_path first = {arena, STR_EMPTY};
    const struct val *manager = NULL;
    str path;

    if (fields_left(arena, live_our_fields(live), live_our_fields(predicted), wanted_view, &path))
        manager = fields_manager(arena, managed, path, /*not_us=*/true);
    if (manager != NULL)
        return arena_printf(arena, "%.*s left Git and is kept by %.*s", STR(path),
                            STR(val_get_str(manager, S("manager"))));
    (void)!fields_each_difference(arena, live_view, wanted_view, 1, take_path, &first);
    if (!str_is_empty(first.path))
        manager = fields_manager(arena, managed, first.path, /*not_us=*/true);
    return manager == NULL ? STR_EMPTY
                           : arena_printf(arena, "%.*s is set by %.*s", STR(first.path),
                                          STR(val_get_str(manager, S("manager"))));
}

enum judge_next judge_bodies(const struct judge *judge, struct row *row,
                             const struct val *predicted, const struct val *live,
                             struct verdict *ret_verdict)
{
    auto_arena struct arena *arena = arena_new(LIMIT_JUDGE_ARENA);
    struct ignore_target target = row_target(row);
    struct val *wanted_view = live_spec_view(arena, predicted);
    struct val *live_view = live_spec_view(arena, live);
    const struct val *manager;
    str path = STR_EMPTY;
    bool differs;

    *ret_verdict = (struct verdict){0};
    if (!str_eq(object_uid(live), object_uid(predicted)) ||
        !str_eq(object_resource_version(live), object_resource_version(predicted)))
        return JUDGE_ASK_AGAIN;
    row->resource_version = arena_str(judge->arena, object_resource_version(live));
    row->spec_hash = live_spec_hash(live);
    row->owner_hash = live_owner_hash(live);
    ignore_remove(judge->ignore, &target, wanted_view);
    ignore_remove(judge->ignore, &target, live_view);
    differs = fields_differ(arena, live_our_fields(predicted), wanted_view, live_view, &path) ||
              fields_differ(arena, live_our_fields(live), wanted_view, live_view, &path);
    if (!differs)
        return judge_decide(judge, row, VERDICT_SYNCED,
                            note_of_others(arena, predicted, live, wanted_view, live_view),
                            ret_verdict);
    manager = fields_manager(arena, VAL_AT(live, "metadata", "managedFields"), path,
                             /*not_us=*/true);
    return judge_decide(judge, row, VERDICT_DIFFERS,
                        manager == NULL
                                ? arena_printf(arena, "%.*s differs", STR(path))
                                : arena_printf(arena, "%.*s differs, last set by %.*s", STR(path),
                                               STR(val_get_str(manager, S("manager")))),
                        ret_verdict);
}
