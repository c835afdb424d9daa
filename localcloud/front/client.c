// The life of one connection: its two streams, whose turn it is, what holds it back, keep-alive and
// the end. Main thread; nothing blocks.
#include "localcloud/front/client.h"

#include "base/log.h"
#include "base/mem.h"
#include "localcloud/front/client_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAR_NS (3600 * PS_NS_PER_S)
#define KEPT_BYTES ((size_t)2048) // of an output buffer between turns

typedef void Handler(PsClient *client, const PsPacket *packet);

bool ps_client_has_ended(const PsClient *client) {
    return client->state == PS_CLIENT_ENDING;
}

bool ps_client_is_up(const PsClient *client) {
    return client->state == PS_CLIENT_UP;
}

static const char *name_of(const PsClient *client) {
    return client->client_id != NULL ? client->client_id : client->address;
}

void ps_client_note(const PsClient *client, const char *what, PsBytes name) {
    PS_LOGI("CLOUD-REFUSED", "client '%s': %s: '%.*s'", name_of(client), what,
            (int)(name.len < 300 ? name.len : 300), (const char *)name.data);
}

bool ps_client_allows(const PsClient *client, PsPolicyAction action, PsBytes name) {
    const PsFrontWorld *world = client->front->world;
    return world->allows(world->ctx, client->principal, action, name);
}

// ---- The end

static void free_client(PsClient *client) {
    const PsFrontWorld *world = client->front->world;
    ps_front_unlink(client->front, client);
    if (client->principal != NULL) {
        world->principal_free(world->ctx, client->principal);
    }
    ps_client_free_pending(client);
    ps_client_free_faulted(client);
    for (size_t i = 0; i < client->alias_count; i++) {
        ps_buf_deinit(&client->aliases[i]);
    }
    free(client->aliases);
    ps_packet_queue_deinit(&client->in);
    ps_packet_queue_deinit(&client->from_broker);
    ps_packet_queue_deinit(&client->stored);
    ps_packet_queue_deinit(&client->held);
    ps_buf_deinit(&client->connect);
    ps_buf_deinit(&client->to_peer);
    ps_buf_deinit(&client->to_broker);
    ps_client_free_unacked(client);
    free(client->domain_name);
    free(client->client_id);
    free(client);
}

static void send_to(PsStream *stream, PsBuf *bytes) {
    if (stream != NULL && bytes->len > 0 &&
        ps_stream_write(stream, bytes->data, bytes->len) != PS_OK) {
        ps_stream_close(stream, false); // its on_close ends the client
    }
    if (bytes->capacity > KEPT_BYTES) {
        ps_buf_deinit(bytes);
    } else {
        ps_buf_clear(bytes);
    }
}

void ps_client_flush(PsClient *client) {
    send_to(client->broker, &client->to_broker);
    if (!client->gated) {
        send_to(client->peer, &client->to_peer);
    }
}

// The broker sends the will itself; what the control plane shows of a retained one is ours.
static void keep_will(PsClient *client) {
    PsPacket packet;
    PsPacketFault fault;
    PsBytes raw = ps_bytes(client->connect.data, client->connect.len);
    if (raw.len > 0 && ps_packet_parse(raw, 0, &packet, &fault) == PS_OK) {
        const PsPacketWill *will = &packet.connect.will;
        ps_client_keep_retained(client, will->topic, will->payload, will->qos, &will->props);
    }
}

static void leave_session(PsClient *client) {
    PsSession *session = client->session;
    PsFront *front = client->front;
    if (session == NULL || session->client != client) {
        return;
    }
    session->client = NULL;
    session->idle = ps_front_now(front);
    if (session->kept) {
        session->left = ps_front_wall(front);
        ps_session_save(&front->sessions, session);
    } else {
        ps_session_forget(&front->sessions, session);
    }
}

static void announce_end(PsClient *client, PsDisconnectReason reason) {
    if (!client->announced) {
        return;
    }
    client->announced = false;
    const PsFrontWorld *world = client->front->world;
    PsPresence event = {.kind = PS_PRESENCE_DISCONNECTED,
                        .client_id = client->client_id,
                        .certificate_id = client->certificate_id,
                        .thing = world->thing(world->ctx, client->principal, true),
                        .ip_address = client->address,
                        .reason = reason,
                        .now = ps_front_wall(client->front)};
    world->presence(world->ctx, &event, &client->presence);
}

void ps_client_forget_will(PsClient *client) {
    if (client->state == PS_CLIENT_UP && client->has_will) {
        ps_packet_put_disconnect(&client->to_broker, client->version, PS_REASON_SUCCESS,
                                 ps_bytes(NULL, 0));
        client->has_will = false;
    }
}

void ps_client_end(PsClient *client, PsDisconnectReason reason, PsReason code, const char *why) {
    if (ps_client_has_ended(client)) {
        return;
    }
    bool was_up = client->state == PS_CLIENT_UP;
    PS_LOGI("CLOUD-CLIENT-END", "client '%s' (%s): %s (%s)", name_of(client), client->address, why,
            ps_disconnect_reason_name(reason));
    client->state = PS_CLIENT_ENDING;
    if (was_up && client->version == PS_MQTT_5 && code != PS_REASON_SUCCESS) {
        PS_AUTO_BUF PsBuf props = {0};
        ps_props_put_text(&props, PS_PROPERTY_REASON_STRING, ps_bytes(why, strlen(why)));
        ps_packet_put_disconnect(&client->to_peer, client->version, code,
                                 ps_bytes(props.data, props.len));
    }
    if (was_up && client->has_will && client->will_retained) {
        keep_will(client);
    }
    ps_client_flush(client);
    // Without a DISCONNECT the broker sends the will.
    if (client->broker != NULL) {
        ps_stream_close(client->broker, true);
    }
    if (client->peer != NULL) {
        ps_stream_close(client->peer, true);
    }
    leave_session(client);
    announce_end(client, reason);
}

// ---- Packets of the client

static void on_second_connect(PsClient *client, const PsPacket *packet) {
    (void)packet;
    ps_client_end(client, PS_DISCONNECT_CLIENT_ERROR, PS_REASON_PROTOCOL,
                  "a second CONNECT on one connection");
}

static void on_pingreq(PsClient *client, const PsPacket *packet) {
    (void)packet;
    uint8_t code = 0;
    PsFaultStep step = ps_client_fault(client, PS_FAULT_ON_PINGREQ, ps_bytes(NULL, 0),
                                       PS_PACKET_PINGRESP, 0, &code);
    if (step == PS_FAULT_STEP_GO_ON) {
        size_t start = client->to_peer.len;
        ps_packet_put_empty(&client->to_peer, PS_PACKET_PINGRESP);
        (void)ps_client_answered(client, PS_PACKET_PINGRESP, 0, start);
    }
}

// MQTT 5, 3.14.2.2.2: the session's life may be changed, but not from none to some.
static void on_disconnect(PsClient *client, const PsPacket *packet) {
    PS_AUTO_BUF PsBuf props = {0};
    if (ps_props_have(&packet->props, PS_PROPERTY_SESSION_EXPIRY)) {
        uint32_t expiry = ps_props_number(&packet->props, PS_PROPERTY_SESSION_EXPIRY, 0);
        if (client->expiry_s == 0 && expiry > 0) {
            ps_client_end(client, PS_DISCONNECT_CLIENT_ERROR, PS_REASON_PROTOCOL,
                          "DISCONNECT wants to keep a session that CONNECT did not");
            return;
        }
        uint32_t most = ps_client_limits(client)->session_expiry_s;
        client->expiry_s = expiry < most ? expiry : most;
        client->session->expiry_s = client->expiry_s;
        if (client->expiry_s == 0) {
            ps_session_forget(&client->front->sessions, client->session);
        }
        ps_props_put_number(&props, PS_PROPERTY_SESSION_EXPIRY, client->expiry_s);
    }
    bool with_will = packet->reason == PS_REASON_WITH_WILL;
    client->has_will = client->has_will && with_will;
    ps_packet_put_disconnect(&client->to_broker, client->version,
                             with_will ? PS_REASON_WITH_WILL : PS_REASON_SUCCESS,
                             ps_bytes(props.data, props.len));
    ps_client_end(client, PS_DISCONNECT_CLIENT_INITIATED, PS_REASON_SUCCESS, "DISCONNECT");
}

// 3.1.1 and 5 have them, AWS IoT Core has not.
static void on_unsupported(PsClient *client, const PsPacket *packet) {
    char why[64];
    snprintf(why, sizeof why, "%s is not supported", ps_packet_name(packet->type));
    ps_client_end(client, PS_DISCONNECT_CLIENT_ERROR, PS_REASON_PROTOCOL, why);
}

static Handler *const from_peer[] = {
    [PS_PACKET_CONNECT] = on_second_connect,
    [PS_PACKET_PUBLISH] = ps_client_on_publish,
    [PS_PACKET_PUBACK] = ps_client_on_puback,
    [PS_PACKET_SUBSCRIBE] = ps_client_on_subscribe,
    [PS_PACKET_UNSUBSCRIBE] = ps_client_on_unsubscribe,
    [PS_PACKET_PINGREQ] = on_pingreq,
    [PS_PACKET_DISCONNECT] = on_disconnect,
    [PS_PACKET_AUTH] = on_unsupported,
};

// Spec 4.1: what starts the keep-alive time anew.
static bool counts_for_keep_alive(PsPacketType type) {
    return type == PS_PACKET_PUBLISH || type == PS_PACKET_SUBSCRIBE || type == PS_PACKET_PINGREQ ||
           type == PS_PACKET_PUBACK;
}

static void take_packet(PsClient *client, PsBytes raw) {
    PsPacketType type = (PsPacketType)(raw.data[0] >> 4);
    if (client->state == PS_CLIENT_NEW) {
        ps_client_on_connect(client, raw);
        return;
    }
    if (client->state != PS_CLIENT_UP) {
        ps_client_end(client, PS_DISCONNECT_CLIENT_ERROR, PS_REASON_PROTOCOL,
                      "a packet before the CONNACK");
        return;
    }
    PsPacket packet;
    PsPacketFault fault;
    if (ps_packet_parse(raw, client->version, &packet, &fault) != PS_OK) {
        ps_client_end(client, PS_DISCONNECT_CLIENT_ERROR, fault.reason, fault.text);
        return;
    }
    if (counts_for_keep_alive(type)) {
        client->heard = ps_front_now(client->front);
    }
    Handler *handler = (size_t)type < PS_COUNT(from_peer) ? from_peer[type] : NULL;
    (handler != NULL ? handler : on_unsupported)(client, &packet);
}

// ---- What holds the input back

static bool is_waiting(const PsClient *client) {
    bool before = client->state == PS_CLIENT_WAITING || client->state == PS_CLIENT_WIPING ||
                  client->state == PS_CLIENT_CONNECTING;
    return before && ps_client_react(client, PS_REACTION_EARLY_PACKET) == PS_REACT_WAIT;
}

// Spec 4.4: beyond 100 messages without PUBACK nothing is read; MQTT 5 has 0x93 for it.
static bool has_too_many_unacked(const PsClient *client) {
    bool waits = client->version != PS_MQTT_5 ||
                 ps_client_react(client, PS_REACTION_UNACKED_5) == PS_REACT_WAIT;
    return waits && client->unacked_in >= ps_client_limits(client)->unacked_in;
}

static bool is_held_back(const PsClient *client) {
    return is_waiting(client) || has_too_many_unacked(client) || ps_client_is_stopped(client) ||
           client->pending_count == PS_CLIENT_SUBSCRIBES ||
           ps_mono_diff_ns(client->in_at, ps_front_now(client->front)) > 0 ||
           (client->broker != NULL &&
            ps_stream_pending_bytes(client->broker) + client->to_broker.len > PS_STREAM_HIGH);
}

static bool is_broker_held_back(const PsClient *client) {
    size_t kept = ps_packet_queue_len(&client->held) + ps_packet_queue_len(&client->stored) +
                  client->late_bytes;
    return kept > ps_client_limits(client)->held_bytes ||
           ps_mono_diff_ns(client->out_at, ps_front_now(client->front)) > 0 ||
           (client->peer != NULL &&
            ps_stream_pending_bytes(client->peer) + client->to_peer.len > PS_STREAM_HIGH);
}

static void set_paused(PsStream *stream, bool *is_paused, bool wanted) {
    if (stream == NULL || *is_paused == wanted) {
        return;
    }
    *is_paused = wanted;
    (wanted ? ps_stream_pause : ps_stream_resume)(stream);
}

// The next packet of the client; false when there is none to be taken now.
static bool take_next(PsClient *client) {
    if (ps_client_has_ended(client) || is_held_back(client)) {
        return false;
    }
    PsBytes raw;
    PsPacketFault fault;
    const PsLimits *limits = ps_client_limits(client);
    PsErr err = ps_packet_queue_next(&client->in, limits->packet_bytes, &raw, &fault);
    if (err == PS_ERR_BUSY) {
        return false;
    }
    if (err == PS_ERR_TOO_BIG) { // AWS has no 0x95
        ps_client_end(client, PS_DISCONNECT_CLIENT_ERROR, PS_REASON_QUOTA, fault.text);
        return false;
    }
    if (err != PS_OK) {
        ps_client_end(client, PS_DISCONNECT_CLIENT_ERROR, fault.reason, fault.text);
        return false;
    }
    PsMono now = ps_front_now(client->front);
    client->in_at = ps_bucket_spend(&client->bytes_in, limits->bytes_per_s, (uint32_t)raw.len, now);
    take_packet(client, raw);
    return true;
}

void ps_client_work(PsClient *client) {
    if (client->in_turn) {
        return; // whoever called us is in it already
    }
    client->in_turn = true;
    while (take_next(client)) {
    }
    client->in_turn = false;
    if (ps_client_has_ended(client) || ps_client_cut_if_due(client)) {
        return;
    }
    bool partial = ps_packet_queue_len(&client->in) > 0 && !is_held_back(client);
    if (!partial) {
        client->partial_since = (PsMono){0};
    } else if (client->partial_since.ns == 0) {
        client->partial_since = ps_front_now(client->front);
    }
    PsMono more = ps_client_release(client, ps_front_now(client->front));
    PsMono soonest = ps_mono_diff_ns(client->in_at, more) < 0 &&
                             ps_mono_diff_ns(client->in_at, ps_front_now(client->front)) > 0
                         ? client->in_at
                         : more;
    ps_front_want(client->front, soonest);
    ps_client_flush(client);
    set_paused(client->peer, &client->peer_paused, is_held_back(client));
    set_paused(client->broker, &client->broker_paused, is_broker_held_back(client));
}

// ---- Streams

static void on_peer_bytes(void *ctx, const uint8_t *data, size_t len) {
    PsClient *client = ctx;
    if (!ps_client_has_ended(client)) {
        ps_packet_queue_put(&client->in, data, len);
        ps_client_work(client);
    }
}

static void on_drained(void *ctx) {
    PsClient *client = ctx;
    if (!ps_client_has_ended(client)) {
        ps_client_work(client);
    }
}

static void free_when_gone(PsClient *client) {
    if (client->peer == NULL && client->broker == NULL) {
        free_client(client);
    }
}

static void on_peer_close(void *ctx, PsStreamEnd end, const char *why) {
    PsClient *client = ctx;
    client->peer = NULL;
    bool slow = end == PS_STREAM_TIMEOUT;
    ps_client_end(client, slow ? PS_DISCONNECT_CLIENT_ERROR : PS_DISCONNECT_CONNECTION_LOST,
                  PS_REASON_SUCCESS, end == PS_STREAM_CLOSED_THERE ? "closed by the client" : why);
    free_when_gone(client);
}

static const PsStreamEvents peer_events = {
    .on_bytes = on_peer_bytes, .on_drained = on_drained, .on_close = on_peer_close};

static void on_broker_disconnect(PsClient *client, const PsPacket *packet) {
    (void)packet;
    ps_client_end(client, PS_DISCONNECT_SERVER_ERROR, PS_REASON_SHUTTING_DOWN,
                  "the broker has ended the connection");
}

static void on_pingresp(PsClient *client, const PsPacket *packet) {
    (void)packet;
    ps_client_on_pingresp(client);
}

static Handler *const from_broker[] = {
    [PS_PACKET_CONNACK] = ps_client_on_connack,
    [PS_PACKET_PUBLISH] = ps_client_on_delivery,
    [PS_PACKET_PUBACK] = ps_client_on_puback_from_broker,
    [PS_PACKET_SUBACK] = ps_client_on_suback,
    [PS_PACKET_UNSUBACK] = ps_client_on_unsuback,
    [PS_PACKET_PINGRESP] = on_pingresp,
    [PS_PACKET_DISCONNECT] = on_broker_disconnect,
};

static bool take_from_broker(PsClient *client) {
    PsBytes raw;
    PsPacket packet;
    PsPacketFault fault = {PS_REASON_UNSPECIFIED, "the broker sent what is no packet"};
    PsErr err = ps_packet_queue_next(&client->from_broker, SIZE_MAX, &raw, &fault);
    if (err == PS_ERR_BUSY) {
        return false;
    }
    err = err == PS_OK ? ps_packet_parse(raw, client->version, &packet, &fault) : err;
    Handler *handler = err == PS_OK && (size_t)packet.type < PS_COUNT(from_broker)
                           ? from_broker[packet.type]
                           : NULL;
    if (handler == NULL) {
        ps_client_end(client, PS_DISCONNECT_SERVER_ERROR, PS_REASON_SHUTTING_DOWN, fault.text);
        return false;
    }
    handler(client, &packet);
    return true;
}

static void on_broker_bytes(void *ctx, const uint8_t *data, size_t len) {
    PsClient *client = ctx;
    ps_packet_queue_put(&client->from_broker, data, len);
    client->in_turn = true;
    while (!ps_client_has_ended(client) && take_from_broker(client)) {
    }
    client->in_turn = false;
    if (!ps_client_has_ended(client)) {
        ps_client_work(client); // a PUBACK may have made room
    }
}

static void on_broker_open(void *ctx) {
    PsClient *client = ctx;
    if (!ps_client_has_ended(client)) {
        ps_client_on_broker_open(client);
        ps_client_flush(client);
    }
}

static void on_broker_close(void *ctx, PsStreamEnd end, const char *why) {
    (void)end;
    PsClient *client = ctx;
    client->broker = NULL;
    if (client->state == PS_CLIENT_CONNECTING) {
        ps_client_refuse(client, PS_REASON_UNSPECIFIED, why);
    } else {
        ps_client_end(client, PS_DISCONNECT_SERVER_ERROR, PS_REASON_SHUTTING_DOWN, why);
    }
    free_when_gone(client);
}

const PsStreamEvents ps_client_broker_events = {.on_open = on_broker_open,
                                                .on_bytes = on_broker_bytes,
                                                .on_drained = on_drained,
                                                .on_close = on_broker_close};

PsClient *ps_client_new(PsFront *front, PsStream *peer, const PsFrontPeer *facts) {
    PsClient *client = ps_alloc(sizeof *client);
    client->front = front;
    client->peer = peer;
    client->opened = ps_front_now(front);
    client->user = facts->user;
    snprintf(client->certificate_id, sizeof client->certificate_id, "%s", facts->certificate_id);
    snprintf(client->address, sizeof client->address, "%s", facts->address);
    client->domain_name = ps_strdup(facts->domain_name);
    peer->events = &peer_events;
    peer->ctx = client;
    ps_front_link(front, client);
    return client;
}

// ---- Time

static PsMono in_s(PsMono from, double seconds) {
    return ps_mono_add_ns(from, ps_seconds_to_ns(seconds));
}

// The moment after which it is too late, and what then has been missed.
static PsMono deadline(const PsClient *client, const char **ret_why) {
    const PsLimits *limits = ps_client_limits(client);
    if (client->state != PS_CLIENT_UP) {
        *ret_why = "no CONNECT in time";
        return in_s(client->opened, limits->connect_wait_s);
    }
    if (client->partial_since.ns != 0) {
        *ret_why = "a packet was begun and not ended in time";
        return in_s(client->partial_since, limits->packet_wait_s);
    }
    *ret_why = "keep-alive: nothing heard for 1.5 times its value";
    return in_s(client->heard, 1.5 * client->keep_alive_s);
}

PsMono ps_client_tick(PsClient *client, PsMono now) {
    if (ps_client_has_ended(client)) {
        return ps_mono_add_ns(now, FAR_NS);
    }
    if (client->state == PS_CLIENT_WAITING && ps_mono_diff_ns(client->connect_at, now) <= 0) {
        ps_client_connect_again(client);
    }
    if (ps_client_has_ended(client)) {
        return ps_mono_add_ns(now, FAR_NS);
    }
    const char *why = NULL;
    PsMono late = deadline(client, &why);
    // Who is not read cannot be heard; that is our doing.
    bool excused = client->state == PS_CLIENT_WAITING || client->peer_paused;
    if (!excused && ps_mono_diff_ns(late, now) <= 0) {
        bool silent = client->state == PS_CLIENT_UP && client->partial_since.ns == 0;
        ps_client_end(client,
                      silent ? PS_DISCONNECT_KEEP_ALIVE_TIMEOUT : PS_DISCONNECT_CLIENT_ERROR,
                      silent ? PS_REASON_KEEP_ALIVE : PS_REASON_PROTOCOL, why);
        return ps_mono_add_ns(now, FAR_NS);
    }
    ps_client_work(client);
    PsMono far = ps_mono_add_ns(now, FAR_NS);
    return excused || ps_client_has_ended(client) ? far : late;
}
