/* SPDX-License-Identifier: Apache-2.0 */
#include "web/list.h"

#include "doc/hash.h"
#include "io/http_server.h"

struct selection {
    struct web_call *call;
    const struct list_spec *spec;
    const struct list_source *source;
    str text; /* q, in lower case */
    str facet[LIST_FACETS_MAX];
    const struct list_sort *sort;
    bool descending;
    int64_t limit;
    str cursor; /* key of the last row that was told */
};

struct keyed_row {
    str key;
    size_t row;
};

static str lower(struct arena *arena, str text)
{
    char *copy = arena_bytes(arena, text.len + 1);

    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        copy[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    return str_of(copy, text.len);
}

static str member(const struct selection *s, size_t row, const char *name)
{
    return s->source->member(s->source->owner, row, name);
}

/* ---- the query ---- */

static bool read_sort(struct selection *s, struct err *err)
{
    str word = STR_EMPTY;

    s->sort = &s->spec->sorts[0];
    s->descending = s->spec->descending;
    if (!http_param(s->call->request, S("sort"), &word) || word.len == 0)
        return true;
    s->descending = str_skip(&word, S("-"));
    for (size_t i = 0; i < s->spec->sort_count; i++) {
        if (!str_eq(word, str_from(s->spec->sorts[i].word)))
            continue;
        s->sort = &s->spec->sorts[i];
        return true;
    }
    return err_set(err, ERR_INVALID, "this list cannot be sorted by '%.*s'", STR(word));
}

static bool read_query(struct selection *s, struct err *err)
{
    const struct http_request *request = s->call->request;
    str text = STR_EMPTY;

    (void)http_param(request, S("q"), &text);
    s->text = lower(s->call->arena, str_trim(text));
    for (size_t i = 0; s->spec->facets[i] != NULL; i++)
        (void)http_param(request, str_from(s->spec->facets[i]), &s->facet[i]);
    if (http_param(request, S("limit"), &text) &&
        (!str_to_i64(text, &s->limit) || s->limit < 1 || s->limit > LIMIT_LIST_ROWS))
        return err_set(err, ERR_INVALID, "limit is a number from 1 to %d, not '%.*s'",
                       LIMIT_LIST_ROWS, STR(text));
    if (http_param(request, S("cursor"), &text) && text.len > 0 &&
        !hex_decode(s->call->arena, text, &s->cursor))
        return err_set(err, ERR_INVALID, "this cursor is none of ours; read the list again");
    return read_sort(s, err);
}

/* ---- rows ---- */

static bool is_one_of(str value, str list)
{
    str part;

    while (list.len > 0 && str_split(&list, ',', &part)) {
        if (str_eq(part, value))
            return true;
    }
    return false;
}

static bool is_wanted(const struct selection *s, struct arena *scratch, size_t row)
{
    for (size_t i = 0; s->spec->facets[i] != NULL; i++) {
        if (s->facet[i].len > 0 && !is_one_of(member(s, row, s->spec->facets[i]), s->facet[i]))
            return false;
    }
    if (s->text.len == 0)
        return true;
    for (size_t i = 0; s->spec->search[i] != NULL; i++) {
        if (str_contains(lower(scratch, member(s, row, s->spec->search[i])), s->text))
            return true;
    }
    return false;
}

/* What the row is sorted by, its name last, as one text. */
static str key_of(const struct selection *s, size_t row)
{
    const struct list_sort *sort = s->sort;
    str value = member(s, row, sort->member);
    str then = sort->then == NULL ? STR_EMPTY : member(s, row, sort->then);
    str name = member(s, row, "name");
    size_t place = 0;
    uint64_t number = 0;

    if (sort->is_number) {
        if (!str_to_u64(value, &number))
            number = 0;
        return arena_printf(s->call->arena, "%020llu\x01%.*s", (unsigned long long)number,
                            STR(name));
    }
    if (sort->order == NULL)
        return arena_printf(s->call->arena, "%.*s\x01%.*s\x01%.*s", STR(value), STR(then),
                            STR(name));
    while (sort->order[place] != NULL && !str_eq(value, str_from(sort->order[place])))
        place++;
    return arena_printf(s->call->arena, "%02zu\x01%.*s", place, STR(name));
}

static int compare_keys(const void *a, const void *b)
{
    return str_cmp(((const struct keyed_row *)a)->key, ((const struct keyed_row *)b)->key);
}

static void count_facets(const struct selection *s, struct val *answer)
{
    struct arena *arena = s->call->arena;
    struct val *facets = val_ensure_map(arena, answer, S("facets"));

    for (size_t i = 0; s->spec->facets[i] != NULL; i++) {
        struct val *counts = val_ensure_map(arena, facets, str_from(s->spec->facets[i]));
        for (size_t row = 0; row < s->source->count && !arena_is_over(arena); row++) {
            str value = member(s, row, s->spec->facets[i]);
            int64_t before = val_i64_or(val_get(counts, value), 0);
            if (before == 0 && val_count(counts) >= LIMIT_LIST_FACET_VALUES)
                continue;
            val_set(arena, counts, value, val_int(arena, before + 1));
        }
    }
}

/* The rows of one page out of `sorted`, from the cursor on. */
static void take_page(const struct selection *s, const struct keyed_row *sorted, size_t count,
                      struct val *answer, struct list_page *page)
{
    size_t wanted = s->limit > 0 ? (size_t)s->limit : LIMIT_LIST_ROWS;
    const struct keyed_row *last = NULL;

    page->rows = arena_array(s->call->arena, MIN(count, wanted) + 1, size_t);
    for (size_t i = 0; i < count; i++) {
        const struct keyed_row *row = &sorted[s->descending ? count - 1 - i : i];
        int order = s->cursor.len == 0 ? 1 : str_cmp(row->key, s->cursor);
        if (s->cursor.len > 0 && (s->descending ? order >= 0 : order <= 0))
            continue;
        if (page->count == wanted) {
            val_set_str(s->call->arena, answer, S("cursor"), hex_encode(s->call->arena, last->key));
            return;
        }
        page->rows[page->count++] = row->row;
        last = row;
    }
}

bool list_select(struct web_call *call, const struct list_spec *spec,
                 const struct list_source *source, struct val *answer, struct list_page *ret_page,
                 struct err *err)
{
    struct selection s = {.call = call, .spec = spec, .source = source};
    auto_arena struct arena *scratch = arena_new(LIMIT_LIST_SEARCH);
    size_t count = 0;

    if (!read_query(&s, err))
        return false;
    struct keyed_row *sorted = arena_array(call->arena, source->count + 1, struct keyed_row);
    for (size_t row = 0; row < source->count; row++) {
        if (is_wanted(&s, scratch, row))
            sorted[count++] = (struct keyed_row){key_of(&s, row), row};
        if (!arena_check(call->arena, "the list", err) ||
            !arena_check(scratch, "the text to search", err))
            return false;
    }
    qsort(sorted, count, sizeof(*sorted), compare_keys);
    *ret_page = (struct list_page){0};
    take_page(&s, sorted, count, answer, ret_page);
    val_set(call->arena, answer, S("total"), val_int(call->arena, (int64_t)source->count));
    val_set(call->arena, answer, S("matched"), val_int(call->arena, (int64_t)count));
    count_facets(&s, answer);
    return true;
}

/* ---- lists that are trees ---- */

static str val_member(const void *owner, size_t index, const char *name)
{
    const struct val *const *rows = owner;

    return val_text(val_get(rows[index], str_from(name)));
}

void list_reply(struct web_call *call, const struct list_spec *spec, const struct val *items)
{
    struct val *list;
    struct val *answer = web_items(call->arena, &list);
    const struct val **rows = arena_array(call->arena, val_count(items) + 1, const struct val *);
    struct list_source source = {.owner = rows, .member = val_member};
    struct list_page page;
    struct err err = {0};
    struct val_iter it = val_iter(items);

    while (val_next(&it))
        rows[source.count++] = it.value;
    if (!list_select(call, spec, &source, answer, &page, &err)) {
        web_reply_err(call, &err);
        return;
    }
    for (size_t i = 0; i < page.count; i++)
        val_append(call->arena, list, *rows[page.rows[i]]);
    web_reply_val(call, 200, answer);
}
