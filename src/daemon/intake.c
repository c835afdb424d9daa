// From the scripts to the outbox. Owns the note of what each message was last refused for, so that
// a script that is refused ten times a second does not fill the log. Main thread; never blocks.
#include "daemon/intake.h"

#include "base/log.h"
#include "base/mem.h"
#include "link/aws.h"
#include "outbox/json_list.h"

#include <stdlib.h>
#include <string.h>

#define REMIND_NS (300 * PS_NS_PER_S)
#define REMIND_AGAIN_NS (10 * PS_NS_PER_S) // when some were taken in between

typedef struct Refusal {
    PsErr err;  // of the last refusal, PS_OK before the first
    bool taken; // a message was taken since
    PsMono logged;
    uint64_t unlogged;
    bool split_told; // that lists are split
} Refusal;

struct PsIntake {
    const PsConfig *config;
    Refusal *refusals; // one per message definition
};

PsIntake *ps_intake_new(const PsConfig *config) {
    PsIntake *intake = ps_alloc(sizeof *intake);
    intake->config = config;
    intake->refusals =
        ps_alloc_array(config->publish_count + config->subscribe_count, sizeof *intake->refusals);
    return intake;
}

void ps_intake_free(PsIntake *intake) {
    if (intake != NULL) {
        free(intake->refusals);
        free(intake);
    }
}

static uint32_t former_index(const PsConfigMap *map, uint32_t index) {
    if (index < map->publish.new_count) {
        return ps_index_to_old(&map->publish, index);
    }
    uint32_t entry = ps_index_to_old(&map->subscribe, index - map->publish.new_count);
    return entry != PS_NOT_THERE ? map->publish.old_count + entry : PS_NOT_THERE;
}

void ps_intake_apply(PsIntake *intake, const PsConfig *config, const PsConfigMap *map) {
    uint32_t count = config->publish_count + config->subscribe_count;
    Refusal *refusals = ps_alloc_array(count, sizeof *refusals);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t former = former_index(map, i);
        if (former != PS_NOT_THERE) {
            refusals[i] = intake->refusals[former];
        }
    }
    free(intake->refusals);
    intake->refusals = refusals;
    intake->config = config;
}

static void note_refusal(Refusal *refusal, PsErr err, const PsDiag *diag) {
    PsMono now = ps_mono_now();
    int64_t pause_ns = refusal->taken ? REMIND_AGAIN_NS : REMIND_NS;
    bool same = refusal->err == err && ps_mono_diff_ns(now, refusal->logged) < pause_ns;
    refusal->err = err;
    if (same) {
        refusal->unlogged++;
        return;
    }
    char text[sizeof *diag];
    ps_diag_format(diag, text, sizeof text);
    PS_LOGE("OUTBOX-REFUSED", "%s (%llu more like it since the last such line)", text,
            (unsigned long long)refusal->unlogged);
    refusal->logged = now;
    refusal->unlogged = 0;
    refusal->taken = false;
}

static const PsMessageDelivery *delivery_of(const PsConfig *config,
                                            const PsScriptPublish *publish) {
    return publish->kind == PS_SCRIPT_PUBLISH ? &config->publish[publish->entry].delivery
                                              : &config->subscribe[publish->entry].delivery;
}

// Every part is a message of its own, with its own place in the books.
static bool accept_one(PsIntake *intake, PsOutbox *outbox, const PsOutboxMessage *message) {
    Refusal *refusal = &intake->refusals[message->message];
    PsDiag diag = {0};
    PsErr err = ps_outbox_accept(outbox, message, &diag);
    if (err != PS_OK) {
        note_refusal(refusal, err, &diag);
        return false;
    }
    refusal->taken = true;
    return true;
}

static bool accept_part(PsIntake *intake, PsOutbox *outbox, const PsOutboxMessage *whole,
                        PsBuf *part) {
    PsOutboxMessage message = *whole;
    ps_buf_put(part, "]", 1);
    message.payload = part->data;
    message.len = part->len;
    bool taken = accept_one(intake, outbox, &message);
    ps_buf_clear(part);
    return taken;
}

// The elements one after the other, as many in a message as the cloud takes. An element that is too
// large by itself is refused by itself.
static bool accept_in_parts(PsIntake *intake, PsOutbox *outbox, const PsOutboxMessage *whole,
                            PsJsonList *list, size_t most) {
    PS_AUTO_BUF PsBuf part = {0};
    PsJsonList element;
    bool all = true;
    size_t parts = 1;
    while (ps_json_list_next(list, &element)) {
        if (part.len > 0 && part.len + element.len + strlen(",]") > most) {
            all = accept_part(intake, outbox, whole, &part) && all;
            parts++;
        }
        ps_buf_put(&part, part.len == 0 ? "[" : ",", 1);
        ps_buf_put(&part, element.text, element.len);
    }
    if (part.len == 0) {
        ps_buf_put(&part, "[", 1); // nothing but white space
    }
    all = accept_part(intake, outbox, whole, &part) && all;
    Refusal *refusal = &intake->refusals[whole->message];
    if (!refusal->split_told) {
        refusal->split_told = true;
        PS_LOGI("OUTBOX-SPLIT",
                "'%s': a list of %zu bytes is sent as %zu messages, since the cloud takes at most "
                "%zu bytes in one; \"split\": false refuses such lists (said once)",
                ps_outbox_ledger(outbox, whole->message)->name, whole->len, parts, most);
    }
    return all;
}

bool ps_intake_accept(PsIntake *intake, PsOutbox *outbox, const PsScriptPublish *publish) {
    PsOutboxMessage message = {
        .message = ps_script_message_index(intake->config, publish->kind, publish->entry),
        .collected = publish->collected,
        .topic = publish->topic,
        .qos = publish->qos,
        .payload = publish->payload,
        .len = publish->payload_len,
    };
    size_t most = ps_link_limits(intake->config->cloud.type).payload_bytes;
    PsJsonList list;
    if (most > 0 && message.len > most && delivery_of(intake->config, publish)->split &&
        ps_json_list_of(message.payload, message.len, &list) && list.array) {
        return accept_in_parts(intake, outbox, &message, &list, most);
    }
    return accept_one(intake, outbox, &message);
}
