// Faults on command, at the packets of one client: what a rule wants is done to the packet at once,
// or remembered until its answer is there. Main thread; nothing blocks.
#include "localcloud/front/client_parts.h"

#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define MOST_FAULTED ((size_t)1000) // answers of one client that are due a fault
#define FAR_NS (3600 * PS_NS_PER_S)

static const char on_command[] = "a fault on command";

static void cut(PsClient *client) {
    ps_client_end(client, PS_DISCONNECT_CONNECTION_LOST, PS_REASON_SUCCESS, on_command);
}

static void remember(PsClient *client, PsPacketType answer, uint16_t packet_id,
                     const PsFault *fault) {
    if (client->faulted_count == MOST_FAULTED) {
        return; // the packet goes on undisturbed
    }
    client->faulted =
        ps_grow_array(client->faulted, client->faulted_count + 1, sizeof *client->faulted);
    client->faulted[client->faulted_count++] =
        (PsFaultedAnswer){.answer = answer, .packet_id = packet_id, .fault = *fault};
}

static void forget(PsClient *client, size_t at) {
    bool message = client->faulted[at].answer == PS_PACKET_PUBLISH;
    client->late_bytes -= message ? client->faulted[at].bytes.len : 0;
    ps_buf_deinit(&client->faulted[at].bytes);
    client->faulted_count--;
    memmove(client->faulted + at, client->faulted + at + 1,
            (client->faulted_count - at) * sizeof *client->faulted);
}

void ps_client_free_faulted(PsClient *client) {
    while (client->faulted_count > 0) {
        forget(client, client->faulted_count - 1);
    }
    free(client->faulted);
    client->faulted = NULL;
}

// Where there is no answer, its cut comes with the packet.
static bool has_no_answer(PsClient *client, PsPacketType answer, const PsFault *fault) {
    if (answer != 0) {
        return false;
    }
    client->cut_due =
        fault->what == PS_FAULT_CUT_BEFORE_ANSWER || fault->what == PS_FAULT_CUT_AFTER_ANSWER;
    return true;
}

// Without a time: as long as the rule is there.
static void stop_reading(PsClient *client, const PsFault *fault) {
    if (fault->time_ms == 0) {
        client->stopped_by = fault->rule;
        return;
    }
    client->in_at =
        ps_mono_add_ns(ps_front_now(client->front), (int64_t)fault->time_ms * PS_NS_PER_MS);
}

bool ps_client_is_stopped(const PsClient *client) {
    return client->stopped_by != 0 && ps_faults_in_force(client->front->faults, client->stopped_by);
}

PsFaultStep ps_client_fault(PsClient *client, PsFaultEvent event, PsBytes topic,
                            PsPacketType answer, uint16_t packet_id, uint8_t *ret_code) {
    PsFaults *faults = client->front->faults;
    PsFault fault;
    if (faults == NULL || !ps_faults_ask(faults, &client->fault_counts, event, client->client_id,
                                         (const char *)topic.data, topic.len, &fault)) {
        return PS_FAULT_STEP_GO_ON;
    }
    PS_LOGI("CLOUD-FAULT", "client '%s': a fault on command, rule %u",
            client->client_id != NULL ? client->client_id : "", fault.rule);
    switch (fault.what) {
    case PS_FAULT_CUT:
        cut(client);
        return PS_FAULT_STEP_STOP;
    case PS_FAULT_DROP:
        return PS_FAULT_STEP_STOP;
    case PS_FAULT_REFUSE:
        *ret_code = fault.code;
        return PS_FAULT_STEP_REFUSE;
    case PS_FAULT_STOP_READING:
        stop_reading(client, &fault);
        return PS_FAULT_STEP_GO_ON;
    case PS_FAULT_LOSE_SESSION:
        client->lose_session = true;
        return PS_FAULT_STEP_GO_ON;
    case PS_FAULT_CUT_BEFORE_ANSWER:
    case PS_FAULT_CUT_AFTER_ANSWER:
    case PS_FAULT_DROP_ANSWER:
    case PS_FAULT_WITHHOLD_ANSWER:
    case PS_FAULT_DELAY:
        if (!has_no_answer(client, answer, &fault)) {
            remember(client, answer, packet_id, &fault);
        }
        return PS_FAULT_STEP_GO_ON;
    default:
        return PS_FAULT_STEP_GO_ON; // of the handshake
    }
}

static size_t find(const PsClient *client, PsPacketType answer, uint16_t packet_id) {
    size_t at = 0;
    while (at < client->faulted_count &&
           (client->faulted[at].answer != answer || client->faulted[at].packet_id != packet_id ||
            client->faulted[at].bytes.len > 0)) {
        at++;
    }
    return at;
}

// Takes the answer out of what is to be sent.
static void take_back(PsClient *client, size_t start) {
    client->to_peer.len = start;
    client->to_peer.data[start] = '\0';
}

bool ps_client_answered(PsClient *client, PsPacketType answer, uint16_t packet_id, size_t start) {
    size_t at = client->faulted_count > 0 ? find(client, answer, packet_id) : 0;
    if (at >= client->faulted_count) {
        return true;
    }
    PsFaultedAnswer *faulted = &client->faulted[at];
    bool cuts = faulted->fault.what == PS_FAULT_CUT_BEFORE_ANSWER ||
                faulted->fault.what == PS_FAULT_CUT_AFTER_ANSWER;
    // Nothing may overtake the CONNACK.
    client->gated = client->gated || (answer == PS_PACKET_CONNACK && !cuts);
    switch (faulted->fault.what) {
    case PS_FAULT_CUT_AFTER_ANSWER:
        client->cut_due = true;
        forget(client, at);
        return true;
    case PS_FAULT_CUT_BEFORE_ANSWER:
        client->cut_due = true;
        take_back(client, start);
        forget(client, at);
        return false;
    case PS_FAULT_DELAY:
    case PS_FAULT_WITHHOLD_ANSWER:
        ps_buf_put(&faulted->bytes, client->to_peer.data + start, client->to_peer.len - start);
        faulted->due = ps_mono_add_ns(ps_front_now(client->front),
                                      (int64_t)faulted->fault.time_ms * PS_NS_PER_MS);
        client->late_bytes += answer == PS_PACKET_PUBLISH ? faulted->bytes.len : 0;
        take_back(client, start);
        return false;
    default:
        take_back(client, start);
        forget(client, at);
        return false;
    }
}

bool ps_client_is_late(const PsClient *client, uint16_t packet_id) {
    for (size_t i = 0; i < client->faulted_count; i++) {
        if (client->faulted[i].answer == PS_PACKET_PUBLISH &&
            client->faulted[i].packet_id == packet_id) {
            return true;
        }
    }
    return false;
}

// A withheld answer is due when its rule has gone.
static bool is_due(const PsClient *client, const PsFaultedAnswer *faulted, PsMono now) {
    if (faulted->bytes.len == 0) {
        return false;
    }
    return faulted->fault.what == PS_FAULT_DELAY
               ? ps_mono_diff_ns(faulted->due, now) <= 0
               : !ps_faults_in_force(client->front->faults, faulted->fault.rule);
}

// Before all that has waited behind it, if it is the CONNACK.
static void put_late(PsClient *client, PsFaultedAnswer *faulted) {
    if (faulted->answer == PS_PACKET_CONNACK) {
        client->gated = false;
        ps_buf_put(&faulted->bytes, client->to_peer.data, client->to_peer.len);
        ps_buf_clear(&client->to_peer);
    }
    ps_buf_put(&client->to_peer, faulted->bytes.data, faulted->bytes.len);
}

PsMono ps_client_release_faulted(PsClient *client, PsMono now) {
    PsMono next = ps_mono_add_ns(now, FAR_NS);
    for (size_t i = 0; i < client->faulted_count;) {
        PsFaultedAnswer *faulted = &client->faulted[i];
        if (is_due(client, faulted, now)) {
            put_late(client, faulted);
            bool frees = faulted->answer == PS_PACKET_PUBACK && client->unacked_in > 0;
            client->unacked_in -= frees ? 1 : 0;
            forget(client, i);
            continue;
        }
        bool waits = faulted->bytes.len > 0 && faulted->fault.what == PS_FAULT_DELAY;
        next = waits && ps_mono_diff_ns(faulted->due, next) < 0 ? faulted->due : next;
        i++;
    }
    return next;
}

bool ps_client_cut_if_due(PsClient *client) {
    if (client->cut_due) {
        client->cut_due = false;
        cut(client);
    }
    return ps_client_has_ended(client);
}
