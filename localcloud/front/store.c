// Retained messages and kept sessions in SQLite. Main thread; blocks for a local database.
#include "localcloud/front/store.h"

#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

typedef enum Statement {
    PUT_RETAINED,
    DROP_RETAINED,
    FIND_RETAINED,
    NEXT_RETAINED,
    PUT_SESSION,
    DROP_SESSION,
    SESSIONS,
    PUT_FILTER,
    DROP_FILTER,
    DROP_FILTERS,
    FILTERS,
    STATEMENT_COUNT,
} Statement;

#define RETAINED_COLUMNS "topic, payload, props, qos, modified, expires"
#define NOT_EXPIRED " AND (expires = 0 OR expires > ?2)"

static const char *const texts[STATEMENT_COUNT] = {
    [PUT_RETAINED] = "INSERT OR REPLACE INTO front_retained(" RETAINED_COLUMNS ")"
                     " VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
    [DROP_RETAINED] = "DELETE FROM front_retained WHERE topic = ?1",
    [FIND_RETAINED] =
        "SELECT " RETAINED_COLUMNS " FROM front_retained WHERE topic = ?1" NOT_EXPIRED,
    [NEXT_RETAINED] = "SELECT " RETAINED_COLUMNS " FROM front_retained WHERE topic > ?1" NOT_EXPIRED
                      " ORDER BY topic LIMIT 1",
    [PUT_SESSION] = "INSERT OR REPLACE INTO front_session(client_id, version, expiry, left)"
                    " VALUES(?1, ?2, ?3, ?4)",
    [DROP_SESSION] = "DELETE FROM front_session WHERE client_id = ?1",
    [SESSIONS] = "SELECT client_id, version, expiry, left FROM front_session",
    [PUT_FILTER] = "INSERT OR REPLACE INTO front_filter(client_id, filter, options)"
                   " VALUES(?1, ?2, ?3)",
    [DROP_FILTER] = "DELETE FROM front_filter WHERE client_id = ?1 AND filter = ?2",
    [DROP_FILTERS] = "DELETE FROM front_filter WHERE client_id = ?1",
    [FILTERS] = "SELECT filter, options FROM front_filter WHERE client_id = ?1",
};

// Topics and filters are BLOBs: ordered by their bytes.
static const char schema[] =
    "CREATE TABLE IF NOT EXISTS front_retained(topic BLOB PRIMARY KEY, payload BLOB NOT NULL,"
    " props BLOB NOT NULL, qos INTEGER NOT NULL, modified INTEGER NOT NULL,"
    " expires INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS front_session(client_id TEXT PRIMARY KEY,"
    " version INTEGER NOT NULL, expiry INTEGER NOT NULL, left INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS front_filter(client_id TEXT NOT NULL, filter BLOB NOT NULL,"
    " options INTEGER NOT NULL, PRIMARY KEY(client_id, filter)) WITHOUT ROWID;";

struct PsStore {
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    bool failing;
};

PsErr ps_store_open(sqlite3 *db, PsStore **ret_store, PsDiag *diag) {
    PsStore *store = ps_alloc(sizeof *store);
    store->db = db;
    int code = sqlite3_exec(db, schema, NULL, NULL, NULL);
    for (size_t i = 0; code == SQLITE_OK && i < STATEMENT_COUNT; i++) {
        code = sqlite3_prepare_v2(db, texts[i], -1, &store->statements[i], NULL);
    }
    if (code != SQLITE_OK) {
        PsErr err = ps_fail(PS_ERR_IO, diag, "cloud database", NULL,
                            "cannot keep sessions and retained messages: %s", sqlite3_errmsg(db));
        ps_store_close(store);
        return err;
    }
    *ret_store = store;
    return PS_OK;
}

void ps_store_close(PsStore *store) {
    if (store == NULL) {
        return;
    }
    for (size_t i = 0; i < STATEMENT_COUNT; i++) {
        sqlite3_finalize(store->statements[i]);
    }
    free(store);
}

static sqlite3_stmt *begin(PsStore *store, Statement which) {
    sqlite3_stmt *statement = store->statements[which];
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return statement;
}

// NULL would be SQL's NULL.
static void bind_bytes(sqlite3_stmt *statement, int column, PsBytes bytes) {
    sqlite3_bind_blob(statement, column, bytes.len > 0 ? (const void *)bytes.data : "",
                      (int)bytes.len, SQLITE_STATIC);
}

static void bind_text(sqlite3_stmt *statement, int column, const char *text) {
    sqlite3_bind_text(statement, column, text, -1, SQLITE_STATIC);
}

// True when there is a row.
static bool step(PsStore *store, sqlite3_stmt *statement) {
    int code = sqlite3_step(statement);
    bool failed = code != SQLITE_ROW && code != SQLITE_DONE;
    if (failed && !store->failing) {
        PS_LOGE("CLOUD-STORE", "sessions and retained messages are not kept: %s",
                sqlite3_errmsg(store->db));
    } else if (!failed && store->failing) {
        PS_LOGI("CLOUD-STORE", "sessions and retained messages are kept again");
    }
    store->failing = failed;
    return code == SQLITE_ROW;
}

static void run(PsStore *store, sqlite3_stmt *statement) {
    (void)step(store, statement);
    sqlite3_reset(statement);
}

static PsBytes column_bytes(sqlite3_stmt *statement, int column) {
    const void *data = sqlite3_column_blob(statement, column);
    return ps_bytes(data, (size_t)sqlite3_column_bytes(statement, column));
}

void ps_store_put_retained(PsStore *store, const PsRetained *message) {
    sqlite3_stmt *statement = begin(store, message->payload.len > 0 ? PUT_RETAINED : DROP_RETAINED);
    bind_bytes(statement, 1, message->topic);
    if (message->payload.len > 0) {
        bind_bytes(statement, 2, message->payload);
        bind_bytes(statement, 3, message->props);
        sqlite3_bind_int(statement, 4, message->qos);
        sqlite3_bind_int64(statement, 5, message->modified_ms);
        sqlite3_bind_int64(statement, 6, message->expires_ms);
    }
    run(store, statement);
}

bool ps_store_find_retained(PsStore *store, PsBytes topic, bool after, int64_t now_ms,
                            PsRetained *ret_message) {
    sqlite3_stmt *statement = begin(store, after ? NEXT_RETAINED : FIND_RETAINED);
    bind_bytes(statement, 1, topic);
    sqlite3_bind_int64(statement, 2, now_ms);
    if (!step(store, statement)) {
        sqlite3_reset(statement);
        return false;
    }
    *ret_message = (PsRetained){.topic = column_bytes(statement, 0),
                                .payload = column_bytes(statement, 1),
                                .props = column_bytes(statement, 2),
                                .qos = (uint8_t)sqlite3_column_int(statement, 3),
                                .modified_ms = sqlite3_column_int64(statement, 4),
                                .expires_ms = sqlite3_column_int64(statement, 5)};
    return true;
}

void ps_store_put_session(PsStore *store, const PsStoredSession *session) {
    sqlite3_stmt *statement = begin(store, PUT_SESSION);
    bind_text(statement, 1, session->client_id);
    sqlite3_bind_int(statement, 2, session->version);
    sqlite3_bind_int64(statement, 3, session->expiry_s);
    sqlite3_bind_int64(statement, 4, session->left_ms);
    run(store, statement);
}

void ps_store_put_filter(PsStore *store, const char *client_id, PsBytes filter, uint8_t options) {
    sqlite3_stmt *statement = begin(store, PUT_FILTER);
    bind_text(statement, 1, client_id);
    bind_bytes(statement, 2, filter);
    sqlite3_bind_int(statement, 3, options);
    run(store, statement);
}

void ps_store_drop_filter(PsStore *store, const char *client_id, PsBytes filter) {
    sqlite3_stmt *statement = begin(store, DROP_FILTER);
    bind_text(statement, 1, client_id);
    bind_bytes(statement, 2, filter);
    run(store, statement);
}

void ps_store_drop_session(PsStore *store, const char *client_id) {
    static const Statement both[] = {DROP_FILTERS, DROP_SESSION};
    for (size_t i = 0; i < PS_COUNT(both); i++) {
        sqlite3_stmt *statement = begin(store, both[i]);
        bind_text(statement, 1, client_id);
        run(store, statement);
    }
}

void ps_store_read(PsStore *store, const PsStoreReader *reader) {
    sqlite3_stmt *sessions = begin(store, SESSIONS);
    while (step(store, sessions)) {
        PsStoredSession session = {.client_id = (const char *)sqlite3_column_text(sessions, 0),
                                   .version = (uint8_t)sqlite3_column_int(sessions, 1),
                                   .expiry_s = (uint32_t)sqlite3_column_int64(sessions, 2),
                                   .left_ms = sqlite3_column_int64(sessions, 3)};
        reader->session(reader->ctx, &session);
        sqlite3_stmt *filters = begin(store, FILTERS);
        bind_text(filters, 1, session.client_id);
        while (step(store, filters)) {
            reader->filter(reader->ctx, session.client_id, column_bytes(filters, 0),
                           (uint8_t)sqlite3_column_int(filters, 1));
        }
        sqlite3_reset(filters);
    }
    sqlite3_reset(sessions);
}
