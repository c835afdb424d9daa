// Opening and closing the outbox's database: its schema and versions, the check of its soundness.
// Blocks on the disk; used by one thread at a time.
#include "outbox/db.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/random.h"
#include "outbox/db_private.h"
#include "outbox/disk_db.h"
#include "outbox/gap_db.h"
#include "outbox/room_db.h"
#include "outbox/sum_db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMA_VERSION 5
// The version stands in the file twice: where only one place says that it is of a newer version,
// the file is damaged.
#define MARK(version) (0x50530000 + (version))

// Letters with a large input keep what is listed before it on their first page.
#define DEAD_TABLES                                                                                \
    "CREATE TABLE dead(id INTEGER PRIMARY KEY, name INTEGER NOT NULL,"                             \
    " collected INTEGER NOT NULL, died INTEGER NOT NULL, form INTEGER NOT NULL,"                   \
    " qos INTEGER NOT NULL, schema INTEGER, reason TEXT NOT NULL, input BLOB NOT NULL,"            \
    " sum INTEGER);"                                                                               \
    "CREATE INDEX dead_order ON dead(collected, id);"                                              \
    "CREATE TABLE dead_schema(hash INTEGER PRIMARY KEY, bytes BLOB NOT NULL);"

// What was written on which day.
#define DISK_TABLE "CREATE TABLE disk(day INTEGER PRIMARY KEY, bytes INTEGER NOT NULL);"

// The clock of the newest boot.
#define ERA_TABLE                                                                                  \
    "CREATE TABLE era(boot TEXT PRIMARY KEY, started INTEGER NOT NULL, offset INTEGER NOT NULL,"   \
    " settled INTEGER NOT NULL, first_message INTEGER NOT NULL, first_letter INTEGER NOT NULL)"    \
    " WITHOUT ROWID;"

#define VERSION "PRAGMA user_version = 5; COMMIT;"

static const char schema[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE name(number INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE,"
    " delivered INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE dropped(name INTEGER NOT NULL, reason TEXT NOT NULL, count INTEGER NOT NULL,"
    " PRIMARY KEY(name, reason)) WITHOUT ROWID;"
    "CREATE TABLE message(id INTEGER PRIMARY KEY, class INTEGER NOT NULL,"
    " collected INTEGER NOT NULL, name INTEGER NOT NULL, topic TEXT NOT NULL,"
    " qos INTEGER NOT NULL, payload BLOB NOT NULL, sum INTEGER);"
    "CREATE INDEX message_order ON message(class, collected, id);" DEAD_TABLES DISK_TABLE ERA_TABLE
        VERSION;

// Rows stay as they are: what has no checksum needs none made for it, and a full disk is no reason
// not to open.
#define ADD_MESSAGE_SUM "ALTER TABLE message ADD COLUMN sum INTEGER;"
#define ADD_SUMS ADD_MESSAGE_SUM "ALTER TABLE dead ADD COLUMN sum INTEGER;"

// Version 1 had no dead letters, and a count of them that was always 0; version 2 did not count
// what it wrote; version 3 took each clock for right; version 4 each row for what was stored.
static const char *const from_version[SCHEMA_VERSION] = {
    [1] = "BEGIN IMMEDIATE; ALTER TABLE name DROP COLUMN dead;" ADD_MESSAGE_SUM DEAD_TABLES
        DISK_TABLE ERA_TABLE VERSION,
    [2] = "BEGIN IMMEDIATE;" ADD_SUMS DISK_TABLE ERA_TABLE VERSION,
    [3] = "BEGIN IMMEDIATE;" ADD_SUMS ERA_TABLE VERSION,
    [4] = "BEGIN IMMEDIATE;" ADD_SUMS VERSION,
};

// The whole check: an index that has other keys than its table would keep rows back.
static PsErr check_sound(PsDb *db, char *ret_why, size_t size) {
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db->handle, "PRAGMA integrity_check(1)", -1, &statement, NULL);
    bool sound = false;
    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
        const unsigned char *text = code == SQLITE_ROW ? sqlite3_column_text(statement, 0) : NULL;
        sound = text != NULL && strcmp((const char *)text, "ok") == 0;
        snprintf(ret_why, size, "%s", text != NULL ? (const char *)text : "no memory");
    }
    sqlite3_finalize(statement);
    PsErr err = ps_db_err(code);
    return err != PS_OK ? err : sound ? PS_OK : PS_ERR_CORRUPT;
}

// ---- open and close

// `why` is filled when the check finds something.
static PsErr prepare_file(PsDb *db, char *why, size_t size) {
    // The lock is kept: a second gateway on the same folder is refused, and WAL needs no shared
    // memory file.
    PsErr err = ps_db_execute(db, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
                                  "PRAGMA synchronous = FULL;"
                                  "PRAGMA cache_size = -512; PRAGMA temp_store = MEMORY;"
                                  // What is freed is wiped, so that recovery finds no old rows.
                                  "PRAGMA secure_delete = ON;"
                                  "BEGIN IMMEDIATE; COMMIT;");
    int64_t version = 0;
    int64_t mark = 0;
    if (err == PS_OK) {
        err = ps_room_db_prepare(db);
    }
    if (err == PS_OK) {
        err = check_sound(db, why, size);
    }
    if (err == PS_OK) {
        err = ps_db_number(db, "PRAGMA user_version", &version);
    }
    if (err == PS_OK) {
        err = ps_db_number(db, "PRAGMA application_id", &mark);
    }
    if (err == PS_OK && version == 0) {
        int64_t tables = 0;
        err = ps_db_number(db, "SELECT count(*) FROM sqlite_master", &tables);
        if (err == PS_OK) {
            err = tables == 0 ? ps_db_execute(db, schema) : PS_ERR_CORRUPT;
        }
    } else if (err == PS_OK && version > 0 && version < SCHEMA_VERSION) {
        err = ps_db_execute(db, from_version[version]);
        err = err == PS_ERR_IO ? PS_ERR_CORRUPT : err; // a foreign schema
    } else if (err == PS_OK && version != SCHEMA_VERSION) {
        err = mark == MARK(version) ? PS_ERR_UNSUPPORTED : PS_ERR_CORRUPT;
    }
    if (err == PS_OK && mark != MARK(SCHEMA_VERSION)) {
        char text[64];
        snprintf(text, sizeof text, "PRAGMA application_id = %d", MARK(SCHEMA_VERSION));
        err = ps_db_execute(db, text);
    }
    return err;
}

static void free_db(PsDb *db) {
    for (size_t i = 0; i < PS_DB_STATEMENT_COUNT; i++) {
        sqlite3_finalize(db->statements[i]);
    }
    sqlite3_close(db->handle);
    ps_vfs_deinit(&db->vfs);
    free(db);
}

static int count_written(PsVfsOp op, int *len, void *ctx) {
    PsDb *db = ctx;
    db->written_bytes += op == PS_VFS_WRITE ? (uint64_t)*len : 0;
    return SQLITE_OK;
}

PsErr ps_db_open(const char *path, PsDb **ret_db, PsDiag *diag) {
    PsDb *db = ps_alloc(sizeof *db);
    ps_file_keep_private(path); // messages are nobody else's business; the WAL gets the same mode
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    PsErr err = ps_db_err(ps_vfs_init(&db->vfs, count_written, db));
    if (err == PS_OK) {
        err = ps_db_err(sqlite3_open_v2(path, &db->handle, flags, db->vfs.name));
    }
    char why[160] = "";
    if (err == PS_OK) {
        err = prepare_file(db, why, sizeof why);
    }
    if (err == PS_OK) {
        err = ps_gap_db_prepare(db);
    }
    if (err == PS_OK) {
        err = ps_sum_db_prepare(db);
    }
    if (err == PS_OK) {
        err = ps_db_prepare(db);
    }
    if (err == PS_OK) {
        err = ps_disk_db_load(db);
    }
    if (err == PS_OK) {
        *ret_db = db;
        return PS_OK;
    }
    const char *words = err == PS_ERR_BUSY ? "another penstockd uses this folder; stop it or use "
                                             "another --state folder"
                        : err == PS_ERR_UNSUPPORTED
                            ? "written by a newer version; install that version"
                        : err == PS_ERR_CORRUPT ? "no sound database"
                                                : "check the disk and the folder's owner and mode";
    const char *text = db->handle != NULL ? sqlite3_errmsg(db->handle) : "no memory";
    for (char *at = why; *at != '\0'; at++) {
        *at = *at == '\n' ? ' ' : *at;
    }
    (void)ps_fail(err, diag, path, NULL, "cannot be used as outbox: %s; %s",
                  err == PS_ERR_CORRUPT && why[0] != '\0' ? why : text, words);
    ps_db_abandon(db);
    return err;
}

void ps_db_abandon(PsDb *db) {
    if (db == NULL) {
        return;
    }
    if (db->handle != NULL) {
        sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    }
    free_db(db);
}

PsErr ps_db_settle(PsDb *db) {
    return ps_db_err(
        sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL));
}

int64_t ps_db_spare_id(void) {
    int64_t half = PS_DB_MOST_ID / 2;
    return half + (ps_random_up_to((1 << 30) - 1) << 30);
}

// The log is ended first, so that what that writes is counted.
static PsErr save_disk_use(PsDb *db) {
    PsErr err = ps_db_settle(db);
    ps_disk_db_count(db);
    if (err == PS_OK && db->disk_unsaved.total > 0) {
        err = ps_db_run(db, PS_DB_BEGIN);
        if (err == PS_OK) {
            err = ps_disk_db_save(db, true);
        }
        if (err == PS_OK) {
            err = ps_db_run(db, PS_DB_COMMIT);
        }
    }
    return err;
}

void ps_db_close(PsDb *db) {
    if (db != NULL) {
        (void)save_disk_use(db); // a number for people: nothing is done about it
        free_db(db);
    }
}
