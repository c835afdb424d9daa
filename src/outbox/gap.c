// Gap records: messages of the outbox's own that tell the receiver what had to be dropped. They are
// made when they are sent, so they take no place in the queue; what they tell lives in the ledger's
// entries and in the database until the receiver has it. Main thread.
#include "outbox/outbox_private.h"

#include "base/log.h"
#include "base/mem.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define AGAIN_NS (10 * PS_NS_PER_S) // while drops go on, one record covers so long
#define SENDS_MAX 4

typedef struct PsGapSend {
    PsGapSend *next;
    PsOutboxRow pub;
    PsDropReason reason;
    PsGap told;
    char *topic;
    char *payload;
} PsGapSend;

static double seconds(PsWall at) {
    return (double)at.ns / (double)PS_NS_PER_S;
}

static bool has_times(const PsGap *gap) {
    return gap->first.ns <= gap->last.ns;
}

static char *words_of(const char *name, PsDropReason reason, const PsGap *gap) {
    json_t *times = has_times(gap) ? json_pack("{s:f, s:f}", "first", seconds(gap->first), "last",
                                               seconds(gap->last))
                                   : json_object();
    json_t *json = json_pack("{s:{s:s, s:s, s:I}}", "gap", "message", name, "reason",
                             ps_drop_reason_name(reason), "count", (json_int_t)gap->count);
    bool whole = json_object_update(json_object_get(json, "gap"), times) == 0;
    char *text = whole ? json_dumps(json, 0) : NULL;
    json_decref(times);
    json_decref(json);
    return text;
}

static bool is_told_now(const PsOutbox *outbox, size_t message, PsDropReason reason) {
    const PsGapSend *send = outbox->gap_sends;
    while (send != NULL && (send->pub.message != message || send->reason != reason)) {
        send = send->next;
    }
    return send != NULL;
}

static PsGapSend *send_new(PsOutbox *outbox, size_t message, PsDropReason reason) {
    const PsLedgerEntry *entry = &outbox->ledgers.entries[message];
    const PsGap *gap = &entry->gaps[reason];
    char *text = words_of(entry->book.name, reason, gap);
    if (text == NULL) {
        return NULL; // no memory, or a name that is no text: tried again with the next message
    }
    PsGapSend *send = ps_alloc(sizeof *send);
    *send = (PsGapSend){.next = outbox->gap_sends,
                        .reason = reason,
                        .told = *gap,
                        .topic = ps_strdup(outbox->rules[message].gap_topic),
                        .payload = text};
    send->pub = (PsOutboxRow){.id = outbox->next_id++,
                              .message = message,
                              .collected = has_times(gap) ? gap->last : ps_wall_now(),
                              .topic = send->topic,
                              .qos = 1,
                              .class = PS_OUTBOX_POINT,
                              .payload = text,
                              .len = strlen(text),
                              .packed = 1};
    outbox->gap_sends = send;
    return send;
}

const PsOutboxRow *ps_gap_next(PsOutbox *outbox, PsMono now) {
    size_t sends = 0;
    for (const PsGapSend *send = outbox->gap_sends; send != NULL; send = send->next) {
        sends++;
    }
    if (!outbox->tells_gaps || sends >= SENDS_MAX || now.ns < outbox->gap_again.ns) {
        return NULL;
    }
    for (size_t i = 0; i < outbox->setup.name_count; i++) {
        for (int reason = 0; reason < PS_DROP_COUNT; reason++) {
            // One of an earlier configuration waits until there is a topic for it again.
            if (outbox->rules[i].gap_topic != NULL &&
                outbox->ledgers.entries[i].gaps[reason].count > 0 &&
                !is_told_now(outbox, i, (PsDropReason)reason)) {
                PsGapSend *send = send_new(outbox, i, (PsDropReason)reason);
                return send != NULL ? &send->pub : NULL;
            }
        }
    }
    outbox->gap_again = ps_mono_add_ns(now, AGAIN_NS);
    return NULL;
}

static PsGapSend *take_send(PsOutbox *outbox, uint64_t id) {
    PsGapSend **at = &outbox->gap_sends;
    while (*at != NULL && (*at)->pub.id != id) {
        at = &(*at)->next;
    }
    PsGapSend *send = *at;
    if (send != NULL) {
        *at = send->next;
    }
    return send;
}

static void free_send(PsGapSend *send) {
    free(send->topic);
    free(send->payload);
    free(send);
}

bool ps_gap_take_back(PsOutbox *outbox, uint64_t id) {
    PsGapSend *send = take_send(outbox, id);
    if (send != NULL) {
        free_send(send);
    }
    return send != NULL;
}

bool ps_gap_told(PsOutbox *outbox, uint64_t id) {
    PsGapSend *send = take_send(outbox, id);
    if (send == NULL) {
        return false;
    }
    ps_ledgers_told(&outbox->ledgers, send->pub.message, send->reason, &send->told);
    free_send(send);
    return true;
}

void ps_gap_apply(PsOutbox *outbox, const size_t *to_new) {
    for (PsGapSend *send = outbox->gap_sends; send != NULL; send = send->next) {
        send->pub.message = to_new[send->pub.message];
    }
    outbox->gap_again = (PsMono){0};
}

void ps_gap_link_lost(PsOutbox *outbox) {
    while (outbox->gap_sends != NULL) {
        PsGapSend *send = outbox->gap_sends;
        outbox->gap_sends = send->next;
        free_send(send);
    }
    outbox->gap_again = (PsMono){0};
}

bool ps_gap_refused(PsOutbox *outbox, uint64_t id) {
    PsGapSend *send = take_send(outbox, id);
    if (send == NULL) {
        return false;
    }
    PS_LOGE("GAP-REFUSED",
            "'%s': the server ended the connection twice for gap records on '%s'; none are sent "
            "for it until the gateway is restarted or the topic changed; allow it in the cloud's "
            "policy",
            outbox->ledgers.entries[send->pub.message].book.name, send->pub.topic);
    PsLedgerEntry *entry = &outbox->ledgers.entries[send->pub.message];
    entry->tells_gaps = false;
    memset(entry->gaps, 0, sizeof entry->gaps);
    free_send(send);
    return true;
}
