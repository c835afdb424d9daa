//! One line of the alarm journal, and which lines a question means. Pure; any thread.
#pragma once

#include "base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Words of PsJournalEntry.status.
#define PS_JOURNAL_TRIGGERED "Triggered"
#define PS_JOURNAL_RESTORED "Restored"

/// What happened to an alarm. It says all by itself: the configuration it comes from may be gone.
typedef struct PsJournalEntry {
    uint64_t id; ///< given by the journal, never 0, rising in order of recording
    PsWall time; ///< when the value was read
    int level;
    const char *name; ///< of the alarm
    const char *group;
    const char *status;
    const char *value; ///< for people
    const char *unit;
    const char *description;
} PsJournalEntry;

/// An entry with its texts in one piece of memory; freed with free().
typedef struct PsJournalRow {
    PsJournalEntry entry;
    size_t bytes; ///< of memory
    char texts[];
} PsJournalRow;

PsJournalRow *ps_journal_row_new(const PsJournalEntry *entry);

#define PS_JOURNAL_FIND_MAX 500

/// Newest first, at most PS_JOURNAL_FIND_MAX at a time.
typedef struct PsJournalQuery {
    const char *name;   ///< part of the alarm's name, in any case; NULL: all
    PsWall from;        ///< not older
    PsWall until;       ///< older; 0: all
    uint64_t before_id; ///< the page behind this entry; 0: the first
} PsJournalQuery;

/// Without regard to before_id.
bool ps_journal_matches(const PsJournalQuery *query, const PsJournalEntry *entry);
