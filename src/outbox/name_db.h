//! Names of message definitions that were added or changed while the gateway runs, in the database.
//! Blocks on the disk; one thread at a time (the store thread).
#pragma once

#include "outbox/db.h"

/// Inside the transaction of a batch, before anything that refers to the numbers.
PsErr ps_name_db_write(PsDb *db, const PsDbName *names, size_t count);
