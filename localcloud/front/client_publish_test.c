// PUBLISH: the rows of the specification's chapters 4, 4.3, 4.4 and 5.4 that concern it.
#include "localcloud/front/front_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
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

// So that the same id may connect again.
static KitClient next_client(uint8_t version) {
    kit_pass_ms(&kit, 1500);
    return kit_client(&kit, version, id_for(version));
}

static void react(PsReaction row, PsReact how) {
    ps_front_reactions(kit.front)->of[row] = how;
}

static void put(KitClient *client, const PsPublishOrder *order) {
    PS_AUTO_BUF PsBuf out = {0};
    ps_packet_put_publish(&out, order);
    kit_send(client->peer, &out);
}

static void test_publish_and_puback(void **state) {
    (void)state;
    EACH_VERSION {
        KitClient client = next_client(version);
        kit_publish(&client, "a/b", 1, 7, "hello");
        PsPacket packet = kit_expect(client.broker, version, PS_PACKET_PUBLISH);
        assert_int_equal(packet.packet_id, 7);
        assert_true(ps_bytes_are(packet.publish.topic, "a/b"));
        assert_true(ps_bytes_are(packet.publish.payload, "hello"));
        PS_AUTO_BUF PsBuf out = {0};
        ps_packet_put_puback(&out, version, 7, PS_REASON_NO_SUBSCRIBERS, NULL);
        kit_send(client.broker, &out);
        packet = kit_expect(client.peer, version, PS_PACKET_PUBACK);
        assert_int_equal(packet.packet_id, 7);
        assert_int_equal(packet.reason, 0); // AWS has no 0x10
    }
}

// Spec 4, row QoS: a QoS 2 PUBLISH gets no answer at all; 0x9B is the switch.
static void test_row_qos2_publish(void **state) {
    (void)state;
    EACH_VERSION {
        react(PS_REACTION_QOS2, PS_REACT_SILENCE);
        KitClient client = next_client(version);
        kit_publish(&client, "a", 2, 1, "x");
        kit_expect_nothing(client.peer, version);
        kit_expect_nothing(client.broker, version);
        kit_expect_alive(&client);
        react(PS_REACTION_QOS2, PS_REACT_CLOSE);
        kit_publish(&client, "a", 2, 1, "x");
        kit_expect_end(&client, PS_REASON_QOS, PS_DISCONNECT_CLIENT_ERROR);
    }
}

// Spec 5.4, row PUBLISH: 3.1.1 closed, no PUBACK; MQTT 5 QoS 1 PUBACK 0x87, QoS 0 DISCONNECT 0x87.
static void test_row_publish_denied(void **state) {
    (void)state;
    kit_deny(&kit, PS_POLICY_PUBLISH, "no");
    KitClient client = next_client(4);
    kit_publish(&client, "no", 1, 1, "x");
    kit_expect_nothing(client.broker, 4);
    kit_expect_end(&client, 0, PS_DISCONNECT_FORBIDDEN_ACCESS);
    client = next_client(5);
    kit_publish(&client, "no", 1, 1, "x");
    PsPacket packet = kit_expect(client.peer, 5, PS_PACKET_PUBACK);
    assert_int_equal(packet.reason, PS_REASON_NOT_AUTHORIZED);
    kit_expect_alive(&client);
    kit_publish(&client, "no", 0, 0, "x");
    kit_expect_end(&client, PS_REASON_NOT_AUTHORIZED, PS_DISCONNECT_FORBIDDEN_ACCESS);
    kit_expect_nothing(client.broker, 5);
}

static void test_row_publish_denied_other_way(void **state) {
    (void)state;
    kit_deny(&kit, PS_POLICY_PUBLISH, "no");
    react(PS_REACTION_PUBLISH_DENIED_3, PS_REACT_ACK);
    KitClient client = next_client(4);
    kit_publish(&client, "no", 1, 1, "x");
    (void)kit_expect(client.peer, 4, PS_PACKET_PUBACK);
    kit_expect_nothing(client.broker, 4);
    react(PS_REACTION_PUBLISH_DENIED_5, PS_REACT_CLOSE);
    react(PS_REACTION_PUBLISH_DENIED_QOS0_5, PS_REACT_SILENCE);
    client = next_client(5);
    kit_publish(&client, "no", 0, 0, "x");
    kit_expect_alive(&client);
    kit_publish(&client, "no", 1, 1, "x");
    kit_expect_end(&client, PS_REASON_NOT_AUTHORIZED, PS_DISCONNECT_FORBIDDEN_ACCESS);
}

// Spec 5.1: RETAIN needs iot:RetainPublish besides.
static void test_row_retain_publish_denied(void **state) {
    (void)state;
    kit_deny(&kit, PS_POLICY_RETAIN_PUBLISH, "a");
    KitClient client = next_client(5);
    kit_publish(&client, "a", 1, 1, "x");
    (void)kit_expect(client.broker, 5, PS_PACKET_PUBLISH);
    put(&client, &(PsPublishOrder){.version = 5,
                                   .qos = 1,
                                   .packet_id = 2,
                                   .retain = true,
                                   .topic = kit_text("a"),
                                   .payload = kit_text("x")});
    PsPacket packet = kit_expect(client.peer, 5, PS_PACKET_PUBACK);
    assert_int_equal(packet.reason, PS_REASON_NOT_AUTHORIZED);
}

// Spec 4.4, row payload: 131072 bytes pass, one more closes.
static void test_row_payload(void **state) {
    (void)state;
    char *payload = malloc(131073);
    memset(payload, 'x', 131073);
    EACH_VERSION {
        KitClient client = next_client(version);
        PsPublishOrder order = {.version = version,
                                .qos = 1,
                                .packet_id = 1,
                                .topic = kit_text("a"),
                                .payload = ps_bytes(payload, 131072)};
        put(&client, &order);
        PsPacket packet = kit_expect(client.broker, version, PS_PACKET_PUBLISH);
        assert_int_equal(packet.publish.payload.len, 131072);
        order.payload.len++;
        put(&client, &order);
        kit_expect_end(&client, PS_REASON_QUOTA, PS_DISCONNECT_CLIENT_ERROR);
    }
    free(payload);
}

// What is larger than any packet may be is not even waited for.
static void test_row_packet_too_large(void **state) {
    (void)state;
    KitClient client = next_client(5);
    kit_send_bytes(client.peer, "\x30\x80\x80\x80\x01", 5);
    kit_expect_end(&client, PS_REASON_QUOTA, PS_DISCONNECT_CLIENT_ERROR);
}

static void expect_topic_refused(const char *topic) {
    KitClient client = next_client(4);
    kit_publish(&client, topic, 1, 1, "x");
    kit_expect_end(&client, 0, PS_DISCONNECT_CLIENT_ERROR);
    client = next_client(5);
    kit_publish(&client, topic, 1, 1, "x");
    kit_expect_end(&client, PS_REASON_TOPIC, PS_DISCONNECT_CLIENT_ERROR);
    react(PS_REACTION_TOPIC_LIMIT_5, PS_REACT_ACK);
    client = next_client(5);
    kit_publish(&client, topic, 1, 1, "x");
    PsPacket packet = kit_expect(client.peer, 5, PS_PACKET_PUBACK);
    assert_int_equal(packet.reason, PS_REASON_TOPIC);
    kit_expect_alive(&client);
    react(PS_REACTION_TOPIC_LIMIT_5, PS_REACT_CLOSE);
}

// Spec 4.4, row topic length: 256 bytes.
static void test_row_topic_length(void **state) {
    (void)state;
    char topic[258];
    memset(topic, 't', sizeof topic);
    topic[256] = '\0';
    KitClient client = next_client(5);
    kit_publish(&client, topic, 0, 0, "x");
    (void)kit_expect(client.broker, 5, PS_PACKET_PUBLISH);
    topic[256] = 't';
    topic[257] = '\0';
    expect_topic_refused(topic);
}

// Spec 4.4, row slashes: 7 in a topic.
static void test_row_topic_slashes(void **state) {
    (void)state;
    KitClient client = next_client(5);
    kit_publish(&client, "1/2/3/4/5/6/7/8", 0, 0, "x");
    (void)kit_expect(client.broker, 5, PS_PACKET_PUBLISH);
    expect_topic_refused("1/2/3/4/5/6/7/8/9");
    expect_topic_refused("a/+");
}

// Spec 4.4, row Basic Ingest: the prefix counts for neither. Not routed, but acknowledged.
static void test_row_basic_ingest(void **state) {
    (void)state;
    EACH_VERSION {
        KitClient client = next_client(version);
        kit.taken = PS_SERVICE_CONSUMED;
        kit_publish(&client, "$aws/rules/store/1/2/3/4/5/6/7/8", 1, 3, "x");
        assert_string_equal(kit.taken_topic, "$aws/rules/store/1/2/3/4/5/6/7/8");
        PsPacket packet = kit_expect(client.peer, version, PS_PACKET_PUBACK);
        assert_int_equal(packet.packet_id, 3);
        kit_expect_nothing(client.broker, version);
        kit.taken = PS_SERVICE_ROUTE;
        kit_publish(&client, "$aws/things/x/shadow/update", 1, 4, "x");
        (void)kit_expect(client.broker, version, PS_PACKET_PUBLISH);
    }
}

// Spec 5.4, row "unsupported $ topic": may close; 0x90.
static void test_row_reserved_topic(void **state) {
    (void)state;
    kit.taken = PS_SERVICE_REFUSED;
    EACH_VERSION {
        KitClient client = next_client(version);
        kit_publish(&client, "$other/x", 1, 1, "x");
        kit_expect_end(&client, PS_REASON_TOPIC, PS_DISCONNECT_CLIENT_ERROR);
    }
    react(PS_REACTION_RESERVED_TOPIC, PS_REACT_SILENCE);
    KitClient client = next_client(5);
    kit_publish(&client, "$other/x", 1, 1, "x");
    kit_expect_nothing(client.peer, 5);
    kit_expect_alive(&client);
}

// Spec 4, row "retained on $ topics": not allowed.
static void test_row_retained_on_reserved_topic(void **state) {
    (void)state;
    KitClient client = next_client(5);
    put(&client, &(PsPublishOrder){.version = 5,
                                   .retain = true,
                                   .topic = kit_text("$aws/things/x/shadow/update"),
                                   .payload = kit_text("x")});
    kit_expect_end(&client, PS_REASON_TOPIC, PS_DISCONNECT_CLIENT_ERROR);
}

// Spec 4.4, row "publish rate": 100 a second, the rest is discarded without PUBACK.
static void test_row_publish_rate(void **state) {
    (void)state;
    ps_front_limits(kit.front)->unacked_in = 1000;
    EACH_VERSION {
        KitClient client = next_client(version);
        PS_AUTO_BUF PsBuf out = {0};
        for (uint16_t id = 1; id <= 150; id++) {
            ps_packet_put_publish(&out, &(PsPublishOrder){.version = version,
                                                          .qos = 1,
                                                          .packet_id = id,
                                                          .topic = kit_text("a"),
                                                          .payload = kit_text("x")});
        }
        kit_send(client.peer, &out);
        for (uint16_t id = 1; id <= 100; id++) {
            PsPacket packet = kit_expect(client.broker, version, PS_PACKET_PUBLISH);
            assert_int_equal(packet.packet_id, id);
        }
        kit_expect_nothing(client.broker, version);
        kit_expect_nothing(client.peer, version);
        kit_expect_alive(&client);
        kit_pass_ms(&kit, 100);
        kit_publish(&client, "a", 1, 151, "x");
        (void)kit_expect(client.broker, version, PS_PACKET_PUBLISH);
    }
}

// Spec 4.4, row throughput: 512 KiB a second, the rest is delayed.
static void test_row_throughput(void **state) {
    (void)state;
    KitClient client = next_client(4);
    char payload[1001];
    memset(payload, 'x', 1000);
    payload[1000] = '\0';
    ps_front_limits(kit.front)->bytes_per_s = 10000;
    for (unsigned i = 0; i < 20; i++) {
        kit_publish(&client, "a", 0, 0, payload);
    }
    unsigned at_once = 0;
    PsPacket packet;
    while (kit_take(client.broker, 4, &packet)) {
        at_once++;
    }
    assert_in_range(at_once, 9, 11);
    assert_true(client.peer->paused);
    kit_pass_ms(&kit, 500);
    unsigned later = 0;
    while (kit_take(client.broker, 4, &packet)) {
        later++;
    }
    assert_in_range(later, 4, 6);
    kit_pass_ms(&kit, 1000);
    while (kit_take(client.broker, 4, &packet)) {
        later++;
    }
    assert_int_equal(at_once + later, 20);
    assert_false(client.peer->paused);
}

// Spec 4.4, row "unacked towards the broker": not read until acked; MQTT 5: 0x93.
static void test_row_unacked_to_broker(void **state) {
    (void)state;
    ps_front_limits(kit.front)->unacked_in = 3;
    KitClient client = next_client(4);
    for (uint16_t id = 1; id <= 5; id++) {
        kit_publish(&client, "a", 1, id, "x");
    }
    for (uint16_t id = 1; id <= 3; id++) {
        (void)kit_expect(client.broker, 4, PS_PACKET_PUBLISH);
    }
    kit_expect_nothing(client.broker, 4);
    assert_true(client.peer->paused);
    kit_ack(client.broker, 4, 1);
    (void)kit_expect(client.peer, 4, PS_PACKET_PUBACK);
    PsPacket packet = kit_expect(client.broker, 4, PS_PACKET_PUBLISH);
    assert_int_equal(packet.packet_id, 4);
    kit_expect_nothing(client.broker, 4);
    client = next_client(5);
    for (uint16_t id = 1; id <= 4; id++) {
        kit_publish(&client, "a", 1, id, "x");
    }
    kit_expect_end(&client, PS_REASON_RECEIVE_MAX, PS_DISCONNECT_CLIENT_ERROR);
}

// Spec 4.3, row "topic alias": 8 of them, resolved towards the broker.
static void test_row_topic_alias(void **state) {
    (void)state;
    KitClient client = next_client(5);
    PS_AUTO_BUF PsBuf props = {0};
    ps_props_put_number(&props, PS_PROPERTY_TOPIC_ALIAS, 8);
    ps_props_put_text(&props, PS_PROPERTY_CONTENT_TYPE, kit_text("json"));
    PsPublishOrder order = {.version = 5,
                            .topic = kit_text("a/b"),
                            .props = ps_bytes(props.data, props.len),
                            .payload = kit_text("1")};
    put(&client, &order);
    order.topic.len = 0;
    order.payload = kit_text("2");
    put(&client, &order);
    for (unsigned i = 1; i <= 2; i++) {
        PsPacket packet = kit_expect(client.broker, 5, PS_PACKET_PUBLISH);
        assert_true(ps_bytes_are(packet.publish.topic, "a/b"));
        assert_false(ps_props_have(&packet.props, PS_PROPERTY_TOPIC_ALIAS));
        assert_true(ps_bytes_are(ps_props_text(&packet.props, PS_PROPERTY_CONTENT_TYPE), "json"));
        assert_true(ps_bytes_are(packet.publish.payload, i == 1 ? "1" : "2"));
    }
    ps_buf_clear(&props);
    ps_props_put_number(&props, PS_PROPERTY_TOPIC_ALIAS, 9);
    order.props = ps_bytes(props.data, props.len);
    order.topic = kit_text("a");
    put(&client, &order);
    kit_expect_end(&client, PS_REASON_TOPIC_ALIAS, PS_DISCONNECT_CLIENT_ERROR);
}

// Spec 4.3, row "message expiry": 1 to 604800 s, 0 is 1.
static void test_row_message_expiry(void **state) {
    (void)state;
    static const uint32_t cases[][2] = {{0, 1}, {60, 60}, {604800, 604800}, {604801, 604800}};
    KitClient client = next_client(5);
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PS_AUTO_BUF PsBuf props = {0};
        ps_props_put_number(&props, PS_PROPERTY_MESSAGE_EXPIRY, cases[i][0]);
        put(&client, &(PsPublishOrder){.version = 5,
                                       .topic = kit_text("a"),
                                       .props = ps_bytes(props.data, props.len)});
        PsPacket packet = kit_expect(client.broker, 5, PS_PACKET_PUBLISH);
        assert_int_equal(ps_props_number(&packet.props, PS_PROPERTY_MESSAGE_EXPIRY, 0),
                         cases[i][1]);
    }
}

// Spec 4, rows "retained": an empty payload deletes; the control plane can show the rest.
static void test_row_retained(void **state) {
    (void)state;
    KitClient client = next_client(4);
    PsPublishOrder order = {
        .version = 4, .retain = true, .topic = kit_text("r/1"), .payload = kit_text("kept")};
    put(&client, &order);
    order.topic = kit_text("r/2");
    put(&client, &order);
    PsFrontMessage message;
    assert_true(ps_front_find_retained(kit.front, kit_text("r/1"), false, &message));
    assert_true(ps_bytes_are(message.payload, "kept"));
    assert_true(ps_front_find_retained(kit.front, kit_text(""), true, &message));
    assert_true(ps_bytes_are(message.topic, "r/1"));
    assert_true(ps_front_find_retained(kit.front, kit_text("r/1"), true, &message));
    assert_true(ps_bytes_are(message.topic, "r/2"));
    order.payload.len = 0;
    put(&client, &order);
    assert_false(ps_front_find_retained(kit.front, kit_text("r/2"), false, &message));
    kit_restart(&kit);
    assert_true(ps_front_find_retained(kit.front, kit_text("r/1"), false, &message));
}

// The broker publishes a will by itself; a retained one is then a retained message.
static void test_retained_will(void **state) {
    (void)state;
    PsPacketWill will = {.topic = kit_text("w"), .payload = kit_text("gone"), .retain = true};
    KitClient client = kit_connect(&kit, &(KitConnect){.version = 4, .id = "gw", .will = &will});
    PsFrontMessage message;
    assert_false(ps_front_find_retained(kit.front, kit_text("w"), false, &message));
    kit_lose(client.peer);
    assert_true(ps_front_find_retained(kit.front, kit_text("w"), false, &message));
}

// PUBACKs that come in one piece go on in one piece.
static void test_acks_of_one_read_go_together(void **state) {
    (void)state;
    KitClient client = next_client(4);
    for (uint16_t id = 1; id <= 3; id++) {
        kit_publish(&client, "a", 1, id, "x");
    }
    kit_send_bytes(client.broker, "\x40\2\0\1\x40\2\0\2\x40\2\0\3", 12);
    assert_int_equal(client.peer->sent.len - client.peer->taken, 12);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_publish_and_puback),
        TEST(test_row_qos2_publish),
        TEST(test_row_publish_denied),
        TEST(test_row_publish_denied_other_way),
        TEST(test_row_retain_publish_denied),
        TEST(test_row_payload),
        TEST(test_row_packet_too_large),
        TEST(test_row_topic_length),
        TEST(test_row_topic_slashes),
        TEST(test_row_basic_ingest),
        TEST(test_row_reserved_topic),
        TEST(test_row_retained_on_reserved_topic),
        TEST(test_row_publish_rate),
        TEST(test_row_throughput),
        TEST(test_row_unacked_to_broker),
        TEST(test_row_topic_alias),
        TEST(test_row_message_expiry),
        TEST(test_row_retained),
        TEST(test_retained_will),
        TEST(test_acks_of_one_read_go_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
