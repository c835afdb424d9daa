// What goes out: the next publish, and what became of those in flight. Main thread; nothing here
// waits for the disk.
#include "outbox/outbox_private.h"

#include "base/log.h"

#include <string.h>

// With max_loss_s 0 a row must be on the disk first; when the disk refuses, waiting would only add
// to what a power cut takes, so then rows go out from memory.
static bool may_go(const PsOutbox *outbox, const PsRow *row) {
    return row->state == PS_ROW_STORED || outbox->setup.max_loss_s > 0 || outbox->failing;
}

static size_t pack_bytes(const PsOutbox *outbox, const PsRow *head) {
    size_t most = ps_outbox_rule(outbox, head->pub.message)->pack_bytes;
    size_t limit = outbox->setup.limits.payload_bytes;
    return limit > 0 && most > limit ? limit : most;
}

// All of them go together, or none: one that may not go yet would be acknowledged with the others.
static bool all_may_go(const PsOutbox *outbox, const PsPack *pack) {
    size_t i = 0;
    while (i < pack->count && may_go(outbox, pack->rows[i])) {
        i++;
    }
    return i == pack->count;
}

static const PsOutboxRow *take_pack(PsOutbox *outbox, PsQueue *queue, PsRow *head) {
    size_t most = pack_bytes(outbox, head);
    PsPack *pack = most > 0 && head->place == PS_PLACE_WAITING ? ps_pack_new(head, most) : NULL;
    if (pack == NULL || !all_may_go(outbox, pack)) {
        ps_pack_free(pack);
        return NULL;
    }
    pack->pub.id = outbox->next_id++;
    for (size_t i = 0; i < pack->count; i++) {
        ps_queue_mark_in_flight(queue, pack->rows[i]);
    }
    pack->next = outbox->packs;
    outbox->packs = pack;
    return &pack->pub;
}

const PsOutboxRow *ps_outbox_next(PsOutbox *outbox, bool one_by_one) {
    const PsOutboxRow *gap = ps_gap_next(outbox, ps_mono_now());
    if (gap != NULL) {
        return gap;
    }
    static const PsOutboxClass order[PS_OUTBOX_CLASS_COUNT] = {PS_OUTBOX_ALARM, PS_OUTBOX_POINT};
    const PsOutboxRow *next = NULL;
    for (size_t i = 0; next == NULL && i < PS_COUNT(order); i++) {
        PsQueue *queue = &outbox->queues[order[i]];
        PsRow *head = ps_queue_head(queue);
        if (head == NULL || !may_go(outbox, head)) {
            continue;
        }
        next = one_by_one ? NULL : take_pack(outbox, queue, head);
        if (next == NULL) {
            ps_queue_mark_in_flight(queue, head);
            next = &head->pub;
        }
    }
    ps_outbox_fetch(outbox);
    return next;
}

// ---- what became of it

static PsRow *find_in_flight(PsOutbox *outbox, uint64_t id) {
    PsRow *row = NULL;
    for (int class = 0; row == NULL && class < PS_OUTBOX_CLASS_COUNT; class ++) {
        row = ps_queue_find_in_flight(&outbox->queues[class], id);
    }
    return row;
}

static PsPack *unlink_pack(PsOutbox *outbox, uint64_t id) {
    PsPack **at = &outbox->packs;
    while (*at != NULL && (*at)->pub.id != id) {
        at = &(*at)->next;
    }
    PsPack *pack = *at;
    if (pack != NULL) {
        *at = pack->next;
    }
    return pack;
}

static void put_back_row(PsOutbox *outbox, PsRow *row) {
    ps_queue_put_back(&outbox->queues[row->pub.class], row);
}

void ps_outbox_put_back(PsOutbox *outbox, uint64_t id) {
    PsPack *pack = unlink_pack(outbox, id);
    if (pack != NULL) {
        for (size_t i = 0; i < pack->count; i++) {
            put_back_row(outbox, pack->rows[i]);
        }
        ps_pack_free(pack);
        return;
    }
    PsRow *row = find_in_flight(outbox, id);
    if (row != NULL) {
        put_back_row(outbox, row);
    } else {
        (void)ps_gap_take_back(outbox, id);
    }
}

static void deliver(PsOutbox *outbox, PsRow *row) {
    ps_ledgers_deliver(&outbox->ledgers, row->pub.message);
    ps_outbox_forget(outbox, row);
}

void ps_outbox_acknowledged(PsOutbox *outbox, uint64_t id) {
    PsPack *pack = unlink_pack(outbox, id);
    PsRow *row = pack == NULL ? find_in_flight(outbox, id) : NULL;
    if (pack != NULL) {
        for (size_t i = 0; i < pack->count; i++) {
            deliver(outbox, pack->rows[i]);
        }
        ps_pack_free(pack);
    } else if (row != NULL) {
        deliver(outbox, row);
    } else {
        (void)ps_gap_told(outbox, id);
        return;
    }
    ps_outbox_enforce(outbox);
    ps_outbox_accepted(outbox);
}

void ps_outbox_link_up(PsOutbox *outbox) {
    outbox->connected = true;
}

static void free_packs(PsOutbox *outbox) {
    while (outbox->packs != NULL) {
        PsPack *pack = outbox->packs;
        outbox->packs = pack->next;
        ps_pack_free(pack);
    }
}

void ps_outbox_link_lost(PsOutbox *outbox) {
    outbox->connected = false;
    free_packs(outbox);
    ps_gap_link_lost(outbox);
    for (int class = 0; class < PS_OUTBOX_CLASS_COUNT; class ++) {
        ps_queue_link_lost(&outbox->queues[class]);
        (void)ps_queue_trim(&outbox->queues[class], PS_OUTBOX_MEMORY_ROWS, PS_OUTBOX_MEMORY_BYTES);
    }
}

// ---- setting aside

static bool set_aside(PsOutbox *outbox, const PsOutboxRow *row, const char *reason) {
    if (row->message >= outbox->setup.name_count ||
        ps_dead_put_message(outbox, row, reason) != PS_OK) {
        return false;
    }
    ps_ledgers_quarantine(&outbox->ledgers, row->message);
    return true;
}

bool ps_outbox_quarantine(PsOutbox *outbox, uint64_t id, const char *reason) {
    PsRow *row = NULL;
    for (int class = 0; row == NULL && class < PS_OUTBOX_CLASS_COUNT; class ++) {
        row = ps_queue_find(&outbox->queues[class], id);
    }
    if (row == NULL) {
        return ps_gap_refused(outbox, id);
    }
    if (!set_aside(outbox, &row->pub, reason)) {
        return false;
    }
    ps_outbox_forget(outbox, row);
    ps_outbox_accepted(outbox);
    return true;
}

static PsErr admit_again(const PsOutbox *outbox, const PsOutboxRow *row, PsDropReason *ret_reason,
                         PsDiag *diag) {
    const char *name = outbox->ledgers.entries[row->message].book.name;
    PsOutboxMessage message = {.topic = row->topic, .len = row->len};
    if (row->qos < 0 || row->qos > 2) {
        *ret_reason = PS_DROP_DAMAGED;
        return ps_fail(PS_ERR_INVALID, diag, name, "qos", "is %d", row->qos);
    }
    return ps_admit(&outbox->setup.limits, name, &message, ret_reason, diag);
}

bool ps_outbox_take_stored(PsOutbox *outbox, const PsRow *row, PsMono now) {
    PsQueue *queue = &outbox->queues[row->pub.class];
    PsDropReason reason;
    PsDiag diag = {0};
    if (admit_again(outbox, &row->pub, &reason, &diag) == PS_OK ||
        ps_queue_find(queue, row->pub.id) != NULL) {
        return true; // or memory has it, and not from this place on the disk
    }
    char text[sizeof diag];
    ps_diag_format(&diag, text, sizeof text);
    bool kept = set_aside(outbox, &row->pub, text);
    if (!kept) {
        PsGap what = ps_gap_one(row->pub.collected);
        ps_ledgers_drop(&outbox->ledgers, row->pub.message, reason, &what);
    }
    ps_queue_forget_stored(queue, 1, row->bytes);
    ps_pending_delete(&outbox->pending, row->pub.id, now);
    if (!outbox->unsendable_told) {
        outbox->unsendable_told = true;
        PS_LOGE("OUTBOX-UNSENDABLE",
                "outbox: a stored message cannot be sent: %s; either its bytes have changed on the "
                "disk, or the cloud is another than before. It is %s, the others go on (said once)",
                text, kept ? "set aside ('penstock outbox dead')" : "dropped");
    }
    return false;
}
