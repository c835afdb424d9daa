//! The database file of the alarm journal. Blocks on the disk; one thread at a time.
//!
//! SQLite in WAL mode with synchronous=FULL, as the outbox and for its reasons: a commit is on the
//! disk when it returns.
#pragma once

#include "alarm/journal_row.h"
#include "base/err.h"

typedef struct PsJournalDb PsJournalDb;

/// Opens `path`, making it when missing; `ret_last_id` is the newest entry's, 0 when there is none.
/// PS_ERR_CORRUPT when it is not a sound journal, PS_ERR_UNSUPPORTED when a newer version wrote it,
/// PS_ERR_FULL, PS_ERR_IO, PS_ERR_DENIED, PS_ERR_BUSY.
PsErr ps_journal_db_open(const char *path, PsJournalDb **ret_db, uint64_t *ret_last_id,
                         PsDiag *diag);
/// Accepts NULL.
void ps_journal_db_close(PsJournalDb *db);

/// All marks there are.
PsErr ps_journal_db_marks(PsJournalDb *db, PsJournalMarked *marked, void *ctx);

/// Writes the rows and their marks and lets all but the newest `keep` go: all of it or nothing.
/// PS_ERR_FULL, PS_ERR_IO, PS_ERR_CORRUPT.
PsErr ps_journal_db_write(PsJournalDb *db, PsJournalRow *const *rows, size_t count, uint64_t keep);

/// Fills `ret_rows`, which has room for PS_JOURNAL_FIND_MAX; the rows are the caller's.
PsErr ps_journal_db_find(PsJournalDb *db, const PsJournalQuery *query, PsJournalRow **ret_rows,
                         size_t *ret_count);
