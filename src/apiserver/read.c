/* SPDX-License-Identifier: Apache-2.0 */
/* get and list. */
#include "apiserver/api.h"

#include "apiserver/page.h"
#include "apiserver/select.h"
#include "apiserver/table.h"
#include "doc/json.h"

void api_get(struct api *api)
{
    struct val *object = NULL;

    switch (object_load(api, api->kind, api->q.namespace_, api->q.name, &object)) {
    case OBJECT_FAILED:
        return;
    case OBJECT_ABSENT:
        api_fail_not_found(api, api->q.name);
        return;
    case OBJECT_FOUND:
        break;
    }
    object = object_in_version(api->arena, api->kind, api->version, object);
    if (api->q.want_table) {
        struct table *table = table_new(api);

        table_add(table, object);
        api_answer(api, 200, table_finish(table, object_resource_version(object), STR_EMPTY, -1));
        return;
    }
    api_answer(api, 200, object);
}

/* A list while it is gathered. */
struct gather {
    struct api *api;
    struct select select;
    struct page page;  /* of the last object taken */
    struct buf *text;  /* as JSON items, or */
    struct val *items; /* as trees, or */
    struct table *table;
    str prefix; /* what items of a built-in kind leave out */
    int64_t count;
    bool full;        /* there is one more behind the page */
    bool stored_form; /* the stored text is of the version that was asked for */
    struct err err;
};

static void add_text(struct gather *gather, str json)
{
    if (gather->text->len > 0)
        buf_addc(gather->text, ',');
    if (!str_is_empty(gather->prefix) && str_skip(&json, gather->prefix))
        buf_addc(gather->text, '{');
    buf_add(gather->text, json);
}

static void add_tree(struct gather *gather, struct arena *arena, const struct val *object)
{
    struct api *api = gather->api;

    if (gather->table != NULL)
        table_add(gather->table, object);
    else if (gather->items != NULL)
        val_append(api->arena, gather->items, *object);
    else
        add_text(gather, object_json(arena, api->kind, object));
}

/* One row that may need its tree. false = trouble. */
static bool add_row(struct gather *gather, struct arena *arena, const struct store_row *row,
                    bool *ret_added)
{
    struct api *api = gather->api;
    struct val *object = NULL;

    if (!json_parse(arena, row->json, NULL, &object, &gather->err))
        return err_wrap(&gather->err, "stored object %.*s %.*s/%.*s", STR(row->key.resource),
                        STR(row->key.namespace_), STR(row->key.name));
    *ret_added = select_matches(&gather->select, object);
    if (!*ret_added)
        return true;
    if (api->q.limit > 0 && gather->count == api->q.limit) {
        gather->full = true;
        return true;
    }
    if (gather->text != NULL && gather->stored_form)
        add_text(gather, row->json);
    else
        add_tree(gather, arena, object_in_version(arena, api->kind, api->version, object));
    return true;
}

static bool gather_row(void *owner, const struct store_row *row)
{
    struct gather *gather = owner;
    struct api *api = gather->api;
    bool added = true;

    if (gather->text != NULL && gather->stored_form && gather->select.all) {
        if (api->q.limit > 0 && gather->count == api->q.limit)
            gather->full = true;
        else
            add_text(gather, row->json);
    } else if (gather->text != NULL) {
        auto_arena struct arena *scratch = arena_new(LIMIT_OBJECT_ARENA);

        if (!add_row(gather, scratch, row, &added))
            return false;
    } else if (!add_row(gather, api->arena, row, &added)) {
        return false;
    }
    if (gather->full)
        return false;
    if (added) {
        gather->count++;
        gather->page.after_namespace = arena_str(api->arena, row->key.namespace_);
        gather->page.after_name = arena_str(api->arena, row->key.name);
    }
    if (gather->text != NULL ? buf_is_over(gather->text) : arena_is_over(api->arena))
        return err_set(&gather->err, ERR_LIMIT, "the list is longer than %zu MiB: ask with a limit",
                       LIMIT_LIST_ARENA / LIMIT_MIB);
    return true;
}

/* How many are behind the page; -1 where selectors make that unknown. */
static int64_t remaining(struct gather *gather, const struct store_range *range)
{
    struct store_range rest = *range;
    int64_t count = 0;

    if (!gather->full || !gather->select.all)
        return -1;
    rest.after_namespace = gather->page.after_namespace;
    rest.after_name = gather->page.after_name;
    return store_count(gather->api->server->store, &rest, &count, NULL) ? count : -1;
}

static struct val list_metadata(struct api *api, int64_t rv, str token, int64_t left)
{
    struct val metadata = val_map();

    val_set_str(api->arena, &metadata, S("resourceVersion"),
                arena_printf(api->arena, "%lld", (long long)rv));
    if (!str_is_empty(token))
        val_set_str(api->arena, &metadata, S("continue"), token);
    if (left > 0)
        val_set(api->arena, &metadata, S("remainingItemCount"), val_int(api->arena, left));
    return metadata;
}

static void answer_list(struct gather *gather, str token, int64_t left)
{
    struct api *api = gather->api;
    str api_version = api_version_of(api->arena, api->kind, api->version);
    struct val metadata = list_metadata(api, gather->page.rv, token, left);

    if (gather->items != NULL) {
        struct val *list = val_new(api->arena, val_map());

        val_set_str(api->arena, list, S("kind"), api->kind->list);
        val_set_str(api->arena, list, S("apiVersion"), api_version);
        val_set(api->arena, list, S("metadata"), metadata);
        val_set(api->arena, list, S("items"), *gather->items);
        api_answer(api, 200, list);
        return;
    }
    api->status = 200;
    api->object = NULL;
    str head = arena_printf(api->arena, "{\"kind\":\"%.*s\",\"apiVersion\":\"%.*s\",\"metadata\":",
                            STR(api->kind->list), STR(api_version));
    str meta = json_text(api->arena, &metadata, JSON_COMPACT);
    size_t len = head.len + meta.len + gather->text->len + 16;
    char *text = arena_bytes(api->arena, len);
    int n = snprintf(text, len, "%.*s%.*s,\"items\":[%.*s]}\n", STR(head), STR(meta),
                     STR(buf_str(gather->text)));
    api->text = str_of(text, (size_t)n);
}

/* resourceVersion of a list: what is newer than we are cannot be answered, an exact old one no
 * longer. */
static bool check_version(struct api *api)
{
    int64_t rv = 0;
    int64_t now = store_rv(api->server->store);

    if (str_is_empty(api->q.resource_version) || str_eq(api->q.resource_version, S("0")))
        return true;
    if (!str_to_i64(api->q.resource_version, &rv) || rv < 0)
        return api_fail(api, 400, "BadRequest",
                        "invalid resource version: resourceVersion: Invalid value: \"%.*s\": "
                        "strconv.ParseUint: parsing \"%.*s\": invalid syntax",
                        STR(api->q.resource_version), STR(api->q.resource_version));
    if (rv > now)
        return api_fail(api, 504, "Timeout", "Too large resource version: %lld, current: %lld",
                        (long long)rv, (long long)now);
    if (str_eq(api->match, S("Exact")) && rv != now)
        return api_fail(api, 410, "Expired",
                        "The resourceVersion for the provided list is too old.");
    return true;
}

static void gather_init(struct gather *gather, struct buf *text)
{
    struct api *api = gather->api;
    const struct kind_version *stored = kind_storage_version(api->kind);

    gather->stored_form = stored == api->version;
    if (api->q.want_table)
        gather->table = table_new(api);
    else if (api->want_text)
        gather->text = text;
    else
        gather->items = val_new(api->arena, val_list());
    if (!api->kind->is_crd)
        gather->prefix = arena_printf(api->arena, "{\"kind\":\"%.*s\",\"apiVersion\":\"%.*s\",",
                                      STR(api->kind->name),
                                      STR(api_version_of(api->arena, api->kind, api->version)));
}

/* A list of one name, as `kubectl wait` asks for, is read by its key. */
static bool gather_rows(struct gather *gather, const struct store_range *range, struct err *err)
{
    struct api *api = gather->api;
    str name = selector_exact(gather->select.fields, S("metadata.name"));
    struct store_key key = {api->kind->key, api->q.namespace_, name};
    struct store_row row;

    if (str_is_empty(name) || (api->kind->namespaced && str_is_empty(api->q.namespace_)) ||
        !str_is_empty(api->q.continue_))
        return store_each(api->server->store, range, gather_row, gather, err);
    switch (store_get(api->server->store, &key, api->arena, &row, err)) {
    case STORE_FOUND:
        (void)gather_row(gather, &row); /* its trouble stands in gather->err */
        return true;
    case STORE_ABSENT:
        return true;
    case STORE_FAILED:
        break;
    }
    return false;
}

void api_list(struct api *api)
{
    auto_buf struct buf text = {0};
    struct gather gather = {.api = api};
    struct err err = {0};

    buf_init(&text, LIMIT_LIST_ARENA);
    if (!select_open(api, api->arena, &gather.select) || !page_open(api, &gather.page) ||
        !check_version(api))
        return;
    gather_init(&gather, &text);

    struct store_range range = {api->kind->key, api->q.namespace_, gather.page.after_namespace,
                                gather.page.after_name};
    if (!gather_rows(&gather, &range, &err) || gather.err.code != ERR_NONE) {
        api_fail_err(api, gather.err.code != ERR_NONE ? &gather.err : &err);
        return;
    }
    str token = gather.full ? page_token(api->arena, &gather.page) : STR_EMPTY;
    int64_t left = remaining(&gather, &range);
    if (gather.table != NULL)
        api_answer(api, 200,
                   table_finish(gather.table,
                                arena_printf(api->arena, "%lld", (long long)gather.page.rv), token,
                                left));
    else
        answer_list(&gather, token, left);
}
