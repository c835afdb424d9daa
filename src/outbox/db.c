// SQLite statements of the outbox. Blocks on the disk; used by one thread at a time.
#include "outbox/db.h"

#include "base/mem.h"
#include "outbox/db_private.h"
#include "outbox/dead_db.h"
#include "outbox/disk_db.h"
#include "outbox/era_db.h"
#include "outbox/gap_db.h"
#include "outbox/name_db.h"
#include "outbox/room_db.h"
#include "outbox/shed_db.h"
#include "outbox/sum_db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEAD_WHERE                                                                                 \
    "WHERE (?1 = 0 OR name = ?1) AND (?2 = 0 OR id = ?2) AND (collected, id) > (?3, ?4) "          \
    "ORDER BY collected, id LIMIT ?5"

static const char *const statement_texts[PS_DB_STATEMENT_COUNT] = {
    [PS_DB_BEGIN] = "BEGIN IMMEDIATE",
    [PS_DB_COMMIT] = "COMMIT",
    [PS_DB_ROLLBACK] = "ROLLBACK",
    [PS_DB_INSERT_ROW] =
        "INSERT INTO message(id, class, collected, name, topic, qos, payload, sum) "
        "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [PS_DB_DELETE_ROW] = "DELETE FROM message WHERE id = ?1",
    [PS_DB_SET_BOOK] = "UPDATE name SET delivered = ?2 WHERE number = ?1",
    [PS_DB_SET_DROPPED] = "INSERT OR REPLACE INTO dropped(name, reason, count) VALUES(?1, ?2, ?3)",
    [PS_DB_FETCH] = "SELECT id, collected, name, topic, qos, payload, "
                    "sum IS NULL OR sum = " PS_MESSAGE_SUM(
                        "collected", "name") " FROM message "
                                             "WHERE class = ?1 AND (collected, id) >= (?2, ?3) "
                                             "ORDER BY collected, id LIMIT ?4",
    // Bytes that have changed are put right again.
    [PS_DB_DEAD_SCHEMA] = "INSERT INTO dead_schema(hash, bytes) VALUES(?1, ?2) ON CONFLICT "
                          "DO UPDATE SET bytes = excluded.bytes WHERE bytes <> excluded.bytes",
    [PS_DB_DEAD_PUT] = "INSERT INTO dead(id, name, collected, died, form, qos, schema, reason, "
                       "input, sum) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "
                       "row_sum(?1, ?2, ?3, ?5, ?6, ?7, ?9))",
    [PS_DB_DEAD_FAILED] = "UPDATE dead SET died = ?2, reason = ?3 WHERE id = ?1",
    [PS_DB_DEAD_REMOVE] = "DELETE FROM dead WHERE id = ?1",
    [PS_DB_DEAD_LIST] = "SELECT id, name, collected, died, form, qos, "
                        "substr(reason, 1, instr(reason || char(10), char(10)) - 1), "
                        "length(input), NULL, NULL, NULL, 1 FROM dead " DEAD_WHERE,
    [PS_DB_DEAD_WHOLE] =
        "SELECT id, name, collected, died, form, qos, reason, length(input), "
        "input, hash, bytes, sum IS NULL OR sum = " PS_LETTER_SUM(
            "collected", "name") " FROM dead LEFT JOIN dead_schema ON hash = schema " DEAD_WHERE,
    [PS_DB_SET_GAP] = "INSERT OR REPLACE INTO gap(name, reason, first, last, count) "
                      "VALUES(?1, ?2, ?3, ?4, ?5)",
    [PS_DB_SHED_LOOK] =
        "SELECT id, collected, length(CAST(topic AS BLOB)) + length(payload) FROM message "
        "WHERE class = ?1 AND (collected, id) >= (?2, ?3) AND name = ?4 "
        "ORDER BY collected, id LIMIT ?5",
    [PS_DB_SHED_COUNT] = "INSERT INTO dropped(name, reason, count) VALUES(?1, ?2, ?3) "
                         "ON CONFLICT DO UPDATE SET count = count + excluded.count",
    [PS_DB_DISK_ADD] = "INSERT INTO disk(day, bytes) VALUES(?1, ?2) "
                       "ON CONFLICT(day) DO UPDATE SET bytes = bytes + excluded.bytes",
    [PS_DB_DISK_SINCE] = "INSERT OR IGNORE INTO disk(day, bytes) VALUES(?1, ?2)",
    [PS_DB_DISK_FORGET] = "DELETE FROM disk WHERE day >= 0 AND day < ?1",
};

PsErr ps_db_err(int code) {
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_DONE:
    case SQLITE_ROW:
        return PS_OK;
    case SQLITE_FULL:
        return PS_ERR_FULL;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return PS_ERR_CORRUPT;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return PS_ERR_BUSY;
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
        return PS_ERR_DENIED;
    case SQLITE_NOMEM:
        return PS_ERR_NO_MEMORY;
    default:
        return PS_ERR_IO;
    }
}

PsErr ps_db_execute(PsDb *db, const char *text) {
    return ps_db_err(sqlite3_exec(db->handle, text, NULL, NULL, NULL));
}

// ---- one number or text from a statement

PsErr ps_db_number(PsDb *db, const char *text, int64_t *ret_value) {
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db->handle, text, -1, &statement, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
        if (code == SQLITE_ROW) {
            *ret_value = sqlite3_column_int64(statement, 0);
        }
    }
    sqlite3_finalize(statement);
    return ps_db_err(code);
}

PsErr ps_db_prepare(PsDb *db) {
    for (size_t i = 0; i < PS_DB_STATEMENT_COUNT; i++) {
        int code = sqlite3_prepare_v3(db->handle, statement_texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                                      &db->statements[i], NULL);
        if (code != SQLITE_OK) {
            return ps_db_err(code) == PS_ERR_IO ? PS_ERR_CORRUPT
                                                : ps_db_err(code); // a foreign schema
        }
    }
    return PS_OK;
}

// ---- loading

PsErr ps_db_for_each(PsDb *db, const char *text, PsDbRow *row, void *ctx) {
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db->handle, text, -1, &statement, NULL);
    PsErr err = ps_db_err(code);
    while (err == PS_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        err = row(statement, ctx);
    }
    sqlite3_finalize(statement);
    return err != PS_OK ? err : ps_db_err(code);
}

static uint64_t column_count(sqlite3_stmt *statement, int column) {
    sqlite3_int64 value = sqlite3_column_int64(statement, column);
    return value > 0 ? (uint64_t)value : 0;
}

static PsErr load_name(sqlite3_stmt *statement, void *ctx) {
    PsLedgers *ledgers = ctx;
    const unsigned char *text = sqlite3_column_text(statement, 1);
    if (text == NULL) {
        return PS_ERR_NO_MEMORY;
    }
    size_t index = ps_ledgers_name(ledgers, (const char *)text); // may move the entries
    PsLedgerEntry *entry = &ledgers->entries[index];
    entry->number = sqlite3_column_int64(statement, 0);
    entry->book.delivered = column_count(statement, 2);
    return PS_OK;
}

static PsErr load_dropped(sqlite3_stmt *statement, void *ctx) {
    PsLedgers *ledgers = ctx;
    size_t index = ps_ledgers_number(ledgers, sqlite3_column_int64(statement, 0));
    const char *text = (const char *)sqlite3_column_text(statement, 1);
    for (int reason = 0; index < ledgers->count && text != NULL && reason < PS_DROP_COUNT;
         reason++) {
        if (strcmp(text, ps_drop_reason_name((PsDropReason)reason)) == 0) {
            ledgers->entries[index].book.dropped[reason] = column_count(statement, 2);
        }
    }
    return PS_OK;
}

static PsErr load_waiting(sqlite3_stmt *statement, void *ctx) {
    PsLedgers *ledgers = ctx;
    size_t index = ps_ledgers_number(ledgers, sqlite3_column_int64(statement, 0));
    if (index == ledgers->count) {
        return PS_ERR_CORRUPT;
    }
    ledgers->entries[index].book.waiting = column_count(statement, 1);
    return PS_OK;
}

static PsErr load_rows(sqlite3_stmt *statement, void *ctx) {
    PsDbStock *stock = ctx;
    int64_t class = sqlite3_column_int64(statement, 0);
    if (class < 0 || class >= PS_OUTBOX_CLASS_COUNT) {
        return PS_ERR_CORRUPT;
    }
    stock[class].rows = column_count(statement, 1);
    stock[class].bytes = column_count(statement, 2);
    return PS_OK;
}

static PsErr number_new_names(PsDb *db, PsLedgers *ledgers) {
    PsErr err = PS_OK;
    for (size_t i = 0; err == PS_OK && i < ledgers->count; i++) {
        if (ledgers->entries[i].number != 0) {
            continue;
        }
        sqlite3_stmt *statement = NULL;
        int code = sqlite3_prepare_v2(db->handle, "INSERT INTO name(text) VALUES(?1)", -1,
                                      &statement, NULL);
        if (code == SQLITE_OK) {
            sqlite3_bind_text(statement, 1, ledgers->entries[i].book.name, -1, SQLITE_STATIC);
            code = sqlite3_step(statement);
        }
        sqlite3_finalize(statement);
        err = ps_db_err(code);
        ledgers->entries[i].number = sqlite3_last_insert_rowid(db->handle);
    }
    return err;
}

PsErr ps_db_load(PsDb *db, PsLedgers *ledgers, PsDbStock ret_stock[PS_OUTBOX_CLASS_COUNT],
                 uint64_t *ret_next_id) {
    const struct {
        const char *text;
        PsDbRow *handler;
        void *ctx;
    } steps[] = {
        {"SELECT number, text, delivered FROM name ORDER BY number", load_name, ledgers},
        {"SELECT name, reason, count FROM dropped", load_dropped, ledgers},
        {"SELECT name, count(*) FROM message GROUP BY name", load_waiting, ledgers},
        {"SELECT class, count(*), sum(length(CAST(topic AS BLOB)) + length(payload)) "
         "FROM message GROUP BY class",
         load_rows, ret_stock},
    };
    PsErr err = PS_OK;
    for (size_t i = 0; err == PS_OK && i < PS_COUNT(steps); i++) {
        err = ps_db_for_each(db, steps[i].text, steps[i].handler, steps[i].ctx);
    }
    if (err == PS_OK) {
        err = ps_gap_db_load(db, ledgers);
    }
    int64_t last = 0;
    if (err == PS_OK) {
        err = ps_db_number(db, "SELECT coalesce(max(id), 0) FROM message", &last);
    }
    if (err == PS_OK) {
        err = number_new_names(db, ledgers);
    }
    for (size_t i = 0; i < ledgers->count; i++) {
        PsLedger *book = &ledgers->entries[i].book;
        book->accepted = book->delivered + book->waiting;
        for (size_t reason = 0; reason < PS_DROP_COUNT; reason++) {
            book->accepted += book->dropped[reason];
        }
    }
    *ret_next_id = (uint64_t)last + 1;
    return err;
}

// ---- writing

PsErr ps_db_run(PsDb *db, PsDbStatement which) {
    sqlite3_stmt *statement = db->statements[which];
    int code = sqlite3_step(statement);
    sqlite3_reset(statement);
    return ps_db_err(code);
}

PsErr ps_db_put(PsDb *db, PsDbStatement insert, PsDbStatement remove, uint64_t id) {
    sqlite3_stmt *statement = db->statements[insert];
    (void)sqlite3_step(statement);
    int code = sqlite3_reset(statement);
    if ((code & 0xff) != SQLITE_CONSTRAINT) {
        return ps_db_err(code);
    }
    sqlite3_bind_int64(db->statements[remove], 1, (sqlite3_int64)id);
    PsErr err = ps_db_run(db, remove);
    return err == PS_OK ? ps_db_run(db, insert) : err;
}

static PsErr insert_row(PsDb *db, const PsRow *row, int64_t number) {
    sqlite3_stmt *statement = db->statements[PS_DB_INSERT_ROW];
    sqlite3_bind_int64(statement, 1, (sqlite3_int64)row->pub.id);
    sqlite3_bind_int(statement, 2, (int)row->pub.class);
    sqlite3_bind_int64(statement, 3, row->pub.collected.ns);
    sqlite3_bind_int64(statement, 4, number);
    size_t topic_len = row->bytes - row->pub.len;
    sqlite3_bind_text64(statement, 5, row->pub.topic, topic_len, SQLITE_STATIC, SQLITE_UTF8);
    sqlite3_bind_int(statement, 6, row->pub.qos);
    sqlite3_bind_blob64(statement, 7, row->pub.payload, row->pub.len, SQLITE_STATIC);
    sqlite3_bind_int(statement, 8, ps_message_sum(&row->pub, number, topic_len));
    PsErr err = ps_db_put(db, PS_DB_INSERT_ROW, PS_DB_DELETE_ROW, row->pub.id);
    sqlite3_clear_bindings(statement);
    return err;
}

static PsErr write_book(PsDb *db, const PsDbBook *book) {
    sqlite3_stmt *statement = db->statements[PS_DB_SET_BOOK];
    sqlite3_bind_int64(statement, 1, book->number);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64)book->delivered);
    PsErr err = ps_db_run(db, PS_DB_SET_BOOK);
    for (int reason = 0; err == PS_OK && reason < PS_DROP_COUNT; reason++) {
        if (book->dropped[reason] == 0) {
            continue;
        }
        statement = db->statements[PS_DB_SET_DROPPED];
        sqlite3_bind_int64(statement, 1, book->number);
        sqlite3_bind_text(statement, 2, ps_drop_reason_name((PsDropReason)reason), -1,
                          SQLITE_STATIC);
        sqlite3_bind_int64(statement, 3, (sqlite3_int64)book->dropped[reason]);
        err = ps_db_run(db, PS_DB_SET_DROPPED);
    }
    return err == PS_OK ? ps_gap_db_write(db, book->number, book->gaps) : err;
}

PsErr ps_db_write(PsDb *db, const PsDbBatch *batch) {
    PsErr err = ps_room_db_check(db, batch);
    err = err == PS_OK ? ps_db_run(db, PS_DB_BEGIN) : err;
    if (err != PS_OK) {
        return err;
    }
    err = ps_name_db_write(db, batch->names, batch->name_count);
    for (size_t i = 0; err == PS_OK && i < batch->row_count; i++) {
        err = insert_row(db, batch->rows[i], batch->numbers[i]);
    }
    for (size_t i = 0; err == PS_OK && i < batch->delete_count; i++) {
        sqlite3_bind_int64(db->statements[PS_DB_DELETE_ROW], 1, (sqlite3_int64)batch->deletes[i]);
        err = ps_db_run(db, PS_DB_DELETE_ROW);
    }
    if (err == PS_OK) {
        err = ps_dead_db_apply(db, batch->dead);
    }
    for (size_t i = 0; err == PS_OK && i < batch->book_count; i++) {
        err = write_book(db, &batch->books[i]);
    }
    if (err == PS_OK && batch->shed != NULL) {
        err = ps_shed_db_apply(db, batch->shed);
    }
    if (err == PS_OK && batch->era != NULL) {
        err = ps_era_db_write(db, batch->era);
    }
    if (err == PS_OK) {
        err = ps_disk_db_save(db, false);
    }
    if (err == PS_OK) {
        err = ps_db_run(db, PS_DB_COMMIT);
    }
    if (err != PS_OK) {
        db->disk_saving = false;
        (void)ps_db_run(db, PS_DB_ROLLBACK); // after some errors SQLite has done it already
        if (err == PS_ERR_FULL) {
            ps_room_db_release(db);
        }
        return err;
    }
    ps_disk_db_saved(db);
    return PS_OK;
}

// ---- the disk

uint64_t ps_db_written_bytes(const PsDb *db) {
    return db->written_bytes;
}

const PsDiskUse *ps_db_disk_use(PsDb *db) {
    ps_disk_db_count(db);
    return &db->disk;
}
