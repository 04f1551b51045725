/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A comparison's own structs, for compare.c (rows, watches) and compare_entry.c (one row). */
#include "engine/compare_judge.h"

/* A row in trouble is asked about again after this. */
#define COMPARE_RETRY_MS 10000

enum compare_state { COMPARE_WATCHES, COMPARE_ROWS, COMPARE_DONE };

struct entry {
    struct row row; /* first: rows and entries share an address */
    struct compare *compare;
    struct ask *read;
    struct apply *dry;
    struct arena *predicted_arena;
    const struct val *predicted;
    int tries;
    bool is_gone; /* a known row that turned out not to be ours or not to be there */
    bool is_finished;
};

struct compare {
    struct compare_options options;
    struct arena *arena;
    struct judge judge;
    compare_done_fn *done;
    void *owner;
    struct loop_timer *watch_timer;
    struct loop_task *tell;
    enum compare_state state;
    bool watch_expired;
    struct entry **entries;
    size_t count;
    size_t size;
    size_t unfinished;
    struct map *by_key;
    bool incomplete;
    struct err trouble;
    int64_t retry_ms;
};

/* ---- compare_entry.c ---- */
void compare_incomplete(struct compare *compare, const struct err *err);
void compare_retry(struct compare *compare, int64_t ms);
struct cluster *compare_cluster(const struct compare *compare, bool goes_home);
/* Kinds of which some objects live at home and some do not. */
bool kind_may_be_home(struct gvk gvk);
void entry_finish(struct entry *entry);
str entry_object(const struct entry *entry); /* its key in the verdict cache */
bool entry_is_permitted(const struct compare *compare, const struct row *row, struct err *err);
void entry_take_live(struct entry *entry, const struct live *live);
void entry_read(struct entry *entry); /* by name */
