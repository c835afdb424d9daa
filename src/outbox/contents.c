// Opening the database, with recovery, and reading what the main thread needs to know of it.
#include "outbox/contents.h"

#include "base/mem.h"
#include "outbox/db_private.h"
#include "outbox/dead_db.h"
#include "outbox/recover.h"

#include <stdlib.h>

void ps_contents_deinit(PsContents *contents) {
    ps_ledgers_deinit(&contents->ledgers);
    ps_damaged_rows_deinit(&contents->damaged);
    free(contents->letters);
    *contents = (PsContents){0};
}

static void on_letter(const PsDeadStored *letter, void *ctx) {
    PsContents *contents = ctx;
    if (contents->letter_count == contents->letter_capacity) {
        contents->letter_capacity = contents->letter_count > 0 ? contents->letter_count * 2 : 64;
        contents->letters =
            ps_grow_array(contents->letters, contents->letter_capacity, sizeof *contents->letters);
    }
    contents->letters[contents->letter_count++] = *letter;
}

// Letters of a name that is not in the database.
static bool is_strange(const PsContents *contents) {
    for (size_t i = 0; i < contents->letter_count; i++) {
        if (ps_ledgers_number(&contents->ledgers, contents->letters[i].number) ==
            contents->ledgers.count) {
            return true;
        }
    }
    return false;
}

static bool is_held(PsHeldRows held, uint64_t id) {
    size_t i = 0;
    while (i < held.count && held.ids[i] != id) {
        i++;
    }
    return i < held.count;
}

static PsErr leave_out(PsDb *db, PsHeldRows held, PsContents *contents) {
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(
        db->handle,
        "SELECT class, name, length(CAST(topic AS BLOB)) + length(payload) FROM message "
        "WHERE id = ?1",
        -1, &statement, NULL);
    PsErr err = ps_db_err(code);
    for (size_t i = 0; err == PS_OK && i < held.count; i++) {
        sqlite3_bind_int64(statement, 1, (sqlite3_int64)held.ids[i]);
        code = sqlite3_step(statement);
        if (code == SQLITE_ROW) {
            // Both are known: they were counted.
            size_t name = ps_ledgers_number(&contents->ledgers, sqlite3_column_int64(statement, 1));
            PsDbStock *stock = &contents->stock[sqlite3_column_int(statement, 0)];
            stock->rows--;
            stock->bytes -= (uint64_t)sqlite3_column_int64(statement, 2);
            contents->ledgers.entries[name].book.waiting--;
        }
        err = ps_db_err(sqlite3_reset(statement));
    }
    sqlite3_finalize(statement);
    return err;
}

// They were counted among those that wait; what memory holds, too, is counted no more.
static PsErr leave_out_damaged(PsDb *db, PsHeldRows held, PsContents *contents) {
    PsDamagedRows found = {0};
    PsErr err = ps_sum_db_find(db, &found);
    size_t kept = 0;
    for (size_t i = 0; err == PS_OK && i < found.count; i++) {
        const PsDamagedRow *row = &found.items[i];
        if (is_held(held, row->id)) {
            continue;
        }
        size_t name = ps_ledgers_number(&contents->ledgers, row->stored_number);
        contents->ledgers.entries[name].book.waiting--;
        contents->stock[row->class].rows--;
        contents->stock[row->class].bytes -= row->bytes;
        found.items[kept++] = *row;
    }
    found.count = kept;
    contents->damaged = found;
    return err;
}

static PsErr load(PsDb *db, PsHeldRows held, PsContents *contents) {
    PsErr err = ps_db_load(db, &contents->ledgers, contents->stock, &contents->next_id);
    if (err == PS_OK) {
        err = ps_era_db_load(db, &contents->era);
    }
    if (err == PS_OK) {
        err = leave_out(db, held, contents);
    }
    if (err == PS_OK) {
        err = leave_out_damaged(db, held, contents);
    }
    if (err == PS_OK) {
        err = ps_dead_db_load(db, on_letter, contents);
    }
    return err == PS_OK && is_strange(contents) ? PS_ERR_CORRUPT : err;
}

// Contents with the same names and nothing else.
static PsContents names_of(const PsContents *contents) {
    PsContents names = {0};
    for (size_t i = 0; i < contents->ledgers.count; i++) {
        ps_ledgers_name(&names.ledgers, contents->ledgers.entries[i].book.name);
    }
    return names;
}

PsErr ps_contents_open(const char *path, bool damaged, PsHeldRows held, PsDb **ret_db,
                       PsContents *ret_contents, PsDiag *diag) {
    PsContents contents = {0};
    PsDb *db = NULL;
    PsErr err = PS_ERR_CORRUPT;
    // What recovery has made can be read. Should it not, the last try begins with nothing.
    for (int tries = damaged ? 1 : 0; err == PS_ERR_CORRUPT && tries < 3; tries++) {
        contents = names_of(ret_contents);
        err = ps_recover_open(path, (PsRecoverHow)tries, &db, diag);
        if (err != PS_OK) {
            ps_contents_deinit(&contents);
            continue;
        }
        err = load(db, held, &contents);
        if (err != PS_OK) {
            ps_diag_set(diag, path, NULL, "cannot be read: %s; check the disk", ps_err_name(err));
            ps_contents_deinit(&contents);
            ps_db_abandon(db);
        }
    }
    if (err == PS_OK) {
        ps_contents_deinit(ret_contents);
        *ret_contents = contents;
        *ret_db = db;
    }
    return err;
}
