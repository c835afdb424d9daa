//! The history of alarms, kept over restarts and power cuts: `alarms.db` in the state folder.
//! Main thread; SQLite runs on a thread of its own, and nothing here waits for it but open and
//! close.
//!
//! Bounds: the newest `keep` entries on the disk. While the disk takes nothing, entries wait in
//! memory, as many again and at most PS_JOURNAL_MEMORY_BYTES; the oldest go first, counted and said
//! in the log when the disk is well again. The journal never keeps the gateway from starting: a
//! damaged file is set aside, and one that cannot be opened is tried again.
#pragma once

#include "alarm/journal_row.h"
#include "base/err.h"

#include <uv.h>

#define PS_JOURNAL_MEMORY_BYTES ((size_t)4 * 1024 * 1024)

typedef struct PsJournal PsJournal;

typedef struct PsJournalSetup {
    uv_loop_t *loop;
    const char *folder; ///< borrowed during open
    uint64_t keep;      ///< entries, 1 and more
    int max_loss_s;     ///< how much a power cut may cost
} PsJournalSetup;

/// PS_ERR_IO when there is no descriptor or thread for it.
PsErr ps_journal_open(const PsJournalSetup *setup, PsJournal **ret_journal, PsDiag *diag);
/// Commits what waits (blocks for it), answers what is still asked with PS_ERR_CANCELLED. Its
/// memory is gone when the loop has run once more. Accepts NULL.
void ps_journal_close(PsJournal *journal);

/// Other limits from now on.
void ps_journal_set_limits(PsJournal *journal, uint64_t keep, int max_loss_s);

/// Calls `marked` for each mark that was kept. Blocks: right after open only.
void ps_journal_load_marks(PsJournal *journal, PsJournalMarked *marked, void *ctx);

/// Copies the entry; its id is ignored.
void ps_journal_put(PsJournal *journal, const PsJournalEntry *entry);

/// The disk takes nothing at the moment.
bool ps_journal_is_failing(const PsJournal *journal);

/// The answer; the rows are borrowed until it returns. Called once, from the loop or from close.
/// None means that there are no more.
typedef void PsJournalFound(PsErr result, PsJournalRow *const *rows, size_t count, void *ctx);
/// Sees everything that was put before. `query` is copied.
void ps_journal_find(PsJournal *journal, const PsJournalQuery *query, PsJournalFound *found,
                     void *ctx);
