//! One line of the alarm journal, and which lines a question means. Pure; any thread.
#pragma once

#include "base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Words of PsJournalEntry.status.
#define PS_JOURNAL_TRIGGERED "Triggered"
#define PS_JOURNAL_RESTORED "Restored"
#define PS_JOURNAL_ACKNOWLEDGED "Acknowledged"
#define PS_JOURNAL_SHELVED "Shelved"
#define PS_JOURNAL_UNSHELVED "Unshelved"

#define PS_ALARM_USER_SIZE 64

/// What people have said about an alarm, and of a communication alarm how it is. Kept over
/// restarts.
typedef struct PsAlarmMark {
    PsWall acknowledged; ///< when; 0: it is not
    char acknowledged_by[PS_ALARM_USER_SIZE];
    PsWall shelved_until; ///< 0: it is not
    char shelved_by[PS_ALARM_USER_SIZE];
    PsWall on_since; ///< 0: it is off, or no communication alarm
    bool told_on;    ///< what scripts were told last
} PsAlarmMark;

typedef void PsJournalMarked(const char *name, const PsAlarmMark *mark, void *ctx);

/// What happened to an alarm. It says all by itself: the configuration it comes from may be gone.
typedef struct PsJournalEntry {
    uint64_t id; ///< given by the journal, never 0, rising in order of recording
    PsWall time; ///< when the value was read, or somebody did something
    int level;
    const char *name; ///< of the alarm
    const char *group;
    const char *status;
    const char *value; ///< for people
    const char *unit;
    const char *description;
    const char *who; ///< did it; "": nobody
    bool marks;      ///< the alarm's mark is `mark` from now on; then status may be "": no entry
    PsAlarmMark mark;
} PsJournalEntry;

/// An entry with its texts in one piece of memory; freed with free().
typedef struct PsJournalRow {
    PsJournalEntry entry;
    size_t bytes; ///< of memory
    char texts[];
} PsJournalRow;

/// Texts may be NULL, for "".
PsJournalRow *ps_journal_row_new(const PsJournalEntry *entry);

#define PS_JOURNAL_FIND_MAX 500

/// Newest first, at most PS_JOURNAL_FIND_MAX at a time.
typedef struct PsJournalQuery {
    const char *name;   ///< part of the alarm's name, in any case; NULL: all
    PsWall from;        ///< not older
    PsWall until;       ///< older; 0: all
    uint64_t before_id; ///< the page behind this entry; 0: the first
} PsJournalQuery;

/// Without regard to before_id. False for what is no entry.
bool ps_journal_matches(const PsJournalQuery *query, const PsJournalEntry *entry);
