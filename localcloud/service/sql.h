//! SQLite in few words, for the services' tables. Main thread; each call waits for the database.
//! A failure is logged once where it happens; loops then see no row, and the end says so.
#pragma once

#include "base/err.h"

#include <jansson.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

/// One statement at work. No row may be kept: what a getter gives lives until the next step.
typedef struct PsSql {
    sqlite3 *db;
    sqlite3_stmt *statement; ///< NULL: it could not be prepared
    bool failed;
} PsSql;

/// `kinds` has a letter for each value: `t` const char * (NULL allowed), `i` int64_t, `b` const
/// void
/// * and size_t, `j` const json_t * as text (NULL allowed). `text` is constant.
void ps_sql_begin(PsSql *sql, sqlite3 *db, const char *text, const char *kinds, ...);
/// True while there is another row.
bool ps_sql_next(PsSql *sql);
/// PS_ERR_IO when anything failed since begin.
PsErr ps_sql_end(PsSql *sql);

int64_t ps_sql_int(const PsSql *sql, int column);
/// "" for NULL.
const char *ps_sql_text(const PsSql *sql, int column);
bool ps_sql_is_null(const PsSql *sql, int column);
/// A new reference; NULL for NULL, and for what is not JSON.
json_t *ps_sql_json(const PsSql *sql, int column);

/// A statement without rows.
PsErr ps_sql_run(sqlite3 *db, const char *text, const char *kinds, ...);
/// For making tables: several statements, PS_ERR_IO with what to do.
PsErr ps_sql_make(sqlite3 *db, const char *text, PsDiag *diag);

/// What is done between the two is done whole or not at all, also inside another transaction.
PsErr ps_sql_savepoint(sqlite3 *db);
/// Keeps it, or takes it back when `err` is not PS_OK; gives `err`, or PS_ERR_IO.
PsErr ps_sql_release(sqlite3 *db, PsErr err);
