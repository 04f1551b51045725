/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Compare: desired against live, object by object; the API server is the diff engine (ENGINE
 * section 4). One comparison is one unit of work: it waits for the watches, reads by name what they
 * do not know, asks dry runs for what the verdict cache does not know, and tells its rows once.
 *
 * Absence: `complete` is false when a kind could not be watched or read; then nothing may be
 * pruned. Owner:   whoever started it frees it; rows live as long. Runs:    on the loop;
 * compare_poke after a cluster's `changed`.
 */
#include "engine/apply.h"
#include "engine/cluster.h"
#include "engine/desired.h"
#include "engine/verdicts.h"

struct compare;

enum row_status { ROW_UNKNOWN, ROW_SYNCED, ROW_OUT_OF_SYNC };
const char *row_status_name(enum row_status status);

enum row_reason {
    REASON_NONE,
    REASON_MISSING,     /* it is not in the cluster */
    REASON_KIND_ABSENT, /* the cluster does not serve the kind, and nothing here brings it */
    REASON_UNMANAGED,   /* it exists without our mark */
    REASON_SHARED,      /* another application's, or another installation's */
    REASON_DIFFERS,     /* an owned field differs */
    REASON_REFUSED,     /* the server refuses the object as it is written */
    REASON_DELETING,    /* it has a deletionTimestamp */
    REASON_EXTRANEOUS,  /* ours, and no longer wanted */
    REASON_NOT_ASKED,   /* changed in Git; an automated sync applies it without a dry run */
    REASON_FORBIDDEN,   /* the project does not permit it */
    REASON_TROUBLE,     /* could not be found out */
};

enum row_live { ROW_LIVE_UNREAD, ROW_LIVE_ABSENT, ROW_LIVE_PRESENT };

struct row {
    struct desired_object *want; /* NULL: live only */
    struct gvk gvk;
    struct gvr gvr;
    str namespace_;
    str name;
    str key;
    struct cluster *cluster;

    enum row_live live;
    str uid;
    str resource_version;
    str live_options;
    str images;
    enum mark_owner owner;
    str holder; /* instance that it belongs to, when owner is MARK_SIBLING */
    bool deleting;
    bool label_missing; /* our label was taken off */
    bool ignore_health;
    bool ignore_extraneous;
    struct hash spec_hash;
    struct hash owner_hash;
    struct health health;

    enum row_status status;
    enum row_reason reason;
    bool requires_pruning;
    bool is_known; /* the verdict is certain: nothing has to be asked before a sync */
    str note;      /* a sentence for people, or empty */
};

struct compare_options {
    struct cluster *cluster;
    struct cluster *home;
    struct desired *desired;     /* counted; NULL: only what is live and ours (cascade) */
    const struct app_spec *spec; /* must live as long as the comparison */
    const struct val *project;   /* NULL: permits all (cascade) */
    const struct project_home *project_home; /* NULL: from the control namespace */
    struct mark mark;
    const struct val *known;      /* status.resources: rows that may have left the watches */
    const struct val *known_more; /* resources of the last syncResult: their kinds are watched */
    struct verdicts *verdicts;
    enum ask_order order;
    bool trust_changes; /* an object whose D changed counts as out of sync without a dry run */
    bool trust_unread;  /* the same for objects that no watch knows: they are not even read */
    bool fresh;         /* the cached verdicts do not count */
    /* Does an application of this instance name exist? */
    bool (*instance_exists)(void *owner, str instance);
};

typedef void compare_done_fn(void *owner, struct compare *compare);
struct compare *compare_start(const struct compare_options *options, compare_done_fn *done,
                              void *owner);
void compare_free(struct compare *compare); /* legal in any state; NULL is fine */
void compare_poke(struct compare *compare);

size_t compare_count(const struct compare *compare);
struct row *compare_row(const struct compare *compare, size_t index);
struct row *compare_find(const struct compare *compare, str key);
struct desired *compare_desired(const struct compare *compare);
bool compare_is_complete(const struct compare *compare);
/* Why it is not complete; valid when it is not. */
const struct err *compare_trouble(const struct compare *compare);
/* A row waits for its next question (churn, trouble): ask again after so many ms; 0 = no. */
int64_t compare_retry_ms(const struct compare *compare);

/* Tells the cache what a real apply showed: the object is as D wants it. */
void compare_record_applied(struct verdicts *verdicts, const struct row *row,
                            const struct val *answer, bool skip_validation,
                            const struct val *ignore);
