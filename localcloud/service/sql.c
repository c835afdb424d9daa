// Statements with their values in one call.
#include "localcloud/service/sql.h"

#include "base/log.h"
#include "localcloud/service/json_text.h"

#include <stdarg.h>

static void fail(PsSql *sql) {
    if (!sql->failed) {
        PS_LOGE("SERVICE-DB", "the cloud's database refused: %s", sqlite3_errmsg(sql->db));
    }
    sql->failed = true;
}

static int bind_json(sqlite3_stmt *statement, int at, const json_t *json) {
    if (json == NULL) {
        return sqlite3_bind_null(statement, at);
    }
    PS_AUTO_BUF PsBuf text = {0};
    ps_json_text(json, &text);
    return sqlite3_bind_text64(statement, at, (const char *)text.data, text.len, SQLITE_TRANSIENT,
                               SQLITE_UTF8);
}

static void begin(PsSql *sql, sqlite3 *db, const char *text, const char *kinds, va_list args) {
    *sql = (PsSql){.db = db};
    if (sqlite3_prepare_v2(db, text, -1, &sql->statement, NULL) != SQLITE_OK) {
        fail(sql);
        return;
    }
    for (int i = 0; kinds[i] != '\0'; i++) {
        int result = SQLITE_MISUSE;
        switch (kinds[i]) {
        case 't':
            result = sqlite3_bind_text(sql->statement, i + 1, va_arg(args, const char *), -1,
                                       SQLITE_TRANSIENT);
            break;
        case 'i':
            result = sqlite3_bind_int64(sql->statement, i + 1, va_arg(args, int64_t));
            break;
        case 'b': {
            const void *bytes = va_arg(args, const void *);
            size_t len = va_arg(args, size_t);
            result = sqlite3_bind_blob64(sql->statement, i + 1, bytes, len, SQLITE_TRANSIENT);
            break;
        }
        case 'j':
            result = bind_json(sql->statement, i + 1, va_arg(args, const json_t *));
            break;
        }
        if (result != SQLITE_OK) {
            fail(sql);
            return;
        }
    }
}

void ps_sql_begin(PsSql *sql, sqlite3 *db, const char *text, const char *kinds, ...) {
    va_list args;
    va_start(args, kinds);
    begin(sql, db, text, kinds, args);
    va_end(args);
}

bool ps_sql_next(PsSql *sql) {
    if (sql->failed) {
        return false;
    }
    int result = sqlite3_step(sql->statement);
    if (result != SQLITE_ROW && result != SQLITE_DONE) {
        fail(sql);
    }
    return result == SQLITE_ROW;
}

PsErr ps_sql_end(PsSql *sql) {
    (void)sqlite3_finalize(sql->statement);
    sql->statement = NULL;
    return sql->failed ? PS_ERR_IO : PS_OK;
}

int64_t ps_sql_int(const PsSql *sql, int column) {
    return sqlite3_column_int64(sql->statement, column);
}

const char *ps_sql_text(const PsSql *sql, int column) {
    const char *text = (const char *)sqlite3_column_text(sql->statement, column);
    return text != NULL ? text : "";
}

bool ps_sql_is_null(const PsSql *sql, int column) {
    return sqlite3_column_type(sql->statement, column) == SQLITE_NULL;
}

json_t *ps_sql_json(const PsSql *sql, int column) {
    const char *text = (const char *)sqlite3_column_text(sql->statement, column);
    if (text == NULL) {
        return NULL;
    }
    return ps_json_parse(text, (size_t)sqlite3_column_bytes(sql->statement, column));
}

PsErr ps_sql_run(sqlite3 *db, const char *text, const char *kinds, ...) {
    PsSql sql;
    va_list args;
    va_start(args, kinds);
    begin(&sql, db, text, kinds, args);
    va_end(args);
    while (ps_sql_next(&sql)) {
    }
    return ps_sql_end(&sql);
}

PsErr ps_sql_make(sqlite3 *db, const char *text, PsDiag *diag) {
    if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK) {
        return ps_fail(PS_ERR_IO, diag, "the cloud's database", NULL,
                       "%s; look at the disk, or begin with a new folder", sqlite3_errmsg(db));
    }
    return PS_OK;
}

PsErr ps_sql_savepoint(sqlite3 *db) {
    return ps_sql_run(db, "SAVEPOINT service", "");
}

PsErr ps_sql_release(sqlite3 *db, PsErr err) {
    if (err != PS_OK) {
        PsErr undone = ps_sql_run(db, "ROLLBACK TO service", "");
        PsErr released = ps_sql_run(db, "RELEASE service", "");
        return undone != PS_OK || released != PS_OK ? PS_ERR_IO : err;
    }
    return ps_sql_run(db, "RELEASE service", "");
}
