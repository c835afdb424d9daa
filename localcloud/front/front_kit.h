//! For tests of the front: a world without broker, policies and clock, and streams that only
//! remember. The test is client and broker at once and moves the time.
#pragma once

#include "localcloud/front/front.h"
#include "localcloud/front/packet.h"

#define KIT_CERTIFICATE "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define KIT_STREAMS 64
#define KIT_EVENTS 512
#define KIT_RULES 8

typedef struct KitStream {
    PsStream base; // first
    struct Kit *kit;
    PsBuf sent; // by the front
    size_t taken;
    size_t pending; // what ps_stream_pending_bytes says
    bool opened;
    bool paused;
    bool closed; // by the front
    bool gone;   // on_close was called
} KitStream;

typedef struct KitEvent {
    PsPresenceKind kind;
    PsDisconnectReason reason;
    char client_id[64];
    char topic[64]; // the first
    size_t topic_count;
} KitEvent;

// Not allowed: this action on this name.
typedef struct KitRule {
    PsPolicyAction action;
    const char *name;
} KitRule;

typedef struct Kit {
    PsFrontWorld world;
    PsFront *front;
    PsStore *store;
    PsFaults *faults;
    sqlite3 *db;
    PsMono now;
    PsMono wake; // earliest time asked for
    KitStream *streams[KIT_STREAMS];
    size_t stream_count;
    KitEvent events[KIT_EVENTS];
    size_t event_count;
    KitRule denied[KIT_RULES];
    size_t denied_count;
    PsServiceTaken taken; // what the services say
    char taken_topic[256];
    bool broker_away;
    bool revoked;        // the certificate
    char will_topic[64]; // of the last CONNECT
    size_t principals;
} Kit;

// A client and the front's connection to the broker for it.
typedef struct KitClient {
    Kit *kit;
    KitStream *peer;
    KitStream *broker; // NULL until the front has opened it
    uint8_t version;
} KitClient;

void kit_setup(Kit *kit);
void kit_teardown(Kit *kit);
void kit_deny(Kit *kit, PsPolicyAction action, const char *name);
/// Another front over the same store, as after a restart.
void kit_restart(Kit *kit);
/// Lets time pass, with a tick at its end and whenever one was asked for.
void kit_pass_ms(Kit *kit, int64_t ms);
/// Opens new streams to the broker, and ends those the front has closed.
void kit_settle(Kit *kit);

KitStream *kit_accept(Kit *kit);
void kit_send(KitStream *stream, const PsBuf *bytes);
void kit_send_bytes(KitStream *stream, const void *data, size_t len);
/// The next packet the front has sent on it.
bool kit_take(KitStream *stream, uint8_t version, PsPacket *ret_packet);
/// The same, which must be of this type.
PsPacket kit_expect(KitStream *stream, uint8_t version, PsPacketType type);
void kit_expect_nothing(KitStream *stream, uint8_t version);
/// The stream's peer goes.
void kit_lose(KitStream *stream);

PsBytes kit_text(const char *text);

// ---- A client step by step

typedef struct KitConnect {
    uint8_t version;
    const char *id;
    bool keep; // not clean; MQTT 5: with a session expiry of an hour
    uint32_t expiry_s;
    uint16_t keep_alive;
    const PsPacketWill *will;
    const PsBuf *props; // in place of the expiry
} KitConnect;

/// Sends CONNECT; what comes of it is for the test.
KitClient kit_begin(Kit *kit, const KitConnect *connect);
/// Takes the front's CONNECT at the broker; fails when there is none.
PsPacket kit_at_broker(KitClient *client);
/// The broker says yes.
void kit_broker_accepts(KitClient *client, bool session_present);
/// All of it; the CONNACK is taken.
KitClient kit_connect(Kit *kit, const KitConnect *connect);
/// The same with defaults.
KitClient kit_client(Kit *kit, uint8_t version, const char *id);

void kit_publish(KitClient *client, const char *topic, int qos, uint16_t packet_id,
                 const char *payload);
void kit_subscribe(KitClient *client, uint16_t packet_id, const char *filter, uint8_t options);
/// A message from the broker.
void kit_deliver(KitClient *client, const char *topic, int qos, uint16_t packet_id, bool retain);
/// SUBSCRIBE with the broker's SUBACK; both are taken.
void kit_subscribed(KitClient *client, uint16_t packet_id, const char *filter, uint8_t qos);
void kit_ack(KitStream *stream, uint8_t version, uint16_t packet_id);

/// The connection was ended by the front. For MQTT 5 with this code in a DISCONNECT (0: none).
void kit_expect_end(KitClient *client, uint8_t code, PsDisconnectReason reason);
/// Nothing of it was ended.
void kit_expect_alive(const KitClient *client);
const KitEvent *kit_last_event(const Kit *kit);
