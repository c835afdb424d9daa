// SQLite statements of the alarm journal. Blocks on the disk; used by one thread at a time.
#include "alarm/journal_db.h"

#include "base/file.h"
#include "base/mem.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMA_VERSION 3

typedef enum Statement {
    INSERT,
    TRIM,
    FIND,
    SET_MARK,
    REMOVE_MARK,
    MARKS,
    STATEMENT_COUNT,
} Statement;

// Ids rise, but have holes where a full disk cost entries: what stays is counted, not computed.
static const char *const statement_texts[STATEMENT_COUNT] = {
    [INSERT] = "INSERT INTO entry(id, time, level, name, group_name, status, value, unit, "
               "description, who) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    [TRIM] = "DELETE FROM entry WHERE id <= "
             "(SELECT id FROM entry ORDER BY id DESC LIMIT 1 OFFSET ?1)",
    [FIND] = "SELECT id, time, level, name, group_name, status, value, unit, description, "
             "who FROM entry WHERE id < ?1 ORDER BY id DESC",
    [SET_MARK] = "INSERT OR REPLACE INTO mark(name, acknowledged, acknowledged_by, shelved_until, "
                 "shelved_by, on_since, told_on) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [REMOVE_MARK] = "DELETE FROM mark WHERE name = ?1",
    [MARKS] = "SELECT name, acknowledged, acknowledged_by, shelved_until, shelved_by, "
              "on_since, told_on FROM mark",
};

#define MARK_TABLE                                                                                 \
    "CREATE TABLE mark(name TEXT PRIMARY KEY, acknowledged INTEGER NOT NULL,"                      \
    " acknowledged_by TEXT NOT NULL, shelved_until INTEGER NOT NULL, shelved_by TEXT NOT "         \
    "NULL);" KEPT_STATE

// Since version 3.
#define KEPT_STATE                                                                                 \
    "ALTER TABLE mark ADD COLUMN on_since INTEGER NOT NULL DEFAULT 0;"                             \
    "ALTER TABLE mark ADD COLUMN told_on INTEGER NOT NULL DEFAULT 0;"                              \
    "PRAGMA user_version = 3;"                                                                     \
    "COMMIT;"

static const char schema[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE entry(id INTEGER PRIMARY KEY, time INTEGER NOT NULL, level INTEGER NOT NULL,"
    " name TEXT NOT NULL, group_name TEXT NOT NULL, status TEXT NOT NULL, value TEXT NOT NULL,"
    " unit TEXT NOT NULL, description TEXT NOT NULL, who TEXT NOT NULL);" MARK_TABLE;

// Version 1 knew nobody who did something.
static const char from_version_1[] =
    "BEGIN IMMEDIATE; ALTER TABLE entry ADD COLUMN who TEXT NOT NULL DEFAULT '';" MARK_TABLE;

// Version 2 kept no states of alarms.
static const char from_version_2[] = "BEGIN IMMEDIATE;" KEPT_STATE;

struct PsJournalDb {
    sqlite3 *handle;
    sqlite3_stmt *statements[STATEMENT_COUNT];
};

static PsErr err_of(int code) {
    static const struct {
        int code;
        PsErr err;
    } meanings[] = {
        {SQLITE_OK, PS_OK},
        {SQLITE_ROW, PS_OK},
        {SQLITE_DONE, PS_OK},
        {SQLITE_FULL, PS_ERR_FULL},
        {SQLITE_CORRUPT, PS_ERR_CORRUPT},
        {SQLITE_NOTADB, PS_ERR_CORRUPT},
        {SQLITE_BUSY, PS_ERR_BUSY},
        {SQLITE_PERM, PS_ERR_DENIED},
        {SQLITE_READONLY, PS_ERR_DENIED},
    };
    for (size_t i = 0; i < PS_COUNT(meanings); i++) {
        if (meanings[i].code == (code & 0xff)) {
            return meanings[i].err;
        }
    }
    return PS_ERR_IO;
}

static PsErr execute(PsJournalDb *db, const char *text) {
    return err_of(sqlite3_exec(db->handle, text, NULL, NULL, NULL));
}

// ---- open and close

// The first column of the only row: sqlite3_exec's callback.
static int take_text(void *ctx, int count, char **values, char **names) {
    char **text = ctx;
    free(*text);
    *text = ps_strdup(values[0]);
    return 0;
}

static PsErr ask(PsJournalDb *db, const char *question, char **ret_text) {
    char *text = NULL;
    PsErr err = err_of(sqlite3_exec(db->handle, question, take_text, &text, NULL));
    if (err == PS_OK && text == NULL) {
        err = PS_ERR_CORRUPT;
    }
    if (err != PS_OK) {
        free(text);
        return err;
    }
    *ret_text = text;
    return PS_OK;
}

static PsErr ask_number(PsJournalDb *db, const char *question, int64_t *ret_number) {
    char *text = NULL;
    PsErr err = ask(db, question, &text);
    if (err == PS_OK) {
        *ret_number = strtoll(text, NULL, 10);
        free(text);
    }
    return err;
}

static PsErr check_sound(PsJournalDb *db) {
    char *text = NULL;
    PsErr err = ask(db, "PRAGMA quick_check(1)", &text);
    if (err == PS_OK) {
        err = strcmp(text, "ok") == 0 ? PS_OK : PS_ERR_CORRUPT;
        free(text);
    }
    return err;
}

static PsErr prepare_schema(PsJournalDb *db) {
    int64_t version = 0;
    int64_t tables = 0;
    PsErr err = ask_number(db, "PRAGMA user_version", &version);
    if (err == PS_OK && version == 0) {
        err = ask_number(db, "SELECT count(*) FROM sqlite_master", &tables);
        if (err == PS_OK) {
            err = tables == 0 ? execute(db, schema) : PS_ERR_CORRUPT;
        }
    } else if (err == PS_OK && version == 1) {
        err = execute(db, from_version_1);
    } else if (err == PS_OK && version == 2) {
        err = execute(db, from_version_2);
    } else if (err == PS_OK && version != SCHEMA_VERSION) {
        err = PS_ERR_UNSUPPORTED;
    }
    return err;
}

static PsErr prepare(PsJournalDb *db, uint64_t *ret_last_id) {
    int64_t last_id = 0;
    PsErr err = execute(db, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
                            "PRAGMA synchronous = FULL;"
                            // Little is written at once; a small disk is not filled by the log.
                            "PRAGMA wal_autocheckpoint = 64; PRAGMA journal_size_limit = 262144;"
                            "PRAGMA cache_size = -256; PRAGMA temp_store = MEMORY;");
    if (err == PS_OK) {
        err = check_sound(db);
    }
    if (err == PS_OK) {
        err = prepare_schema(db);
    }
    for (int i = 0; err == PS_OK && i < STATEMENT_COUNT; i++) {
        int code = sqlite3_prepare_v3(db->handle, statement_texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                                      &db->statements[i], NULL);
        err = code == SQLITE_ERROR ? PS_ERR_CORRUPT : err_of(code); // an error: a foreign schema
    }
    if (err == PS_OK) {
        err = ask_number(db, "SELECT coalesce(max(id), 0) FROM entry", &last_id);
    }
    if (err == PS_OK) {
        *ret_last_id = (uint64_t)last_id;
    }
    return err;
}

PsErr ps_journal_db_open(const char *path, PsJournalDb **ret_db, uint64_t *ret_last_id,
                         PsDiag *diag) {
    PsJournalDb *db = ps_alloc(sizeof *db);
    ps_file_keep_private(path);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    PsErr err = err_of(sqlite3_open_v2(path, &db->handle, flags, NULL));
    if (err == PS_OK) {
        err = prepare(db, ret_last_id);
    }
    if (err != PS_OK) {
        (void)ps_fail(err, diag, path, NULL, "%s",
                      err == PS_ERR_UNSUPPORTED ? "written by a newer version of Penstock"
                      : db->handle != NULL      ? sqlite3_errmsg(db->handle)
                                                : "no memory");
        ps_journal_db_close(db);
        return err;
    }
    *ret_db = db;
    return PS_OK;
}

void ps_journal_db_close(PsJournalDb *db) {
    if (db != NULL) {
        for (int i = 0; i < STATEMENT_COUNT; i++) {
            sqlite3_finalize(db->statements[i]);
        }
        sqlite3_close(db->handle);
        free(db);
    }
}

// ---- writing

static PsErr run(sqlite3_stmt *statement) {
    int code = sqlite3_step(statement);
    sqlite3_reset(statement);
    return err_of(code);
}

static PsErr insert(PsJournalDb *db, const PsJournalEntry *entry) {
    sqlite3_stmt *statement = db->statements[INSERT];
    const char *const texts[] = {entry->name, entry->group,       entry->status, entry->value,
                                 entry->unit, entry->description, entry->who};
    sqlite3_bind_int64(statement, 1, (sqlite3_int64)entry->id);
    sqlite3_bind_int64(statement, 2, entry->time.ns);
    sqlite3_bind_int(statement, 3, entry->level);
    for (size_t i = 0; i < PS_COUNT(texts); i++) {
        sqlite3_bind_text(statement, 4 + (int)i, texts[i], -1, SQLITE_STATIC);
    }
    PsErr err = run(statement);
    sqlite3_clear_bindings(statement);
    return err;
}

static PsErr write_mark(PsJournalDb *db, const char *name, const PsAlarmMark *mark) {
    bool is_set = mark->acknowledged.ns != 0 || mark->shelved_until.ns != 0 ||
                  mark->on_since.ns != 0 || mark->told_on;
    sqlite3_stmt *statement = db->statements[is_set ? SET_MARK : REMOVE_MARK];
    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    if (is_set) {
        sqlite3_bind_int64(statement, 2, mark->acknowledged.ns);
        sqlite3_bind_text(statement, 3, mark->acknowledged_by, -1, SQLITE_STATIC);
        sqlite3_bind_int64(statement, 4, mark->shelved_until.ns);
        sqlite3_bind_text(statement, 5, mark->shelved_by, -1, SQLITE_STATIC);
        sqlite3_bind_int64(statement, 6, mark->on_since.ns);
        sqlite3_bind_int(statement, 7, mark->told_on);
    }
    PsErr err = run(statement);
    sqlite3_clear_bindings(statement);
    return err;
}

static PsErr write_row(PsJournalDb *db, const PsJournalEntry *entry) {
    PsErr err = entry->status[0] != '\0' ? insert(db, entry) : PS_OK;
    return err == PS_OK && entry->marks ? write_mark(db, entry->name, &entry->mark) : err;
}

PsErr ps_journal_db_write(PsJournalDb *db, PsJournalRow *const *rows, size_t count, uint64_t keep) {
    PsErr err = execute(db, "BEGIN IMMEDIATE");
    if (err != PS_OK) {
        return err;
    }
    for (size_t i = 0; err == PS_OK && i < count; i++) {
        err = write_row(db, &rows[i]->entry);
    }
    if (err == PS_OK) {
        sqlite3_bind_int64(db->statements[TRIM], 1, (sqlite3_int64)keep);
        err = run(db->statements[TRIM]);
    }
    if (err == PS_OK) {
        err = execute(db, "COMMIT");
    }
    if (err != PS_OK && execute(db, "ROLLBACK") != PS_OK) {
        return err; // SQLite has done it already
    }
    return err;
}

// ---- reading

static const char *text_of(sqlite3_stmt *statement, int column) {
    const unsigned char *text = sqlite3_column_text(statement, column);
    return text != NULL ? (const char *)text : "";
}

static PsJournalEntry entry_of(sqlite3_stmt *statement) {
    return (PsJournalEntry){.id = (uint64_t)sqlite3_column_int64(statement, 0),
                            .time = {sqlite3_column_int64(statement, 1)},
                            .level = sqlite3_column_int(statement, 2),
                            .name = text_of(statement, 3),
                            .group = text_of(statement, 4),
                            .status = text_of(statement, 5),
                            .value = text_of(statement, 6),
                            .unit = text_of(statement, 7),
                            .description = text_of(statement, 8),
                            .who = text_of(statement, 9)};
}

PsErr ps_journal_db_find(PsJournalDb *db, const PsJournalQuery *query, PsJournalRow **ret_rows,
                         size_t *ret_count) {
    sqlite3_stmt *statement = db->statements[FIND];
    uint64_t before = query->before_id != 0 ? query->before_id : INT64_MAX;
    sqlite3_bind_int64(statement, 1, (sqlite3_int64)before);
    size_t count = 0;
    int code = SQLITE_DONE;
    while (count < PS_JOURNAL_FIND_MAX && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        PsJournalEntry entry = entry_of(statement);
        if (ps_journal_matches(query, &entry)) {
            ret_rows[count++] = ps_journal_row_new(&entry);
        }
    }
    sqlite3_reset(statement);
    PsErr err = err_of(code);
    if (err != PS_OK) {
        while (count > 0) {
            free(ret_rows[--count]);
        }
        return err;
    }
    *ret_count = count;
    return PS_OK;
}

PsErr ps_journal_db_marks(PsJournalDb *db, PsJournalMarked *marked, void *ctx) {
    sqlite3_stmt *statement = db->statements[MARKS];
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        PsAlarmMark mark = {.acknowledged = {sqlite3_column_int64(statement, 1)},
                            .shelved_until = {sqlite3_column_int64(statement, 3)},
                            .on_since = {sqlite3_column_int64(statement, 5)},
                            .told_on = sqlite3_column_int(statement, 6) != 0};
        snprintf(mark.acknowledged_by, sizeof mark.acknowledged_by, "%s", text_of(statement, 2));
        snprintf(mark.shelved_by, sizeof mark.shelved_by, "%s", text_of(statement, 4));
        marked(text_of(statement, 0), &mark, ctx);
    }
    sqlite3_reset(statement);
    return err_of(code);
}
