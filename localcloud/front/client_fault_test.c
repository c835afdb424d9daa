// Faults on command, seen from both sides of the front.
#include "localcloud/front/front_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static Kit kit;

static void on_faults_changed(void *ctx) {
    ps_front_faults_changed(ctx);
}

static int setup(void **state) {
    (void)state;
    kit_setup(&kit);
    ps_faults_watch(kit.faults, on_faults_changed, kit.front);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    ps_faults_watch(kit.faults, NULL, NULL);
    kit_teardown(&kit);
    return 0;
}

#define EACH_VERSION for (uint8_t version = PS_MQTT_3; version <= PS_MQTT_5; version++)

static uint32_t add(const char *line) {
    uint32_t id = 0;
    PsDiag diag = {0};
    if (ps_faults_add(kit.faults, line, &id, &diag) != PS_OK) {
        fail_msg("%s: %s", line, diag.text);
    }
    return id;
}

static void only(const char *line) {
    ps_faults_clear(kit.faults);
    (void)add(line);
}

// So that the same id may connect again.
static KitClient next_client(uint8_t version) {
    kit_pass_ms(&kit, 1500);
    return kit_client(&kit, version, version == PS_MQTT_3 ? "gw-3" : "gw-5");
}

static KitClient next_begin(uint8_t version, bool keep) {
    kit_pass_ms(&kit, 1500);
    return kit_begin(&kit, &(KitConnect){.version = version,
                                         .id = version == PS_MQTT_3 ? "gw-3" : "gw-5",
                                         .keep = keep});
}

static void publish_and_route(KitClient *client, uint16_t packet_id) {
    kit_publish(client, "a/b", 1, packet_id, "x");
    PsPacket packet = kit_expect(client->broker, client->version, PS_PACKET_PUBLISH);
    assert_int_equal(packet.packet_id, packet_id);
    kit_ack(client->broker, client->version, packet_id);
}

static void expect_puback(KitClient *client, uint16_t packet_id) {
    PsPacket packet = kit_expect(client->peer, client->version, PS_PACKET_PUBACK);
    assert_int_equal(packet.packet_id, packet_id);
}

static void expect_cut(KitClient *client) {
    kit_settle(&kit);
    kit_expect_nothing(client->peer, client->version); // no DISCONNECT either
    assert_true(client->peer->closed || client->peer->gone);
}

static void test_drop_puback(void **state) {
    (void)state;
    only("on publish #2: drop puback");
    EACH_VERSION {
        KitClient client = next_client(version);
        publish_and_route(&client, 1);
        expect_puback(&client, 1);
        publish_and_route(&client, 2); // the broker has it
        kit_expect_nothing(client.peer, version);
        publish_and_route(&client, 3);
        expect_puback(&client, 3);
        kit_expect_alive(&client);
    }
}

static void test_withhold_puback(void **state) {
    (void)state;
    EACH_VERSION {
        only("on publish, topic a/*: withhold puback");
        KitClient client = next_client(version);
        publish_and_route(&client, 1);
        publish_and_route(&client, 2);
        kit_pass_ms(&kit, 60000 / 4); // below keep-alive
        kit_expect_nothing(client.peer, version);
        kit_expect_alive(&client);
        ps_faults_clear(kit.faults);
        kit_pass_ms(&kit, 10);
        expect_puback(&client, 1);
        expect_puback(&client, 2);
    }
}

// What is withheld counts as not acknowledged, as the client sees it.
static void test_withheld_counts(void **state) {
    (void)state;
    ps_front_limits(kit.front)->unacked_in = 2;
    only("on publish: withhold puback");
    KitClient client = next_client(PS_MQTT_3);
    publish_and_route(&client, 1);
    publish_and_route(&client, 2);
    kit_publish(&client, "a/b", 1, 3, "x");
    kit_expect_nothing(client.broker, PS_MQTT_3); // not read
    ps_faults_clear(kit.faults);
    kit_pass_ms(&kit, 10);
    expect_puback(&client, 1);
    expect_puback(&client, 2);
    assert_int_equal(kit_expect(client.broker, PS_MQTT_3, PS_PACKET_PUBLISH).packet_id, 3);
}

static void test_delay_puback(void **state) {
    (void)state;
    EACH_VERSION {
        only("on publish #1: delay puback 3s");
        KitClient client = next_client(version);
        publish_and_route(&client, 1);
        publish_and_route(&client, 2);
        expect_puback(&client, 2);
        kit_pass_ms(&kit, 2900);
        kit_expect_nothing(client.peer, version);
        kit_pass_ms(&kit, 200);
        expect_puback(&client, 1);
    }
}

static void test_drop_publish(void **state) {
    (void)state;
    only("on publish #1: drop");
    EACH_VERSION {
        KitClient client = next_client(version);
        kit_publish(&client, "a/b", 1, 1, "x");
        kit_expect_nothing(client.broker, version);
        kit_expect_nothing(client.peer, version);
        publish_and_route(&client, 2);
        expect_puback(&client, 2);
    }
}

static void test_cut_on_publish(void **state) {
    (void)state;
    only("on publish #2: cut");
    EACH_VERSION {
        KitClient client = next_client(version);
        publish_and_route(&client, 1);
        expect_puback(&client, 1);
        kit_publish(&client, "a/b", 1, 2, "x");
        kit_expect_nothing(client.broker, version);
        expect_cut(&client);
    }
}

static void test_cut_before_puback(void **state) {
    (void)state;
    only("on publish #1: cut before puback");
    EACH_VERSION {
        KitClient client = next_client(version);
        publish_and_route(&client, 1); // it has arrived, and the client does not know
        expect_cut(&client);
    }
}

static void test_cut_after_puback(void **state) {
    (void)state;
    only("on publish #1: cut after puback");
    EACH_VERSION {
        KitClient client = next_client(version);
        publish_and_route(&client, 1);
        expect_puback(&client, 1);
        expect_cut(&client);
        client = next_client(version);
        kit_publish(&client, "a/b", 0, 0, "x"); // has no answer: at once
        (void)kit_expect(client.broker, version, PS_PACKET_PUBLISH);
        expect_cut(&client);
    }
}

static void test_refuse_publish(void **state) {
    (void)state;
    only("on publish: refuse quota exceeded");
    KitClient client = next_client(PS_MQTT_5);
    kit_publish(&client, "a/b", 1, 1, "x");
    assert_int_equal(kit_expect(client.peer, PS_MQTT_5, PS_PACKET_PUBACK).reason, 0x97);
    kit_expect_nothing(client.broker, PS_MQTT_5);
    kit_expect_alive(&client);
    client = next_client(PS_MQTT_3);
    kit_publish(&client, "a/b", 1, 1, "x");
    expect_cut(&client);
}

static void test_cut_after_connack(void **state) {
    (void)state;
    only("on connect #1: cut after connack");
    KitClient client = next_client(PS_MQTT_5); // takes the CONNACK
    expect_cut(&client);
    client = next_client(PS_MQTT_5);
    kit_expect_alive(&client);
}

static void test_refuse_connect(void **state) {
    (void)state;
    EACH_VERSION {
        only("on connect, once: refuse server unavailable");
        KitClient client = next_begin(version, false);
        assert_null(client.broker);
        PsPacket packet = kit_expect(client.peer, version, PS_PACKET_CONNACK);
        assert_int_equal(packet.reason, version == PS_MQTT_5 ? 0x88 : 3);
        expect_cut(&client);
        client = next_client(version);
        kit_expect_alive(&client);
    }
}

// Nothing may overtake the CONNACK.
static void test_delay_connack(void **state) {
    (void)state;
    EACH_VERSION {
        only("on connect: delay connack 2s");
        KitClient client = next_begin(version, true);
        (void)kit_at_broker(&client);
        kit_broker_accepts(&client, false);
        kit_pass_ms(&kit, 1900);
        kit_expect_nothing(client.peer, version);
        kit_pass_ms(&kit, 200);
        (void)kit_expect(client.peer, version, PS_PACKET_CONNACK);
        publish_and_route(&client, 1);
        expect_puback(&client, 1);
    }
}

static void test_drop_connect(void **state) {
    (void)state;
    EACH_VERSION {
        only("on connect, once: drop");
        KitClient client = next_begin(version, false);
        assert_null(client.broker);
        kit_pass_ms(&kit, 5000);
        kit_expect_nothing(client.peer, version);
        assert_false(client.peer->closed);
        kit_lose(client.peer);
    }
}

// Nor may a message that comes meanwhile.
static void test_nothing_overtakes_connack(void **state) {
    (void)state;
    EACH_VERSION {
        ps_faults_clear(kit.faults);
        KitClient client = next_begin(version, true);
        (void)kit_at_broker(&client);
        kit_broker_accepts(&client, false);
        (void)kit_expect(client.peer, version, PS_PACKET_CONNACK);
        kit_subscribed(&client, 1, "a/#", 1);
        kit_lose(client.peer);
        kit_settle(&kit);
        only("on connect, once: withhold connack");
        client = next_begin(version, true);
        (void)kit_at_broker(&client);
        kit_broker_accepts(&client, true);
        kit_deliver(&client, "a/b", 0, 0, false);
        kit_expect_nothing(client.peer, version);
        ps_faults_clear(kit.faults);
        kit_pass_ms(&kit, 10);
        (void)kit_expect(client.peer, version, PS_PACKET_CONNACK);
        (void)kit_expect(client.peer, version, PS_PACKET_PUBLISH);
    }
}

static void test_lose_session(void **state) {
    (void)state;
    EACH_VERSION {
        ps_faults_clear(kit.faults);
        KitClient client = next_begin(version, true);
        (void)kit_at_broker(&client);
        kit_broker_accepts(&client, false);
        (void)kit_expect(client.peer, version, PS_PACKET_CONNACK);
        kit_lose(client.peer);
        kit_settle(&kit);
        only("on connect, once: lose session");
        size_t streams = kit.stream_count;
        client = next_begin(version, true);
        assert_non_null(client.broker);
        PsPacket packet = kit_at_broker(&client);
        assert_true(packet.connect.clean);
        if (version == PS_MQTT_3) { // the old session is ended first, on a connection of its own
            kit_broker_accepts(&client, false);
            kit_pass_ms(&kit, 100);
            client.broker = kit.streams[kit.stream_count - 1];
            assert_true(kit.stream_count > streams + 2);
            packet = kit_at_broker(&client);
            assert_false(packet.connect.clean);
        }
        kit_broker_accepts(&client, false);
        packet = kit_expect(client.peer, version, PS_PACKET_CONNACK);
        assert_false(packet.session_present);
    }
}

static void test_stop_reading(void **state) {
    (void)state;
    only("on publish #1: stop reading for 5s");
    KitClient client = next_client(PS_MQTT_3);
    publish_and_route(&client, 1);
    expect_puback(&client, 1); // what came before is answered
    kit_publish(&client, "a/b", 1, 2, "x");
    kit_expect_nothing(client.broker, PS_MQTT_3);
    assert_true(client.peer->paused);
    kit_pass_ms(&kit, 5100);
    assert_false(client.peer->paused);
    assert_int_equal(kit_expect(client.broker, PS_MQTT_3, PS_PACKET_PUBLISH).packet_id, 2);
    // Without a time: as long as the rule is there, also beyond keep-alive.
    only("on publish #3: stop reading");
    kit_publish(&client, "a/b", 1, 3, "x");
    (void)kit_expect(client.broker, PS_MQTT_3, PS_PACKET_PUBLISH);
    kit_publish(&client, "a/b", 1, 4, "x");
    kit_pass_ms(&kit, 3600000);
    kit_expect_nothing(client.broker, PS_MQTT_3);
    kit_expect_alive(&client);
    ps_faults_clear(kit.faults);
    kit_pass_ms(&kit, 10);
    assert_int_equal(kit_expect(client.broker, PS_MQTT_3, PS_PACKET_PUBLISH).packet_id, 4);
}

static void test_subscribe(void **state) {
    (void)state;
    EACH_VERSION {
        KitClient client = next_client(version);
        only("on subscribe #1, topic a/*: refuse not authorized");
        kit_subscribe(&client, 1, "a/#", 1);
        PsPacket packet = kit_expect(client.peer, version, PS_PACKET_SUBACK);
        assert_int_equal(packet.list.data[0], version == PS_MQTT_5 ? 0x87 : 0x80);
        kit_expect_nothing(client.broker, version);
        only("on subscribe: drop suback");
        kit_subscribe(&client, 2, "a/#", 1);
        (void)kit_expect(client.broker, version, PS_PACKET_SUBSCRIBE);
        PS_AUTO_BUF PsBuf out = {0};
        ps_packet_put_codes(&out, PS_PACKET_SUBACK, version, 2, &(uint8_t){1}, 1);
        kit_send(client.broker, &out);
        kit_expect_nothing(client.peer, version);
        ps_faults_clear(kit.faults);
        kit_deliver(&client, "a/b", 0, 0, false); // it holds all the same
        (void)kit_expect(client.peer, version, PS_PACKET_PUBLISH);
    }
}

static void test_pings_and_deliveries(void **state) {
    (void)state;
    static const uint8_t pingreq[] = {0xC0, 0x00};
    KitClient client = next_client(PS_MQTT_3);
    kit_subscribed(&client, 1, "a/#", 1);
    only("on pingreq: drop pingresp");
    kit_send_bytes(client.peer, pingreq, sizeof pingreq);
    kit_expect_nothing(client.peer, PS_MQTT_3);
    only("on deliver, once: drop");
    kit_deliver(&client, "a/b", 1, 1, false);
    kit_expect_nothing(client.peer, PS_MQTT_3);
    kit_expect_nothing(client.broker, PS_MQTT_3); // the broker sends it again some day
    only("on puback: drop");
    kit_deliver(&client, "a/b", 1, 2, false);
    (void)kit_expect(client.peer, PS_MQTT_3, PS_PACKET_PUBLISH);
    kit_ack(client.peer, PS_MQTT_3, 2);
    kit_expect_nothing(client.broker, PS_MQTT_3);
    only("on deliver: cut");
    kit_deliver(&client, "a/b", 1, 3, false);
    expect_cut(&client);
}

// Delayed on its way: it counts as sent, those that are not delayed overtake it, and it is not sent
// again meanwhile.
static void test_delay_deliveries(void **state) {
    (void)state;
    EACH_VERSION {
        KitClient client = next_client(version);
        kit_subscribed(&client, 1, "a/#", 1);
        only("on deliver, topic a/slow: delay 40s");
        kit_deliver(&client, "a/slow", 1, 1, false);
        kit_deliver(&client, "a/slow", 0, 0, false);
        kit_deliver(&client, "a/fast", 1, 2, false);
        assert_int_equal(kit_expect(client.peer, version, PS_PACKET_PUBLISH).packet_id, 2);
        kit_ack(client.peer, version, 2);
        (void)kit_expect(client.broker, version, PS_PACKET_PUBACK);
        kit_pass_ms(&kit, 39900);
        kit_expect_nothing(client.peer, version);
        kit_pass_ms(&kit, 200);
        assert_int_equal(kit_expect(client.peer, version, PS_PACKET_PUBLISH).packet_id, 1);
        assert_int_equal(kit_expect(client.peer, version, PS_PACKET_PUBLISH).packet_id, 0);
        kit_expect_nothing(client.peer, version);
        kit_ack(client.peer, version, 1);
        assert_int_equal(kit_expect(client.broker, version, PS_PACKET_PUBACK).packet_id, 1);
    }
}

// No more of them are kept than of those held back for a slow client; and those go with it.
static void test_delayed_deliveries_are_bounded(void **state) {
    (void)state;
    ps_front_limits(kit.front)->held_bytes = 100;
    KitClient client = next_client(PS_MQTT_3);
    kit_subscribed(&client, 1, "a/#", 1);
    only("on deliver: delay 10s");
    for (uint16_t id = 1; id <= 20; id++) {
        kit_deliver(&client, "a/b", 1, id, false);
    }
    assert_true(client.broker->paused);
    kit_pass_ms(&kit, 10100);
    assert_false(client.broker->paused);
    for (uint16_t id = 1; id <= 20; id++) {
        assert_int_equal(kit_expect(client.peer, PS_MQTT_3, PS_PACKET_PUBLISH).packet_id, id);
    }
    kit_deliver(&client, "a/b", 1, 21, false);
    kit_lose(client.peer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_drop_puback, setup, teardown),
        cmocka_unit_test_setup_teardown(test_withhold_puback, setup, teardown),
        cmocka_unit_test_setup_teardown(test_withheld_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_delay_puback, setup, teardown),
        cmocka_unit_test_setup_teardown(test_drop_publish, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cut_on_publish, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cut_before_puback, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cut_after_puback, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refuse_publish, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cut_after_connack, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refuse_connect, setup, teardown),
        cmocka_unit_test_setup_teardown(test_delay_connack, setup, teardown),
        cmocka_unit_test_setup_teardown(test_drop_connect, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nothing_overtakes_connack, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lose_session, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stop_reading, setup, teardown),
        cmocka_unit_test_setup_teardown(test_subscribe, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pings_and_deliveries, setup, teardown),
        cmocka_unit_test_setup_teardown(test_delay_deliveries, setup, teardown),
        cmocka_unit_test_setup_teardown(test_delayed_deliveries_are_bounded, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
