// CONNECT: judged as AWS IoT Core does, then made anew for the broker; and the CONNACK back.
// Main thread; nothing blocks but a look into the registry.
#include "localcloud/front/client_parts.h"

#include "base/mem.h"
#include "localcloud/front/filter.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNACK_3_VERSION 1
#define CONNACK_3_NOT_AUTHORIZED 5
#define ASSIGNED_PREFIX "$GEN/"
#define BROKER_RECEIVE_MAX UINT16_MAX // the front holds back, not the broker

// One row of AWS's checks; false after refusing.
typedef bool Check(PsClient *client, const PsPacket *packet);

static const PsBytes no_bytes = {0};

static PsBytes text_bytes(const char *text) {
    return ps_bytes(text, strlen(text));
}

void ps_client_refuse(PsClient *client, PsReason code, const char *why) {
    if (client->version == PS_MQTT_5) {
        PS_AUTO_BUF PsBuf props = {0};
        ps_props_put_text(&props, PS_PROPERTY_REASON_STRING, text_bytes(why));
        ps_packet_put_connack(&client->to_peer, client->version, false, (uint8_t)code,
                              ps_bytes(props.data, props.len));
    } else if (code == PS_REASON_VERSION) {
        ps_packet_put_connack(&client->to_peer, PS_MQTT_3, false, CONNACK_3_VERSION, no_bytes);
    } else if (code == PS_REASON_NOT_AUTHORIZED &&
               ps_client_react(client, PS_REACTION_CONNECT_DENIED_3) == PS_REACT_ACK) {
        ps_packet_put_connack(&client->to_peer, PS_MQTT_3, false, CONNACK_3_NOT_AUTHORIZED,
                              no_bytes);
    }
    ps_client_end(client,
                  code == PS_REASON_NOT_AUTHORIZED ? PS_DISCONNECT_AUTH_ERROR
                                                   : PS_DISCONNECT_CLIENT_ERROR,
                  code, why);
}

static bool refused(PsClient *client, PsReason code, const char *why) {
    ps_client_refuse(client, code, why);
    return false;
}

// Also the event that AWS emits for it.
static bool denied(PsClient *client, const char *why) {
    const PsFrontWorld *world = client->front->world;
    client->front->numbers.refused++;
    PsPresence event = {.kind = PS_PRESENCE_CONNECT_FAILED,
                        .client_id = client->client_id,
                        .certificate_id = client->certificate_id,
                        .ip_address = client->address,
                        .now = ps_front_wall(client->front)};
    world->presence(world->ctx, &event, &client->presence);
    return refused(client, PS_REASON_NOT_AUTHORIZED, why);
}

// ---- The checks

static bool check_login(PsClient *client, const PsPacket *packet) {
    // User name and password are ignored; AUTH is not supported.
    return !ps_props_have(&packet->props, PS_PROPERTY_AUTH_METHOD) ||
           refused(client, PS_REASON_UNSPECIFIED, "enhanced authentication is not supported");
}

// "$GEN/" and a random UUID (RFC 9562, version 4).
static char *new_client_id(void) {
    uint8_t bytes[16];
    PS_ASSERT(RAND_bytes(bytes, sizeof bytes) == 1);
    bytes[6] = (uint8_t)((bytes[6] & 0x0F) | 0x40);
    bytes[8] = (uint8_t)((bytes[8] & 0x3F) | 0x80);
    PsBuf text = {0};
    ps_buf_printf(&text, ASSIGNED_PREFIX);
    for (size_t i = 0; i < sizeof bytes; i++) {
        ps_buf_printf(&text, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", bytes[i]);
    }
    return (char *)text.data;
}

static bool check_client_id(PsClient *client, const PsPacket *packet) {
    PsBytes id = packet->connect.client_id;
    if (id.len == 0) {
        if (client->version != PS_MQTT_5 && !client->clean) {
            return refused(client, PS_REASON_CLIENT_ID, "no client id, but a session to be kept");
        }
        client->client_id = new_client_id();
        client->assigned_id = true;
        return true;
    }
    if (id.len > ps_client_limits(client)->client_id_bytes) {
        return refused(client, PS_REASON_CLIENT_ID, "the client id is too long");
    }
    if (id.data[0] == '$') {
        return refused(client, PS_REASON_CLIENT_ID, "the client id begins with $");
    }
    client->client_id = ps_strdup(ps_front_text(client->front, id));
    return true;
}

static bool check_policy(PsClient *client, const PsPacket *packet) {
    const PsFrontWorld *world = client->front->world;
    PsFrontConnect connect = {.client_id = client->client_id,
                              .persistent = client->expiry_s > 0,
                              .will_topic =
                                  packet->connect.has_will ? packet->connect.will.topic : no_bytes};
    PsFrontPeer peer = {.certificate_id = client->certificate_id,
                        .address = client->address,
                        .domain_name = client->domain_name,
                        .user = client->user};
    client->principal = world->principal_new(world->ctx, &peer, &connect);
    if (client->principal == NULL) {
        return refused(client, PS_REASON_UNSPECIFIED, "the registry cannot be read");
    }
    return ps_client_allows(client, PS_POLICY_CONNECT, text_bytes(client->client_id)) ||
           denied(client, "iot:Connect is not allowed");
}

static bool check_will(PsClient *client, const PsPacket *packet) {
    const PsPacketWill *will = &packet->connect.will;
    if (!packet->connect.has_will) {
        return true;
    }
    if (will->qos > 1) {
        return refused(client, PS_REASON_QOS, "the will has QoS 2");
    }
    const char *wrong = ps_client_judge_topic(client, will->topic);
    if (wrong != NULL) {
        return refused(client, PS_REASON_TOPIC, wrong);
    }
    if (will->payload.len > ps_client_limits(client)->payload_bytes) {
        return refused(client, PS_REASON_QUOTA, "the will is too large");
    }
    if (!ps_client_allows(client, PS_POLICY_PUBLISH, will->topic)) {
        return denied(client, "iot:Publish is not allowed for the will's topic");
    }
    return !will->retain || ps_client_allows(client, PS_POLICY_RETAIN_PUBLISH, will->topic) ||
           denied(client, "iot:RetainPublish is not allowed for the will's topic");
}

static Check *const checks[] = {check_login, check_client_id, check_policy, check_will};

// False when it waits or was refused.
static bool is_in_time(PsClient *client) {
    PsFront *front = client->front;
    const PsLimits *limits = &front->limits;
    PsMono now = ps_front_now(front);
    PsSession *session = ps_sessions_get(&front->sessions, client->client_id);
    session->idle = now;
    bool in_time = ps_bucket_take(&session->connects, limits->connects_per_id_per_s, 1, now) &&
                   ps_bucket_take(&front->connects, limits->connects_per_s, 1, now);
    PsReact react = ps_client_react(client, PS_REACTION_CONNECT_TOO_FAST);
    if (in_time || react == PS_REACT_ACCEPT) {
        return true;
    }
    if (react == PS_REACT_CLOSE) {
        return refused(client, PS_REASON_QUOTA, "CONNECT too soon after the one before");
    }
    client->state = PS_CLIENT_WAITING;
    client->connect_at = ps_mono_add_ns(now, PS_NS_PER_S / 10);
    ps_front_want(front, client->connect_at);
    return false;
}

// ---- On to the broker

static void open_broker(PsClient *client) {
    const PsFrontWorld *world = client->front->world;
    PsStream *stream = world->open_broker(world->ctx);
    if (stream == NULL) {
        ps_client_refuse(client, PS_REASON_UNSPECIFIED, "the broker cannot be reached");
        return;
    }
    stream->events = &ps_client_broker_events;
    stream->ctx = client;
    client->broker = stream;
    client->state = PS_CLIENT_CONNECTING;
}

// A session the client may not go on with: its time is over, or it was made with the other version.
static bool is_stale(const PsClient *client) {
    if (client->lose_session) {
        return true;
    }
    const PsSession *session = client->session;
    PsSession away = *session;
    away.client = NULL;
    return session->kept && (session->version != client->version ||
                             ps_session_is_over(&away, ps_front_wall(client->front)));
}

static bool check_fault(PsClient *client) {
    uint8_t code = 0;
    PsFaultStep step =
        ps_client_fault(client, PS_FAULT_ON_CONNECT, no_bytes, PS_PACKET_CONNACK, 0, &code);
    if (step == PS_FAULT_STEP_REFUSE && client->version != PS_MQTT_5) {
        ps_packet_put_connack(&client->to_peer, PS_MQTT_3, false, ps_fault_return_code(code),
                              no_bytes);
        ps_client_end(client, PS_DISCONNECT_SERVER_ERROR, PS_REASON_SUCCESS, "a fault on command");
    } else if (step == PS_FAULT_STEP_REFUSE) {
        ps_client_refuse(client, (PsReason)code, "a fault on command");
    } else if (step == PS_FAULT_STEP_STOP && !ps_client_has_ended(client)) {
        client->state = PS_CLIENT_WAITING; // as if CONNECT had not come: no answer, for ever
        client->connect_at = (PsMono){INT64_MAX};
    }
    return step == PS_FAULT_STEP_GO_ON;
}

static void admit(PsClient *client) {
    PsFront *front = client->front;
    if (!check_fault(client)) {
        return;
    }
    PsSession *session = ps_sessions_get(&front->sessions, client->client_id);
    if (session->client != NULL) {
        ps_client_end(session->client, PS_DISCONNECT_DUPLICATE_CLIENTID, PS_REASON_TAKEN_OVER,
                      "another connection with this client id");
    }
    client->session = session;
    bool fresh = client->clean || is_stale(client);
    // MQTT 5 can ask the broker for a new session that is kept; 3.1.1 cannot.
    bool wipe = fresh && session->kept && !client->clean && client->version != PS_MQTT_5;
    if (fresh) {
        ps_session_forget(&front->sessions, session);
        client->clean = client->clean || client->version == PS_MQTT_5;
    }
    session->client = client;
    session->left = (PsWall){0};
    if (wipe || session->wiping) {
        client->state = PS_CLIENT_WIPING;
        ps_front_wipe(front, session);
    } else {
        open_broker(client);
    }
}

void ps_client_wiped(PsClient *client) {
    if (client->state == PS_CLIENT_WIPING) {
        open_broker(client);
    }
}

static PsPacket parsed(const PsClient *client) {
    PsPacket packet;
    PsPacketFault fault;
    PsErr err =
        ps_packet_parse(ps_bytes(client->connect.data, client->connect.len), 0, &packet, &fault);
    PS_ASSERT(err == PS_OK); // it was parsed before
    return packet;
}

void ps_client_connect_again(PsClient *client) {
    client->state = PS_CLIENT_NEW;
    if (is_in_time(client)) {
        admit(client);
    }
}

static uint16_t clamped_keep_alive(const PsLimits *limits, uint16_t asked) {
    if (asked == 0 || asked > limits->keep_alive_max_s) {
        return (uint16_t)limits->keep_alive_max_s;
    }
    return asked < limits->keep_alive_min_s ? (uint16_t)limits->keep_alive_min_s : asked;
}

static void take_facts(PsClient *client, const PsPacket *packet) {
    const PsLimits *limits = ps_client_limits(client);
    const PsPacketConnect *connect = &packet->connect;
    client->version = packet->version;
    client->clean = connect->clean;
    client->keep_alive_s = clamped_keep_alive(limits, connect->keep_alive);
    uint32_t asked = client->version == PS_MQTT_5
                         ? ps_props_number(&packet->props, PS_PROPERTY_SESSION_EXPIRY, 0)
                         : (connect->clean ? 0 : limits->session_expiry_s);
    client->expiry_s = asked < limits->session_expiry_s ? asked : limits->session_expiry_s;
    // AWS ignores a will on a reserved topic.
    client->has_will = connect->has_will && !ps_bytes_begin(connect->will.topic, "$");
    client->will_retained = client->has_will && connect->will.retain;
    client->no_problem_texts = ps_props_number(&packet->props, PS_PROPERTY_REQUEST_PROBLEM, 1) == 0;
    client->receive_max =
        (uint16_t)ps_props_number(&packet->props, PS_PROPERTY_RECEIVE_MAXIMUM, UINT16_MAX);
}

void ps_client_on_connect(PsClient *client, PsBytes raw) {
    ps_buf_put(&client->connect, raw.data, raw.len);
    if (raw.data[0] >> 4 != PS_PACKET_CONNECT) {
        ps_client_end(client, PS_DISCONNECT_CLIENT_ERROR, PS_REASON_PROTOCOL,
                      "the first packet is not CONNECT");
        return;
    }
    PsPacket packet;
    PsPacketFault fault;
    PsBytes kept = ps_bytes(client->connect.data, client->connect.len);
    PsErr err = ps_packet_parse(kept, 0, &packet, &fault);
    if (err == PS_ERR_UNSUPPORTED) {
        ps_client_refuse(client, fault.reason, fault.text);
        return;
    }
    if (err != PS_OK) {
        ps_client_end(client, PS_DISCONNECT_CLIENT_ERROR, fault.reason, fault.text);
        return;
    }
    take_facts(client, &packet);
    for (size_t i = 0; i < PS_COUNT(checks); i++) {
        if (!checks[i](client, &packet)) {
            return;
        }
    }
    if (is_in_time(client)) {
        admit(client);
    }
}

void ps_client_on_broker_open(PsClient *client) {
    PsPacket packet = parsed(client);
    PS_AUTO_BUF PsBuf props = {0};
    PS_AUTO_BUF PsBuf will_props = {0};
    if (client->expiry_s > 0) {
        ps_props_put_number(&props, PS_PROPERTY_SESSION_EXPIRY, client->expiry_s);
    }
    ps_props_put_number(&props, PS_PROPERTY_RECEIVE_MAXIMUM, BROKER_RECEIVE_MAX);
    if (ps_props_have(&packet.props, PS_PROPERTY_MAXIMUM_PACKET)) {
        ps_props_put_number(&props, PS_PROPERTY_MAXIMUM_PACKET,
                            ps_props_number(&packet.props, PS_PROPERTY_MAXIMUM_PACKET, 0));
    }
    if (client->has_will) {
        ps_client_put_message_props(&will_props, client, &packet.connect.will.props);
    }
    PsConnectOrder order = {.version = client->version,
                            .client_id = text_bytes(client->client_id),
                            .clean = client->clean,
                            .props = ps_bytes(props.data, props.len),
                            .will = client->has_will ? &packet.connect.will : NULL,
                            .will_props = ps_bytes(will_props.data, will_props.len)};
    ps_packet_put_connect(&client->to_broker, &order);
    if (!client->will_retained) {
        ps_buf_deinit(&client->connect);
    }
}

// ---- And back

// Spec 4.3.
static void put_connack_props(PsBuf *out, const PsClient *client) {
    const PsLimits *limits = ps_client_limits(client);
    if (client->expiry_s > 0) {
        ps_props_put_number(out, PS_PROPERTY_SESSION_EXPIRY, client->expiry_s);
    }
    if (client->assigned_id) {
        ps_props_put_text(out, PS_PROPERTY_ASSIGNED_ID, text_bytes(client->client_id));
    }
    ps_props_put_number(out, PS_PROPERTY_SERVER_KEEP_ALIVE, client->keep_alive_s);
    ps_props_put_number(out, PS_PROPERTY_RECEIVE_MAXIMUM, limits->unacked_in);
    ps_props_put_number(out, PS_PROPERTY_TOPIC_ALIAS_MAXIMUM, limits->topic_aliases);
    ps_props_put_number(out, PS_PROPERTY_MAXIMUM_QOS, 1);
    ps_props_put_number(out, PS_PROPERTY_RETAIN_AVAILABLE, 1);
    ps_props_put_number(out, PS_PROPERTY_MAXIMUM_PACKET, limits->payload_bytes);
    ps_props_put_number(out, PS_PROPERTY_WILDCARD_AVAILABLE, 1);
    ps_props_put_number(out, PS_PROPERTY_SUBSCRIPTION_IDS_AVAILABLE, 0);
    ps_props_put_number(out, PS_PROPERTY_SHARED_AVAILABLE, 1);
}

static void settle_session(PsClient *client, bool present) {
    PsSession *session = client->session;
    PsSessions *sessions = &client->front->sessions;
    if (!present) {
        ps_session_forget(sessions, session);
    } else if (!session->kept) {
        session->subscriptions.unknown = true; // the broker knows filters that we do not
    }
    session->version = client->version;
    session->expiry_s = client->expiry_s;
    session->kept = client->expiry_s > 0;
    ps_session_save(sessions, session);
}

static void announce(PsClient *client) {
    const PsFrontWorld *world = client->front->world;
    PsPresence event = {.kind = PS_PRESENCE_CONNECTED,
                        .client_id = client->client_id,
                        .certificate_id = client->certificate_id,
                        .thing = world->thing(world->ctx, client->principal, true),
                        .ip_address = client->address,
                        .now = ps_front_wall(client->front)};
    client->announced = true;
    world->presence(world->ctx, &event, &client->presence);
}

void ps_client_on_connack(PsClient *client, const PsPacket *packet) {
    if (client->state != PS_CLIENT_CONNECTING || packet->reason != 0) {
        ps_client_refuse(client, PS_REASON_UNSPECIFIED, "the broker has refused the connection");
        return;
    }
    settle_session(client, packet->session_present);
    PS_AUTO_BUF PsBuf props = {0};
    put_connack_props(&props, client);
    size_t start = client->to_peer.len;
    ps_packet_put_connack(&client->to_peer, client->version, packet->session_present, 0,
                          ps_bytes(props.data, props.len));
    (void)ps_client_answered(client, PS_PACKET_CONNACK, 0, start);
    client->state = PS_CLIENT_UP;
    client->heard = ps_front_now(client->front);
    if (packet->session_present) {
        // What the broker sends before it answers is what it has stored.
        client->replaying = true;
        ps_packet_put_empty(&client->to_broker, PS_PACKET_PINGREQ);
    }
    announce(client);
}
