/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Verdicts: the cache of comparisons (ENGINE section 4). It survives a restart and is safe to lose.
 *
 * Key:    one row an object; its key hash covers all that a verdict depends on. Another key means
 *         that the verdict is not known.
 * Age:    a verdict older than a random moment of the last day is asked for again;
 *         TAUT_TEST_REVERIFY=0 switches that off.
 * Owner:  SQLite; writes of one turn of the loop are one transaction.
 */
#include "doc/hash.h"
#include "io/loop.h"

struct verdicts;

enum verdict_answer {
    VERDICT_SYNCED = 1,
    VERDICT_DIFFERS = 2, /* an owned field differs; the message names it */
    VERDICT_REFUSED = 3, /* the server refuses the object; the message is its sentence */
};

struct verdict {
    enum verdict_answer answer;
    struct hash key;
    struct hash desired; /* the hash of D that it was given for */
    str message;
};

/* data_dir NULL: in memory. Never fails: a cache that cannot be opened is an empty one. */
struct verdicts *verdicts_new(struct loop *loop, const char *data_dir);
void verdicts_free(struct verdicts *verdicts);

/* The last verdict on the object, with its message in the arena; false = none. It counts only when
 * its key is the present one and it is not due. */
bool verdicts_get(struct verdicts *verdicts, struct arena *arena, str object,
                  struct verdict *ret_verdict, bool *ret_due);
/* `asked`: a dry run gave it, so it counts as churn. */
void verdicts_put(struct verdicts *verdicts, str object, const struct verdict *verdict, bool asked);
void verdicts_drop(struct verdicts *verdicts, str object);

/* Churn: after the same answer three times within a minute the next question waits. Returns how
 * many ms it must still wait, 0 = ask. */
int64_t verdicts_wait_ms(const struct verdicts *verdicts, str object);
