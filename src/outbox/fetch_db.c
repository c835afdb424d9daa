// Reading rows that are to go out. Blocks on the disk; used by one thread at a time.
#include "outbox/fetch_db.h"

#include "outbox/db_private.h"

static PsErr add_damaged(PsDb *db, sqlite3_stmt *statement, PsOutboxClass class,
                         PsDamagedRows *rows) {
    PsDamagedRow row = {.id = (uint64_t)sqlite3_column_int64(statement, 0),
                        .class = class,
                        .stored_number = sqlite3_column_int64(statement, 2),
                        .collected = {sqlite3_column_int64(statement, 1)},
                        .bytes = (uint64_t)sqlite3_column_bytes(statement, 3) +
                                 (uint64_t)sqlite3_column_bytes(statement, 5)};
    return ps_damaged_rows_add(db, rows, row);
}

static PsRow *row_of(sqlite3_stmt *statement, PsOutboxClass class) {
    PsOutboxRow content = {
        .id = (uint64_t)sqlite3_column_int64(statement, 0),
        .collected = {sqlite3_column_int64(statement, 1)},
        .topic = (const char *)sqlite3_column_text(statement, 3),
        .qos = sqlite3_column_int(statement, 4),
        .class = class,
        .payload = sqlite3_column_blob(statement, 5),
        .len = (size_t)sqlite3_column_bytes(statement, 5),
    };
    return content.topic != NULL ? ps_row_new(&content) : NULL;
}

PsErr ps_db_fetch(PsDb *db, PsOutboxClass class, PsRowKey from, size_t limit, size_t limit_bytes,
                  PsDbFetched *ret_fetched) {
    sqlite3_stmt *statement = db->statements[PS_DB_FETCH];
    sqlite3_bind_int(statement, 1, (int)class);
    sqlite3_bind_int64(statement, 2, from.collected_ns);
    sqlite3_bind_int64(statement, 3, (sqlite3_int64)from.id);
    sqlite3_bind_int64(statement, 4, (sqlite3_int64)limit + 1); // one more tells whether all
    size_t bytes = 0;
    int code = SQLITE_ROW;
    PsErr err = PS_OK;
    PsDbFetched fetched = {.rows = ret_fetched->rows, .numbers = ret_fetched->numbers};
    while (err == PS_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        if (fetched.count + fetched.damaged.count == limit ||
            (fetched.count > 0 && bytes >= limit_bytes)) {
            break;
        }
        if (sqlite3_column_int(statement, 6) == 0) {
            err = add_damaged(db, statement, class, &fetched.damaged);
            continue;
        }
        PsRow *row = row_of(statement, class);
        if (row == NULL) {
            err = PS_ERR_NO_MEMORY;
            break;
        }
        bytes += row->bytes;
        fetched.numbers[fetched.count] = sqlite3_column_int64(statement, 2);
        fetched.rows[fetched.count++] = row;
    }
    sqlite3_reset(statement);
    err = err != PS_OK ? err : ps_db_err(code);
    if (err != PS_OK) {
        for (size_t i = 0; i < fetched.count; i++) {
            ps_row_unref(fetched.rows[i]);
        }
        ps_damaged_rows_deinit(&fetched.damaged);
        return err;
    }
    fetched.complete = code == SQLITE_DONE;
    *ret_fetched = fetched;
    return PS_OK;
}
