// Messages to a client, and the cloud's own: the rows of the specification's chapters 4, 4.2, 4.4
// and 5.4 that concern them.
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

static KitClient next_client(uint8_t version) {
    kit_pass_ms(&kit, 1500);
    return kit_client(&kit, version, version == PS_MQTT_3 ? "gw-3" : "gw-5");
}

static void expect_delivered(KitClient *client, const char *topic) {
    PsPacket packet = kit_expect(client->peer, client->version, PS_PACKET_PUBLISH);
    assert_true(ps_bytes_are(packet.publish.topic, topic));
}

// Not delivered, and acknowledged to the broker in the client's place.
static void expect_swallowed(KitClient *client, uint16_t packet_id) {
    kit_expect_nothing(client->peer, client->version);
    PsPacket packet = kit_expect(client->broker, client->version, PS_PACKET_PUBACK);
    assert_int_equal(packet.packet_id, packet_id);
}

static void test_delivery_and_puback(void **state) {
    (void)state;
    EACH_VERSION {
        KitClient client = next_client(version);
        kit_subscribed(&client, 1, "a/+", 1);
        kit_deliver(&client, "a/b", 1, 9, false);
        expect_delivered(&client, "a/b");
        kit_ack(client.peer, version, 9);
        PsPacket packet = kit_expect(client.broker, version, PS_PACKET_PUBACK);
        assert_int_equal(packet.packet_id, 9);
        kit_ack(client.peer, version, 9); // of nothing
        kit_expect_nothing(client.broker, version);
    }
}

// Spec 5.4, row delivery: not delivered; the switch ends the connection.
static void test_row_receive_denied(void **state) {
    (void)state;
    kit_deny(&kit, PS_POLICY_RECEIVE, "a/secret");
    EACH_VERSION {
        KitClient client = next_client(version);
        kit_subscribed(&client, 1, "a/+", 1);
        kit_deliver(&client, "a/secret", 1, 9, false);
        expect_swallowed(&client, 9);
        kit_deliver(&client, "a/open", 1, 10, false);
        expect_delivered(&client, "a/open");
        kit_deliver(&client, "a/secret", 0, 0, false);
        kit_expect_nothing(client.peer, version);
        ps_front_reactions(kit.front)->of[PS_REACTION_RECEIVE_DENIED] = PS_REACT_CLOSE;
        kit_deliver(&client, "a/secret", 0, 0, false);
        kit_expect_end(&client, PS_REASON_NOT_AUTHORIZED, PS_DISCONNECT_FORBIDDEN_ACCESS);
        ps_front_reactions(kit.front)->of[PS_REACTION_RECEIVE_DENIED] = PS_REACT_SILENCE;
    }
}

// Spec 4, row "#": the broker also sends the parent; the client does not get it, unless another of
// its filters takes it.
static void test_row_hash_without_parent(void **state) {
    (void)state;
    EACH_VERSION {
        KitClient client = next_client(version);
        kit_subscribed(&client, 1, "sensor/#", 1);
        kit_deliver(&client, "sensor", 1, 5, false);
        expect_swallowed(&client, 5);
        kit_deliver(&client, "sensor/", 1, 6, false);
        expect_delivered(&client, "sensor/");
        kit_deliver(&client, "sensor/a", 1, 7, false);
        expect_delivered(&client, "sensor/a");
        kit_subscribed(&client, 2, "+", 1);
        kit_deliver(&client, "sensor", 1, 8, false);
        expect_delivered(&client, "sensor");
    }
}

// Spec 4, row "retained + wildcard": only an exact filter brings the retained message.
static void test_row_no_retained_for_wildcards(void **state) {
    (void)state;
    EACH_VERSION {
        KitClient client = next_client(version);
        kit_subscribed(&client, 1, "r/#", 1);
        kit_deliver(&client, "r/1", 1, 3, true);
        expect_swallowed(&client, 3);
        kit_subscribed(&client, 2, "r/1", 1);
        kit_deliver(&client, "r/1", 1, 4, true);
        PsPacket packet = kit_expect(client.peer, version, PS_PACKET_PUBLISH);
        assert_true(packet.publish.retain);
        // Only at subscribe time; and another wildcard brings it no second time.
        kit_subscribed(&client, 3, "+/1", 1);
        kit_deliver(&client, "r/1", 1, 5, true);
        expect_swallowed(&client, 5);
    }
}

// Spec 4, row "retained flag": 0 on live delivery. So the broker must not be asked to keep it.
static void test_row_retained_flag(void **state) {
    (void)state;
    KitClient client = next_client(5);
    kit_subscribe(&client, 1, "a", 1 | PS_SUBSCRIBE_RETAIN_AS_PUBLISHED | PS_SUBSCRIBE_NO_LOCAL);
    PsPacket packet = kit_expect(client.broker, 5, PS_PACKET_SUBSCRIBE);
    PsFilterCursor cursor = ps_filter_cursor(&packet);
    PsBytes filter;
    uint8_t options = 0;
    assert_true(ps_filter_cursor_next(&cursor, &filter, &options));
    assert_int_equal(options, 1 | PS_SUBSCRIBE_NO_LOCAL);
}

// Spec 4, row DUP: never set by the broker.
static void test_row_dup_flag(void **state) {
    (void)state;
    KitClient client = next_client(4);
    kit_subscribed(&client, 1, "a", 1);
    kit_send_bytes(client.broker, "\x3a\6\0\1a\0\5x", 8);
    PsPacket packet = kit_expect(client.peer, 4, PS_PACKET_PUBLISH);
    assert_false(packet.publish.dup);
    assert_int_equal(packet.packet_id, 5);
}

static unsigned count_deliveries(KitClient *client, uint16_t *ids) {
    PsPacket packet;
    unsigned count = 0;
    while (kit_take(client->peer, client->version, &packet)) {
        assert_int_equal(packet.type, PS_PACKET_PUBLISH);
        if (ids != NULL) {
            ids[count] = packet.packet_id;
        }
        count++;
    }
    return count;
}

// Spec 4.4, row "unacked towards the client": 100, then held back; QoS 0 goes on.
static void test_row_unacked_to_client(void **state) {
    (void)state;
    ps_front_limits(kit.front)->deliveries_per_s = 0;
    EACH_VERSION {
        KitClient client = next_client(version);
        kit_subscribed(&client, 1, "a", 1);
        for (uint16_t id = 1; id <= 120; id++) {
            kit_deliver(&client, "a", 1, id, false);
        }
        uint16_t ids[120];
        assert_int_equal(count_deliveries(&client, ids), 100);
        kit_deliver(&client, "a", 0, 0, false);
        expect_delivered(&client, "a");
        kit_ack(client.peer, version, 1);
        kit_ack(client.peer, version, 50);
        assert_int_equal(count_deliveries(&client, ids), 2);
        assert_int_equal(ids[0], 101);
        assert_int_equal(ids[1], 102);
    }
}

static void pass_s(KitClient *client, int64_t s) {
    kit_send_bytes(client->peer, "\xC0\0", 2); // PINGREQ
    (void)kit_expect(client->peer, client->version, PS_PACKET_PINGRESP);
    kit_pass_ms(&kit, s * 1000);
    kit_expect_alive(client);
}

// Spec 4.2: QoS 1 without PUBACK is dropped after an hour; what was held back behind it goes.
static void test_row_unacked_for_an_hour(void **state) {
    (void)state;
    ps_front_limits(kit.front)->resend_out_s = 0;
    ps_front_limits(kit.front)->unacked_out = 2;
    EACH_VERSION {
        KitClient client = next_client(version);
        kit_subscribed(&client, 1, "a", 1);
        kit_deliver(&client, "a", 1, 1, false);
        expect_delivered(&client, "a");
        pass_s(&client, 1200);
        kit_deliver(&client, "a", 1, 2, false);
        kit_deliver(&client, "a", 1, 3, false);
        assert_int_equal(count_deliveries(&client, NULL), 1);
        pass_s(&client, 1200);
        pass_s(&client, 1199);
        kit_expect_nothing(client.broker, version);
        pass_s(&client, 1);
        PsPacket packet = kit_expect(client.broker, version, PS_PACKET_PUBACK);
        assert_int_equal(packet.packet_id, 1);
        kit_expect_nothing(client.broker, version);
        packet = kit_expect(client.peer, version, PS_PACKET_PUBLISH);
        assert_int_equal(packet.packet_id, 3);
        kit_ack(client.peer, version, 1); // too late: the broker has had it
        kit_expect_nothing(client.broker, version);
        kit_ack(client.peer, version, 2);
        assert_int_equal(kit_expect(client.broker, version, PS_PACKET_PUBACK).packet_id, 2);
    }
}

// Spec 4.2: until then it is sent again, every half a minute, with its number and without DUP.
// MQTT 5 forbids that on the same connection.
static void test_row_unacked_is_sent_again(void **state) {
    (void)state;
    KitClient client = next_client(PS_MQTT_3);
    kit_subscribed(&client, 1, "a", 1);
    kit_deliver(&client, "a", 1, 7, false);
    kit_deliver(&client, "a", 0, 0, false);
    assert_int_equal(count_deliveries(&client, NULL), 2);
    kit_pass_ms(&kit, 29900);
    kit_expect_nothing(client.peer, PS_MQTT_3);
    for (int i = 0; i < 2; i++) {
        kit_pass_ms(&kit, i == 0 ? 200 : 30100);
        PsPacket packet = kit_expect(client.peer, PS_MQTT_3, PS_PACKET_PUBLISH);
        assert_int_equal(packet.packet_id, 7);
        assert_false(packet.publish.dup);
        kit_expect_nothing(client.peer, PS_MQTT_3);
    }
    pass_s(&client, 0);
    // Not on top of what has not left yet.
    client.peer->pending = 1;
    kit_pass_ms(&kit, 30100);
    kit_expect_nothing(client.peer, PS_MQTT_3);
    client.peer->pending = 0;
    kit_ack(client.peer, PS_MQTT_3, 7);
    assert_int_equal(kit_expect(client.broker, PS_MQTT_3, PS_PACKET_PUBACK).packet_id, 7);
    pass_s(&client, 60);
    kit_expect_nothing(client.peer, PS_MQTT_3);
    client = next_client(PS_MQTT_5);
    kit_subscribed(&client, 1, "a", 1);
    kit_deliver(&client, "a", 1, 7, false);
    expect_delivered(&client, "a");
    pass_s(&client, 60);
    kit_expect_nothing(client.peer, PS_MQTT_5);
}

// The hour ends that: it is not sent again for ever.
static void test_sending_again_ends(void **state) {
    (void)state;
    ps_front_limits(kit.front)->unacked_out_s = 100;
    KitClient client = next_client(PS_MQTT_3);
    kit_subscribed(&client, 1, "a", 1);
    kit_deliver(&client, "a", 1, 7, false);
    unsigned count = 0;
    for (int i = 0; i < 20; i++) {
        count += count_deliveries(&client, NULL);
        pass_s(&client, 10);
    }
    assert_int_equal(count, 4); // at 0, 30, 60 and 90 s
    assert_int_equal(kit_expect(client.broker, PS_MQTT_3, PS_PACKET_PUBACK).packet_id, 7);
}

static void test_unacked_for_ever(void **state) {
    (void)state;
    ps_front_limits(kit.front)->resend_out_s = 0;
    ps_front_limits(kit.front)->unacked_out_s = 0;
    KitClient client = next_client(4);
    kit_subscribed(&client, 1, "a", 1);
    kit_deliver(&client, "a", 1, 1, false);
    expect_delivered(&client, "a");
    for (int i = 0; i < 7; i++) {
        pass_s(&client, 1200);
    }
    kit_expect_nothing(client.broker, 4);
}

// MQTT 5: the client's own Receive Maximum, when it is smaller.
static void test_row_receive_maximum_of_client(void **state) {
    (void)state;
    PS_AUTO_BUF PsBuf props = {0};
    ps_props_put_number(&props, PS_PROPERTY_RECEIVE_MAXIMUM, 2);
    KitClient client = kit_connect(&kit, &(KitConnect){.version = 5, .id = "gw", .props = &props});
    kit_subscribed(&client, 1, "a", 1);
    for (uint16_t id = 1; id <= 5; id++) {
        kit_deliver(&client, "a", 1, id, false);
    }
    assert_int_equal(count_deliveries(&client, NULL), 2);
}

// What is held back is bounded: beyond it the broker is not read.
static void test_held_messages_are_bounded(void **state) {
    (void)state;
    ps_front_limits(kit.front)->unacked_out = 1;
    ps_front_limits(kit.front)->held_bytes = 100;
    KitClient client = next_client(4);
    kit_subscribed(&client, 1, "a", 1);
    for (uint16_t id = 1; id <= 7; id++) {
        kit_deliver(&client, "a", 1, id, false);
    }
    assert_false(client.broker->paused);
    for (uint16_t id = 8; id <= 10; id++) {
        kit_deliver(&client, "a", 1, id, false);
    }
    assert_true(client.broker->paused);
    for (uint16_t id = 1; id <= 10; id++) {
        kit_ack(client.peer, 4, id);
    }
    assert_false(client.broker->paused);
    assert_int_equal(count_deliveries(&client, NULL), 10);
}

static void test_slow_client_holds_the_broker_back(void **state) {
    (void)state;
    KitClient client = next_client(4);
    kit_subscribed(&client, 1, "a", 0);
    client.peer->pending = PS_STREAM_HIGH + 1;
    kit_deliver(&client, "a", 0, 0, false);
    assert_true(client.broker->paused);
    client.peer->pending = 0;
    client.peer->base.events->on_drained(client.peer->base.ctx);
    assert_false(client.broker->paused);
}

// Spec 4.4, row "publish rate": deliveries count as well.
static void test_row_delivery_rate(void **state) {
    (void)state;
    KitClient client = next_client(4);
    kit_subscribed(&client, 1, "a", 0);
    for (unsigned i = 0; i < 130; i++) {
        kit_deliver(&client, "a", 0, 0, false);
    }
    assert_int_equal(count_deliveries(&client, NULL), 100);
}

// Spec 4.2: at most 10 stored messages a second after a resume, besides live traffic.
static void test_row_replay(void **state) {
    (void)state;
    EACH_VERSION {
        const char *id = version == PS_MQTT_3 ? "gw-3" : "gw-5";
        KitConnect connect = {.version = version, .id = id, .keep = true};
        KitClient client = kit_connect(&kit, &connect);
        kit_subscribed(&client, 1, "a", 1);
        kit_lose(client.peer);
        kit_pass_ms(&kit, 1500);
        client = kit_begin(&kit, &connect);
        (void)kit_at_broker(&client);
        kit_broker_accepts(&client, true);
        PsPacket packet = kit_expect(client.peer, version, PS_PACKET_CONNACK);
        assert_true(packet.session_present);
        (void)kit_expect(client.broker, version, PS_PACKET_PINGREQ);
        for (uint16_t number = 1; number <= 30; number++) {
            kit_deliver(&client, "a", 1, number, false);
        }
        kit_send_bytes(client.broker, "\xd0\0", 2);
        uint16_t ids[40];
        assert_int_equal(count_deliveries(&client, ids), 1);
        kit_deliver(&client, "a", 1, 1000, false); // live: not behind them
        assert_int_equal(count_deliveries(&client, ids), 1);
        assert_int_equal(ids[0], 1000);
        kit_pass_ms(&kit, 1000);
        unsigned first_second = count_deliveries(&client, NULL);
        assert_in_range(first_second, 9, 10);
        kit_pass_ms(&kit, 1000);
        assert_in_range(count_deliveries(&client, NULL), 9, 10);
        kit_pass_ms(&kit, 2000);
        kit_expect_alive(&client);
        assert_in_range(count_deliveries(&client, NULL), 9, 11);
    }
}

// The filters of a kept session are known after a restart: `a/#` still does not bring `a`.
static void test_filters_outlive_a_restart(void **state) {
    (void)state;
    KitConnect connect = {.version = 4, .id = "gw", .keep = true};
    KitClient client = kit_connect(&kit, &connect);
    kit_subscribed(&client, 1, "a/#", 1);
    kit_restart(&kit);
    kit_pass_ms(&kit, 1500);
    client = kit_begin(&kit, &connect);
    (void)kit_at_broker(&client);
    kit_broker_accepts(&client, true);
    (void)kit_expect(client.peer, 4, PS_PACKET_CONNACK);
    (void)kit_expect(client.broker, 4, PS_PACKET_PINGREQ);
    kit_send_bytes(client.broker, "\xd0\0", 2);
    kit_deliver(&client, "a", 1, 1, false);
    expect_swallowed(&client, 1);
    kit_deliver(&client, "a/b", 1, 2, false);
    expect_delivered(&client, "a/b");
}

// Spec 6, Jobs: an answer to one client, also without a subscription.
static void test_row_direct_answer(void **state) {
    (void)state;
    KitClient client = next_client(5);
    ps_front_direct(kit.front, "nobody", "$aws/things/x/jobs/get/accepted", kit_text("{}"));
    kit_expect_nothing(client.peer, 5);
    ps_front_direct(kit.front, "gw-5", "$aws/things/x/jobs/get/accepted", kit_text("{}"));
    expect_delivered(&client, "$aws/things/x/jobs/get/accepted");
}

// Services and HTTPS publish through one connection of the cloud's own.
static void test_messages_of_the_cloud(void **state) {
    (void)state;
    PsFrontMessage message = {.topic = kit_text("a/b"), .payload = kit_text("x"), .qos = 1};
    PsDiag diag;
    assert_int_equal(ps_front_publish(kit.front, &message, &diag), PS_OK);
    kit_settle(&kit);
    KitStream *hub = kit.streams[0];
    (void)kit_expect(hub, 5, PS_PACKET_CONNECT);
    kit_expect_nothing(hub, 5);
    kit_send_bytes(hub, "\x20\3\0\0\0", 5);
    PsPacket packet = kit_expect(hub, 5, PS_PACKET_PUBLISH);
    assert_true(ps_bytes_are(packet.publish.topic, "a/b"));
    message.topic = kit_text("a/+");
    assert_int_equal(ps_front_publish(kit.front, &message, &diag), PS_ERR_INVALID);
    message.topic = kit_text("$aws/x");
    message.retain = true;
    assert_int_equal(ps_front_publish(kit.front, &message, &diag), PS_ERR_INVALID);
    message.topic = kit_text("r");
    assert_int_equal(ps_front_publish(kit.front, &message, &diag), PS_OK);
    assert_true(ps_front_find_retained(kit.front, kit_text("r"), false, &message));
}

static void on_tapped(void *ctx, const PsFrontMessage *message) {
    unsigned *count = ctx;
    (*count)++;
    assert_true(ps_bytes_are(message->topic, "r"));
}

static void test_console_taps(void **state) {
    (void)state;
    PsFrontMessage kept = {.topic = kit_text("r"), .payload = kit_text("x"), .retain = true};
    PsDiag diag;
    assert_int_equal(ps_front_publish(kit.front, &kept, &diag), PS_OK);
    unsigned count = 0;
    PsFrontTap *tap = NULL;
    static const char *const wrong[] = {"a#"};
    assert_int_equal(ps_front_tap(kit.front, wrong, 1, on_tapped, &count, &tap, &diag),
                     PS_ERR_INVALID);
    static const char *const filters[] = {"r", "q/#"};
    assert_int_equal(ps_front_tap(kit.front, filters, 2, on_tapped, &count, &tap, &diag), PS_OK);
    assert_int_equal(count, 1); // the retained one
    kit_settle(&kit);
    KitStream *stream = kit.streams[kit.stream_count - 1];
    (void)kit_expect(stream, 5, PS_PACKET_CONNECT);
    kit_send_bytes(stream, "\x20\3\0\0\0", 5);
    (void)kit_expect(stream, 5, PS_PACKET_SUBSCRIBE);
    kit_send_bytes(stream, "\x32\7\0\1r\0\1\0x", 9);
    assert_int_equal(count, 2);
    (void)kit_expect(stream, 5, PS_PACKET_PUBACK);
    ps_front_untap(kit.front, tap);
    (void)kit_expect(stream, 5, PS_PACKET_DISCONNECT);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_delivery_and_puback),       TEST(test_row_receive_denied),
        TEST(test_row_hash_without_parent),   TEST(test_row_no_retained_for_wildcards),
        TEST(test_row_retained_flag),         TEST(test_row_dup_flag),
        TEST(test_row_unacked_to_client),     TEST(test_row_receive_maximum_of_client),
        TEST(test_held_messages_are_bounded), TEST(test_slow_client_holds_the_broker_back),
        TEST(test_row_delivery_rate),         TEST(test_row_replay),
        TEST(test_filters_outlive_a_restart), TEST(test_row_direct_answer),
        TEST(test_messages_of_the_cloud),     TEST(test_console_taps),
        TEST(test_row_unacked_for_an_hour),   TEST(test_unacked_for_ever),
        TEST(test_row_unacked_is_sent_again), TEST(test_sending_again_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
