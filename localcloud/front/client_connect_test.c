// CONNECT, keep-alive, sessions and the ends of a connection: the rows of the specification's
// chapters 4, 4.1, 4.2, 4.3 and 5.4 that concern them.
#include "localcloud/front/front_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static Kit kit;

static int setup(void **state) {
    (void)state;
    kit_setup(&kit);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    kit_teardown(&kit);
    return 0;
}

#define EACH_VERSION for (uint8_t version = PS_MQTT_3; version <= PS_MQTT_5; version++)

static const char *id_for(uint8_t version) {
    return version == PS_MQTT_3 ? "gw-3" : "gw-5";
}

static uint32_t number(const PsPacket *packet, PsProperty property) {
    return ps_props_number(&packet->props, property, UINT32_MAX);
}

// A CONNECT that must be refused: MQTT 5 with this code, 3.1.1 without a CONNACK.
static void expect_refused(KitClient *client, uint8_t code) {
    if (client->version == PS_MQTT_5) {
        PsPacket packet = kit_expect(client->peer, PS_MQTT_5, PS_PACKET_CONNACK);
        assert_int_equal(packet.reason, code);
    }
    kit_expect_nothing(client->peer, client->version);
    assert_true(client->peer->gone);
    assert_null(client->broker);
}

static void test_connect_to_broker_and_back(void **state) {
    (void)state;
    EACH_VERSION {
        KitClient client = kit_begin(
            &kit, &(KitConnect){.version = version, .id = id_for(version), .keep_alive = 60});
        kit_expect_nothing(client.peer, version);
        PsPacket packet = kit_at_broker(&client);
        assert_int_equal(packet.version, version);
        assert_true(ps_bytes_are(packet.connect.client_id, id_for(version)));
        assert_int_equal(packet.connect.keep_alive, 0); // ours to watch
        assert_false(packet.connect.has_user_name);
        kit_broker_accepts(&client, false);
        packet = kit_expect(client.peer, version, PS_PACKET_CONNACK);
        assert_int_equal(packet.reason, 0);
        assert_int_equal(kit_last_event(&kit)->kind, PS_PRESENCE_CONNECTED);
    }
}

// Spec 4.3: what the CONNACK of MQTT 5 says.
static void test_row_connack_numbers(void **state) {
    (void)state;
    KitClient client =
        kit_begin(&kit, &(KitConnect){.version = 5, .id = "gw", .keep = true, .expiry_s = 999999});
    PsPacket packet = kit_at_broker(&client);
    assert_int_equal(number(&packet, PS_PROPERTY_SESSION_EXPIRY), 3600);
    kit_broker_accepts(&client, false);
    packet = kit_expect(client.peer, 5, PS_PACKET_CONNACK);
    assert_int_equal(number(&packet, PS_PROPERTY_SESSION_EXPIRY), 3600); // lowered, and said so
    assert_int_equal(number(&packet, PS_PROPERTY_SERVER_KEEP_ALIVE), 1200);
    assert_int_equal(number(&packet, PS_PROPERTY_RECEIVE_MAXIMUM), 100);
    assert_int_equal(number(&packet, PS_PROPERTY_TOPIC_ALIAS_MAXIMUM), 8);
    assert_int_equal(number(&packet, PS_PROPERTY_MAXIMUM_QOS), 1);
    assert_int_equal(number(&packet, PS_PROPERTY_RETAIN_AVAILABLE), 1);
    assert_int_equal(number(&packet, PS_PROPERTY_MAXIMUM_PACKET), 131072);
    assert_int_equal(number(&packet, PS_PROPERTY_WILDCARD_AVAILABLE), 1);
    assert_int_equal(number(&packet, PS_PROPERTY_SUBSCRIPTION_IDS_AVAILABLE), 0);
    assert_int_equal(number(&packet, PS_PROPERTY_SHARED_AVAILABLE), 1);
    assert_false(ps_props_have(&packet.props, PS_PROPERTY_ASSIGNED_ID));
}

// Spec 1: client id at most 128 bytes, not with `$` in front.
static void test_row_client_id(void **state) {
    (void)state;
    char longest[130];
    memset(longest, 'x', sizeof longest);
    longest[128] = '\0';
    EACH_VERSION {
        KitClient client = kit_begin(&kit, &(KitConnect){.version = version, .id = "$me"});
        expect_refused(&client, PS_REASON_CLIENT_ID);
        longest[128] = 'x';
        longest[129] = '\0';
        client = kit_begin(&kit, &(KitConnect){.version = version, .id = longest});
        expect_refused(&client, PS_REASON_CLIENT_ID);
    }
    longest[128] = '\0';
    (void)kit_client(&kit, 5, longest);
}

// Spec 4, row "assigned client id": $GEN/<uuid>, which cannot be presented again.
static void test_row_assigned_client_id(void **state) {
    (void)state;
    KitClient client = kit_begin(&kit, &(KitConnect){.version = 5, .id = ""});
    PsPacket packet = kit_at_broker(&client);
    assert_true(ps_bytes_begin(packet.connect.client_id, "$GEN/"));
    assert_int_equal(packet.connect.client_id.len, 5 + 36);
    kit_broker_accepts(&client, false);
    packet = kit_expect(client.peer, 5, PS_PACKET_CONNACK);
    PsBytes id = ps_props_text(&packet.props, PS_PROPERTY_ASSIGNED_ID);
    assert_int_equal(id.len, 5 + 36);
    char again[64] = "";
    memcpy(again, id.data, id.len);
    client = kit_begin(&kit, &(KitConnect){.version = 5, .id = again});
    expect_refused(&client, PS_REASON_CLIENT_ID);
    client = kit_begin(&kit, &(KitConnect){.version = 4, .id = ""});
    (void)kit_at_broker(&client);
    client = kit_begin(&kit, &(KitConnect){.version = 4, .id = "", .keep = true});
    expect_refused(&client, PS_REASON_CLIENT_ID);
}

// Spec 5.4, row CONNECT: 3.1.1 closed without CONNACK, MQTT 5 CONNACK 0x87.
static void test_row_connect_denied(void **state) {
    (void)state;
    kit_deny(&kit, PS_POLICY_CONNECT, "gw");
    EACH_VERSION {
        KitClient client = kit_begin(&kit, &(KitConnect){.version = version, .id = "gw"});
        expect_refused(&client, PS_REASON_NOT_AUTHORIZED);
        assert_int_equal(kit_last_event(&kit)->kind, PS_PRESENCE_CONNECT_FAILED);
    }
    ps_front_reactions(kit.front)->of[PS_REACTION_CONNECT_DENIED_3] = PS_REACT_ACK;
    KitClient client = kit_begin(&kit, &(KitConnect){.version = 4, .id = "gw"});
    PsPacket packet = kit_expect(client.peer, 4, PS_PACKET_CONNACK);
    assert_int_equal(packet.reason, 5);
    assert_true(client.peer->gone);
}

// Spec 4, row "will": its topic must pass iot:Publish, else CONNECT fails with connect_failed.
static void test_row_will_topic_denied(void **state) {
    (void)state;
    kit_deny(&kit, PS_POLICY_PUBLISH, "w/t");
    PsPacketWill will = {.topic = kit_text("w/t"), .payload = kit_text("x"), .qos = 1};
    EACH_VERSION {
        KitClient client =
            kit_begin(&kit, &(KitConnect){.version = version, .id = "gw", .will = &will});
        expect_refused(&client, PS_REASON_NOT_AUTHORIZED);
        assert_int_equal(kit_last_event(&kit)->kind, PS_PRESENCE_CONNECT_FAILED);
        assert_string_equal(kit.will_topic, "w/t");
    }
}

// Spec 4, row QoS: a will with QoS 2 is refused, 0x9B for MQTT 5. And 0x90 for a will topic that
// is none.
static void test_row_will_qos2(void **state) {
    (void)state;
    PsPacketWill will = {.topic = kit_text("w/t"), .payload = kit_text("x"), .qos = 2};
    PsPacketWill wild = {.topic = kit_text("w/#"), .payload = kit_text("x")};
    EACH_VERSION {
        KitClient client =
            kit_begin(&kit, &(KitConnect){.version = version, .id = "gw", .will = &will});
        expect_refused(&client, PS_REASON_QOS);
        client = kit_begin(&kit, &(KitConnect){.version = version, .id = "gw", .will = &wild});
        expect_refused(&client, PS_REASON_TOPIC);
    }
}

// Spec 4, row "will": sent on every end except the client's DISCONNECT. The broker sends it when
// the front's connection ends without one.
static void test_row_will_on_every_end(void **state) {
    (void)state;
    PsPacketWill will = {.topic = kit_text("w/t"), .payload = kit_text("gone"), .qos = 1};
    EACH_VERSION {
        KitConnect connect = {.version = version, .id = id_for(version), .will = &will};
        KitClient client = kit_begin(&kit, &connect);
        PsPacket packet = kit_at_broker(&client);
        assert_true(ps_bytes_are(packet.connect.will.payload, "gone"));
        kit_broker_accepts(&client, false);
        kit_lose(client.peer);
        kit_expect_nothing(client.broker, version); // no DISCONNECT
        assert_true(client.broker->gone);
        assert_int_equal(kit_last_event(&kit)->reason, PS_DISCONNECT_CONNECTION_LOST);
        kit_pass_ms(&kit, 1500);
        client = kit_connect(&kit, &connect);
        PS_AUTO_BUF PsBuf out = {0};
        ps_packet_put_disconnect(&out, version, 0, ps_bytes(NULL, 0));
        kit_send(client.peer, &out);
        packet = kit_expect(client.broker, version, PS_PACKET_DISCONNECT);
        assert_int_equal(packet.reason, 0);
        assert_int_equal(kit_last_event(&kit)->reason, PS_DISCONNECT_CLIENT_INITIATED);
        kit_pass_ms(&kit, 1500);
    }
}

// AWS ignores a will on a reserved topic.
static void test_will_on_reserved_topic(void **state) {
    (void)state;
    PsPacketWill will = {.topic = kit_text("$aws/things/x/shadow/update"), .payload = kit_text("")};
    KitClient client = kit_begin(&kit, &(KitConnect){.version = 4, .id = "gw", .will = &will});
    PsPacket packet = kit_at_broker(&client);
    assert_false(packet.connect.has_will);
}

// Spec 4, row "first packet rule": nothing, not even DISCONNECT, before the CONNACK.
static void test_row_first_packet(void **state) {
    (void)state;
    EACH_VERSION {
        KitClient client = kit_begin(&kit, &(KitConnect){.version = version, .id = "gw"});
        (void)kit_at_broker(&client);
        PS_AUTO_BUF PsBuf out = {0};
        ps_packet_put_disconnect(&out, version, 0, ps_bytes(NULL, 0));
        kit_send(client.peer, &out);
        kit_expect_nothing(client.peer, version);
        assert_true(client.peer->gone && client.broker->gone);
        kit_pass_ms(&kit, 1500);
        // The other way of it: read after the CONNACK.
        ps_front_reactions(kit.front)->of[PS_REACTION_EARLY_PACKET] = PS_REACT_WAIT;
        client = kit_begin(&kit, &(KitConnect){.version = version, .id = "gw"});
        (void)kit_at_broker(&client);
        ps_buf_clear(&out);
        ps_packet_put_empty(&out, PS_PACKET_PINGREQ);
        kit_send(client.peer, &out);
        kit_expect_nothing(client.peer, version);
        kit_broker_accepts(&client, false);
        (void)kit_expect(client.peer, version, PS_PACKET_CONNACK);
        (void)kit_expect(client.peer, version, PS_PACKET_PINGRESP);
        ps_front_reactions(kit.front)->of[PS_REACTION_EARLY_PACKET] = PS_REACT_CLOSE;
        kit_pass_ms(&kit, 1500);
    }
    KitStream *stranger = kit_accept(&kit);
    kit_send_bytes(stranger, "\xc0\0", 2);
    assert_true(stranger->gone);
}

// Spec 4, row "second CONNECT".
static void test_row_second_connect(void **state) {
    (void)state;
    EACH_VERSION {
        KitClient client = kit_client(&kit, version, id_for(version));
        PS_AUTO_BUF PsBuf out = {0};
        ps_packet_put_connect(&out,
                              &(PsConnectOrder){.version = version, .client_id = kit_text("x")});
        kit_send(client.peer, &out);
        kit_expect_end(&client, PS_REASON_PROTOCOL, PS_DISCONNECT_CLIENT_ERROR);
    }
}

// Spec 4, row "packets not supported": PUBREC, PUBREL, PUBCOMP, AUTH.
static void test_row_packets_not_supported(void **state) {
    (void)state;
    static const char *const packets[] = {"\x50\2\0\1", "\x62\2\0\1", "\x70\2\0\1"};
    for (size_t i = 0; i < PS_COUNT(packets); i++) {
        KitClient client = kit_client(&kit, 5, "gw");
        kit_send_bytes(client.peer, packets[i], 4);
        kit_expect_end(&client, PS_REASON_PROTOCOL, PS_DISCONNECT_CLIENT_ERROR);
        kit_pass_ms(&kit, 1500);
    }
    KitClient client = kit_client(&kit, 5, "gw");
    kit_send_bytes(client.peer, "\xf0\0", 2);
    kit_expect_end(&client, PS_REASON_PROTOCOL, PS_DISCONNECT_CLIENT_ERROR);
}

// MQTT 3.1 is not promised: CONNACK 1.
static void test_protocol_3_1(void **state) {
    (void)state;
    KitStream *peer = kit_accept(&kit);
    kit_send_bytes(peer, "\x10\x0e\0\6MQIsdp\3\2\0\x3c\0\0", 16);
    PsPacket packet = kit_expect(peer, 4, PS_PACKET_CONNACK);
    assert_int_equal(packet.reason, 1);
    assert_true(peer->gone);
}

// Spec 4, row "duplicate client id": the new one wins, the old one hears 0x8E, its will is sent.
static void test_row_duplicate_client_id(void **state) {
    (void)state;
    EACH_VERSION {
        KitClient old = kit_client(&kit, version, id_for(version));
        kit_pass_ms(&kit, 1500);
        KitClient new = kit_begin(&kit, &(KitConnect){.version = version, .id = id_for(version)});
        kit_expect_end(&old, PS_REASON_TAKEN_OVER, PS_DISCONNECT_DUPLICATE_CLIENTID);
        kit_expect_nothing(old.broker, version);
        assert_true(old.broker->gone);
        (void)kit_at_broker(&new);
        kit_broker_accepts(&new, false);
        (void)kit_expect(new.peer, version, PS_PACKET_CONNACK);
    }
}

// Spec 4.4, row "CONNECT per client id": one a second.
static void test_row_connect_per_client_id(void **state) {
    (void)state;
    EACH_VERSION {
        (void)kit_client(&kit, version, id_for(version));
        kit_pass_ms(&kit, 500);
        KitClient soon = kit_begin(&kit, &(KitConnect){.version = version, .id = id_for(version)});
        expect_refused(&soon, PS_REASON_QUOTA);
        kit_pass_ms(&kit, 600);
        (void)kit_client(&kit, version, id_for(version));
    }
    ps_front_reactions(kit.front)->of[PS_REACTION_CONNECT_TOO_FAST] = PS_REACT_WAIT;
    KitClient waits = kit_begin(&kit, &(KitConnect){.version = 5, .id = "gw-5"});
    assert_null(waits.broker);
    size_t before = kit.stream_count;
    kit_pass_ms(&kit, 1200);
    assert_int_equal(kit.stream_count, before + 1);
    ps_front_reactions(kit.front)->of[PS_REACTION_CONNECT_TOO_FAST] = PS_REACT_ACCEPT;
    (void)kit_client(&kit, 5, "gw-5");
}

// Spec 4.4, row "CONNECT per account".
static void test_row_connect_per_account(void **state) {
    (void)state;
    ps_front_limits(kit.front)->connects_per_s = 2;
    (void)kit_client(&kit, 5, "a");
    (void)kit_client(&kit, 5, "b");
    KitClient third = kit_begin(&kit, &(KitConnect){.version = 5, .id = "c"});
    expect_refused(&third, PS_REASON_QUOTA);
}

typedef struct KeepAliveCase {
    uint16_t asked;
    uint32_t used;
} KeepAliveCase;

// Spec 4.1: 30 to 1200 s; 0 and more than 1200 are 1200, less than 30 is 30.
static void test_row_keep_alive_bounds(void **state) {
    (void)state;
    static const KeepAliveCase cases[] = {{0, 1200}, {1, 30},      {29, 30},     {30, 30},
                                          {60, 60},  {1200, 1200}, {1201, 1200}, {65535, 1200}};
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        KitClient client =
            kit_begin(&kit, &(KitConnect){.version = 5, .id = "gw", .keep_alive = cases[i].asked});
        (void)kit_at_broker(&client);
        kit_broker_accepts(&client, false);
        PsPacket packet = kit_expect(client.peer, 5, PS_PACKET_CONNACK);
        assert_int_equal(number(&packet, PS_PROPERTY_SERVER_KEEP_ALIVE), cases[i].used);
        kit_pass_ms(&kit, 1500);
    }
}

// Spec 4.1: closed after 1.5 times the value (0x8D), and the reason is told.
static void test_row_keep_alive_timeout(void **state) {
    (void)state;
    EACH_VERSION {
        KitClient client = kit_connect(
            &kit, &(KitConnect){.version = version, .id = id_for(version), .keep_alive = 40});
        kit_pass_ms(&kit, 59900);
        kit_expect_alive(&client);
        kit_pass_ms(&kit, 200);
        kit_expect_end(&client, PS_REASON_KEEP_ALIVE, PS_DISCONNECT_KEEP_ALIVE_TIMEOUT);
    }
}

// Spec 4.1: PUBLISH, SUBSCRIBE, PINGREQ and PUBACK start it anew; UNSUBSCRIBE does not.
static void test_row_keep_alive_reset(void **state) {
    (void)state;
    KitClient client = kit_connect(&kit, &(KitConnect){.version = 4, .id = "gw", .keep_alive = 30});
    kit_pass_ms(&kit, 40000);
    kit_publish(&client, "a", 0, 0, "x");
    kit_pass_ms(&kit, 40000);
    kit_subscribe(&client, 1, "a", 0);
    kit_pass_ms(&kit, 40000);
    kit_send_bytes(client.peer, "\xc0\0", 2);
    kit_pass_ms(&kit, 40000);
    kit_ack(client.peer, 4, 9);
    kit_pass_ms(&kit, 40000);
    kit_expect_alive(&client);
    kit_send_bytes(client.peer, "\xa2\5\0\1\0\1a", 7);
    kit_pass_ms(&kit, 6000);
    assert_true(client.peer->gone);
}

// Spec 4.2: cleanSession=0 keeps a session for an hour; session-present is the broker's word.
static void test_row_session_3(void **state) {
    (void)state;
    KitConnect connect = {.version = 4, .id = "gw", .keep = true};
    KitClient client = kit_connect(&kit, &connect);
    kit_subscribed(&client, 1, "a/#", 1);
    kit_lose(client.peer);
    kit_pass_ms(&kit, 3000 * 1000);
    client = kit_begin(&kit, &connect);
    PsPacket packet = kit_at_broker(&client);
    assert_false(packet.connect.clean);
    kit_broker_accepts(&client, true);
    packet = kit_expect(client.peer, 4, PS_PACKET_CONNACK);
    assert_true(packet.session_present);
}

// Spec 4.2: after that hour the session is gone; 3.1.1 has no expiry, so the front ends it.
static void test_row_session_expiry_3(void **state) {
    (void)state;
    KitConnect connect = {.version = 4, .id = "gw", .keep = true};
    KitClient client = kit_connect(&kit, &connect);
    kit_lose(client.peer);
    size_t before = kit.stream_count;
    kit_pass_ms(&kit, 3602 * 1000);
    assert_int_equal(kit.stream_count, before + 1);
    KitStream *wiper = kit.streams[before];
    PsPacket packet = kit_expect(wiper, 4, PS_PACKET_CONNECT);
    assert_true(packet.connect.clean);
    assert_true(ps_bytes_are(packet.connect.client_id, "gw"));
    kit_send_bytes(wiper, "\x20\2\0\0", 4);
    (void)kit_expect(wiper, 4, PS_PACKET_DISCONNECT);
    client = kit_begin(&kit, &connect);
    packet = kit_at_broker(&client);
    assert_false(packet.connect.clean);
}

// Spec 4.2: MQTT 5 says how long, and may say otherwise when it goes, but not from 0 to more.
static void test_row_session_expiry_5(void **state) {
    (void)state;
    KitClient client = kit_client(&kit, 5, "gw");
    PS_AUTO_BUF PsBuf props = {0};
    PS_AUTO_BUF PsBuf out = {0};
    ps_props_put_number(&props, PS_PROPERTY_SESSION_EXPIRY, 60);
    ps_packet_put_disconnect(&out, 5, 0, ps_bytes(props.data, props.len));
    kit_send(client.peer, &out);
    kit_expect_end(&client, PS_REASON_PROTOCOL, PS_DISCONNECT_CLIENT_ERROR);
    kit_pass_ms(&kit, 1500);
    client = kit_connect(&kit, &(KitConnect){.version = 5, .id = "gw", .keep = true});
    kit_send(client.peer, &out);
    PsPacket packet = kit_expect(client.broker, 5, PS_PACKET_DISCONNECT);
    assert_int_equal(number(&packet, PS_PROPERTY_SESSION_EXPIRY), 60);
    assert_int_equal(ps_front_numbers(kit.front).kept_sessions, 1);
    kit_pass_ms(&kit, 62 * 1000);
    assert_int_equal(ps_front_numbers(kit.front).kept_sessions, 0);
}

// Spec 4: sessions do not cross versions.
static void test_row_sessions_do_not_cross_versions(void **state) {
    (void)state;
    KitClient client = kit_connect(&kit, &(KitConnect){.version = 4, .id = "gw", .keep = true});
    kit_lose(client.peer);
    kit_pass_ms(&kit, 1500);
    client = kit_begin(&kit, &(KitConnect){.version = 5, .id = "gw", .keep = true});
    PsPacket packet = kit_at_broker(&client);
    assert_true(packet.connect.clean);
    kit_broker_accepts(&client, false);
    kit_lose(client.peer);
    kit_pass_ms(&kit, 1500);
    // 3.1.1 cannot ask for a new session that is kept: the old one is ended first.
    KitClient back = kit_begin(&kit, &(KitConnect){.version = 4, .id = "gw", .keep = true});
    packet = kit_at_broker(&back);
    assert_true(packet.connect.clean);
    size_t before = kit.stream_count;
    kit_send_bytes(back.broker, "\x20\2\0\0", 4);
    assert_int_equal(kit.stream_count, before + 1);
    packet = kit_expect(kit.streams[before], 4, PS_PACKET_CONNECT);
    assert_false(packet.connect.clean);
}

// Spec 3: live sessions of a certificate that leaves ACTIVE are ended.
static void test_row_certificate_leaves_active(void **state) {
    (void)state;
    EACH_VERSION {
        KitClient client = kit_client(&kit, version, id_for(version));
        ps_front_cut_certificate(kit.front, "ffff");
        kit_expect_alive(&client);
        ps_front_cut_certificate(kit.front, KIT_CERTIFICATE);
        kit_settle(&kit);
        kit_expect_end(&client, PS_REASON_ADMINISTRATIVE, PS_DISCONNECT_AUTH_ERROR);
        kit_pass_ms(&kit, 1500);
        client = kit_client(&kit, version, id_for(version));
        ps_front_check_certificates(kit.front);
        kit_expect_alive(&client);
        kit.revoked = true;
        ps_front_check_certificates(kit.front);
        kit.revoked = false;
        kit_settle(&kit);
        kit_expect_end(&client, PS_REASON_ADMINISTRATIVE, PS_DISCONNECT_AUTH_ERROR);
    }
}

// Spec 8: DeleteConnection, with and without will and session.
static void test_row_delete_connection(void **state) {
    (void)state;
    PsPacketWill will = {.topic = kit_text("w"), .payload = kit_text("x")};
    KitConnect connect = {.version = 5, .id = "gw", .keep = true, .will = &will};
    assert_int_equal(ps_front_disconnect(kit.front, "gw", false, false), PS_ERR_NOT_FOUND);
    KitClient client = kit_connect(&kit, &connect);
    assert_int_equal(ps_front_disconnect(kit.front, "gw", false, true), PS_OK);
    kit_settle(&kit);
    (void)kit_expect(client.broker, 5, PS_PACKET_DISCONNECT); // so no will
    kit_expect_end(&client, PS_REASON_ADMINISTRATIVE, PS_DISCONNECT_API_INITIATED);
    kit_pass_ms(&kit, 1500);
    client = kit_connect(&kit, &connect);
    size_t before = kit.stream_count;
    assert_int_equal(ps_front_disconnect(kit.front, "gw", true, false), PS_OK);
    kit_settle(&kit);
    kit_expect_nothing(client.broker, 5);
    assert_int_equal(kit.stream_count, before + 1); // the session is being ended
    assert_int_equal(ps_front_numbers(kit.front).kept_sessions, 0);
}

static void test_slow_clients_are_cut(void **state) {
    (void)state;
    KitStream *mute = kit_accept(&kit);
    kit_pass_ms(&kit, 9000);
    assert_false(mute->gone);
    kit_pass_ms(&kit, 1500);
    assert_true(mute->gone);
    KitClient client = kit_client(&kit, 5, "gw");
    kit_send_bytes(client.peer, "\x30\x7f", 2);
    kit_pass_ms(&kit, 31000);
    kit_expect_end(&client, PS_REASON_PROTOCOL, PS_DISCONNECT_CLIENT_ERROR);
}

static void test_broker_ends(void **state) {
    (void)state;
    KitClient client = kit_client(&kit, 5, "gw");
    kit_lose(client.broker);
    kit_expect_end(&client, PS_REASON_SHUTTING_DOWN, PS_DISCONNECT_SERVER_ERROR);
    kit.broker_away = true;
    client = kit_begin(&kit, &(KitConnect){.version = 5, .id = "other"});
    expect_refused(&client, PS_REASON_UNSPECIFIED);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_connect_to_broker_and_back),
        TEST(test_row_connack_numbers),
        TEST(test_row_client_id),
        TEST(test_row_assigned_client_id),
        TEST(test_row_connect_denied),
        TEST(test_row_will_topic_denied),
        TEST(test_row_will_qos2),
        TEST(test_row_will_on_every_end),
        TEST(test_will_on_reserved_topic),
        TEST(test_row_first_packet),
        TEST(test_row_second_connect),
        TEST(test_row_packets_not_supported),
        TEST(test_protocol_3_1),
        TEST(test_row_duplicate_client_id),
        TEST(test_row_connect_per_client_id),
        TEST(test_row_connect_per_account),
        TEST(test_row_keep_alive_bounds),
        TEST(test_row_keep_alive_timeout),
        TEST(test_row_keep_alive_reset),
        TEST(test_row_session_3),
        TEST(test_row_session_expiry_3),
        TEST(test_row_session_expiry_5),
        TEST(test_row_sessions_do_not_cross_versions),
        TEST(test_row_certificate_leaves_active),
        TEST(test_row_delete_connection),
        TEST(test_slow_clients_are_cut),
        TEST(test_broker_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
