/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "engine/compare_state.h"

static const char *const status_names[] = {
        [ROW_UNKNOWN] = "Unknown",
        [ROW_SYNCED] = "Synced",
        [ROW_OUT_OF_SYNC] = "OutOfSync",
};

const char *row_status_name(enum row_status status)
{
    return status_names[status];
}

/* ---- rows ---- */

static struct entry *entry_add(struct compare *compare, str key)
{
    struct entry *entry = arena_new0(compare->arena, struct entry);

    if (compare->count == compare->size) {
        compare->size = MAX(compare->size * 2, 16u);
        compare->entries = mem_grow(compare->entries, compare->size, sizeof(*compare->entries));
    }
    compare->entries[compare->count++] = entry;
    compare->unfinished++;
    entry->compare = compare;
    entry->row.key = key;
    entry->row.health = health_make(HEALTH_NONE, STR_EMPTY);
    entry->row.uid = entry->row.resource_version = STR_EMPTY;
    entry->row.holder = STR_EMPTY;
    entry->row.note = entry->row.live_options = entry->row.images = STR_EMPTY;
    map_set(compare->by_key, key, entry);
    return entry;
}

static void add_wanted(struct compare *compare, struct desired_object *want)
{
    struct entry *entry = entry_add(compare, want->key);
    struct row *row = &entry->row;

    row->want = want;
    row->gvk = want->gvk;
    row->gvr = want->gvr;
    row->namespace_ = want->namespace_;
    row->name = want->name;
    row->cluster = compare_cluster(compare, want->goes_home);
}

/* A change that an automated sync will apply anyway: the operation reads the object first. */
static bool entry_is_new(struct entry *entry)
{
    const struct compare_options *options = &entry->compare->options;
    struct row *row = &entry->row;
    struct verdict last;
    bool due;

    if (!options->trust_unread ||
        (verdicts_get(options->verdicts, entry->compare->arena, entry_object(entry), &last, &due) &&
         hash_eq(&last.desired, &row->want->hash)))
        return false;
    row->live = ROW_LIVE_ABSENT;
    row->health = health_make(HEALTH_MISSING, STR_EMPTY);
    row->status = ROW_OUT_OF_SYNC;
    row->reason = REASON_NOT_ASKED;
    return true;
}

/* Where a right is missing its changes would not be told: nothing is concluded, nothing asked. */
static bool entry_may_be_seen(struct entry *entry)
{
    struct row *row = &entry->row;
    struct err err;

    if (cluster_watch(row->cluster, row->gvr, row->namespace_, &err) != WATCH_BROKEN ||
        err.code != ERR_FORBIDDEN)
        return true;
    row->status = ROW_UNKNOWN;
    row->reason = REASON_TROUBLE;
    row->note = arena_str(entry->compare->arena, err_message(&err));
    entry_finish(entry);
    return false;
}

static void entry_start_wanted(struct entry *entry)
{
    struct compare *compare = entry->compare;
    struct row *row = &entry->row;
    const struct live *live;
    struct err err;

    if (!entry_is_permitted(compare, row, &err)) {
        row->status = ROW_UNKNOWN;
        row->reason = REASON_FORBIDDEN;
        row->note = arena_str(compare->arena, err_message(&err));
        entry_finish(entry);
    } else if (row->want->kind_absent) {
        judge_absent(&compare->judge, row);
        if (!row->want->from_crd) {
            row->reason = REASON_KIND_ABSENT;
            row->note = arena_printf(
                    compare->arena, "the cluster does not serve the kind %.*s of %.*s",
                    STR(row->gvk.kind),
                    STR(gvk_api_version(compare->arena, row->gvk.group, row->gvk.version)));
        }
        entry_finish(entry);
    } else if (!row->want->kind_known) {
        row->status = ROW_UNKNOWN;
        row->reason = REASON_TROUBLE;
        row->note = arena_printf(compare->arena, "the cluster does not tell whether it serves %.*s",
                                 STR(row->gvk.kind));
        compare_retry(compare, COMPARE_RETRY_MS);
        entry_finish(entry);
    } else if (entry_may_be_seen(entry)) {
        live = cluster_live(row->cluster, row->gvr, row->namespace_, row->name);
        if (live != NULL)
            entry_take_live(entry, live);
        else if (entry_is_new(entry))
            entry_finish(entry);
        else
            entry_read(entry);
    }
}

static void add_unwanted(void *owner, struct gvr gvr, const struct live *live)
{
    struct compare *compare = owner;
    str key = object_key(compare->arena, live->gvk.group, live->gvk.kind, live->namespace_,
                         live->name);
    struct entry *entry;
    str instance;

    if (live->has_owner || map_has(compare->by_key, key) ||
        mark_owner(&compare->options.mark, live->tracking, live->installation, live->gvk,
                   live->namespace_, live->name, &instance) != MARK_OURS)
        return;
    entry = entry_add(compare, key);
    entry->row.gvk = (struct gvk){arena_str(compare->arena, live->gvk.group),
                                  arena_str(compare->arena, live->gvk.version),
                                  arena_str(compare->arena, live->gvk.kind)};
    entry->row.gvr = (struct gvr){arena_str(compare->arena, gvr.group),
                                  arena_str(compare->arena, gvr.version),
                                  arena_str(compare->arena, gvr.resource)};
    entry->row.namespace_ = arena_str(compare->arena, live->namespace_);
    entry->row.name = arena_str(compare->arena, live->name);
    entry->row.cluster = compare->options.cluster;
    entry_take_live(entry, live);
}

static void add_unwanted_home(void *owner, struct gvr gvr, const struct live *live)
{
    struct compare *compare = owner;
    size_t before = compare->count;

    add_unwanted(owner, gvr, live);
    if (compare->count > before)
        compare->entries[before]->row.cluster = compare->options.home;
}

/* Resolves a row of status.resources; false when its kind is not served (any more). */
static bool known_kind(const struct compare *compare, const struct val *known,
                       struct cluster **ret_cluster, struct discovery_kind *ret_kind)
{
    struct gvk gvk = {val_get_str(known, S("group")), val_get_str(known, S("version")),
                      val_get_str(known, S("kind"))};
    struct discovery *discovery;

    *ret_cluster = compare_cluster(compare, str_eq(gvk.group, S("argoproj.io")));
    discovery = cluster_discovery(*ret_cluster);
    return discovery_find(discovery, gvk, ret_kind) == DISCOVERY_FOUND ||
           discovery_find_kind(discovery, gvk.group, gvk.kind, ret_kind) == DISCOVERY_FOUND;
}

static void add_known(struct compare *compare, const struct val *list)
{
    struct val_iter it = val_iter(list);

    while (val_next(&it)) {
        struct arena *arena = compare->arena;
        str namespace_ = val_get_str(it.value, S("namespace"));
        str name = val_get_str(it.value, S("name"));
        str key = object_key(arena, val_get_str(it.value, S("group")),
                             val_get_str(it.value, S("kind")), namespace_, name);
        struct discovery_kind kind;
        struct cluster *cluster;
        struct entry *entry;

        if (str_is_empty(name) || map_has(compare->by_key, key) ||
            !known_kind(compare, it.value, &cluster, &kind))
            continue;
        entry = entry_add(compare, key);
        entry->row.gvk =
                (struct gvk){arena_str(arena, kind.gvk.group), arena_str(arena, kind.gvk.version),
                             arena_str(arena, kind.gvk.kind)};
        entry->row.gvr = (struct gvr){entry->row.gvk.group, entry->row.gvk.version,
                                      arena_str(arena, kind.resource)};
        entry->row.namespace_ = kind.namespaced ? arena_str(arena, namespace_) : STR_EMPTY;
        entry->row.name = arena_str(arena, name);
        entry->row.cluster = cluster;
        if (entry_may_be_seen(entry))
            entry_read(entry);
    }
}

static void compare_collect(struct compare *compare)
{
    const struct compare_options *options = &compare->options;
    size_t wanted;

    compare->unfinished = 1; /* held until all are started */
    for (size_t i = 0; options->desired != NULL && i < options->desired->count; i++)
        add_wanted(compare, &options->desired->objects[i]);
    wanted = compare->count;
    for (size_t i = 0; i < wanted; i++) {
        entry_start_wanted(compare->entries[i]);
    }
    cluster_live_each(options->cluster, options->mark.label, add_unwanted, compare);
    if (options->home != options->cluster)
        cluster_live_each(options->home, options->mark.label, add_unwanted_home, compare);
    add_known(compare, options->known);
    if (--compare->unfinished == 0)
        loop_task_post(compare->tell);
}

/* ---- watches ---- */

struct watch_need {
    struct compare *compare;
    bool loading;
};

static void need_watch(struct watch_need *need, struct cluster *cluster, struct gvr gvr,
                       str namespace_)
{
    struct err err;
    enum watch_state state = cluster_watch(cluster, gvr, namespace_, &err);

    if (state == WATCH_LOADING) {
        need->loading = true;
        if (!need->compare->watch_expired)
            return;
        err_set(&err, ERR_TIMEOUT, "the list of %.*s did not arrive", STR(gvr.resource));
    }
    if (state != WATCH_WHOLE)
        compare_incomplete(need->compare, &err);
}

static void need_known(struct watch_need *need, const struct val *list)
{
    struct val_iter it = val_iter(list);

    while (val_next(&it)) {
        struct discovery_kind kind;
        struct cluster *cluster;
        struct gvr gvr;
        str namespace_;

        if (!known_kind(need->compare, it.value, &cluster, &kind))
            continue;
        gvr = (struct gvr){kind.gvk.group, kind.gvk.version, kind.resource};
        namespace_ = kind.namespaced ? val_get_str(it.value, S("namespace")) : STR_EMPTY;
        need_watch(need, cluster, gvr, namespace_);
        if (kind_may_be_home(kind.gvk))
            need_watch(need, need->compare->options.home, gvr, namespace_);
    }
}

static bool watches_are_whole(struct compare *compare)
{
    const struct compare_options *options = &compare->options;
    struct watch_need need = {.compare = compare};

    compare->incomplete = false;
    for (size_t i = 0; options->desired != NULL && i < options->desired->count; i++) {
        const struct desired_object *want = &options->desired->objects[i];

        if (want->kind_known && !want->kind_absent)
            need_watch(&need, compare_cluster(compare, want->goes_home), want->gvr,
                       want->namespace_);
    }
    need_known(&need, options->known);
    need_known(&need, options->known_more);
    return !need.loading || compare->watch_expired;
}

static void compare_step(struct compare *compare)
{
    if (compare->state != COMPARE_WATCHES)
        return;
    if ((!cluster_is_ready(compare->options.cluster) &&
         !cluster_is_retired(compare->options.cluster)) ||
        !cluster_is_ready(compare->options.home))
        return;
    if (!watches_are_whole(compare))
        return;
    loop_timer_stop(compare->watch_timer);
    compare->state = COMPARE_ROWS;
    compare_collect(compare);
}

static void compare_expired(void *owner)
{
    struct compare *compare = owner;

    compare->watch_expired = true;
    compare_step(compare);
}

/* ---- life ---- */

/* Two rows can be one object, served under two groups: the live-only one goes. */
static void compare_drop_twins(struct compare *compare)
{
    auto_map struct map *uids = map_new();
    size_t kept = 0;

    for (size_t i = 0; i < compare->count; i++)
        if (compare->entries[i]->row.want != NULL && compare->entries[i]->row.uid.len > 0)
            map_set(uids, compare->entries[i]->row.uid, compare);
    for (size_t i = 0; i < compare->count; i++) {
        struct entry *entry = compare->entries[i];
        bool twin = entry->row.want == NULL && map_has(uids, entry->row.uid);

        if (entry->is_gone || twin)
            map_del(compare->by_key, entry->row.key);
        else
            compare->entries[kept++] = entry;
    }
    compare->count = kept;
}

static void compare_told(void *owner)
{
    struct compare *compare = owner;

    if (compare->state == COMPARE_ROWS) {
        compare_drop_twins(compare);
        compare->state = COMPARE_DONE;
    } else if (compare->state == COMPARE_WATCHES) {
        compare_step(compare);
        return;
    }
    compare->done(compare->owner, compare);
}

struct compare *compare_start(const struct compare_options *options, compare_done_fn *done,
                              void *owner)
{
    struct compare *compare = new0(struct compare);
    struct loop *loop = cluster_kube(options->cluster)->loop;

    compare->options = *options;
    if (options->desired != NULL)
        compare->options.desired = desired_ref(options->desired);
    compare->options.cluster = NULL;
    cluster_keep(&compare->options.cluster, options->cluster);
    compare->arena = arena_new(LIMIT_COMPARE_ARENA);
    compare->done = done;
    compare->owner = owner;
    compare->by_key = map_new();
    compare->watch_timer = loop_timer_new(loop, "compare watches", compare_expired, compare);
    compare->tell = loop_task_new(loop, "compare", compare_told, compare);
    compare->judge = (struct judge){.arena = compare->arena,
                                    .mark = &compare->options.mark,
                                    .desired = options->desired,
                                    .ignore = options->spec->ignore,
                                    .trust_changes = options->trust_changes,
                                    .take_ownership = options->spec->options.take_ownership,
                                    .instance_exists = options->instance_exists,
                                    .owner = owner};
    loop_timer_start(compare->watch_timer, LIMIT_WATCH_LIST_MS);
    loop_task_post(compare->tell);
    return compare;
}

void compare_free(struct compare *compare)
{
    if (compare == NULL)
        return;
    for (size_t i = 0; i < compare->count; i++) {
        struct entry *entry = compare->entries[i];

        ask_cancel(entry->read);
        apply_cancel(entry->dry);
        if (entry->predicted_arena != NULL)
            arena_free(entry->predicted_arena);
    }
    loop_timer_free(compare->watch_timer);
    loop_task_free(compare->tell);
    mem_free(compare->entries);
    map_free(compare->by_key);
    desired_unref(compare->options.desired);
    cluster_keep(&compare->options.cluster, NULL);
    arena_free(compare->arena);
    mem_free(compare);
}

void compare_poke(struct compare *compare)
{
    if (compare->state == COMPARE_WATCHES)
        loop_task_post(compare->tell);
}

size_t compare_count(const struct compare *compare)
{
    return compare->count;
}

struct row *compare_row(const struct compare *compare, size_t index)
{
    return &compare->entries[index]->row;
}

struct row *compare_find(const struct compare *compare, str key)
{
    struct entry *entry = map_get(compare->by_key, key);

    return entry == NULL ? NULL : &entry->row;
}

struct desired *compare_desired(const struct compare *compare)
{
    return compare->options.desired;
}

bool compare_is_complete(const struct compare *compare)
{
    return !compare->incomplete;
}

const struct err *compare_trouble(const struct compare *compare)
{
    return &compare->trouble;
}

int64_t compare_retry_ms(const struct compare *compare)
{
    return compare->retry_ms;
}

void compare_record_applied(struct verdicts *verdicts, const struct row *row,
                            const struct val *answer, bool skip_validation,
                            const struct val *ignore)
{
    auto_arena struct arena *arena = arena_new(LIMIT_KEY_ARENA);
    struct row applied = *row;
    struct verdict verdict = {.answer = VERDICT_SYNCED, .desired = row->want->hash};

    applied.uid = object_uid(answer);
    applied.spec_hash = live_spec_hash(answer);
    applied.owner_hash = live_owner_hash(answer);
    verdict.key = judge_key(&applied, ignore, skip_validation);
    verdict.message = STR_EMPTY;
    verdicts_put(verdicts,
                 arena_printf(arena, "%.*s/%.*s", STR(cluster_uid(row->cluster)), STR(row->key)),
                 &verdict, /*asked=*/false);
}
