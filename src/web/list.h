/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * list: answers of lists: search, facets, sorting, pages. One description a list, one walk.
 *
 * ?q=text&sort=name|-name&limit=50&cursor=…, and one parameter a facet whose values are separated
 * by commas: values of one facet are OR, facets are AND. The answer is {items, total, matched,
 * facets: {health: {Healthy: 7}}, cursor}; counts of facets ignore the filters; `cursor` is there
 * while more follows and stays right when rows come and go.
 */
#include "base/map.h"
#include "web/call.h"

#define LIST_FACETS_MAX 4

struct list_sort {
    const char *word;
    const char *member;
    const char *then;         /* a second member, or NULL */
    bool is_number;           /* a whole number from 0 on */
    const char *const *order; /* values in their order, NULL-terminated; NULL: by bytes */
};

struct list_spec {
    const char *const *search; /* members that `q` looks into, NULL-terminated */
    const char *facets[LIST_FACETS_MAX + 1];
    const struct list_sort *sorts; /* the first is the default */
    size_t sort_count;
    bool descending; /* the default's direction */
};

/* Where the rows are: by index, their members as texts. */
struct list_source {
    const void *owner;
    size_t count;
    str (*member)(const void *owner, size_t index, const char *name);
};
struct list_page {
    size_t *rows; /* indexes, in order; in the call's arena */
    size_t count;
};

/* Chooses rows as the query asks; adds total, matched, facets and cursor to `answer`. False with
 * err on a parameter that means nothing. */
MUST_USE bool list_select(struct web_call *call, const struct list_spec *spec,
                          const struct list_source *source, struct val *answer,
                          struct list_page *ret_page, struct err *err);
/* Answers with `items` (a list of maps) as the query asks. */
void list_reply(struct web_call *call, const struct list_spec *spec, const struct val *items);

/* ---- rows of deployments, kept live: list_apps.c ---- */
struct list_apps;
struct list_apps *list_apps_new(struct web *web);
void list_apps_free(struct list_apps *apps);  /* NULL is fine */
void list_apps_start(struct list_apps *apps); /* the home serves Applications now */
/* All rows of the namespace as a JSON map by name; false: not listed yet. */
bool list_apps_value(struct list_apps *apps, str namespace_, struct buf *out);
/* Namespace → {Healthy: 7, …}, in the arena; false: not listed yet. */
bool list_apps_counts(const struct list_apps *apps, struct arena *arena, struct map *into);
/* The row of one Application. */
struct val *list_app_row(struct arena *arena, const struct val *application);
