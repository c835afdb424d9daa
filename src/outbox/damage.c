// Messages and dead letters whose bytes changed on the disk: they go from the books and from the
// database, and a person is told. Main thread; nothing here waits for the disk.
#include "outbox/outbox_private.h"

#include "base/log.h"

#define CALM_NS (60 * PS_NS_PER_S) // without another one, an episode has ended

void ps_damage_note(PsOutbox *outbox, const char *what, size_t message, PsWall collected) {
    PsDamage *damage = &outbox->damage;
    damage->last = ps_mono_now();
    if (damage->count++ > 0) {
        return;
    }
    char stamp[PS_STAMP_SIZE];
    ps_wall_format(collected, stamp, sizeof stamp);
    PS_LOGE("OUTBOX-CHANGED",
            "outbox: bytes in %s have changed since they were stored; the first is a %s of '%s', "
            "collected %s; what has changed is not sent, is counted as damaged, and the rest goes "
            "on; check disk and memory of this machine, replace a worn SD card",
            outbox->path, what, outbox->ledgers.entries[message].book.name, stamp);
}

void ps_damage_look(PsOutbox *outbox, PsMono now) {
    PsDamage *damage = &outbox->damage;
    if (damage->count > 0 && ps_mono_diff_ns(now, damage->last) > CALM_NS) {
        PS_LOGI("OUTBOX-CHANGED-END",
                "outbox: no more changed bytes for a minute; %llu messages and dead letters were "
                "taken out",
                (unsigned long long)damage->count);
        damage->count = 0;
    }
}

void ps_damage_attach(PsOutbox *outbox, const PsContents *contents, const size_t *indexes) {
    for (size_t i = 0; i < contents->damaged.count; i++) {
        const PsDamagedRow *row = &contents->damaged.items[i];
        size_t message = indexes[ps_ledgers_number(&contents->ledgers, row->number)];
        ps_pending_delete(&outbox->pending, row->id, ps_mono_now());
        if (!outbox->attached_once) { // or it is missing, and counted for that
            ps_ledgers_lose(&outbox->ledgers, message, ps_gap_one(row->collected));
        }
        ps_damage_note(outbox, "message", message, row->collected);
    }
}

// Whose books have it. When several columns have changed nobody knows; then somebody's that waits.
static size_t owner_of(const PsOutbox *outbox, const PsDamagedRow *row) {
    const PsLedgers *ledgers = &outbox->ledgers;
    size_t index = ps_ledgers_number(ledgers, row->number);
    size_t most = 0;
    for (size_t i = 0; i < ledgers->count; i++) {
        most = ledgers->entries[i].book.waiting > ledgers->entries[most].book.waiting ? i : most;
    }
    return index < ledgers->count && ledgers->entries[index].book.waiting > 0 ? index : most;
}

void ps_damage_fetched(PsOutbox *outbox, const PsStoreCommand *command, PsMono now) {
    PsQueue *queue = &outbox->queues[command->class];
    for (size_t i = 0; i < command->fetched.damaged.count; i++) {
        const PsDamagedRow *row = &command->fetched.damaged.items[i];
        // What memory has is as it was.
        if (ps_pending_is_deleted(&outbox->pending, row->id) ||
            ps_queue_find(queue, row->id) != NULL) {
            continue;
        }
        size_t message = owner_of(outbox, row);
        PsGap what = ps_gap_one(row->collected);
        ps_queue_forget_stored(queue, 1, row->bytes);
        ps_ledgers_drop(&outbox->ledgers, message, PS_DROP_DAMAGED, &what);
        ps_pending_delete(&outbox->pending, row->id, now);
        ps_damage_note(outbox, "message", message, row->collected);
    }
}
