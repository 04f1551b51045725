/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of deployments: a watch of the home's Applications that keeps of each what a list shows, as
 * the text that is sent. The list is answered from it, and its changes are the stream's `apps`.
 */
#include "base/mem.h"
#include "doc/json.h"
#include "doc/merge_patch.h"
#include "kube/reflector.h"
#include "web/list.h"
#include "web/stream.h"

#define ALIAS "kubesphere.io/alias-name"
#define DESCRIPTION "kubesphere.io/description"
#define CREATOR "kubesphere.io/creator"
#define IN_CLUSTER "https://kubernetes.default.svc"

/* What is looked at by filters, facets and sorting, ready as texts. */
static const char *const row_fields[] = {"name",    "alias",   "description", "health",
                                         "sync",    "cluster", "project",     "repo",
                                         "updated", "created", "creator"};
enum { ROW_FIELDS = COUNT(row_fields) };

struct app_row {
    str namespace_;
    str json;
    str fields[ROW_FIELDS];
    char bytes[]; /* all of the above point in here */
};

struct list_apps {
    struct web *web;
    struct reflector *reflector;
    struct web_call *parked;
    bool complete;
};

/* ---- one row ---- */

static void put(struct arena *arena, struct val *row, const char *key, str text)
{
    if (text.len > 0)
        val_set_str(arena, row, str_from(key), text);
}

static void put_true(struct arena *arena, struct val *row, const char *key, bool value)
{
    if (value)
        val_set(arena, row, str_from(key), val_bool(true));
}

static bool holds(const struct val *list, str text)
{
    struct val_iter it = val_iter(list);

    while (val_next(&it)) {
        if (str_eq(val_str(it.value), text))
            return true;
    }
    return false;
}

/* Every project that it writes to, where these are more than the destination's. */
static void add_projects(struct arena *arena, struct val *row, const struct val *status)
{
    struct val_iter it = val_iter(val_get(status, S("resources")));
    str own = val_get_str(row, S("project"));
    struct val list = val_list();

    if (own.len > 0)
        val_append(arena, &list, val_string(arena, own));
    while (val_next(&it) && val_count(&list) < LIMIT_LIST_FACET_VALUES) {
        str project = val_get_str(it.value, S("namespace"));
        if (project.len > 0 && !holds(&list, project))
            val_append(arena, &list, val_string(arena, project));
    }
    if (val_count(&list) > 1 || (own.len == 0 && val_count(&list) > 0))
        val_set(arena, row, S("projects"), list);
}

static void add_resources(struct arena *arena, struct val *row, const struct val *status)
{
    struct val_iter it = val_iter(val_get(status, S("resources")));
    int64_t differ = 0;

    while (val_next(&it)) {
        if (str_eq(val_get_str(it.value, S("status")), S("OutOfSync")) ||
            val_get_bool(it.value, S("requiresPruning"), false))
            differ++;
    }
    val_set(arena, row, S("differ"), val_int(arena, differ));
    val_set(arena, row, S("total"),
            val_int(arena, (int64_t)val_count(val_get(status, S("resources")))));
}

static void add_problem(struct arena *arena, struct val *row, const struct val *status)
{
    struct val_iter it = val_iter(val_get(status, S("conditions")));

    while (val_next(&it)) {
        if (!str_ends(val_get_str(it.value, S("type")), S("Error")))
            continue;
        str text = val_get_str(it.value, S("message"));
        put(arena, row, "problem", str_first(text, str_utf8_clip(text, LIMIT_LIST_TEXT)));
        return;
    }
}

static void add_spec(struct arena *arena, struct val *row, const struct val *spec)
{
    const struct val *to = val_get(spec, S("destination"));
    const struct val *automated = VAL_AT(spec, "syncPolicy", "automated");
    const struct val *source = val_get(spec, S("source"));
    str cluster = val_get_str(to, S("name"));
    str server = val_get_str(to, S("server"));
    str target = val_get_str(source, S("targetRevision"));

    if (cluster.len == 0)
        cluster = str_eq(server, S(IN_CLUSTER)) ? S("in-cluster") : server;
    if (source == NULL)
        source = val_item(val_get(spec, S("sources")), 0);
    put(arena, row, "cluster", cluster);
    put(arena, row, "project", val_get_str(to, S("namespace")));
    put(arena, row, "repo", val_get_str(source, S("repoURL")));
    put(arena, row, "path", val_get_str(source, S("path")));
    val_set_str(arena, row, S("target"), target.len > 0 ? target : S("HEAD"));
    if (automated != NULL && !val_is(automated, VAL_NULL) &&
        val_get_bool(automated, S("enabled"), true)) {
        put_true(arena, row, "auto", true);
        put_true(arena, row, "prune", val_get_bool(automated, S("prune"), false));
        put_true(arena, row, "selfHeal", val_get_bool(automated, S("selfHeal"), false));
    }
}

struct val *list_app_row(struct arena *arena, const struct val *application)
{
    struct val *row = val_new(arena, val_map());
    const struct val *status = val_get(application, S("status"));
    str health = VAL_STR(status, "health", "status");
    str sync = VAL_STR(status, "sync", "status");

    val_set_str(arena, row, S("name"), object_name(application));
    put(arena, row, "alias", object_annotation(application, S(ALIAS)));
    put(arena, row, "description", object_annotation(application, S(DESCRIPTION)));
    put(arena, row, "creator", object_annotation(application, S(CREATOR)));
    val_set_str(arena, row, S("health"), health.len > 0 ? health : S("Progressing"));
    str why = VAL_STR(status, "health", "message");
    put(arena, row, "healthWhy", str_first(why, str_utf8_clip(why, LIMIT_LIST_TEXT)));
    val_set_str(arena, row, S("sync"), sync.len > 0 ? sync : S("Unknown"));
    add_resources(arena, row, status);
    add_spec(arena, row, val_get(application, S("spec")));
    add_projects(arena, row, status);
    put(arena, row, "revision", VAL_STR(status, "sync", "revision"));
    put(arena, row, "phase", VAL_STR(status, "operationState", "phase"));
    put(arena, row, "updated", object_annotation(application, S("taut.dev/updated-at")));
    put(arena, row, "created", VAL_STR(application, "metadata", "creationTimestamp"));
    bool deleting = VAL_STR(application, "metadata", "deletionTimestamp").len > 0;
    put_true(arena, row, "deleting", deleting);
    if (deleting) /* "Deleting, 12 of 27", or what it waits for */
        put(arena, row, "progress", VAL_STR(status, "operationState", "message"));
    add_problem(arena, row, status);
    return row;
}

static str copy_to(char **at, str text)
{
    str copy = str_of(*at, text.len);

    if (text.len > 0)
        memcpy(*at, text.at, text.len);
    *at += text.len;
    return copy;
}

static void *keep_row(UNUSED void *owner, const struct val *object)
{
    auto_arena struct arena *arena = arena_new(LIMIT_OBJECT_ARENA);
    struct val *row = list_app_row(arena, object);
    str json = json_text(arena, row, JSON_COMPACT);
    str namespace_ = object_namespace(object);
    size_t size = json.len + namespace_.len;

    for (size_t i = 0; i < ROW_FIELDS; i++)
        size += val_get_str(row, str_from(row_fields[i])).len;
    struct app_row *kept = mem_new(1, sizeof(*kept) + size);
    char *at = kept->bytes;
    kept->namespace_ = copy_to(&at, namespace_);
    kept->json = copy_to(&at, json);
    for (size_t i = 0; i < ROW_FIELDS; i++)
        kept->fields[i] = copy_to(&at, val_get_str(row, str_from(row_fields[i])));
    return kept;
}

static void drop_row(UNUSED void *owner, void *kept)
{
    mem_free(kept);
}

static str row_member(const void *owner, size_t index, const char *name)
{
    const struct app_row *const *rows = owner;

    for (size_t i = 0; i < ROW_FIELDS; i++) {
        if (strcmp(row_fields[i], name) == 0)
            return rows[index]->fields[i];
    }
    return STR_EMPTY;
}

/* ---- changes ---- */

static void tell_change(struct list_apps *apps, str namespace_, str name, const struct app_row *was,
                        const struct app_row *is)
{
    auto_arena struct arena *arena = arena_new(LIMIT_OBJECT_ARENA);
    struct val *before = val_new(arena, val_map());
    struct val *after = NULL;
    struct val patch = val_null();

    if (is != NULL) {
        /* Our own texts: they parse. */
        if ((was != NULL && !json_parse(arena, was->json, NULL, &before, NULL)) ||
            !json_parse(arena, is->json, NULL, &after, NULL))
            return;
        patch = merge_patch_make(arena, before, after);
        if (val_count(&patch) == 0)
            return;
    }
    stream_put_row(apps->web->stream, "apps", namespace_, name, is == NULL ? NULL : &patch);
}

/* What may look different when an Application changed. */
static const char *const touched_words[] = {"app", "facts", "services", "tree", "resources"};

static void on_changed(void *owner, str namespace_, str name, const void *was, const void *is)
{
    struct list_apps *apps = owner;

    if (apps->web->stream == NULL)
        return;
    tell_change(apps, namespace_, name, was, is);
    for (size_t i = 0; i < COUNT(touched_words); i++)
        stream_touch(apps->web, touched_words[i], namespace_, name);
    const struct app_row *before = was;
    const struct app_row *after = is;
    if (before == NULL || after == NULL ||
        !str_eq(row_member(&before, 0, "health"), row_member(&after, 0, "health")))
        stream_touch(apps->web, "devops", STR_EMPTY, STR_EMPTY); /* it counts by health */
}

static void on_complete(void *owner)
{
    struct list_apps *apps = owner;

    if (!apps->complete && apps->web->stream != NULL)
        stream_restart_rows(apps->web->stream, "apps");
    apps->complete = true;
    while (apps->parked != NULL) {
        struct web_call *call = apps->parked;
        apps->parked = call->parked;
        call->is_parked = false;
        call->route->handler(call);
    }
}

void list_apps_start(struct list_apps *apps)
{
    static const struct reflector_events events = {
            .keep = keep_row, .drop = drop_row, .changed = on_changed, .complete = on_complete};

    if (apps->reflector == NULL)
        apps->reflector =
                reflector_new(apps->web->options.home,
                              &(struct kube_selector){.gvr = web_gvr_applications}, &events, apps);
}

struct list_apps *list_apps_new(struct web *web)
{
    struct list_apps *apps = new0(struct list_apps);

    apps->web = web;
    return apps;
}

void list_apps_free(struct list_apps *apps)
{
    if (apps == NULL)
        return;
    for (struct web_call *call = apps->parked; call != NULL; call = call->parked)
        call->is_parked = false; /* web_free answers them */
    reflector_free(apps->reflector);
    mem_free(apps);
}

/* ---- reading ---- */

struct gather {
    struct arena *arena;
    str namespace_;
    const struct app_row **rows;
    size_t count;
};

static void gather_row(void *owner, str namespace_, UNUSED str name, void *kept)
{
    struct gather *gather = owner;

    if (str_eq(namespace_, gather->namespace_))
        gather->rows[gather->count++] = kept;
}

static struct gather gather_rows(const struct list_apps *apps, struct arena *arena, str namespace_)
{
    struct gather gather = {.arena = arena, .namespace_ = namespace_};

    gather.rows = arena_array(arena, reflector_count(apps->reflector) + 1, const struct app_row *);
    reflector_each(apps->reflector, gather_row, &gather);
    return gather;
}

static bool is_listed(const struct list_apps *apps)
{
    return apps->reflector != NULL && reflector_is_complete(apps->reflector);
}

bool list_apps_value(struct list_apps *apps, str namespace_, struct buf *out)
{
    auto_arena struct arena *arena = arena_new(LIMIT_LIST_ARENA);

    if (!is_listed(apps))
        return false;
    struct gather gather = gather_rows(apps, arena, namespace_);
    buf_addc(out, '{');
    for (size_t i = 0; i < gather.count; i++) {
        buf_add(out, i == 0 ? S("") : S(","));
        json_format_string(out, gather.rows[i]->fields[0], JSON_COMPACT);
        buf_addc(out, ':');
        buf_add(out, gather.rows[i]->json);
    }
    buf_addc(out, '}');
    return true;
}

struct counting {
    struct arena *arena;
    struct map *into;
};

static void count_row(void *owner, str namespace_, UNUSED str name, void *kept)
{
    const struct counting *counting = owner;
    const struct app_row *row = kept;
    struct val *counts = map_get(counting->into, namespace_);
    str health = row_member(&row, 0, "health");

    if (counts == NULL) {
        counts = val_new(counting->arena, val_map());
        map_set(counting->into, namespace_, counts);
    }
    val_set(counting->arena, counts, health,
            val_int(counting->arena, val_i64_or(val_get(counts, health), 0) + 1));
}

bool list_apps_counts(const struct list_apps *apps, struct arena *arena, struct map *into)
{
    struct counting counting = {arena, into};

    if (!is_listed(apps))
        return false;
    reflector_each(apps->reflector, count_row, &counting);
    return true;
}

/* ---- the list ---- */

static const char *const health_order[] = {"Degraded",  "Missing", "Unknown", "Progressing",
                                           "Suspended", "Healthy", NULL};
static const char *const sync_order[] = {"OutOfSync", "Unknown", "Synced", NULL};
static const struct list_sort app_sorts[] = {
        {.word = "created", .member = "created"},
        {.word = "name", .member = "name"},
        {.word = "health", .member = "health", .order = health_order},
        {.word = "sync", .member = "sync", .order = sync_order},
        {.word = "location", .member = "cluster", .then = "project"},
        {.word = "updated", .member = "updated"},
};
static const struct list_spec app_list = {
        .search = (const char *const[]){"name", "alias", "description", "repo", "project",
                                        "cluster", NULL},
        .facets = {"health", "sync", "cluster"},
        .sorts = app_sorts,
        .sort_count = COUNT(app_sorts),
        .descending = true, /* newest first */
};

void web_app_list(struct web_call *call)
{
    struct list_apps *apps = call->web->apps;
    struct val *answer = val_new(call->arena, val_map());
    auto_buf struct buf text = {0};
    struct list_page page;
    struct err err = {0};

    list_apps_start(apps);
    if (!is_listed(apps)) {
        call->parked = apps->parked;
        call->is_parked = true;
        apps->parked = call;
        return;
    }
    stream_record_rows(call->web->stream, "apps", call->params[0]);
    stream_flush(call->web->stream);
    call->position = stream_position(call->web->stream, call->arena);
    struct gather gather = gather_rows(apps, call->arena, call->namespace_);
    struct list_source source = {gather.rows, gather.count, row_member};
    if (!list_select(call, &app_list, &source, answer, &page, &err)) {
        web_reply_err(call, &err);
        return;
    }
    val_set_str(call->arena, answer, S("seq"), call->position);
    buf_init(&text, LIMIT_RESPONSE_BYTES);
    json_format(&text, answer, JSON_COMPACT);
    text.len--; /* the closing brace comes after the items */
    buf_add(&text, S(",\"items\":["));
    for (size_t i = 0; i < page.count; i++) {
        buf_add(&text, i == 0 ? S("") : S(","));
        buf_add(&text, gather.rows[page.rows[i]]->json);
    }
    buf_add(&text, S("]}\n"));
    if (!buf_check(&text, "the list; ask for fewer rows with limit", &err))
        web_reply_err(call, &err);
    else
        web_reply_json(call, 200, buf_str(&text));
}

/* ---- one deployment whole ---- */

static void on_got(struct web_call *call, struct kube_response *response)
{
    if (!response->ok && response->err.code == ERR_NOT_FOUND) {
        web_fail(call, ERR_NOT_FOUND, "there is no continuous deployment '%.*s'",
                 STR(call->params[1]));
        return;
    }
    if (!response->ok) {
        web_reply_kube(call, response, "reading the continuous deployment");
        return;
    }
    struct val *object = val_dup(call->arena, response->object);
    struct val *meta = val_get(object, S("metadata"));
    val_del(meta, S("managedFields"));
    val_del(val_get(meta, S("annotations")), S("kubectl.kubernetes.io/last-applied-configuration"));
    web_reply_val(call, 200, object);
}

void web_app_get(struct web_call *call)
{
    web_kube(call,
             &(struct kube_request){.verb = KUBE_GET,
                                    .gvr = web_gvr_applications,
                                    .namespace_ = call->namespace_,
                                    .name = call->params[1]},
             on_got);
}
