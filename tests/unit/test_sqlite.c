/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "io/sqlite.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct sqlite *database(const char *path)
{
    struct sqlite *db = NULL;
    struct err err = {0};

    assert_ok(sqlite_new(path, SYNC_FULL, &db, &err), err);
    assert_ok(sqlite_exec(db, "CREATE TABLE IF NOT EXISTS t (k TEXT PRIMARY KEY, n INTEGER) STRICT",
                          &err),
              err);
    return db;
}

static bool put(struct sqlite *db, str key, int64_t number, struct err *err)
{
    static const char sql[] = "INSERT INTO t (k, n) VALUES (?1, ?2)";
    struct sqlite_stmt *stmt = NULL;

    if (!sqlite_prepare(db, sql, &stmt, err))
        return false;
    sqlite_bind_text(stmt, 1, key);
    sqlite_bind_i64(stmt, 2, number);
    return sqlite_run(stmt, err);
}

static int64_t count(struct sqlite *db)
{
    static const char sql[] = "SELECT count(*) FROM t";
    struct sqlite_stmt *stmt = NULL;
    struct err err = {0};

    assert_ok(sqlite_prepare(db, sql, &stmt, &err), err);
    assert_int_equal(sqlite_step(stmt, &err), SQLITE_STEP_ROW);
    int64_t number = sqlite_i64(stmt, 0);
    sqlite_reset(stmt);
    return number;
}

TEST(what_was_rolled_back_is_gone)
{
    auto_sqlite struct sqlite *db = database(":memory:");
    struct err err = {0};

    assert_ok(put(db, S("kept"), 1, &err), err);
    assert_ok(sqlite_begin(db, &err), err);
    assert_ok(sqlite_begin(db, &err), err); /* idempotent */
    assert_ok(put(db, S("undone"), 2, &err), err);
    assert_int_equal(count(db), 2);
    sqlite_rollback(db);
    assert_false(sqlite_in_transaction(db));
    assert_int_equal(count(db), 1);
}

TEST(a_constraint_is_an_error_of_its_own)
{
    auto_sqlite struct sqlite *db = database(":memory:");
    struct err err = {0};

    assert_ok(put(db, S("a"), 1, &err), err);
    assert_fails(put(db, S("a"), 2, &err), err, ERR_EXISTS);
    assert_ok(put(db, S("b"), 3, &err), err); /* the statement is usable again */
}

TEST(a_database_is_private_and_survives_reopening)
{
    char path[] = "/tmp/taut-sqlite-XXXXXX";
    struct stat facts;
    struct err err = {0};

    close(mkstemp(path));
    unlink(path);
    {
        auto_sqlite struct sqlite *db = database(path);

        assert_ok(sqlite_begin(db, &err), err);
        assert_ok(put(db, S("a"), 1, &err), err);
        assert_ok(sqlite_commit(db, &err), err);
    }
    {
        auto_sqlite struct sqlite *db = database(path);

        assert_int_equal(count(db), 1);
    }
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    unlink(path);
}

TEST(a_file_that_is_no_database_is_an_error_that_names_it)
{
    struct sqlite *db = NULL;
    struct err err = {0};

    assert_fails(sqlite_new("/proc/nowhere/home.db", SYNC_FULL, &db, &err), err, ERR_IO);
    assert_true(str_contains(err_message(&err), S("/proc/nowhere/home.db")));
}

/* Of the pragma: 1 = NORMAL, 2 = FULL. */
static int64_t level_of(enum sqlite_sync sync)
{
    struct sqlite *db = NULL;
    struct sqlite_stmt *stmt = NULL;
    struct err err = {0};

    assert_ok(sqlite_new(":memory:", sync, &db, &err), err);
    assert_ok(sqlite_prepare(db, "PRAGMA synchronous", &stmt, &err), err);
    assert_int_equal(sqlite_step(stmt, &err), SQLITE_STEP_ROW);
    int64_t level = sqlite_i64(stmt, 0);
    sqlite_free(db);
    return level;
}

TEST(a_commit_waits_for_the_disk_where_that_was_asked)
{
    assert_int_equal(level_of(SYNC_FULL), 2);
    assert_int_equal(level_of(SYNC_NORMAL), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(what_was_rolled_back_is_gone),
            cmocka_unit_test(a_constraint_is_an_error_of_its_own),
            cmocka_unit_test(a_database_is_private_and_survives_reopening),
            cmocka_unit_test(a_file_that_is_no_database_is_an_error_that_names_it),
            cmocka_unit_test(a_commit_waits_for_the_disk_where_that_was_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
