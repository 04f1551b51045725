/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/compare_state.h"
#include "engine/project.h"
#include <assert.h>

/* One row: the cached verdict, the dry run, the object read by name, and what follows. */

/* Dry runs and reads of one object until its version holds still. */
#define COMPARE_TRIES 5
#define COMPARE_GONE_MS 1500

void compare_incomplete(struct compare *compare, const struct err *err)
{
    if (!compare->incomplete)
        compare->trouble = *err;
    compare->incomplete = true;
}

void compare_retry(struct compare *compare, int64_t ms)
{
    compare->retry_ms = compare->retry_ms == 0 ? ms : MIN(compare->retry_ms, ms);
}

void entry_finish(struct entry *entry)
{
    struct compare *compare = entry->compare;

    assert(!entry->is_finished);
    entry->is_finished = true;
    if (entry->predicted_arena != NULL)
        arena_free(entry->predicted_arena);
    entry->predicted_arena = NULL;
    if (--compare->unfinished == 0)
        loop_task_post(compare->tell);
}

struct cluster *compare_cluster(const struct compare *compare, bool goes_home)
{
    return goes_home ? compare->options.home : compare->options.cluster;
}

/* ---- verdicts ---- */

str entry_object(const struct entry *entry)
{
    return arena_printf(entry->compare->arena, "%.*s/%.*s", STR(cluster_uid(entry->row.cluster)),
                        STR(entry->row.key));
}

static void entry_keep(struct entry *entry, struct verdict *verdict)
{
    const struct compare_options *options = &entry->compare->options;

    if (verdict->answer == 0)
        return;
    verdict->key =
            judge_key(&entry->row, options->spec->ignore, entry->row.want->options.skip_validation);
    verdicts_put(options->verdicts, entry_object(entry), verdict, /*asked=*/true);
}

/* Trouble of the moment: the last verdict on the same wanted object stays. */
static void entry_keep_last(struct entry *entry)
{
    struct compare *compare = entry->compare;
    struct verdict last;
    bool due;

    compare_retry(compare, COMPARE_RETRY_MS);
    if (verdicts_get(compare->options.verdicts, compare->arena, entry_object(entry), &last, &due) &&
        hash_eq(&last.desired, &entry->row.want->hash)) {
        judge_verdict(&compare->judge, &entry->row, &last);
    } else {
        entry->row.status = ROW_UNKNOWN;
        entry->row.reason = REASON_TROUBLE;
    }
    entry_finish(entry);
}

static void entry_ask(struct entry *entry);

static void entry_next(struct entry *entry, enum judge_next next, struct verdict *verdict)
{
    switch (next) {
    case JUDGE_DECIDED:
        entry_keep(entry, verdict);
        entry_finish(entry);
        break;
    case JUDGE_NEEDS_BODY:
    case JUDGE_ASK_AGAIN:
        if (next == JUDGE_ASK_AGAIN && ++entry->tries >= COMPARE_TRIES) {
            entry->row.note = S("it changes faster than it can be compared");
            entry_keep_last(entry);
        } else {
            entry_read(entry);
        }
        break;
    case JUDGE_KEEP_LAST:
        entry_keep_last(entry);
        break;
    }
}

static void entry_answered(void *owner, struct kube_response *response, UNUSED str removed)
{
    struct entry *entry = owner;
    struct verdict verdict;
    enum judge_next next;

    entry->dry = NULL;
    next = judge_answer(&entry->compare->judge, &entry->row, response, &verdict);
    if (response->ok && (next == JUDGE_NEEDS_BODY || next == JUDGE_ASK_AGAIN)) {
        entry->predicted = response->object;
        entry->predicted_arena = kube_response_take(response);
    }
    entry_next(entry, next, &verdict);
}

static void entry_ask(struct entry *entry)
{
    const struct row *row = &entry->row;
    struct apply_request request = {
            .gvr = row->gvr,
            .namespace_ = row->namespace_,
            .name = row->name,
            .body = row->want->object,
            .dry_run = true,
            .skip_validation = row->want->options.skip_validation,
    };

    entry->dry = apply_start(cluster_queue(row->cluster), &request, entry->compare->options.order,
                             entry_answered, entry);
}

static void entry_verdict(struct entry *entry)
{
    const struct compare_options *options = &entry->compare->options;
    struct row *row = &entry->row;
    struct hash key = judge_key(row, options->spec->ignore, row->want->options.skip_validation);
    struct verdict last;
    bool due = false;
    bool has_last = verdicts_get(options->verdicts, entry->compare->arena, entry_object(entry),
                                 &last, &due);
    bool same = has_last && hash_eq(&last.desired, &row->want->hash);
    int64_t wait = verdicts_wait_ms(options->verdicts, entry_object(entry));

    if (has_last && hash_eq(&last.key, &key) && !due && !options->fresh) {
        judge_verdict(&entry->compare->judge, row, &last);
        entry_finish(entry);
        return;
    }
    if (options->trust_changes && !same) {
        row->status = ROW_OUT_OF_SYNC;
        row->reason = REASON_NOT_ASKED;
        entry_finish(entry);
        return;
    }
    if (wait > 0 && same && !options->fresh) {
        judge_verdict(&entry->compare->judge, row, &last);
        compare_retry(entry->compare, wait);
        entry_finish(entry);
        return;
    }
    entry_ask(entry);
}

/* ---- reading by name ---- */

bool entry_is_permitted(const struct compare *compare, const struct row *row, struct err *err)
{
    const struct val *project = compare->options.project;
    bool at_home = row->cluster == compare->options.home;
    struct project_target target = {
            .server = cluster_server(row->cluster),
            .name = cluster_name(row->cluster),
            .namespace_ = row->namespace_,
            .home = at_home ? compare->options.project_home : NULL,
    };

    bool namespaced = row->want != NULL ? row->want->namespaced : row->namespace_.len > 0;

    if (project == NULL || (row->want != NULL && !row->want->kind_known))
        return true;
    if (!project_permits_kind(project, row->gvk.group, row->gvk.kind, row->name, namespaced, err))
        return false;
    return !namespaced || project_permits_destination(project, &target, err);
}

/* A row that nothing wants: what it is when it turns out to be ours. */
static void entry_unwanted(struct entry *entry)
{
    struct row *row = &entry->row;

    row->status = ROW_OUT_OF_SYNC;
    row->reason = row->deleting ? REASON_DELETING : REASON_EXTRANEOUS;
    row->note = row->deleting ? S("it is being deleted") : S("it is no longer in Git");
    row->requires_pruning = !row->ignore_extraneous;
    row->is_known = true;
}

void entry_take_live(struct entry *entry, const struct live *live)
{
    struct compare *compare = entry->compare;

    judge_live(&compare->judge, &entry->row, live);
    if (entry->row.deleting && entry->row.label_missing)
        compare_retry(compare, COMPARE_GONE_MS); /* no watch will tell its end */
    if (entry->row.want == NULL) {
        /* What the project does not permit is not touched, by pruning neither. */
        entry->is_gone = entry->row.owner != MARK_OURS || live->has_owner ||
                         !entry_is_permitted(compare, &entry->row, NULL);
        entry_unwanted(entry);
        entry_finish(entry);
        return;
    }
    if (judge_ownership(&compare->judge, &entry->row))
        entry_finish(entry);
    else
        entry_verdict(entry);
}

/* Kinds of which some objects live at home and some do not. */
bool kind_may_be_home(struct gvk gvk)
{
    return str_is_empty(gvk.group) &&
           (str_eq(gvk.kind, S("Secret")) || str_eq(gvk.kind, S("Namespace")));
}

static void entry_read_failed(struct entry *entry, const struct kube_response *response)
{
    struct compare *compare = entry->compare;
    struct err err = response->err;

    if (response->status == 404 && entry->row.want == NULL &&
        entry->row.cluster != compare->options.home && kind_may_be_home(entry->row.gvk)) {
        entry->row.cluster = compare->options.home;
        entry_read(entry);
        return;
    }
    if (response->status == 404) {
        entry->is_gone = entry->row.want == NULL;
        judge_absent(&compare->judge, &entry->row);
        entry_finish(entry);
        return;
    }
    err_wrap(&err, "reading %.*s '%.*s'", STR(entry->row.gvk.kind), STR(entry->row.name));
    compare_incomplete(compare, &err);
    compare_retry(compare, COMPARE_RETRY_MS);
    entry->row.status = ROW_UNKNOWN;
    entry->row.reason = REASON_TROUBLE;
    entry->row.note = arena_str(compare->arena, err_message(&err));
    entry_finish(entry);
}

static void entry_was_read(void *owner, struct kube_response *response)
{
    struct entry *entry = owner;
    struct verdict verdict;

    entry->read = NULL;
    if (!response->ok) {
        entry_read_failed(entry, response);
    } else if (entry->predicted != NULL) {
        enum judge_next next = judge_bodies(&entry->compare->judge, &entry->row, entry->predicted,
                                            response->object, &verdict);

        arena_free(entry->predicted_arena);
        entry->predicted_arena = NULL;
        entry->predicted = NULL;
        if (next == JUDGE_ASK_AGAIN && ++entry->tries < COMPARE_TRIES) {
            auto_live struct live *live = live_new(response->object);

            entry_take_live(entry, live);
        } else {
            entry_next(entry, next == JUDGE_ASK_AGAIN ? JUDGE_KEEP_LAST : next, &verdict);
        }
    } else {
        auto_live struct live *live = live_new(response->object);

        entry_take_live(entry, live);
    }
}

void entry_read(struct entry *entry)
{
    struct kube_request request = {.verb = KUBE_GET,
                                   .gvr = entry->row.gvr,
                                   .namespace_ = entry->row.namespace_,
                                   .name = entry->row.name};
    struct ask_options options = {ASK_READ, entry->compare->options.order};

    entry->read =
            ask_start(cluster_queue(entry->row.cluster), &request, &options, entry_was_read, entry);
}
