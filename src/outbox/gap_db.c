// Statements for gap records. Blocks on the disk; used by one thread at a time.
#include "outbox/gap_db.h"

#include "outbox/db_private.h"

#include <string.h>

PsErr ps_gap_db_prepare(PsDb *db) {
    return ps_db_err(
        sqlite3_exec(db->handle,
                     "CREATE TABLE IF NOT EXISTS gap(name INTEGER NOT NULL, reason TEXT NOT NULL,"
                     " first INTEGER NOT NULL, last INTEGER NOT NULL, count INTEGER NOT NULL,"
                     " PRIMARY KEY(name, reason)) WITHOUT ROWID",
                     NULL, NULL, NULL));
}

static PsErr load_gap(sqlite3_stmt *statement, void *ctx) {
    PsLedgers *ledgers = ctx;
    size_t index = ps_ledgers_number(ledgers, sqlite3_column_int64(statement, 0));
    const char *text = (const char *)sqlite3_column_text(statement, 1);
    for (int reason = 0; index < ledgers->count && text != NULL && reason < PS_DROP_COUNT;
         reason++) {
        sqlite3_int64 count = sqlite3_column_int64(statement, 4);
        if (count > 0 && strcmp(text, ps_drop_reason_name((PsDropReason)reason)) == 0) {
            ledgers->entries[index].gaps[reason] =
                (PsGap){.count = (uint64_t)count,
                        .first = {sqlite3_column_int64(statement, 2)},
                        .last = {sqlite3_column_int64(statement, 3)}};
        }
    }
    return PS_OK;
}

PsErr ps_gap_db_load(PsDb *db, PsLedgers *ledgers) {
    return ps_db_for_each(db, "SELECT name, reason, first, last, count FROM gap", load_gap,
                          ledgers);
}

PsErr ps_gap_db_write(PsDb *db, int64_t number, const PsGap gaps[PS_DROP_COUNT]) {
    PsErr err = PS_OK;
    for (int reason = 0; err == PS_OK && reason < PS_DROP_COUNT; reason++) {
        const PsGap *gap = &gaps[reason];
        if (!gap->dirty) {
            continue;
        }
        sqlite3_stmt *statement = db->statements[PS_DB_SET_GAP];
        sqlite3_bind_int64(statement, 1, number);
        sqlite3_bind_text(statement, 2, ps_drop_reason_name((PsDropReason)reason), -1,
                          SQLITE_STATIC);
        sqlite3_bind_int64(statement, 3, gap->first.ns);
        sqlite3_bind_int64(statement, 4, gap->last.ns);
        sqlite3_bind_int64(statement, 5, (sqlite3_int64)gap->count);
        err = ps_db_run(db, PS_DB_SET_GAP);
    }
    return err;
}
