/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/verdicts.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "io/sqlite.h"

#define VERDICT_DAY_MS ((int64_t)24 * 3600 * 1000)
#define VERDICT_KEEP_MS (30 * VERDICT_DAY_MS)
#define CHURN_WINDOW_MS 60000
#define CHURN_FREE 3
#define CHURN_FIRST_MS 30000
#define CHURN_LAST_MS 600000

struct churn {
    enum verdict_answer answer;
    struct hash desired;
    int count;
    int64_t first_ms;
    int64_t next_ms;
    int64_t delay_ms;
};

struct verdicts {
    struct sqlite *db; /* NULL: no cache */
    struct loop_hook *commit;
    struct map *churn;
    bool reverify;
};

static const char schema[] =
        "CREATE TABLE IF NOT EXISTS verdict(object TEXT PRIMARY KEY, key BLOB NOT NULL,"
        " desired BLOB NOT NULL, answer INTEGER NOT NULL, message TEXT NOT NULL,"
        " asked INTEGER NOT NULL) WITHOUT ROWID;";
static const char sql_get[] =
        "SELECT key, desired, answer, message, asked FROM verdict WHERE object = ?1";
static const char sql_put[] = "INSERT INTO verdict VALUES(?1, ?2, ?3, ?4, ?5, ?6)"
                              " ON CONFLICT(object) DO UPDATE SET key = ?2, desired = ?3,"
                              " answer = ?4, message = ?5, asked = ?6";
static const char sql_drop[] = "DELETE FROM verdict WHERE object = ?1";
static const char sql_old[] = "DELETE FROM verdict WHERE asked < ?1";

/* A cache that fails is given up: every verdict is then asked for. */
static void verdicts_give_up(struct verdicts *verdicts, const struct err *err)
{
    log_warn("engine", "the verdict cache is off: %s", err->message);
    sqlite_free(verdicts->db);
    verdicts->db = NULL;
}

static void verdicts_commit(void *owner)
{
    struct verdicts *verdicts = owner;
    struct err err;

    if (verdicts->db != NULL && sqlite_in_transaction(verdicts->db) &&
        !sqlite_commit(verdicts->db, &err))
        verdicts_give_up(verdicts, &err);
}

static bool verdicts_open(struct verdicts *verdicts, const char *data_dir, struct err *err)
{
    auto_arena struct arena *arena = arena_new(LIMIT_KEY_ARENA);
    struct sqlite_stmt *stmt;
    const char *path = ":memory:";

    if (data_dir != NULL)
        path = arena_z(arena, arena_printf(arena, "%s/verdicts.db", data_dir));
    if (!sqlite_new(path, SYNC_NORMAL, &verdicts->db, err) ||
        !sqlite_exec(verdicts->db, schema, err) ||
        !sqlite_prepare(verdicts->db, sql_old, &stmt, err))
        return false;
    sqlite_bind_i64(stmt, 1, clock_wall_ms() - VERDICT_KEEP_MS);
    return sqlite_run(stmt, err);
}

struct verdicts *verdicts_new(struct loop *loop, const char *data_dir)
{
    struct verdicts *verdicts = new0(struct verdicts);
    const char *reverify = getenv("TAUT_TEST_REVERIFY");
    struct err err;

    verdicts->churn = map_new();
    verdicts->reverify = reverify == NULL || !str_eq(str_from(reverify), S("0"));
    verdicts->commit = loop_hook_new(loop, verdicts_commit, verdicts);
    if (!verdicts_open(verdicts, data_dir, &err)) {
        if (verdicts->db != NULL)
            verdicts_give_up(verdicts, &err);
        else
            log_warn("engine", "the verdict cache is off: %s", err.message);
    }
    return verdicts;
}

static void churn_clear(struct verdicts *verdicts)
{
    struct map_iter it = map_iter(verdicts->churn);

    while (map_next(&it))
        mem_free(it.value);
    map_clear(verdicts->churn);
}

void verdicts_free(struct verdicts *verdicts)
{
    if (verdicts == NULL)
        return;
    verdicts_commit(verdicts);
    loop_hook_free(verdicts->commit);
    if (verdicts->db != NULL)
        sqlite_free(verdicts->db);
    churn_clear(verdicts);
    map_free(verdicts->churn);
    mem_free(verdicts);
}

static bool hash_read(struct sqlite_stmt *stmt, int column, struct hash *ret)
{
    str bytes = sqlite_text(stmt, column);

    if (bytes.len != HASH_SIZE)
        return false;
    memcpy(ret->bytes, bytes.at, HASH_SIZE);
    return true;
}

/* Each object has a moment of its own within a day, so that not all are asked at once. */
static bool verdict_is_due(const struct verdicts *verdicts, str object, int64_t asked)
{
    struct hash hash = hash_bytes(object);
    int64_t jitter = (int64_t)(hash.bytes[0] * 256 + hash.bytes[1]) * VERDICT_DAY_MS / 65536;
    int64_t age = clock_wall_ms() - asked;

    return verdicts->reverify && (age > jitter / 2 + VERDICT_DAY_MS / 2 || age < 0);
}

bool verdicts_get(struct verdicts *verdicts, struct arena *arena, str object,
                  struct verdict *ret_verdict, bool *ret_due)
{
    struct sqlite_stmt *stmt;
    bool found = false;

    if (verdicts->db == NULL || !sqlite_prepare(verdicts->db, sql_get, &stmt, NULL))
        return false;
    sqlite_bind_text(stmt, 1, object);
    if (sqlite_step(stmt, NULL) == SQLITE_STEP_ROW && hash_read(stmt, 0, &ret_verdict->key) &&
        hash_read(stmt, 1, &ret_verdict->desired)) {
        ret_verdict->answer = (enum verdict_answer)sqlite_i64(stmt, 2);
        ret_verdict->message = arena_str(arena, sqlite_text(stmt, 3));
        *ret_due = verdict_is_due(verdicts, object, sqlite_i64(stmt, 4));
        found = true;
    }
    sqlite_reset(stmt);
    return found;
}

static void churn_note(struct verdicts *verdicts, str object, const struct verdict *verdict)
{
    struct churn *churn = map_get(verdicts->churn, object);
    int64_t now = clock_mono_ms();

    if (churn == NULL) {
        if (map_count(verdicts->churn) >= LIMIT_CHURN_NOTES)
            churn_clear(verdicts);
        churn = new0(struct churn);
        map_set(verdicts->churn, object, churn);
    }
    if (churn->answer != verdict->answer || !hash_eq(&churn->desired, &verdict->desired) ||
        now - churn->first_ms > MAX((int64_t)CHURN_WINDOW_MS, 2 * churn->delay_ms))
        *churn = (struct churn){
                .answer = verdict->answer, .desired = verdict->desired, .first_ms = now};
    churn->count++;
    if (churn->count < CHURN_FREE)
        return;
    churn->delay_ms =
            MIN(MAX(churn->delay_ms * 2, (int64_t)CHURN_FIRST_MS), (int64_t)CHURN_LAST_MS);
    churn->next_ms = now + churn->delay_ms;
    churn->first_ms = now;
}

void verdicts_put(struct verdicts *verdicts, str object, const struct verdict *verdict, bool asked)
{
    struct sqlite_stmt *stmt;
    struct err err;

    if (asked)
        churn_note(verdicts, object, verdict);
    if (verdicts->db == NULL)
        return;
    if (!sqlite_begin(verdicts->db, &err) || !sqlite_prepare(verdicts->db, sql_put, &stmt, &err)) {
        verdicts_give_up(verdicts, &err);
        return;
    }
    sqlite_bind_text(stmt, 1, object);
    sqlite_bind_blob(stmt, 2, str_of((const char *)verdict->key.bytes, HASH_SIZE));
    sqlite_bind_blob(stmt, 3, str_of((const char *)verdict->desired.bytes, HASH_SIZE));
    sqlite_bind_i64(stmt, 4, verdict->answer);
    sqlite_bind_text(stmt, 5, verdict->message);
    sqlite_bind_i64(stmt, 6, clock_wall_ms());
    if (!sqlite_run(stmt, &err))
        verdicts_give_up(verdicts, &err);
}

void verdicts_drop(struct verdicts *verdicts, str object)
{
    struct sqlite_stmt *stmt;
    struct err err;

    mem_free(map_del(verdicts->churn, object));
    if (verdicts->db == NULL)
        return;
    if (!sqlite_begin(verdicts->db, &err) || !sqlite_prepare(verdicts->db, sql_drop, &stmt, &err)) {
        verdicts_give_up(verdicts, &err);
        return;
    }
    sqlite_bind_text(stmt, 1, object);
    if (!sqlite_run(stmt, &err))
        verdicts_give_up(verdicts, &err);
}

int64_t verdicts_wait_ms(const struct verdicts *verdicts, str object)
{
    const struct churn *churn = map_get(verdicts->churn, object);

    return churn == NULL ? 0 : MAX(churn->next_ms - clock_mono_ms(), (int64_t)0);
}
