// Lines of the alarm journal in memory. Pure.
#include "alarm/journal_row.h"

#include "base/err.h"
#include "base/mem.h"

#include <string.h>

static const size_t texts[] = {
    offsetof(PsJournalEntry, name),   offsetof(PsJournalEntry, group),
    offsetof(PsJournalEntry, status), offsetof(PsJournalEntry, value),
    offsetof(PsJournalEntry, unit),   offsetof(PsJournalEntry, description),
    offsetof(PsJournalEntry, who),
};

static const char **text_at(PsJournalEntry *entry, size_t which) {
    return (const char **)((char *)entry + texts[which]);
}

PsJournalRow *ps_journal_row_new(const PsJournalEntry *entry) {
    PsJournalEntry copy = *entry;
    size_t sizes[PS_COUNT(texts)];
    size_t bytes = sizeof(PsJournalRow);
    for (size_t i = 0; i < PS_COUNT(texts); i++) {
        const char **text = text_at(&copy, i);
        *text = *text != NULL ? *text : "";
        sizes[i] = strlen(*text) + 1;
        bytes += sizes[i];
    }
    PsJournalRow *row = ps_alloc(bytes);
    row->entry = copy;
    row->bytes = bytes;
    char *at = row->texts;
    for (size_t i = 0; i < PS_COUNT(texts); i++) {
        memcpy(at, *text_at(&copy, i), sizes[i]);
        *text_at(&row->entry, i) = at;
        at += sizes[i];
    }
    return row;
}

bool ps_journal_matches(const PsJournalQuery *query, const PsJournalEntry *entry) {
    bool in_time = entry->time.ns >= query->from.ns &&
                   (query->until.ns == 0 || entry->time.ns < query->until.ns);
    return in_time && entry->status[0] != '\0' &&
           (query->name == NULL || strcasestr(entry->name, query->name) != NULL);
}
