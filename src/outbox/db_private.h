//! The open database, for the files that work on it (db.c, db_open.c and the *_db.c).
#pragma once

#include "outbox/db.h"
#include "outbox/disk_use.h"
#include "outbox/vfs.h"

typedef enum PsDbStatement {
    PS_DB_BEGIN,
    PS_DB_COMMIT,
    PS_DB_ROLLBACK,
    PS_DB_INSERT_ROW,
    PS_DB_DELETE_ROW,
    PS_DB_SET_BOOK,
    PS_DB_SET_DROPPED,
    PS_DB_FETCH,
    PS_DB_DEAD_SCHEMA,
    PS_DB_DEAD_PUT,
    PS_DB_DEAD_FAILED,
    PS_DB_DEAD_REMOVE,
    PS_DB_DEAD_LIST,
    PS_DB_DEAD_WHOLE,
    PS_DB_SET_GAP,
    PS_DB_SHED_LOOK,
    PS_DB_SHED_COUNT,
    PS_DB_DISK_ADD,
    PS_DB_DISK_SINCE,
    PS_DB_DISK_FORGET,
    PS_DB_STATEMENT_COUNT,
} PsDbStatement;

struct PsDb {
    sqlite3 *handle;
    sqlite3_stmt *statements[PS_DB_STATEMENT_COUNT];
    PsVfs vfs;              // counts what is written
    uint64_t written_bytes; // by it
    uint64_t log_bytes;     // of the write-ahead log, when all is well
    uint64_t reserve_bytes; // of the disk, for deletions
    uint64_t counted_bytes; // of them in `disk`
    PsDiskUse disk;
    PsDiskUse disk_unsaved; // part of `disk` that the database does not have
    PsMono disk_saved_at;
    bool disk_saving; // in the transaction under way
};

/// Ids lie below; a larger number is none that was ever given.
#define PS_DB_MOST_ID (INT64_C(1) << 62)

PsErr ps_db_err(int code);
/// Runs statements that give no rows.
PsErr ps_db_execute(PsDb *db, const char *text);
/// The first column of the first row, when there is one.
PsErr ps_db_number(PsDb *db, const char *text, int64_t *ret_value);
/// Compiles all statements.
PsErr ps_db_prepare(PsDb *db);
/// Runs a statement that gives no rows.
PsErr ps_db_run(PsDb *db, PsDbStatement which);
/// Inserts; a row of this id that is there already goes first: one that is in memory and in a
/// recovered database is the same. (INSERT OR REPLACE would cost an eighth more each time.)
PsErr ps_db_put(PsDb *db, PsDbStatement insert, PsDbStatement remove, uint64_t id);

typedef PsErr PsDbRow(sqlite3_stmt *statement, void *ctx);
/// Runs `text` and calls `row` for each row.
PsErr ps_db_for_each(PsDb *db, const char *text, PsDbRow *row, void *ctx);
