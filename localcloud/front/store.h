//! What the front keeps over a restart, in tables of the cloud's SQLite file: retained messages as
//! the control plane shows them, and the filters of kept sessions. The broker keeps its own copy of
//! both; these are what it cannot be asked for.
//! Main thread; blocks for a local database. A failing database is logged once; the cloud goes on.
#pragma once

#include "localcloud/front/property.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct PsStore PsStore;

/// Makes the tables. `db` is borrowed. PS_ERR_IO.
PsErr ps_store_open(sqlite3 *db, PsStore **ret_store, PsDiag *diag);
/// Accepts NULL.
void ps_store_close(PsStore *store);

// ---- Retained messages

typedef struct PsRetained {
    PsBytes topic;
    PsBytes payload;
    PsBytes props; ///< encoded, of MQTT 5
    uint8_t qos;
    int64_t modified_ms; ///< since 1970
    int64_t expires_ms;  ///< 0: never
} PsRetained;

/// An empty payload deletes.
void ps_store_put_retained(PsStore *store, const PsRetained *message);
/// The one of this topic, or with `after` the next in byte order (an empty topic: the first), that
/// has not expired at `now_ms`. Borrowed until the next call.
bool ps_store_find_retained(PsStore *store, PsBytes topic, bool after, int64_t now_ms,
                            PsRetained *ret_message);

// ---- Kept sessions

typedef struct PsStoredSession {
    const char *client_id;
    uint8_t version;
    uint32_t expiry_s;
    int64_t left_ms; ///< 0: it was connected
} PsStoredSession;

void ps_store_put_session(PsStore *store, const PsStoredSession *session);
void ps_store_put_filter(PsStore *store, const char *client_id, PsBytes filter, uint8_t options);
void ps_store_drop_filter(PsStore *store, const char *client_id, PsBytes filter);
/// With its filters.
void ps_store_drop_session(PsStore *store, const char *client_id);

typedef struct PsStoreReader {
    void (*session)(void *ctx, const PsStoredSession *session);
    void (*filter)(void *ctx, const char *client_id, PsBytes filter, uint8_t options);
    void *ctx;
} PsStoreReader;

/// All sessions, each followed by its filters.
void ps_store_read(PsStore *store, const PsStoreReader *reader);
