//! The database file of the outbox: schema and statements. Blocks on the disk; one thread at a
//! time (the opener, then the store thread).
//!
//! SQLite in WAL mode with synchronous=FULL: a commit is on the disk when it returns. NORMAL would
//! survive a killed process, but not a cut supply, and gateways lose power more often than they
//! crash; with one commit for many rows (at most a few a second) the price is small.
#pragma once

#include "base/err.h"
#include "outbox/disk_use.h"
#include "outbox/ledger.h"
#include "outbox/queue.h"

typedef struct PsDb PsDb;

/// Opens `path`, making it when missing. PS_ERR_CORRUPT when it is not a sound outbox,
/// PS_ERR_BUSY when another process has it, PS_ERR_UNSUPPORTED when it is of a newer version,
/// PS_ERR_IO, PS_ERR_FULL, PS_ERR_DENIED. A failure leaves the files as they are.
PsErr ps_db_open(const char *path, PsDb **ret_db, PsDiag *diag);
/// Accepts NULL.
void ps_db_close(PsDb *db);
/// Closes and leaves database and write-ahead log as they are. Accepts NULL.
void ps_db_abandon(PsDb *db);
/// Ends the write-ahead log: afterwards all of it is in the database file.
PsErr ps_db_settle(PsDb *db);

/// Where ids begin that must not meet those of a database that cannot be read: far above all that
/// are given in a row, another place each time.
int64_t ps_db_spare_id(void);

/// What the database holds of one class.
typedef struct PsDbStock {
    uint64_t rows;
    uint64_t bytes; ///< topics and payloads
} PsDbStock;

/// Fills books (delivered, dropped, and waiting from the rows; dead letters are dead_db.h's),
/// making entries for names the database knows, and gives entries without number one. `ret_stock`
/// per class, `ret_next_id`.
PsErr ps_db_load(PsDb *db, PsLedgers *ledgers, PsDbStock ret_stock[PS_OUTBOX_CLASS_COUNT],
                 uint64_t *ret_next_id);

/// A definition's counters as they shall be.
typedef struct PsDbBook {
    int64_t number;
    uint64_t delivered;
    uint64_t dropped[PS_DROP_COUNT];
    PsGap gaps[PS_DROP_COUNT]; ///< written where dirty
} PsDbBook;

/// What a definition is called from now on: a new one, or one with another name.
typedef struct PsDbName {
    int64_t number;
    char *text;
} PsDbName;

struct PsDeadOp;
struct PsDbShed;

/// One transaction. A row's message is in `numbers`, index by index.
typedef struct PsDbBatch {
    PsDbName *names; ///< first of all; owned with their texts
    size_t name_count;
    PsRow **rows;
    int64_t *numbers;
    size_t row_count;
    uint64_t *deletes;
    size_t delete_count;
    PsDbBook *books;
    size_t book_count;
    struct PsDeadOp *dead;         ///< changes of dead letters, in order
    struct PsDbShed *shed;         ///< room to be made last of all, or NULL
    const struct PsEraRecord *era; ///< to be kept, or NULL
} PsDbBatch;

/// All of it or nothing. PS_ERR_FULL (no room, or none that deletions do not need), PS_ERR_IO.
PsErr ps_db_write(PsDb *db, const PsDbBatch *batch);

/// Bytes written since open, to the database and its write-ahead log.
uint64_t ps_db_written_bytes(const PsDb *db);
/// The same by days and over restarts.
const PsDiskUse *ps_db_disk_use(PsDb *db);
