// Messages from the broker to a client: what AWS would not deliver is taken out, stored ones are
// paced, no more than a hundred go out without PUBACK, and those go again after a while. Main
// thread; nothing blocks.
#include "localcloud/front/client_parts.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define DUP_FLAG 0x08
#define FAR_NS (3600 * PS_NS_PER_S)

// As if the client had taken it.
static void acknowledge(PsClient *client, const PsPacket *packet) {
    if (packet->publish.qos > 0) {
        ps_packet_put_puback(&client->to_broker, client->version, packet->packet_id,
                             PS_REASON_SUCCESS, NULL);
    }
}

static bool is_wanted(const PsClient *client, const PsPacket *packet) {
    PsSubscriptions *filters = &client->session->subscriptions;
    if (packet->publish.retain) {
        // Only at subscribe time, and only an exact filter brings it.
        return ps_subscriptions_retained_take(filters, packet->publish.topic);
    }
    return ps_subscriptions_take(filters, packet->publish.topic);
}

static size_t most_unacked(const PsClient *client) {
    uint32_t most = ps_client_limits(client)->unacked_out;
    return client->receive_max < most ? client->receive_max : most;
}

// MQTT 5 forbids to repeat a message on the same connection (4.4); there it comes with the next
// one.
static bool is_sent_again(const PsClient *client) {
    return client->version != PS_MQTT_5 && ps_client_limits(client)->resend_out_s > 0;
}

static bool has_room(const PsClient *client) {
    return client->unacked_out_count < most_unacked(client);
}

static void note_unacked(PsClient *client, uint16_t packet_id, PsBytes raw) {
    if (client->unacked_out_count == client->unacked_out_capacity) {
        size_t capacity = client->unacked_out_capacity;
        client->unacked_out_capacity = capacity > 0 ? capacity * 2 : 8;
        client->unacked_out = ps_grow_array(client->unacked_out, client->unacked_out_capacity,
                                            sizeof *client->unacked_out);
    }
    PsMono now = ps_front_now(client->front);
    PsUnacked *unacked = &client->unacked_out[client->unacked_out_count++];
    *unacked = (PsUnacked){.packet_id = packet_id, .first = now, .last = now};
    if (is_sent_again(client)) {
        ps_buf_put(&unacked->message, raw.data, raw.len);
    }
}

static void drop_unacked(PsClient *client, size_t at) {
    ps_buf_deinit(&client->unacked_out[at].message);
    client->unacked_out_count--;
    memmove(client->unacked_out + at, client->unacked_out + at + 1,
            (client->unacked_out_count - at) * sizeof *client->unacked_out);
}

// Messages whose PUBACK did not come in time are over for the broker; when the next one will be.
static PsMono expire_unacked(PsClient *client, PsMono now) {
    int64_t life_ns = ps_client_limits(client)->unacked_out_s * PS_NS_PER_S;
    while (life_ns > 0 && client->unacked_out_count > 0) {
        PsMono due = ps_mono_add_ns(client->unacked_out[0].first, life_ns);
        if (ps_mono_diff_ns(due, now) > 0) {
            return due;
        }
        ps_packet_put_puback(&client->to_broker, client->version, client->unacked_out[0].packet_id,
                             PS_REASON_SUCCESS, NULL);
        client->front->numbers.discarded++;
        drop_unacked(client, 0);
    }
    return ps_mono_add_ns(now, FAR_NS);
}

static uint16_t packet_id_of(PsBytes raw) {
    PsReader reader = ps_reader(raw.data, raw.len);
    (void)ps_reader_u8(&reader);
    (void)ps_mqtt_get_varint(&reader);
    (void)ps_mqtt_get_bytes(&reader);
    return ps_mqtt_get_u16(&reader);
}

static bool has_packet_id(PsBytes raw) {
    return (raw.data[0] & 0x06) != 0; // QoS
}

// Returns where it stands.
static size_t put_delivery(PsClient *client, PsBytes raw) {
    size_t at = client->to_peer.len;
    ps_buf_put(&client->to_peer, raw.data, raw.len);
    client->to_peer.data[at] &= (uint8_t)~DUP_FLAG; // AWS never sets it
    client->front->numbers.deliveries++;
    client->out_at = ps_bucket_spend(&client->bytes_out, ps_client_limits(client)->bytes_per_s,
                                     (uint32_t)raw.len, ps_front_now(client->front));
    return at;
}

static void send(PsClient *client, PsBytes raw) {
    size_t at = put_delivery(client, raw);
    uint16_t packet_id = has_packet_id(raw) ? packet_id_of(raw) : 0;
    if (packet_id != 0) {
        note_unacked(client, packet_id, raw);
    }
    (void)ps_client_answered(client, PS_PACKET_PUBLISH, packet_id, at);
}

// What was sent before has not even left.
static bool is_backed_up(const PsClient *client) {
    return client->gated || client->peer == NULL || ps_stream_pending_bytes(client->peer) > 0;
}

// Messages that have waited long enough for their PUBACK once more, with their number and without
// DUP, as AWS does; when the next one is due.
static PsMono send_again(PsClient *client, PsMono now) {
    PsMono next = ps_mono_add_ns(now, FAR_NS);
    int64_t wait_ns = ps_client_limits(client)->resend_out_s * PS_NS_PER_S;
    for (size_t i = 0; is_sent_again(client) && i < client->unacked_out_count; i++) {
        PsUnacked *unacked = &client->unacked_out[i];
        if (unacked->message.len == 0) {
            continue; // sent before the limit was set
        }
        if (ps_client_is_late(client, unacked->packet_id)) {
            unacked->last = now; // not yet on its way
        } else if (ps_mono_diff_ns(ps_mono_add_ns(unacked->last, wait_ns), now) <= 0) {
            if (!is_backed_up(client)) {
                (void)put_delivery(client, ps_bytes(unacked->message.data, unacked->message.len));
            }
            unacked->last = now;
        }
        PsMono due = ps_mono_add_ns(unacked->last, wait_ns);
        next = ps_mono_diff_ns(due, next) < 0 ? due : next;
    }
    return next;
}

void ps_client_free_unacked(PsClient *client) {
    while (client->unacked_out_count > 0) {
        drop_unacked(client, client->unacked_out_count - 1);
    }
    free(client->unacked_out);
}

static void queue(PsPacketQueue *queue, PsBytes raw) {
    ps_packet_queue_put(queue, raw.data, raw.len);
}

// A message that a rule lets get lost on its way: the broker has it until the client returns. One
// that a rule delays goes on, and is held back where it would leave.
static bool is_lost_by_fault(PsClient *client, const PsPacket *packet) {
    uint8_t code = 0;
    return ps_client_fault(client, PS_FAULT_ON_DELIVER, packet->publish.topic, PS_PACKET_PUBLISH,
                           packet->packet_id, &code) != PS_FAULT_STEP_GO_ON;
}

void ps_client_on_delivery(PsClient *client, const PsPacket *packet) {
    if (client->state != PS_CLIENT_UP || !is_wanted(client, packet)) {
        acknowledge(client, packet);
        return;
    }
    if (!ps_client_allows(client, PS_POLICY_RECEIVE, packet->publish.topic)) {
        client->front->numbers.refused++;
        acknowledge(client, packet);
        ps_client_note(client, "iot:Receive is not allowed", packet->publish.topic);
        if (ps_client_react(client, PS_REACTION_RECEIVE_DENIED) == PS_REACT_CLOSE) {
            ps_client_end(client, PS_DISCONNECT_FORBIDDEN_ACCESS, PS_REASON_NOT_AUTHORIZED,
                          "iot:Receive is not allowed for a message");
        }
        return;
    }
    bool stored = client->replaying && packet->publish.qos > 0;
    uint32_t rate = ps_client_limits(client)->deliveries_per_s;
    if (!stored && !ps_bucket_take(&client->deliveries, rate, 1, ps_front_now(client->front))) {
        client->front->numbers.discarded++;
        acknowledge(client, packet);
        return;
    }
    if (is_lost_by_fault(client, packet)) {
        return;
    }
    if (stored && ps_client_limits(client)->replay_per_s > 0) {
        queue(&client->stored, packet->raw);
    } else if (packet->publish.qos > 0 &&
               (!has_room(client) || ps_packet_queue_len(&client->held) > 0)) {
        queue(&client->held, packet->raw);
    } else {
        send(client, packet->raw);
    }
}

void ps_client_on_pingresp(PsClient *client) {
    client->replaying = false;
}

void ps_client_on_puback(PsClient *client, const PsPacket *packet) {
    uint8_t code = 0;
    if (ps_client_fault(client, PS_FAULT_ON_PUBACK, ps_bytes(NULL, 0), 0, 0, &code) !=
        PS_FAULT_STEP_GO_ON) {
        return;
    }
    for (size_t i = 0; i < client->unacked_out_count; i++) {
        if (client->unacked_out[i].packet_id == packet->packet_id) {
            drop_unacked(client, i);
            ps_buf_put(&client->to_broker, packet->raw.data, packet->raw.len);
            return;
        }
    }
    // Nothing of that number is with the client: not the broker's business.
}

static bool send_next(PsClient *client, PsPacketQueue *queue) {
    PsBytes raw;
    PsPacketFault fault;
    if (!has_room(client) || ps_packet_queue_next(queue, SIZE_MAX, &raw, &fault) != PS_OK) {
        return false;
    }
    send(client, raw);
    return true;
}

PsMono ps_client_release(PsClient *client, PsMono now) {
    PsMono expiry = expire_unacked(client, now);
    PsMono again = send_again(client, now);
    uint32_t rate = ps_client_limits(client)->replay_per_s;
    int64_t step_ns = rate > 0 ? PS_NS_PER_S / rate : 0;
    while (ps_mono_diff_ns(client->replay_at, now) <= 0 && send_next(client, &client->stored)) {
        // Not faster afterwards because a tick was late.
        client->replay_at = ps_mono_add_ns(now, step_ns);
    }
    while (send_next(client, &client->held)) {
    }
    PsMono faulted = ps_client_release_faulted(client, now); // among them what was just sent
    bool more = ps_packet_queue_len(&client->stored) > 0 && has_room(client);
    PsMono next =
        more && ps_mono_diff_ns(client->replay_at, faulted) < 0 ? client->replay_at : faulted;
    next = ps_mono_diff_ns(expiry, next) < 0 ? expiry : next;
    next = ps_mono_diff_ns(again, next) < 0 ? again : next;
    bool waits = ps_mono_diff_ns(client->out_at, now) > 0;
    return waits && ps_mono_diff_ns(client->out_at, next) < 0 ? client->out_at : next;
}

void ps_client_direct(PsClient *client, const char *topic, PsBytes payload) {
    PsPublishOrder order = {
        .version = client->version, .topic = ps_bytes(topic, strlen(topic)), .payload = payload};
    ps_packet_put_publish(&client->to_peer, &order);
    client->front->numbers.deliveries++;
    if (!client->in_turn) {
        ps_client_flush(client);
    }
}
