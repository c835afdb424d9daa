// SQLite for the registry. Main thread; blocks for the disk, which the WAL keeps short.
#include "localcloud/registry/db.h"

#include "base/file.h"
#include "localcloud/registry/schema.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define APPLICATION_ID 0x50535243 // "PSRC": tells our file from another program's
#define BUSY_MS 5000              // the command line and a cloud that starts may meet

static void fail(PsDb *db, const char *step) {
    if (!db->failed) {
        db->failed = true;
        db->constraint = sqlite3_errcode(db->handle) == SQLITE_CONSTRAINT;
        ps_diag_set(&db->why, "cloud.db", NULL, "%s (%s)", sqlite3_errmsg(db->handle), step);
    }
}

static bool execute(PsDb *db, const char *sql) {
    bool done = sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK;
    if (!done) {
        fail(db, sql);
    }
    return done;
}

static void bind(PsDb *db, sqlite3_stmt *statement, const char *types, va_list args) {
    for (int i = 0; types[i] != '\0'; i++) {
        int result = SQLITE_OK;
        if (types[i] == 't') {
            result = sqlite3_bind_text(statement, i + 1, va_arg(args, const char *), -1,
                                       SQLITE_TRANSIENT);
        } else {
            PS_ASSERT(types[i] == 'i');
            result = sqlite3_bind_int64(statement, i + 1, va_arg(args, int64_t));
        }
        if (result != SQLITE_OK) {
            fail(db, "parameter");
        }
    }
    PS_ASSERT(sqlite3_bind_parameter_count(statement) == (int)strlen(types));
}

PsDbRows ps_db_rows_unbound(PsDb *db, const char *sql) {
    PsDbRows rows = {.db = db};
    if (!db->failed &&
        sqlite3_prepare_v2(db->handle, sql, -1, &rows.statement, NULL) != SQLITE_OK) {
        fail(db, sql);
    }
    return rows;
}

static PsDbRows rows_of(PsDb *db, const char *sql, const char *types, va_list args) {
    PsDbRows rows = ps_db_rows_unbound(db, sql);
    if (rows.statement != NULL) {
        bind(db, rows.statement, types, args);
    }
    return rows;
}

PsDbRows ps_db_rows(PsDb *db, const char *sql, const char *types, ...) {
    va_list args;
    va_start(args, types);
    PsDbRows rows = rows_of(db, sql, types, args);
    va_end(args);
    return rows;
}

bool ps_db_next(PsDbRows *rows) {
    if (rows->statement == NULL) {
        return false;
    }
    int result = sqlite3_step(rows->statement);
    if (result == SQLITE_ROW) {
        return true;
    }
    if (result != SQLITE_DONE) {
        fail(rows->db, sqlite3_sql(rows->statement));
    }
    ps_db_rows_deinit(rows);
    return false;
}

const char *ps_db_text(const PsDbRows *rows, int column) {
    const char *text = (const char *)sqlite3_column_text(rows->statement, column);
    return text != NULL ? text : "";
}

int64_t ps_db_int(const PsDbRows *rows, int column) {
    return sqlite3_column_int64(rows->statement, column);
}

bool ps_db_is_null(const PsDbRows *rows, int column) {
    return sqlite3_column_type(rows->statement, column) == SQLITE_NULL;
}

void ps_db_rows_deinit(PsDbRows *rows) {
    sqlite3_finalize(rows->statement);
    rows->statement = NULL;
}

void ps_db_run(PsDb *db, const char *sql, const char *types, ...) {
    va_list args;
    va_start(args, types);
    PS_AUTO_DB_ROWS PsDbRows rows = rows_of(db, sql, types, args);
    va_end(args);
    while (ps_db_next(&rows)) {
    }
}

int ps_db_changes(const PsDb *db) {
    return sqlite3_changes(db->handle);
}

int64_t ps_db_number(PsDb *db, int64_t otherwise, const char *sql, const char *types, ...) {
    va_list args;
    va_start(args, types);
    PS_AUTO_DB_ROWS PsDbRows rows = rows_of(db, sql, types, args);
    va_end(args);
    return ps_db_next(&rows) ? ps_db_int(&rows, 0) : otherwise;
}

static void begin(PsDb *db, const char *outermost) {
    if (db->depth++ == 0) {
        db->failed = false;
        execute(db, outermost);
        return;
    }
    char sql[32];
    snprintf(sql, sizeof sql, "SAVEPOINT level%d", db->depth);
    execute(db, sql);
}

void ps_db_begin(PsDb *db) {
    begin(db, "BEGIN IMMEDIATE");
}

void ps_db_begin_reading(PsDb *db) {
    begin(db, "BEGIN DEFERRED");
}

PsErr ps_db_end(PsDb *db, bool keep) {
    PS_ASSERT(db->depth > 0);
    char sql[64];
    int level = db->depth--;
    bool kept = keep && !db->failed;
    if (level == 1) {
        kept = kept && execute(db, "COMMIT");
        if (!kept && sqlite3_get_autocommit(db->handle) == 0) {
            sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
        }
    } else if (!kept) {
        snprintf(sql, sizeof sql, "ROLLBACK TO level%d; RELEASE level%d", level, level);
        sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
    } else {
        snprintf(sql, sizeof sql, "RELEASE level%d", level);
        execute(db, sql);
    }
    bool failed = db->failed;
    // Undone inside: what a constraint refused is not the outer transaction's failure.
    db->failed = failed && level > 1 && !db->constraint;
    return failed ? PS_ERR_IO : PS_OK;
}

static PsErr make_tables(PsDb *db, PsDiag *diag) {
    char stamp[128];
    snprintf(stamp, sizeof stamp, "PRAGMA application_id = %d; PRAGMA user_version = %d",
             APPLICATION_ID, PS_DB_VERSION);
    ps_db_begin(db);
    if (execute(db, ps_registry_schema)) {
        execute(db, stamp);
    }
    PsErr err = ps_db_end(db, true);
    if (err != PS_OK && diag != NULL) {
        *diag = db->why;
    }
    return err;
}

static PsErr check_file(PsDb *db, const char *path, PsDiag *diag) {
    int64_t tables = ps_db_number(db, -1, "SELECT count(*) FROM sqlite_schema", "");
    int64_t owner = ps_db_number(db, -1, "PRAGMA application_id", "");
    int64_t version = ps_db_number(db, -1, "PRAGMA user_version", "");
    if (db->failed) {
        return ps_fail(PS_ERR_CORRUPT, diag, path, NULL,
                       "is no database that can be read (%s); move it away, or import an export",
                       db->why.text);
    }
    if (tables == 0) {
        return make_tables(db, diag);
    }
    if (owner != APPLICATION_ID) {
        return ps_fail(PS_ERR_CORRUPT, diag, path, NULL,
                       "belongs to another program; choose another folder");
    }
    if (version != PS_DB_VERSION) {
        return ps_fail(PS_ERR_CORRUPT, diag, path, NULL,
                       "was written by another version of penstock-cloud (%lld, this is %d); "
                       "export with that version and import here",
                       (long long)version, PS_DB_VERSION);
    }
    return PS_OK;
}

PsErr ps_db_open(const char *path, PsDb *ret_db, PsDiag *diag) {
    PsDb db = {0};
    ps_file_keep_private(path);
    int result =
        sqlite3_open_v2(path, &db.handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
    if (result != SQLITE_OK) {
        PsErr err =
            ps_fail(PS_ERR_IO, diag, path, NULL, "cannot be opened: %s", sqlite3_errstr(result));
        sqlite3_close_v2(db.handle);
        return err;
    }
    sqlite3_busy_timeout(db.handle, BUSY_MS);
    // NORMAL: a crash of the machine may lose the last calls, never the file.
    execute(&db, "PRAGMA journal_mode = WAL");
    execute(&db, "PRAGMA synchronous = NORMAL");
    execute(&db, "PRAGMA foreign_keys = ON");
    PsErr err = check_file(&db, path, diag);
    if (err != PS_OK) {
        ps_db_close(&db);
        return err;
    }
    *ret_db = db;
    return PS_OK;
}

void ps_db_close(PsDb *db) {
    sqlite3_close_v2(db->handle);
    *db = (PsDb){0};
}
