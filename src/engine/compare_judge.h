/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Judge: what follows for one row from a live object, a cached verdict, or the answer of a dry run.
 * Pure: it asks nothing, so every line of ENGINE section 4's tables is tested without a server.
 */
#include "engine/compare.h"

struct judge {
    struct arena *arena; /* of texts that the row keeps */
    const struct mark *mark;
    const struct val *ignore;
    bool trust_changes;
    bool take_ownership;
    const struct desired *desired; /* may bring a row's namespace; NULL is fine */
    bool (*instance_exists)(void *owner, str instance);
    void *owner;
};

/* Takes over what is live (copies its texts). */
void judge_live(const struct judge *judge, struct row *row, const struct live *live);
void judge_absent(const struct judge *judge, struct row *row);
/* After judge_live: true when the row is decided without a verdict. */
bool judge_ownership(const struct judge *judge, struct row *row);

/* The cache key of the row's verdict. */
struct hash judge_key(const struct row *row, const struct val *ignore, bool skip_validation);
void judge_verdict(const struct judge *judge, struct row *row, const struct verdict *verdict);

enum judge_next {
    JUDGE_DECIDED,
    JUDGE_NEEDS_BODY, /* the views differ: read the object and call judge_bodies */
    JUDGE_ASK_AGAIN,  /* the answer was about another version of the object */
    JUDGE_KEEP_LAST,  /* trouble of the moment: the last verdict stays */
};
/* What the answer of a dry run means. On JUDGE_DECIDED with an answer worth keeping *ret_verdict's
 * answer is not 0. */
enum judge_next judge_answer(const struct judge *judge, struct row *row,
                             const struct kube_response *response, struct verdict *ret_verdict);
/* P against L, both bodies present. */
enum judge_next judge_bodies(const struct judge *judge, struct row *row,
                             const struct val *predicted, const struct val *live,
                             struct verdict *ret_verdict);
