// Counting, and what is refused at the entrance. Pure; main thread.
#include "outbox/ledger.h"

#include "base/mem.h"
#include "model/topic.h"

#include <stdlib.h>
#include <string.h>

// Largest payload of one packet (3.1.1 section 2.2.3), with room for the header.
#define MQTT_PAYLOAD_BYTES ((size_t)256 * 1024 * 1024 - 70000)

static const char *const reason_names[PS_DROP_COUNT] = {
    [PS_DROP_RETENTION] = "retention", [PS_DROP_TOO_LARGE] = "too_large",
    [PS_DROP_BAD_TOPIC] = "bad_topic", [PS_DROP_STORAGE] = "storage",
    [PS_DROP_DEAD] = "dead_retention", [PS_DROP_SIZE] = "size",
    [PS_DROP_SPACE] = "space",         [PS_DROP_THINNED] = "thinned",
    [PS_DROP_CLEARED] = "cleared",     [PS_DROP_DAMAGED] = "damaged",
};

const char *ps_drop_reason_name(PsDropReason reason) {
    size_t index = (size_t)reason;
    return index < PS_COUNT(reason_names) ? reason_names[index] : "unknown";
}

bool ps_ledger_adds_up(const PsLedger *ledger) {
    uint64_t sum = ledger->delivered + ledger->waiting + ledger->dead;
    for (size_t i = 0; i < PS_DROP_COUNT; i++) {
        sum += ledger->dropped[i];
    }
    return sum == ledger->accepted;
}

void ps_ledgers_deinit(PsLedgers *ledgers) {
    for (size_t i = 0; i < ledgers->count; i++) {
        free((char *)(uintptr_t)ledgers->entries[i].book.name);
        free(ledgers->entries[i].stored_name);
    }
    free(ledgers->entries);
    *ledgers = (PsLedgers){0};
}

size_t ps_ledgers_find(const PsLedgers *ledgers, const char *name) {
    size_t index = 0;
    while (index < ledgers->count && strcmp(ledgers->entries[index].book.name, name) != 0) {
        index++;
    }
    return index;
}

size_t ps_ledgers_name(PsLedgers *ledgers, const char *name) {
    size_t index = ps_ledgers_find(ledgers, name);
    if (index < ledgers->count) {
        return index;
    }
    ledgers->entries =
        ps_grow_array(ledgers->entries, ledgers->count + 1, sizeof *ledgers->entries);
    ledgers->entries[ledgers->count] = (PsLedgerEntry){.book.name = ps_strdup(name)};
    return ledgers->count++;
}

size_t ps_ledgers_number(const PsLedgers *ledgers, int64_t number) {
    size_t index = 0;
    while (index < ledgers->count && ledgers->entries[index].number != number) {
        index++;
    }
    return index;
}

// A new definition may have the name that another had before: the database's is that of the other
// until the new name is stored.
size_t ps_ledgers_find_stored(const PsLedgers *ledgers, const char *name) {
    size_t found = ledgers->count;
    for (size_t i = 0; i < ledgers->count; i++) {
        const PsLedgerEntry *entry = &ledgers->entries[i];
        if (entry->stored_name != NULL && strcmp(entry->stored_name, name) == 0) {
            return i;
        }
        if (entry->stored_name == NULL && strcmp(entry->book.name, name) == 0) {
            found = i;
        }
    }
    return found;
}

void ps_ledgers_set_stored(PsLedgers *ledgers, size_t index, const char *name) {
    PsLedgerEntry *entry = &ledgers->entries[index];
    bool same = strcmp(entry->book.name, name) == 0;
    char *stored = same ? NULL : ps_strdup(name);
    free(entry->stored_name);
    entry->stored_name = stored;
    entry->name_dirty = !same;
    ledgers->names_dirty |= !same;
}

void ps_ledgers_rename(PsLedgers *ledgers, size_t index, const char *name) {
    PsLedgerEntry *entry = &ledgers->entries[index];
    char *before = (char *)(uintptr_t)entry->book.name;
    entry->book.name = ps_strdup(name);
    if (entry->stored_name == NULL) {
        entry->stored_name = before;
    } else {
        free(before);
    }
    entry->name_dirty = true;
    ledgers->names_dirty = true;
}

void ps_ledgers_number_new(PsLedgers *ledgers) {
    int64_t last = 0;
    for (size_t i = 0; i < ledgers->count; i++) {
        last = ledgers->entries[i].number > last ? ledgers->entries[i].number : last;
    }
    for (size_t i = 0; i < ledgers->count; i++) {
        if (ledgers->entries[i].number == 0) {
            ledgers->entries[i].number = ++last;
            ledgers->entries[i].name_dirty = true;
            ledgers->names_dirty = true;
        }
    }
}

void ps_ledgers_accept(PsLedgers *ledgers, size_t index) {
    PsLedger *book = &ledgers->entries[index].book;
    book->accepted++;
    book->waiting++;
}

static PsLedger *take_waiting(PsLedgers *ledgers, size_t index, uint64_t count) {
    PsLedgerEntry *entry = &ledgers->entries[index];
    PS_ASSERT(entry->book.waiting >= count);
    entry->book.waiting -= count;
    entry->dirty = true;
    return &entry->book;
}

void ps_ledgers_deliver(PsLedgers *ledgers, size_t index) {
    take_waiting(ledgers, index, 1)->delivered++;
}

PsGap ps_gap_one(PsWall collected) {
    return (PsGap){.count = 1, .first = collected, .last = collected};
}

// Any time that is known is before one and after the other.
PsGap ps_gap_some(uint64_t count) {
    return (PsGap){.count = count, .first = {INT64_MAX}, .last = {INT64_MIN}};
}

static void widen_gap(PsLedgerEntry *entry, PsDropReason reason, const PsGap *what) {
    PsGap *gap = &entry->gaps[reason];
    if (!entry->tells_gaps || what->count == 0) {
        return;
    }
    gap->first = gap->count == 0 || what->first.ns < gap->first.ns ? what->first : gap->first;
    gap->last = gap->count == 0 || what->last.ns > gap->last.ns ? what->last : gap->last;
    gap->count += what->count;
    gap->dirty = true;
}

void ps_ledgers_drop(PsLedgers *ledgers, size_t index, PsDropReason reason, const PsGap *what) {
    take_waiting(ledgers, index, what->count)->dropped[reason] += what->count;
    widen_gap(&ledgers->entries[index], reason, what);
}

void ps_ledgers_refuse(PsLedgers *ledgers, size_t index, PsDropReason reason, PsWall collected) {
    PsLedgerEntry *entry = &ledgers->entries[index];
    entry->book.accepted++;
    entry->book.dropped[reason]++;
    entry->dirty = true;
    PsGap what = ps_gap_one(collected);
    widen_gap(entry, reason, &what);
}

// What was dropped while the record was on its way is told by the next one.
void ps_ledgers_told(PsLedgers *ledgers, size_t index, PsDropReason reason, const PsGap *told) {
    PsLedgerEntry *entry = &ledgers->entries[index];
    PsGap *gap = &entry->gaps[reason];
    PS_ASSERT(gap->count >= told->count);
    gap->count -= told->count;
    gap->dirty = true;
    entry->dirty = true;
}

void ps_ledgers_quarantine(PsLedgers *ledgers, size_t index) {
    take_waiting(ledgers, index, 1)->dead++;
}

// Letters are counted from their rows; only the count of dropped ones is written.
void ps_ledgers_die(PsLedgers *ledgers, size_t index) {
    PsLedger *book = &ledgers->entries[index].book;
    book->accepted++;
    book->dead++;
}

void ps_ledgers_revive(PsLedgers *ledgers, size_t index) {
    PsLedger *book = &ledgers->entries[index].book;
    PS_ASSERT(book->dead > 0 && book->accepted > 0);
    book->accepted--;
    book->dead--;
}

void ps_ledgers_drop_dead(PsLedgers *ledgers, size_t index, PsDropReason reason, PsWall collected) {
    PsLedgerEntry *entry = &ledgers->entries[index];
    PS_ASSERT(entry->book.dead > 0);
    entry->book.dead--;
    entry->book.dropped[reason]++;
    entry->dirty = true;
    PsGap what = ps_gap_one(collected);
    widen_gap(entry, reason, &what);
}

void ps_ledgers_lose(PsLedgers *ledgers, size_t index, PsGap what) {
    PsLedgerEntry *entry = &ledgers->entries[index];
    entry->book.dropped[PS_DROP_DAMAGED] += what.count;
    entry->dirty = true;
    widen_gap(entry, PS_DROP_DAMAGED, &what);
}

// AWS counts neither length nor slashes of the prefix $aws/rules/RULE/ (Basic Ingest).
static const char *after_basic_ingest(const char *topic) {
    static const char prefix[] = "$aws/rules/";
    if (strncmp(topic, prefix, sizeof prefix - 1) != 0) {
        return topic;
    }
    const char *slash = strchr(topic + sizeof prefix - 1, '/');
    return slash != NULL ? slash + 1 : topic;
}

static size_t count_slashes(const char *text) {
    size_t count = 0;
    for (; *text != '\0'; text++) {
        count += *text == '/' ? 1 : 0;
    }
    return count;
}

static PsErr admit_topic(const PsOutboxLimits *limits, const char *object, const char *topic,
                         PsDiag *diag) {
    PsDiag reason = {0};
    if (ps_topic_check_name(topic, false, &reason) != PS_OK) {
        // libmosquitto would take it for a broken connection, again at each try.
        return ps_fail(PS_ERR_INVALID, diag, object, "topic", "'%.200s' %s", topic, reason.text);
    }
    const char *counted = after_basic_ingest(topic);
    if (limits->topic_bytes > 0 && strlen(counted) > limits->topic_bytes) {
        return ps_fail(PS_ERR_INVALID, diag, object, "topic",
                       "has %zu bytes; this cloud takes at most %zu, use a shorter one",
                       strlen(counted), limits->topic_bytes);
    }
    if (limits->topic_slashes > 0 && count_slashes(counted) > limits->topic_slashes) {
        return ps_fail(PS_ERR_INVALID, diag, object, "topic",
                       "'%.200s' has %zu slashes; this cloud takes at most %zu", topic,
                       count_slashes(counted), limits->topic_slashes);
    }
    return PS_OK;
}

PsErr ps_admit(const PsOutboxLimits *limits, const char *name, const PsOutboxMessage *message,
               PsDropReason *ret_reason, PsDiag *diag) {
    PsErr err = admit_topic(limits, name, message->topic, diag);
    if (err != PS_OK) {
        *ret_reason = PS_DROP_BAD_TOPIC;
        return err;
    }
    size_t most = limits->payload_bytes > 0 ? limits->payload_bytes : MQTT_PAYLOAD_BYTES;
    if (message->len > most) {
        *ret_reason = PS_DROP_TOO_LARGE;
        return ps_fail(PS_ERR_TOO_BIG, diag, name, "payload",
                       "has %zu bytes; this cloud takes at most %zu, send less at once",
                       message->len, most);
    }
    return PS_OK;
}
