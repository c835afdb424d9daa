//! SQLite with few words: parameters by a letter each, rows one after the other, and a failure that
//! sticks until the transaction ends, so that callers look once. One thread.
#pragma once

#include "base/err.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

/// Bump when the tables change; a file of a newer version is refused.
#define PS_DB_VERSION 1

typedef struct PsDb {
    sqlite3 *handle;
    int depth;       ///< open transactions, nested
    bool failed;     ///< something went wrong since the outermost one began
    bool constraint; ///< and it was the data's fault: a key that is taken, or names nothing
    PsDiag why;
} PsDb;

/// Opens or makes the file (mode 0600, WAL) and its tables. PS_ERR_CORRUPT (not ours, or newer),
/// PS_ERR_IO, PS_ERR_DENIED.
PsErr ps_db_open(const char *path, PsDb *ret_db, PsDiag *diag);
/// Zeroed ones are fine.
void ps_db_close(PsDb *db);

/// A transaction; inside another one a part of it that can be undone alone.
void ps_db_begin(PsDb *db);
/// The same for look-ups: no lock is taken that would keep others from writing.
void ps_db_begin_reading(PsDb *db);
/// Ends it: kept when `keep` and nothing failed, else undone. PS_ERR_IO with db->why when something
/// failed; the outermost end forgets it.
PsErr ps_db_end(PsDb *db, bool keep);

/// `types` has a letter for each parameter: t text (const char *, NULL is NULL), i integer
/// (int64_t). Does nothing after a failure.
void ps_db_run(PsDb *db, const char *sql, const char *types, ...);
/// Rows that the last run changed.
int ps_db_changes(const PsDb *db);

/// The rows of a query. Ends by itself after the last row; otherwise by ps_db_rows_deinit.
typedef struct PsDbRows {
    PsDb *db;
    sqlite3_stmt *statement; ///< NULL: ended
} PsDbRows;

PsDbRows ps_db_rows(PsDb *db, const char *sql, const char *types, ...);
/// The caller binds the parameters itself; `statement` is NULL after a failure.
PsDbRows ps_db_rows_unbound(PsDb *db, const char *sql);
/// False after the last row or a failure.
bool ps_db_next(PsDbRows *rows);
/// Borrowed until the next row; "" for NULL.
const char *ps_db_text(const PsDbRows *rows, int column);
int64_t ps_db_int(const PsDbRows *rows, int column);
bool ps_db_is_null(const PsDbRows *rows, int column);
void ps_db_rows_deinit(PsDbRows *rows);
#define PS_AUTO_DB_ROWS __attribute__((cleanup(ps_db_rows_deinit)))

/// The first column of the first row as a number; `otherwise` without a row.
int64_t ps_db_number(PsDb *db, int64_t otherwise, const char *sql, const char *types, ...);
