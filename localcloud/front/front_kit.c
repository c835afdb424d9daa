// A world for tests of the front. One thread; nothing blocks.
#include "localcloud/front/front_kit.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST ((size_t)64 * 1024 * 1024)
#define START_NS (1000 * PS_NS_PER_S)
#define WALL_NS (INT64_C(1700000000) * PS_NS_PER_S)

PsBytes kit_text(const char *text) {
    return ps_bytes(text, strlen(text));
}

// ---- Streams

static PsErr stream_write(PsStream *stream, const void *data, size_t len) {
    KitStream *own = (KitStream *)stream;
    if (own->closed || own->gone) {
        return PS_ERR_CLOSED;
    }
    assert_true(own->opened);
    ps_buf_put(&own->sent, data, len);
    return PS_OK;
}

static size_t stream_pending(const PsStream *stream) {
    return ((const KitStream *)stream)->pending;
}

static void stream_pause(PsStream *stream, bool paused) {
    ((KitStream *)stream)->paused = paused;
}

static void stream_limit(PsStream *stream, uint32_t limit_ms) {
    (void)stream;
    (void)limit_ms;
}

static void stream_close(PsStream *stream, bool flush) {
    (void)flush;
    ((KitStream *)stream)->closed = true;
}

static const PsStreamKind stream_kind = {.write = stream_write,
                                         .pending_bytes = stream_pending,
                                         .set_paused = stream_pause,
                                         .set_limit = stream_limit,
                                         .close = stream_close};

static KitStream *new_stream(Kit *kit, bool opened) {
    assert_true(kit->stream_count < KIT_STREAMS);
    KitStream *stream = ps_alloc(sizeof *stream);
    stream->base.kind = &stream_kind;
    stream->kit = kit;
    stream->opened = opened;
    kit->streams[kit->stream_count++] = stream;
    return stream;
}

void kit_settle(Kit *kit) {
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < kit->stream_count; i++) {
            KitStream *stream = kit->streams[i];
            if (stream->closed && !stream->gone) {
                stream->gone = true;
                again = true;
                stream->base.events->on_close(stream->base.ctx, PS_STREAM_CLOSED_HERE, "closed");
            } else if (!stream->opened && !stream->gone) {
                stream->opened = true;
                again = true;
                stream->base.events->on_open(stream->base.ctx);
            }
        }
    }
}

void kit_lose(KitStream *stream) {
    assert_false(stream->gone);
    stream->gone = true;
    stream->base.events->on_close(stream->base.ctx, PS_STREAM_LOST, "connection reset");
    kit_settle(stream->kit);
}

void kit_send_bytes(KitStream *stream, const void *data, size_t len) {
    assert_false(stream->closed || stream->gone);
    stream->base.events->on_bytes(stream->base.ctx, data, len);
    kit_settle(stream->kit);
}

void kit_send(KitStream *stream, const PsBuf *bytes) {
    kit_send_bytes(stream, bytes->data, bytes->len);
}

bool kit_take(KitStream *stream, uint8_t version, PsPacket *ret_packet) {
    PsPacketFault fault = {0};
    size_t len = 0;
    const uint8_t *data = stream->sent.data + stream->taken;
    size_t left = stream->sent.len - stream->taken;
    if (left == 0) {
        return false;
    }
    assert_int_equal(ps_packet_frame(data, left, MOST, &len, &fault), PS_OK);
    PsErr err = ps_packet_parse(ps_bytes(data, len), version, ret_packet, &fault);
    if (err != PS_OK) {
        fail_msg("%s", fault.text);
    }
    stream->taken += len;
    return true;
}

PsPacket kit_expect(KitStream *stream, uint8_t version, PsPacketType type) {
    PsPacket packet = {0};
    if (!kit_take(stream, version, &packet)) {
        fail_msg("no packet where %s was expected", ps_packet_name(type));
    }
    if (packet.type != type) {
        fail_msg("%s where %s was expected", ps_packet_name(packet.type), ps_packet_name(type));
    }
    return packet;
}

void kit_expect_nothing(KitStream *stream, uint8_t version) {
    PsPacket packet = {0};
    if (kit_take(stream, version, &packet)) {
        fail_msg("%s where nothing was expected", ps_packet_name(packet.type));
    }
}

// ---- The world

static PsMono world_now(void *ctx) {
    return ((Kit *)ctx)->now;
}

static PsWall world_wall(void *ctx) {
    return (PsWall){WALL_NS + ((Kit *)ctx)->now.ns};
}

static void world_wake_at(void *ctx, PsMono when) {
    Kit *kit = ctx;
    kit->wake = when;
}

static PsStream *world_open_broker(void *ctx) {
    Kit *kit = ctx;
    return kit->broker_away ? NULL : &new_stream(kit, false)->base;
}

static bool world_may_connect(void *ctx, const char *certificate_id) {
    return !((Kit *)ctx)->revoked && strcmp(certificate_id, KIT_CERTIFICATE) == 0;
}

static void *world_principal_new(void *ctx, const PsFrontPeer *peer,
                                 const PsFrontConnect *connect) {
    Kit *kit = ctx;
    assert_string_equal(peer->certificate_id, KIT_CERTIFICATE);
    snprintf(kit->will_topic, sizeof kit->will_topic, "%.*s", (int)connect->will_topic.len,
             (const char *)connect->will_topic.data);
    kit->principals++;
    return kit;
}

static void world_principal_free(void *ctx, void *principal) {
    Kit *kit = ctx;
    assert_ptr_equal(principal, kit);
    kit->principals--;
}

static void world_principal_refresh(void *ctx, void *principal) {
    assert_ptr_equal(principal, ctx);
}

static bool world_allows(void *ctx, void *principal, PsPolicyAction action, PsBytes name) {
    Kit *kit = ctx;
    assert_ptr_equal(principal, kit);
    for (size_t i = 0; i < kit->denied_count; i++) {
        if (kit->denied[i].action == action && ps_bytes_are(name, kit->denied[i].name)) {
            return false;
        }
    }
    return true;
}

static const char *world_thing(void *ctx, void *principal, bool exclusive) {
    assert_ptr_equal(principal, ctx);
    return exclusive ? NULL : "thing";
}

static PsServiceTaken world_take(void *ctx, const PsServiceCall *call, const char **ret_why) {
    Kit *kit = ctx;
    snprintf(kit->taken_topic, sizeof kit->taken_topic, "%s", call->topic);
    *ret_why = "not for clients:";
    return kit->taken;
}

static void world_presence(void *ctx, const PsPresence *event, PsServiceSession *session) {
    Kit *kit = ctx;
    (void)session;
    assert_true(kit->event_count < KIT_EVENTS);
    KitEvent *kept = &kit->events[kit->event_count++];
    *kept =
        (KitEvent){.kind = event->kind, .reason = event->reason, .topic_count = event->topic_count};
    snprintf(kept->client_id, sizeof kept->client_id, "%s", event->client_id);
    if (event->topic_count > 0) {
        snprintf(kept->topic, sizeof kept->topic, "%s", event->topics[0]);
    }
}

static PsReservedUse world_reserved_subscribe(void *ctx, const char *filter) {
    (void)ctx;
    return strncmp(filter, "$bad/", 5) == 0 ? PS_RESERVED_UNSUPPORTED : PS_RESERVED_ALLOWED;
}

static const PsFrontWorld world = {.now = world_now,
                                   .wall = world_wall,
                                   .wake_at = world_wake_at,
                                   .open_broker = world_open_broker,
                                   .may_connect = world_may_connect,
                                   .principal_new = world_principal_new,
                                   .principal_free = world_principal_free,
                                   .principal_refresh = world_principal_refresh,
                                   .allows = world_allows,
                                   .thing = world_thing,
                                   .take = world_take,
                                   .presence = world_presence,
                                   .reserved_subscribe = world_reserved_subscribe};

static void start_front(Kit *kit) {
    assert_int_equal(ps_store_open(kit->db, &kit->store, NULL), PS_OK);
    PsFrontOptions options = {.world = &kit->world, .store = kit->store, .faults = kit->faults};
    ps_limits_init(&options.limits);
    ps_reactions_init(&options.reactions);
    kit->front = ps_front_new(&options);
}

static void stop_front(Kit *kit) {
    ps_front_stop(kit->front);
    kit_settle(kit);
    for (size_t i = 0; i < kit->stream_count; i++) {
        if (!kit->streams[i]->gone) {
            kit_lose(kit->streams[i]);
        }
    }
    for (size_t i = 0; i < kit->stream_count; i++) {
        ps_buf_deinit(&kit->streams[i]->sent);
        free(kit->streams[i]);
    }
    kit->stream_count = 0;
    assert_true(ps_front_is_empty(kit->front));
    assert_int_equal(kit->principals, 0);
    ps_front_free(kit->front);
    ps_store_close(kit->store);
}

void kit_setup(Kit *kit) {
    *kit = (Kit){.now = {START_NS}, .world = world, .taken = PS_SERVICE_ROUTE};
    kit->world.ctx = kit;
    kit->faults = ps_faults_new();
    assert_int_equal(sqlite3_open(":memory:", &kit->db), SQLITE_OK);
    start_front(kit);
}

void kit_teardown(Kit *kit) {
    stop_front(kit);
    ps_faults_free(kit->faults);
    sqlite3_close(kit->db);
}

void kit_restart(Kit *kit) {
    stop_front(kit);
    start_front(kit);
}

void kit_deny(Kit *kit, PsPolicyAction action, const char *name) {
    assert_true(kit->denied_count < KIT_RULES);
    kit->denied[kit->denied_count++] = (KitRule){action, name};
}

void kit_pass_ms(Kit *kit, int64_t ms) {
    PsMono end = ps_mono_add_ns(kit->now, ms * PS_NS_PER_MS);
    kit->wake = ps_front_tick(kit->front);
    while (ps_mono_diff_ns(kit->wake, end) < 0) {
        PS_ASSERT(ps_mono_diff_ns(kit->wake, kit->now) > 0);
        kit->now = kit->wake;
        kit->wake = ps_front_tick(kit->front);
        kit_settle(kit);
    }
    kit->now = end;
    (void)ps_front_tick(kit->front);
    kit_settle(kit);
}

const KitEvent *kit_last_event(const Kit *kit) {
    assert_true(kit->event_count > 0);
    return &kit->events[kit->event_count - 1];
}

// ---- Clients

KitStream *kit_accept(Kit *kit) {
    KitStream *stream = new_stream(kit, true);
    PsFrontPeer peer = {
        .certificate_id = KIT_CERTIFICATE, .address = "127.0.0.1", .domain_name = "localhost"};
    ps_front_accept(kit->front, &stream->base, &peer);
    return stream;
}

KitClient kit_begin(Kit *kit, const KitConnect *connect) {
    KitClient client = {.kit = kit, .version = connect->version, .peer = kit_accept(kit)};
    PS_AUTO_BUF PsBuf out = {0};
    PS_AUTO_BUF PsBuf props = {0};
    uint32_t expiry = connect->expiry_s > 0 ? connect->expiry_s : 3600;
    if (connect->props != NULL) {
        ps_buf_put(&props, connect->props->data, connect->props->len);
    } else if (connect->keep) {
        ps_props_put_number(&props, PS_PROPERTY_SESSION_EXPIRY, expiry);
    }
    PsConnectOrder order = {.version = connect->version,
                            .client_id = kit_text(connect->id),
                            .keep_alive = connect->keep_alive,
                            .clean = !connect->keep,
                            .props = ps_bytes(props.data, props.len),
                            .will = connect->will};
    ps_packet_put_connect(&out, &order);
    size_t before = kit->stream_count;
    kit_send(client.peer, &out);
    client.broker = kit->stream_count > before ? kit->streams[kit->stream_count - 1] : NULL;
    return client;
}

PsPacket kit_at_broker(KitClient *client) {
    assert_non_null(client->broker);
    return kit_expect(client->broker, client->version, PS_PACKET_CONNECT);
}

void kit_broker_accepts(KitClient *client, bool session_present) {
    PS_AUTO_BUF PsBuf out = {0};
    ps_packet_put_connack(&out, client->version, session_present, 0, ps_bytes(NULL, 0));
    kit_send(client->broker, &out);
}

KitClient kit_connect(Kit *kit, const KitConnect *connect) {
    KitClient client = kit_begin(kit, connect);
    (void)kit_at_broker(&client);
    kit_broker_accepts(&client, false);
    PsPacket packet = kit_expect(client.peer, client.version, PS_PACKET_CONNACK);
    assert_int_equal(packet.reason, 0);
    return client;
}

KitClient kit_client(Kit *kit, uint8_t version, const char *id) {
    KitConnect order = {.version = version, .id = id};
    return kit_connect(kit, &order);
}

void kit_publish(KitClient *client, const char *topic, int qos, uint16_t packet_id,
                 const char *payload) {
    PS_AUTO_BUF PsBuf out = {0};
    PsPublishOrder order = {.version = client->version,
                            .qos = (uint8_t)qos,
                            .packet_id = packet_id,
                            .topic = kit_text(topic),
                            .payload = kit_text(payload)};
    ps_packet_put_publish(&out, &order);
    kit_send(client->peer, &out);
}

void kit_subscribe(KitClient *client, uint16_t packet_id, const char *filter, uint8_t options) {
    PS_AUTO_BUF PsBuf out = {0};
    PsFilterOrder order = {0};
    ps_filter_order_begin(&order, PS_PACKET_SUBSCRIBE, client->version, packet_id,
                          ps_bytes(NULL, 0));
    ps_filter_order_put(&order, kit_text(filter), options);
    ps_filter_order_end(&order, &out);
    kit_send(client->peer, &out);
}

void kit_subscribed(KitClient *client, uint16_t packet_id, const char *filter, uint8_t qos) {
    kit_subscribe(client, packet_id, filter, qos);
    (void)kit_expect(client->broker, client->version, PS_PACKET_SUBSCRIBE);
    PS_AUTO_BUF PsBuf out = {0};
    ps_packet_put_codes(&out, PS_PACKET_SUBACK, client->version, packet_id, &qos, 1);
    kit_send(client->broker, &out);
    PsPacket packet = kit_expect(client->peer, client->version, PS_PACKET_SUBACK);
    assert_int_equal(packet.list.data[0], qos);
}

void kit_deliver(KitClient *client, const char *topic, int qos, uint16_t packet_id, bool retain) {
    PS_AUTO_BUF PsBuf out = {0};
    PsPublishOrder order = {.version = client->version,
                            .qos = (uint8_t)qos,
                            .retain = retain,
                            .packet_id = packet_id,
                            .topic = kit_text(topic),
                            .payload = kit_text("message")};
    ps_packet_put_publish(&out, &order);
    kit_send(client->broker, &out);
}

void kit_ack(KitStream *stream, uint8_t version, uint16_t packet_id) {
    PS_AUTO_BUF PsBuf out = {0};
    ps_packet_put_puback(&out, version, packet_id, 0, NULL);
    kit_send(stream, &out);
}

void kit_expect_end(KitClient *client, uint8_t code, PsDisconnectReason reason) {
    if (client->version == PS_MQTT_5 && code != 0) {
        PsPacket packet = kit_expect(client->peer, client->version, PS_PACKET_DISCONNECT);
        assert_int_equal(packet.reason, code);
    }
    kit_expect_nothing(client->peer, client->version);
    assert_true(client->peer->closed || client->peer->gone);
    const KitEvent *event = kit_last_event(client->kit);
    assert_int_equal(event->kind, PS_PRESENCE_DISCONNECTED);
    assert_int_equal(event->reason, reason);
}

void kit_expect_alive(const KitClient *client) {
    assert_false(client->peer->closed || client->peer->gone);
    assert_false(client->broker->closed || client->broker->gone);
}
