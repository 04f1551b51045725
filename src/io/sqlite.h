/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * SQLite, thin: one connection, statements that are prepared once, write-ahead log.
 *
 * Owner:  whoever opened the database closes it; its statements go with it.
 * Order:  one thread. A transaction spans one turn of the loop: whoever owns the database begins it
 *         with the first write and commits from a loop_hook.
 * Texts:  bound texts are borrowed until the statement is stepped to its end or reset; columns are
 *         borrowed until the next step or reset.
 */
#include "base/err.h"

struct sqlite;
struct sqlite_stmt;

/* Not SQLITE_SYNC_…: those are numbers of its own to SQLite. */
enum sqlite_sync {
    SYNC_NORMAL, /* a power cut may lose the last commits, never the database */
    SYNC_FULL,   /* what was committed is on the disk */
};

/* Opens or makes the file `path` (mode 0600); ":memory:" is a database of its own. */
MUST_USE bool sqlite_new(const char *path, enum sqlite_sync sync, struct sqlite **ret_db,
                         struct err *err);
void sqlite_free(struct sqlite *db);
AUTO_DEFINE(sqlite, sqlite_free)
#define auto_sqlite AUTO(sqlite)

/* Runs a script without results: schemas, begin, pragmas. */
MUST_USE bool sqlite_exec(struct sqlite *db, const char *script, struct err *err);

/* A statement of this database, prepared once for each `sql` (a literal: known by its address).
 * The caller uses it up before it asks for the same one again. */
MUST_USE bool sqlite_prepare(struct sqlite *db, const char *sql, struct sqlite_stmt **ret_stmt,
                             struct err *err);
/* Parameters count from 1. */
void sqlite_bind_text(struct sqlite_stmt *stmt, int at, str text);
void sqlite_bind_blob(struct sqlite_stmt *stmt, int at, str bytes);
void sqlite_bind_i64(struct sqlite_stmt *stmt, int at, int64_t number);
void sqlite_bind_null(struct sqlite_stmt *stmt, int at);

enum sqlite_step { SQLITE_STEP_ROW, SQLITE_STEP_DONE, SQLITE_STEP_FAILED };
enum sqlite_step sqlite_step(struct sqlite_stmt *stmt, struct err *err);
/* Steps a statement that gives no rows, and resets it. */
MUST_USE bool sqlite_run(struct sqlite_stmt *stmt, struct err *err);
void sqlite_reset(struct sqlite_stmt *stmt);
/* Columns count from 0; NULL reads as the empty text and as 0. */
str sqlite_text(struct sqlite_stmt *stmt, int column);
int64_t sqlite_i64(struct sqlite_stmt *stmt, int column);

/* begin is idempotent; commit and rollback of no transaction do nothing. */
MUST_USE bool sqlite_begin(struct sqlite *db, struct err *err);
MUST_USE bool sqlite_commit(struct sqlite *db, struct err *err);
void sqlite_rollback(struct sqlite *db);
bool sqlite_in_transaction(const struct sqlite *db);
int64_t sqlite_changes(const struct sqlite *db); /* rows that the last statement changed */
/* How long the last commit took, in microseconds: a slow disk is told to people. */
int64_t sqlite_commit_us(const struct sqlite *db);
