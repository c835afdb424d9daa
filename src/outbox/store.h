//! The store thread: one database, one command after the other. Commands from the main thread,
//! answers back to it; at most one write, one fetch of each class and one of dead letters are under
//! way, or one attach or shift alone. An attach opens the database anew: when it could not be
//! opened before, or when it is damaged. A shift corrects stamps: era.c.
#pragma once

#include "outbox/contents.h"
#include "outbox/db.h"
#include "outbox/dead_db.h"
#include "outbox/era_db.h"
#include "outbox/fetch_db.h"
#include "outbox/room_db.h"
#include "outbox/shed_db.h"

typedef struct PsStore PsStore;

typedef struct PsStoreCommand PsStoreCommand;

/// A write or a fetch and its answer. The sender owns it before and after.
struct PsStoreCommand {
    enum {
        PS_STORE_WRITE,
        PS_STORE_FETCH,
        PS_STORE_FETCH_DEAD,
        PS_STORE_ATTACH,
        PS_STORE_SHIFT,
        PS_STORE_STOP,
    } kind;
    PsErr result;        ///< filled by the store
    PsDbBatch batch;     ///< write
    PsDeadOps dead;      ///< write: the list that `batch` points to
    PsDbShed shed;       ///< write: what `batch` points to
    uint64_t *kept;      ///< write: the ids that `shed` points to
    bool partial;        ///< write: more waits to be written
    PsRoom room;         ///< write: of the disk afterwards, filled by the store
    PsDeadQuery query;   ///< fetch of dead letters
    int64_t name;        ///< the same: number of the name, 0 for any
    PsDeadFound found;   ///< the same, filled by the store
    PsOutboxClass class; ///< fetch, and what follows
    PsRowKey from;
    size_t limit;
    size_t limit_bytes;
    PsDbFetched fetched; ///< filled by the store
    PsContents contents; ///< attach: the names; filled by the store
    uint64_t *held;      ///< attach: ids of rows that memory holds or has seen acknowledged
    size_t held_count;
    bool damaged;           ///< attach: the database is damaged
    PsDiag diag;            ///< attach: why it failed
    PsEraRecord era;        ///< write: what `batch` points to
    PsEraShift shift;       ///< shift
    uint64_t written_bytes; ///< since open, filled by the store
    PsDiskUse disk;         ///< the same
};

/// Room for `limit` rows in a fetch. Freed with ps_store_command_free.
PsStoreCommand *ps_store_fetch_new(PsOutboxClass class, PsRowKey from, size_t limit,
                                   size_t limit_bytes);
/// Frees the arrays, not the rows in them. Accepts NULL.
void ps_store_command_free(PsStoreCommand *command);

/// Takes the database over and starts the thread; without one (NULL) everything fails until the one
/// at `path` (borrowed) is attached. `wake` is called on the store thread when an answer waits.
PsErr ps_store_start(PsDb *db, const char *path, void (*wake)(void *ctx), void *ctx,
                     PsStore **ret_store);
void ps_store_put(PsStore *store, PsStoreCommand *command);
/// The oldest answer, or NULL.
PsStoreCommand *ps_store_take(PsStore *store);
/// As take, but waits until `deadline`. Blocks: for closing only.
PsStoreCommand *ps_store_wait(PsStore *store, PsMono deadline);
/// Ends the thread, closes the database. Blocks until the command under way is done. All answers
/// must have been taken.
void ps_store_stop(PsStore *store);
