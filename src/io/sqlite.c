/* SPDX-License-Identifier: Apache-2.0 */
#include "io/sqlite.h"

#include "base/clock.h"
#include "base/mem.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

struct sqlite_stmt {
    struct sqlite *db;
    sqlite3_stmt *handle;
    const char *sql;
    struct sqlite_stmt *next;
};

struct sqlite {
    sqlite3 *handle;
    struct sqlite_stmt *stmts;
    bool in_transaction;
    int64_t commit_us;
    char *path;
};

/* Which of our codes a result is: what may pass by itself is worth a retry. */
static enum err_code code_of(int result)
{
    switch (result & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_UNAVAILABLE;
    case SQLITE_CONSTRAINT:
        return ERR_EXISTS;
    case SQLITE_TOOBIG:
        return ERR_LIMIT;
    case SQLITE_MISUSE:
        return ERR_INTERNAL;
    default:
        return ERR_IO;
    }
}

static bool fail(const struct sqlite *db, int result, struct err *err)
{
    return err_set(err, code_of(result), "database %s: %s", db->path,
                   db->handle != NULL ? sqlite3_errmsg(db->handle) : sqlite3_errstr(result));
}

/* SQLite makes files by the umask; the store holds Secrets, so the file is made here first. */
static bool make_private(const char *path, struct err *err)
{
    if (path[0] == ':')
        return true;

    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(err, ERR_IO, "database %s: %m", path);
    close(fd);
    return true;
}

bool sqlite_new(const char *path, enum sqlite_sync sync, struct sqlite **ret_db, struct err *err)
{
    auto_sqlite struct sqlite *db = new0(struct sqlite);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;

    db->path = mem_dup_z(str_from(path));
    if (!make_private(path, err))
        return false;

    int result = sqlite3_open_v2(path, &db->handle, flags, NULL);
    if (result != SQLITE_OK)
        return fail(db, result, err);
    sqlite3_busy_timeout(db->handle, 5000);
    sqlite3_extended_result_codes(db->handle, 1);
    if (!sqlite_exec(db,
                     "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL;"
                     "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-8192;"
                     "PRAGMA journal_size_limit=67108864; PRAGMA trusted_schema=OFF;",
                     err))
        return false;
    if (!sqlite_exec(db,
                     sync == SYNC_FULL ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL",
                     err))
        return false;

    *ret_db = TAKE(db);
    return true;
}

void sqlite_free(struct sqlite *db)
{
    if (db == NULL)
        return;
    while (db->stmts != NULL) {
        struct sqlite_stmt *stmt = db->stmts;

        db->stmts = stmt->next;
        sqlite3_finalize(stmt->handle);
        mem_free(stmt);
    }
    sqlite3_close(db->handle);
    mem_free(db->path);
    mem_free(db);
}

bool sqlite_exec(struct sqlite *db, const char *script, struct err *err)
{
    int result = sqlite3_exec(db->handle, script, NULL, NULL, NULL);

    return result == SQLITE_OK ? true : fail(db, result, err);
}

bool sqlite_prepare(struct sqlite *db, const char *sql, struct sqlite_stmt **ret_stmt,
                    struct err *err)
{
    struct sqlite_stmt *stmt = db->stmts;

    while (stmt != NULL && stmt->sql != sql)
        stmt = stmt->next;
    if (stmt == NULL) {
        sqlite3_stmt *handle = NULL;
        int result =
                sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &handle, NULL);

        if (result != SQLITE_OK)
            return fail(db, result, err);
        stmt = new0(struct sqlite_stmt);
        *stmt = (struct sqlite_stmt){db, handle, sql, db->stmts};
        db->stmts = stmt;
    }
    sqlite_reset(stmt);

    *ret_stmt = stmt;
    return true;
}

void sqlite_bind_text(struct sqlite_stmt *stmt, int at, str text)
{
    sqlite3_bind_text64(stmt->handle, at, text.at != NULL ? text.at : "", text.len, SQLITE_STATIC,
                        SQLITE_UTF8);
}

void sqlite_bind_blob(struct sqlite_stmt *stmt, int at, str bytes)
{
    sqlite3_bind_blob64(stmt->handle, at, bytes.at != NULL ? bytes.at : "", bytes.len,
                        SQLITE_STATIC);
}

void sqlite_bind_i64(struct sqlite_stmt *stmt, int at, int64_t number)
{
    sqlite3_bind_int64(stmt->handle, at, number);
}

void sqlite_bind_null(struct sqlite_stmt *stmt, int at)
{
    sqlite3_bind_null(stmt->handle, at);
}

enum sqlite_step sqlite_step(struct sqlite_stmt *stmt, struct err *err)
{
    int result = sqlite3_step(stmt->handle);

    if (result == SQLITE_ROW)
        return SQLITE_STEP_ROW;
    if (result == SQLITE_DONE)
        return SQLITE_STEP_DONE;
    fail(stmt->db, result, err);
    return SQLITE_STEP_FAILED;
}

bool sqlite_run(struct sqlite_stmt *stmt, struct err *err)
{
    enum sqlite_step step = sqlite_step(stmt, err);

    sqlite_reset(stmt);
    return step != SQLITE_STEP_FAILED;
}

void sqlite_reset(struct sqlite_stmt *stmt)
{
    sqlite3_reset(stmt->handle);
    sqlite3_clear_bindings(stmt->handle);
}

str sqlite_text(struct sqlite_stmt *stmt, int column)
{
    /* the value first, its size after: SQLite's rule for conversions */
    const void *at = sqlite3_column_blob(stmt->handle, column);
    int len = sqlite3_column_bytes(stmt->handle, column);

    return at == NULL ? STR_EMPTY : str_of(at, (size_t)len);
}

int64_t sqlite_i64(struct sqlite_stmt *stmt, int column)
{
    return sqlite3_column_int64(stmt->handle, column);
}

bool sqlite_begin(struct sqlite *db, struct err *err)
{
    if (db->in_transaction)
        return true;
    if (!sqlite_exec(db, "BEGIN IMMEDIATE", err))
        return false;
    db->in_transaction = true;
    return true;
}

bool sqlite_commit(struct sqlite *db, struct err *err)
{
    int64_t since = clock_mono_us();

    if (!db->in_transaction)
        return true;
    if (!sqlite_exec(db, "COMMIT", err)) {
        sqlite_rollback(db);
        return false;
    }
    db->in_transaction = false;
    db->commit_us = clock_mono_us() - since;
    return true;
}

void sqlite_rollback(struct sqlite *db)
{
    if (!db->in_transaction)
        return;
    /* a failed COMMIT may have rolled back by itself: then there is nothing left to undo */
    if (sqlite3_get_autocommit(db->handle) == 0)
        sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    db->in_transaction = false;
}

bool sqlite_in_transaction(const struct sqlite *db)
{
    return db->in_transaction;
}

int64_t sqlite_changes(const struct sqlite *db)
{
    return sqlite3_changes64(db->handle);
}

int64_t sqlite_commit_us(const struct sqlite *db)
{
    return db->commit_us;
}
