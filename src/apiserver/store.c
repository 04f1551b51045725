/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/store.h"

#include "base/mem.h"

struct store {
    struct sqlite *db;
    int64_t rv;
    int64_t committed_rv;
    size_t writes;
    size_t bytes;
    bool broken; /* a write of this transaction failed */
};

static const char schema[] =
        "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;"
        "CREATE TABLE IF NOT EXISTS objects (id INTEGER PRIMARY KEY, resource TEXT NOT NULL,"
        "  namespace TEXT NOT NULL, name TEXT NOT NULL, uid TEXT NOT NULL, rv INTEGER NOT NULL,"
        "  json TEXT NOT NULL) STRICT;"
        "CREATE UNIQUE INDEX IF NOT EXISTS objects_key ON objects (resource, namespace, name);"
        "CREATE INDEX IF NOT EXISTS objects_uid ON objects (uid);"
        "CREATE INDEX IF NOT EXISTS objects_namespace ON objects (namespace, resource);"
        "CREATE TABLE IF NOT EXISTS owners (owner TEXT NOT NULL, object INTEGER NOT NULL,"
        "  PRIMARY KEY (owner, object)) STRICT, WITHOUT ROWID;"
        "CREATE INDEX IF NOT EXISTS owners_object ON owners (object);"
        "INSERT OR IGNORE INTO meta (key, value) VALUES ('rv', 1), ('format', 1);";

#define FORMAT 1

static bool read_meta(struct store *store, str key, int64_t *ret_value, struct err *err)
{
    static const char sql[] = "SELECT value FROM meta WHERE key = ?1";
    struct sqlite_stmt *stmt = NULL;

    if (!sqlite_prepare(store->db, sql, &stmt, err))
        return false;
    sqlite_bind_text(stmt, 1, key);
    enum sqlite_step step = sqlite_step(stmt, err);
    if (step == SQLITE_STEP_ROW)
        *ret_value = sqlite_i64(stmt, 0);
    sqlite_reset(stmt);
    if (step == SQLITE_STEP_DONE)
        return err_set(err, ERR_IO, "the store has no entry '%.*s'", STR(key));
    return step == SQLITE_STEP_ROW;
}

bool store_new(struct sqlite *db, struct store **ret_store, struct err *err)
{
    auto_store struct store *store = new0(struct store);
    int64_t format = 0;

    store->db = db;
    if (!sqlite_exec(db, schema, err) || !read_meta(store, S("format"), &format, err))
        return false;
    if (format != FORMAT)
        return err_set(err, ERR_UNSUPPORTED,
                       "the store has format %lld, this program knows format %d only",
                       (long long)format, FORMAT);
    if (!read_meta(store, S("rv"), &store->rv, err))
        return false;
    store->committed_rv = store->rv;

    *ret_store = TAKE(store);
    return true;
}

void store_free(struct store *store)
{
    mem_free(store);
}

int64_t store_rv(const struct store *store)
{
    return store->rv;
}

int64_t store_next_rv(struct store *store)
{
    return ++store->rv;
}

static void bind_key(struct sqlite_stmt *stmt, const struct store_key *key)
{
    sqlite_bind_text(stmt, 1, key->resource);
    sqlite_bind_text(stmt, 2, key->namespace_);
    sqlite_bind_text(stmt, 3, key->name);
}

/* Columns of every query for rows: resource, namespace, name, uid, rv, json. */
static struct store_row row_of(struct sqlite_stmt *stmt)
{
    return (struct store_row){{sqlite_text(stmt, 0), sqlite_text(stmt, 1), sqlite_text(stmt, 2)},
                              sqlite_text(stmt, 3),
                              sqlite_i64(stmt, 4),
                              sqlite_text(stmt, 5)};
}

static enum store_answer one_row(struct sqlite_stmt *stmt, struct arena *arena,
                                 struct store_row *ret_row, struct err *err)
{
    enum sqlite_step step = sqlite_step(stmt, err);

    if (step == SQLITE_STEP_ROW) {
        struct store_row row = row_of(stmt);

        row.key.resource = arena_str(arena, row.key.resource);
        row.key.namespace_ = arena_str(arena, row.key.namespace_);
        row.key.name = arena_str(arena, row.key.name);
        row.uid = arena_str(arena, row.uid);
        row.json = arena_str(arena, row.json);
        *ret_row = row;
    }
    sqlite_reset(stmt);
    return step == SQLITE_STEP_ROW    ? STORE_FOUND
           : step == SQLITE_STEP_DONE ? STORE_ABSENT
                                      : STORE_FAILED;
}

enum store_answer store_get(struct store *store, const struct store_key *key, struct arena *arena,
                            struct store_row *ret_row, struct err *err)
{
    static const char sql[] = "SELECT resource, namespace, name, uid, rv, json FROM objects"
                              " WHERE resource = ?1 AND namespace = ?2 AND name = ?3";
    struct sqlite_stmt *stmt = NULL;

    if (!sqlite_prepare(store->db, sql, &stmt, err))
        return STORE_FAILED;
    bind_key(stmt, key);
    return one_row(stmt, arena, ret_row, err);
}

static bool begin(struct store *store, size_t bytes, struct err *err)
{
    if (!sqlite_begin(store->db, err))
        return false;
    store->writes++;
    store->bytes += bytes;
    return true;
}

static bool put_owners(struct store *store, int64_t id, const str *owners, size_t owner_count,
                       struct err *err)
{
    static const char del[] = "DELETE FROM owners WHERE object = ?1";
    static const char add[] = "INSERT OR IGNORE INTO owners (owner, object) VALUES (?1, ?2)";
    struct sqlite_stmt *stmt = NULL;

    if (!sqlite_prepare(store->db, del, &stmt, err))
        return false;
    sqlite_bind_i64(stmt, 1, id);
    if (!sqlite_run(stmt, err))
        return false;
    for (size_t i = 0; i < owner_count; i++) {
        if (!sqlite_prepare(store->db, add, &stmt, err))
            return false;
        sqlite_bind_text(stmt, 1, owners[i]);
        sqlite_bind_i64(stmt, 2, id);
        if (!sqlite_run(stmt, err))
            return false;
    }
    return true;
}

static bool put(struct store *store, const struct store_row *row, const str *owners,
                size_t owner_count, struct err *err)
{
    static const char sql[] =
            "INSERT INTO objects (resource, namespace, name, uid, rv, json)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (resource, namespace, name)"
            " DO UPDATE SET uid = ?4, rv = ?5, json = ?6 RETURNING id";
    struct sqlite_stmt *stmt = NULL;

    if (!begin(store, row->json.len, err) || !sqlite_prepare(store->db, sql, &stmt, err))
        return false;
    bind_key(stmt, &row->key);
    sqlite_bind_text(stmt, 4, row->uid);
    sqlite_bind_i64(stmt, 5, row->rv);
    sqlite_bind_text(stmt, 6, row->json);
    enum sqlite_step step = sqlite_step(stmt, err);
    int64_t id = step == SQLITE_STEP_ROW ? sqlite_i64(stmt, 0) : 0;
    /* to the end: RETURNING writes with the first step, but the statement must finish */
    while (step == SQLITE_STEP_ROW)
        step = sqlite_step(stmt, err);
    sqlite_reset(stmt);
    return step == SQLITE_STEP_DONE && put_owners(store, id, owners, owner_count, err);
}

bool store_put(struct store *store, const struct store_row *row, const str *owners,
               size_t owner_count, struct err *err)
{
    bool done = put(store, row, owners, owner_count, err);

    store->broken |= !done;
    return done;
}

static bool del(struct store *store, const struct store_key *key, struct err *err)
{
    static const char sql_owners[] = "DELETE FROM owners WHERE object = (SELECT id FROM objects"
                                     " WHERE resource = ?1 AND namespace = ?2 AND name = ?3)";
    static const char sql[] =
            "DELETE FROM objects WHERE resource = ?1 AND namespace = ?2 AND name = ?3";
    struct sqlite_stmt *stmt = NULL;

    if (!begin(store, 0, err) || !sqlite_prepare(store->db, sql_owners, &stmt, err))
        return false;
    bind_key(stmt, key);
    if (!sqlite_run(stmt, err) || !sqlite_prepare(store->db, sql, &stmt, err))
        return false;
    bind_key(stmt, key);
    return sqlite_run(stmt, err);
}

bool store_delete(struct store *store, const struct store_key *key, struct err *err)
{
    bool done = del(store, key, err);

    store->broken |= !done;
    return done;
}

static bool each_row(struct sqlite_stmt *stmt, store_each_fn *fn, void *owner, struct err *err)
{
    enum sqlite_step step;

    while ((step = sqlite_step(stmt, err)) == SQLITE_STEP_ROW) {
        struct store_row row = row_of(stmt);

        if (!fn(owner, &row))
            break;
    }
    sqlite_reset(stmt);
    return step != SQLITE_STEP_FAILED;
}

static void bind_range(struct sqlite_stmt *stmt, const struct store_range *range)
{
    sqlite_bind_text(stmt, 1, range->resource);
    sqlite_bind_text(stmt, 2, range->after_namespace);
    sqlite_bind_text(stmt, 3, range->after_name);
    if (!str_is_empty(range->namespace_))
        sqlite_bind_text(stmt, 4, range->namespace_);
}

bool store_each(struct store *store, const struct store_range *range, store_each_fn *fn,
                void *owner, struct err *err)
{
    static const char all[] = "SELECT resource, namespace, name, uid, rv, json FROM objects"
                              " WHERE resource = ?1 AND (namespace, name) > (?2, ?3)"
                              " ORDER BY namespace, name";
    static const char one[] = "SELECT resource, namespace, name, uid, rv, json FROM objects"
                              " WHERE resource = ?1 AND namespace = ?4 AND (?2, ?3) = (?2, ?3)"
                              " AND name > ?3 ORDER BY name";
    struct sqlite_stmt *stmt = NULL;

    if (!sqlite_prepare(store->db, str_is_empty(range->namespace_) ? all : one, &stmt, err))
        return false;
    bind_range(stmt, range);
    return each_row(stmt, fn, owner, err);
}

bool store_count(struct store *store, const struct store_range *range, int64_t *ret_count,
                 struct err *err)
{
    static const char all[] = "SELECT count(*) FROM objects WHERE resource = ?1"
                              " AND (namespace, name) > (?2, ?3)";
    static const char one[] = "SELECT count(*) FROM objects WHERE resource = ?1"
                              " AND namespace = ?4 AND (?2, ?3) = (?2, ?3) AND name > ?3";
    struct sqlite_stmt *stmt = NULL;

    if (!sqlite_prepare(store->db, str_is_empty(range->namespace_) ? all : one, &stmt, err))
        return false;
    bind_range(stmt, range);
    enum sqlite_step step = sqlite_step(stmt, err);
    if (step == SQLITE_STEP_ROW)
        *ret_count = sqlite_i64(stmt, 0);
    sqlite_reset(stmt);
    return step == SQLITE_STEP_ROW;
}

bool store_each_dependent(struct store *store, str owner_uid, store_each_fn *fn, void *owner,
                          struct err *err)
{
    static const char sql[] =
            "SELECT resource, namespace, name, uid, rv, json FROM objects"
            " WHERE id IN (SELECT object FROM owners WHERE owner = ?1) ORDER BY id";
    struct sqlite_stmt *stmt = NULL;

    if (!sqlite_prepare(store->db, sql, &stmt, err))
        return false;
    sqlite_bind_text(stmt, 1, owner_uid);
    return each_row(stmt, fn, owner, err);
}

bool store_each_resource(struct store *store, str namespace_, store_resource_fn *fn, void *owner,
                         struct err *err)
{
    static const char sql[] = "SELECT DISTINCT resource FROM objects WHERE namespace = ?1";
    struct sqlite_stmt *stmt = NULL;
    enum sqlite_step step;

    if (!sqlite_prepare(store->db, sql, &stmt, err))
        return false;
    sqlite_bind_text(stmt, 1, namespace_);
    while ((step = sqlite_step(stmt, err)) == SQLITE_STEP_ROW)
        fn(owner, sqlite_text(stmt, 0));
    sqlite_reset(stmt);
    return step == SQLITE_STEP_DONE;
}

enum store_answer store_find_uid(struct store *store, str uid, struct arena *arena,
                                 struct store_row *ret_row, struct err *err)
{
    static const char sql[] = "SELECT resource, namespace, name, uid, rv, json FROM objects"
                              " WHERE uid = ?1 LIMIT 1";
    struct sqlite_stmt *stmt = NULL;

    if (!sqlite_prepare(store->db, sql, &stmt, err))
        return STORE_FAILED;
    sqlite_bind_text(stmt, 1, uid);
    return one_row(stmt, arena, ret_row, err);
}

size_t store_pending_writes(const struct store *store)
{
    return store->writes;
}

size_t store_pending_bytes(const struct store *store)
{
    return store->bytes;
}

static bool write_rv(struct store *store, struct err *err)
{
    static const char sql[] = "UPDATE meta SET value = ?1 WHERE key = 'rv'";
    struct sqlite_stmt *stmt = NULL;

    if (!sqlite_prepare(store->db, sql, &stmt, err))
        return false;
    sqlite_bind_i64(stmt, 1, store->rv);
    return sqlite_run(stmt, err);
}

bool store_commit(struct store *store, struct err *err)
{
    bool broken = store->broken;

    store->writes = 0;
    store->bytes = 0;
    store->broken = false;
    if (!sqlite_in_transaction(store->db) && !broken)
        return true;
    if (broken)
        err_set(err, ERR_IO, "a write of this transaction failed");
    if (broken || !write_rv(store, err) || !sqlite_commit(store->db, err)) {
        sqlite_rollback(store->db);
        store->rv = store->committed_rv;
        return false;
    }
    store->committed_rv = store->rv;
    return true;
}
