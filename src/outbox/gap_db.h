//! Gap records that nobody has been told yet, in the database. Blocks on the disk; one thread at a
//! time (the opener, then the store thread).
#pragma once

#include "outbox/db.h"

/// Makes the table when missing; before the statements are prepared.
PsErr ps_gap_db_prepare(PsDb *db);
/// Into the entries that ps_db_load has filled.
PsErr ps_gap_db_load(PsDb *db, PsLedgers *ledgers);
/// The dirty ones of one definition, inside the transaction of a batch.
PsErr ps_gap_db_write(PsDb *db, int64_t number, const PsGap gaps[PS_DROP_COUNT]);
