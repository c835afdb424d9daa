// SQLite statements of the outbox. Blocks on the disk; used by one thread at a time.
#include "outbox/db.h"

#include "base/cleanup.h"
#include "base/mem.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SCHEMA_VERSION 1
#define PAGE_BYTES 4096

typedef enum Statement {
    BEGIN,
    COMMIT,
    ROLLBACK,
    INSERT_ROW,
    DELETE_ROW,
    SET_BOOK,
    SET_DROPPED,
    FETCH,
    STATEMENT_COUNT,
} Statement;

static const char *const statement_texts[STATEMENT_COUNT] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [INSERT_ROW] = "INSERT INTO message(id, class, collected, name, topic, qos, payload) "
                   "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [DELETE_ROW] = "DELETE FROM message WHERE id = ?1",
    [SET_BOOK] = "UPDATE name SET delivered = ?2, dead = ?3 WHERE number = ?1",
    [SET_DROPPED] = "INSERT OR REPLACE INTO dropped(name, reason, count) VALUES(?1, ?2, ?3)",
    [FETCH] = "SELECT id, collected, name, topic, qos, payload FROM message "
              "WHERE class = ?1 AND (collected, id) >= (?2, ?3) ORDER BY collected, id LIMIT ?4",
};

struct PsDb {
    sqlite3 *handle;
    sqlite3_stmt *statements[STATEMENT_COUNT];
};

static const char schema[] =
    "CREATE TABLE name(number INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE,"
    " delivered INTEGER NOT NULL DEFAULT 0, dead INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE dropped(name INTEGER NOT NULL, reason TEXT NOT NULL, count INTEGER NOT NULL,"
    " PRIMARY KEY(name, reason)) WITHOUT ROWID;"
    "CREATE TABLE message(id INTEGER PRIMARY KEY, class INTEGER NOT NULL,"
    " collected INTEGER NOT NULL, name INTEGER NOT NULL, topic TEXT NOT NULL,"
    " qos INTEGER NOT NULL, payload BLOB NOT NULL);"
    "CREATE INDEX message_order ON message(class, collected, id);"
    "PRAGMA user_version = 1;";

static PsErr err_of(int code) {
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

static PsErr execute(PsDb *db, const char *text) {
    return err_of(sqlite3_exec(db->handle, text, NULL, NULL, NULL));
}

// ---- one number or text from a statement

static PsErr read_number(PsDb *db, const char *text, int64_t *ret_value) {
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db->handle, text, -1, &statement, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
        if (code == SQLITE_ROW) {
            *ret_value = sqlite3_column_int64(statement, 0);
        }
    }
    sqlite3_finalize(statement);
    return err_of(code);
}

static PsErr check_sound(PsDb *db) {
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db->handle, "PRAGMA quick_check(1)", -1, &statement, NULL);
    bool sound = false;
    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
        const unsigned char *text = code == SQLITE_ROW ? sqlite3_column_text(statement, 0) : NULL;
        sound = text != NULL && strcmp((const char *)text, "ok") == 0;
    }
    sqlite3_finalize(statement);
    PsErr err = err_of(code);
    return err != PS_OK ? err : sound ? PS_OK : PS_ERR_CORRUPT;
}

// ---- open and close

static PsErr prepare_file(PsDb *db) {
    // The lock is kept: a second gateway on the same folder is refused, and WAL needs no shared
    // memory file.
    PsErr err = execute(db, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
                            "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 4194304;"
                            "PRAGMA cache_size = -512; PRAGMA temp_store = MEMORY;"
                            "BEGIN IMMEDIATE; COMMIT;");
    int64_t version = 0;
    if (err == PS_OK) {
        err = check_sound(db);
    }
    if (err == PS_OK) {
        err = read_number(db, "PRAGMA user_version", &version);
    }
    if (err == PS_OK && version == 0) {
        int64_t tables = 0;
        err = read_number(db, "SELECT count(*) FROM sqlite_master", &tables);
        if (err == PS_OK) {
            err = tables == 0 ? execute(db, schema) : PS_ERR_CORRUPT;
        }
    } else if (err == PS_OK && version != SCHEMA_VERSION) {
        err = PS_ERR_UNSUPPORTED;
    }
    return err;
}

static PsErr prepare_statements(PsDb *db) {
    for (size_t i = 0; i < STATEMENT_COUNT; i++) {
        int code = sqlite3_prepare_v3(db->handle, statement_texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                                      &db->statements[i], NULL);
        if (code != SQLITE_OK) {
            return err_of(code) == PS_ERR_IO ? PS_ERR_CORRUPT : err_of(code); // a foreign schema
        }
    }
    return PS_OK;
}

// Messages are nobody else's business, whatever the umask and the folder's mode are. The WAL gets
// the mode of the database.
static void keep_private(const char *path) {
    PS_AUTO_FD int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0) {
        (void)fchmod(fd, 0600); // SQLite says what is wrong with a file that is not ours
    }
}

PsErr ps_db_open(const char *path, PsDb **ret_db, PsDiag *diag) {
    PsDb *db = ps_alloc(sizeof *db);
    keep_private(path);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    PsErr err = err_of(sqlite3_open_v2(path, &db->handle, flags, NULL));
    if (err == PS_OK) {
        err = prepare_file(db);
    }
    if (err == PS_OK) {
        err = prepare_statements(db);
    }
    if (err == PS_OK) {
        *ret_db = db;
        return PS_OK;
    }
    const char *words = err == PS_ERR_BUSY ? "another penstockd uses this folder; stop it or use "
                                             "another --state folder"
                        : err == PS_ERR_UNSUPPORTED
                            ? "written by a newer version; install that version"
                            : "check the disk and the folder's owner and mode";
    (void)ps_fail(err, diag, path, NULL, "cannot be used as outbox: %s; %s",
                  db->handle != NULL ? sqlite3_errmsg(db->handle) : "no memory", words);
    ps_db_close(db);
    return err;
}

void ps_db_close(PsDb *db) {
    if (db == NULL) {
        return;
    }
    for (size_t i = 0; i < STATEMENT_COUNT; i++) {
        sqlite3_finalize(db->statements[i]);
    }
    sqlite3_close(db->handle);
    free(db);
}

// ---- loading

typedef PsErr RowHandler(sqlite3_stmt *statement, void *ctx);

static PsErr for_each(PsDb *db, const char *text, RowHandler *handler, void *ctx) {
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db->handle, text, -1, &statement, NULL);
    PsErr err = err_of(code);
    while (err == PS_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        err = handler(statement, ctx);
    }
    sqlite3_finalize(statement);
    return err != PS_OK ? err : err_of(code);
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
    entry->book.dead = column_count(statement, 3);
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
    uint64_t *rows = ctx;
    int64_t class = sqlite3_column_int64(statement, 0);
    if (class < 0 || class >= PS_OUTBOX_CLASS_COUNT) {
        return PS_ERR_CORRUPT;
    }
    rows[class] = column_count(statement, 1);
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
        err = err_of(code);
        ledgers->entries[i].number = sqlite3_last_insert_rowid(db->handle);
    }
    return err;
}

PsErr ps_db_load(PsDb *db, PsLedgers *ledgers, uint64_t ret_rows[PS_OUTBOX_CLASS_COUNT],
                 uint64_t *ret_next_id) {
    const struct {
        const char *text;
        RowHandler *handler;
        void *ctx;
    } steps[] = {
        {"SELECT number, text, delivered, dead FROM name ORDER BY number", load_name, ledgers},
        {"SELECT name, reason, count FROM dropped", load_dropped, ledgers},
        {"SELECT name, count(*) FROM message GROUP BY name", load_waiting, ledgers},
        {"SELECT class, count(*) FROM message GROUP BY class", load_rows, ret_rows},
    };
    PsErr err = PS_OK;
    for (size_t i = 0; err == PS_OK && i < PS_COUNT(steps); i++) {
        err = for_each(db, steps[i].text, steps[i].handler, steps[i].ctx);
    }
    int64_t last = 0;
    if (err == PS_OK) {
        err = read_number(db, "SELECT coalesce(max(id), 0) FROM message", &last);
    }
    if (err == PS_OK) {
        err = number_new_names(db, ledgers);
    }
    for (size_t i = 0; i < ledgers->count; i++) {
        PsLedger *book = &ledgers->entries[i].book;
        book->accepted = book->delivered + book->waiting + book->dead;
        for (size_t reason = 0; reason < PS_DROP_COUNT; reason++) {
            book->accepted += book->dropped[reason];
        }
    }
    *ret_next_id = (uint64_t)last + 1;
    return err;
}

// ---- writing

static PsErr run(PsDb *db, Statement which) {
    sqlite3_stmt *statement = db->statements[which];
    int code = sqlite3_step(statement);
    sqlite3_reset(statement);
    return err_of(code);
}

static PsErr insert_row(PsDb *db, const PsRow *row, int64_t number) {
    sqlite3_stmt *statement = db->statements[INSERT_ROW];
    sqlite3_bind_int64(statement, 1, (sqlite3_int64)row->pub.id);
    sqlite3_bind_int(statement, 2, (int)row->pub.class);
    sqlite3_bind_int64(statement, 3, row->pub.collected.ns);
    sqlite3_bind_int64(statement, 4, number);
    sqlite3_bind_text(statement, 5, row->pub.topic, -1, SQLITE_STATIC);
    sqlite3_bind_int(statement, 6, row->pub.qos);
    sqlite3_bind_blob64(statement, 7, row->pub.payload, row->pub.len, SQLITE_STATIC);
    PsErr err = run(db, INSERT_ROW);
    sqlite3_clear_bindings(statement);
    return err;
}

static PsErr write_book(PsDb *db, const PsDbBook *book) {
    sqlite3_stmt *statement = db->statements[SET_BOOK];
    sqlite3_bind_int64(statement, 1, book->number);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64)book->delivered);
    sqlite3_bind_int64(statement, 3, (sqlite3_int64)book->dead);
    PsErr err = run(db, SET_BOOK);
    for (int reason = 0; err == PS_OK && reason < PS_DROP_COUNT; reason++) {
        if (book->dropped[reason] == 0) {
            continue;
        }
        statement = db->statements[SET_DROPPED];
        sqlite3_bind_int64(statement, 1, book->number);
        sqlite3_bind_text(statement, 2, ps_drop_reason_name((PsDropReason)reason), -1,
                          SQLITE_STATIC);
        sqlite3_bind_int64(statement, 3, (sqlite3_int64)book->dropped[reason]);
        err = run(db, SET_DROPPED);
    }
    return err;
}

PsErr ps_db_write(PsDb *db, const PsDbBatch *batch) {
    PsErr err = run(db, BEGIN);
    if (err != PS_OK) {
        return err;
    }
    for (size_t i = 0; err == PS_OK && i < batch->row_count; i++) {
        err = insert_row(db, batch->rows[i], batch->numbers[i]);
    }
    for (size_t i = 0; err == PS_OK && i < batch->delete_count; i++) {
        sqlite3_bind_int64(db->statements[DELETE_ROW], 1, (sqlite3_int64)batch->deletes[i]);
        err = run(db, DELETE_ROW);
    }
    for (size_t i = 0; err == PS_OK && i < batch->book_count; i++) {
        err = write_book(db, &batch->books[i]);
    }
    if (err == PS_OK) {
        err = run(db, COMMIT);
    }
    if (err != PS_OK) {
        (void)run(db, ROLLBACK); // after some errors SQLite has done it already
    }
    return err;
}

// ---- fetching

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
                  PsRow **ret_rows, int64_t *ret_numbers, size_t *ret_count, bool *ret_complete) {
    sqlite3_stmt *statement = db->statements[FETCH];
    sqlite3_bind_int(statement, 1, (int)class);
    sqlite3_bind_int64(statement, 2, from.collected_ns);
    sqlite3_bind_int64(statement, 3, (sqlite3_int64)from.id);
    sqlite3_bind_int64(statement, 4, (sqlite3_int64)limit + 1); // one more tells whether all
    size_t count = 0;
    size_t bytes = 0;
    int code = SQLITE_ROW;
    PsErr err = PS_OK;
    while (err == PS_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        if (count == limit || (count > 0 && bytes >= limit_bytes)) {
            break;
        }
        PsRow *row = row_of(statement, class);
        if (row == NULL) {
            err = PS_ERR_NO_MEMORY;
            break;
        }
        bytes += row->bytes;
        ret_numbers[count] = sqlite3_column_int64(statement, 2);
        ret_rows[count++] = row;
    }
    sqlite3_reset(statement);
    err = err != PS_OK ? err : err_of(code);
    if (err != PS_OK) {
        for (size_t i = 0; i < count; i++) {
            ps_row_unref(ret_rows[i]);
        }
        return err;
    }
    *ret_count = count;
    *ret_complete = code == SQLITE_DONE;
    return PS_OK;
}

uint64_t ps_db_written_bytes(PsDb *db) {
    int pages = 0;
    int highest = 0;
    sqlite3_db_status(db->handle, SQLITE_DBSTATUS_CACHE_WRITE, &pages, &highest, 0);
    return (uint64_t)(pages > 0 ? pages : 0) * PAGE_BYTES;
}
