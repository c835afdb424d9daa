//! The disk use in the database, and when it is written there. Blocks on the disk; one thread.
#pragma once

#include "outbox/db.h"

#include "outbox/disk_use.h"

/// Reads what was written before.
PsErr ps_disk_db_load(PsDb *db);
/// Books what the file layer has counted since the last call.
void ps_disk_db_count(PsDb *db);
/// Within a transaction that is made anyway: writes the numbers when it is time (every quarter of
/// an hour) or `now`. Call ps_disk_db_saved when the transaction is committed.
PsErr ps_disk_db_save(PsDb *db, bool now);
void ps_disk_db_saved(PsDb *db);
