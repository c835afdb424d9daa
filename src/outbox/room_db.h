//! How much of a disk the database uses besides its rows, so that it can always delete: the
//! write-ahead log is kept small on a small disk, and rows are taken only while there is room for
//! ending the log and for writing deletions behind it. Blocks on the disk; one thread at a time.
#pragma once

#include "outbox/db.h"

/// The file system of the database; UINT64_MAX when it does not say.
typedef struct PsRoom {
    uint64_t size_bytes;
    uint64_t free_bytes; ///< left for us
} PsRoom;

/// Limits the write-ahead log by the size of the disk; when the database is opened.
PsErr ps_room_db_prepare(PsDb *db);
/// Before the transaction of a batch: PS_ERR_FULL when its rows would take room that deletions
/// need.
PsErr ps_room_db_check(PsDb *db, const PsDbBatch *batch);
/// After PS_ERR_FULL, outside a transaction: the log is written over from its beginning.
void ps_room_db_release(PsDb *db);
PsRoom ps_room_db_look(PsDb *db);
