// From the scripts to the outbox. Owns the note of what each message was last refused for, so that
// a script that is refused ten times a second does not fill the log. Main thread; never blocks.
#include "daemon/intake.h"

#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>

#define REMIND_NS (300 * PS_NS_PER_S)
#define REMIND_AGAIN_NS (10 * PS_NS_PER_S) // when some were taken in between

typedef struct Refusal {
    PsErr err;  // of the last refusal, PS_OK before the first
    bool taken; // a message was taken since
    PsMono logged;
    uint64_t unlogged;
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

static bool carries_alarms(const PsConfig *config, const PsScriptPublish *publish) {
    return publish->kind == PS_SCRIPT_PUBLISH &&
           config->publish[publish->entry].group_type == PS_GROUP_ALARM;
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

bool ps_intake_accept(PsIntake *intake, PsOutbox *outbox, const PsScriptPublish *publish) {
    PsOutboxMessage message = {
        .message = ps_script_message_index(intake->config, publish->kind, publish->entry),
        .collected = publish->collected,
        .topic = publish->topic,
        .qos = publish->qos,
        .class = carries_alarms(intake->config, publish) ? PS_OUTBOX_ALARM : PS_OUTBOX_POINT,
        .payload = publish->payload,
        .len = publish->payload_len,
    };
    Refusal *refusal = &intake->refusals[message.message];
    PsDiag diag = {0};
    PsErr err = ps_outbox_accept(outbox, &message, &diag);
    if (err != PS_OK) {
        note_refusal(refusal, err, &diag);
        return false;
    }
    refusal->taken = true;
    return true;
}
