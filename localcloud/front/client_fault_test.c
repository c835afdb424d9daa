// Faults on command at the packets of a client.
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

static uint32_t rule(const char *line) {
    uint32_t id = 0;
    PsDiag diag = {0};
    if (ps_faults_add(kit.faults, line, &id, &diag) != PS_OK) {
        fail_msg("%s: %s", line, diag.text);
    }
    return id;
}

#define EACH_VERSION for (uint8_t version = PS_MQTT_3; version <= PS_MQTT_5; version++)

static KitClient next_client(uint8_t version) {
    kit_pass_ms(&kit, 1500);
    return kit_client(&kit, version, "gw");
}

static void published(KitClient *client, uint16_t id) {
    kit_publish(client, "a", 1, id, "x");
    (void)kit_expect(client->broker, client->version, PS_PACKET_PUBLISH);
    kit_ack(client->broker, client->version, id);
}

static void test_withheld_puback(void **state) {
    (void)state;
    EACH_VERSION {
        KitClient client = next_client(version);
        uint32_t id = rule("on publish #2: withhold puback");
        published(&client, 1);
        (void)kit_expect(client.peer, version, PS_PACKET_PUBACK);
        published(&client, 2);
        kit_expect_nothing(client.peer, version);
        published(&client, 3);
        PsPacket packet = kit_expect(client.peer, version, PS_PACKET_PUBACK);
        assert_int_equal(packet.packet_id, 3);
        assert_int_equal(ps_faults_remove(kit.faults, id), PS_OK);
        ps_front_faults_changed(kit.front);
        kit_pass_ms(&kit, 1);
        packet = kit_expect(client.peer, version, PS_PACKET_PUBACK);
        assert_int_equal(packet.packet_id, 2);
    }
}

static void test_withheld_pubacks_fill_the_window(void **state) {
    (void)state;
    ps_front_limits(kit.front)->unacked_in = 2;
    KitClient client = next_client(4);
    (void)rule("on publish: withhold puback");
    published(&client, 1);
    published(&client, 2);
    kit_publish(&client, "a", 1, 3, "x");
    kit_expect_nothing(client.broker, 4);
    assert_true(client.peer->paused);
    ps_faults_clear(kit.faults);
    ps_front_faults_changed(kit.front);
    kit_pass_ms(&kit, 1);
    (void)kit_expect(client.broker, 4, PS_PACKET_PUBLISH);
}

static void test_dropped_and_delayed_puback(void **state) {
    (void)state;
    KitClient client = next_client(5);
    uint32_t id = rule("on publish: drop puback");
    published(&client, 1);
    kit_expect_nothing(client.peer, 5);
    assert_int_equal(ps_faults_remove(kit.faults, id), PS_OK);
    (void)rule("on publish: delay puback 500ms");
    published(&client, 2);
    kit_pass_ms(&kit, 450);
    kit_expect_nothing(client.peer, 5);
    kit_pass_ms(&kit, 100);
    PsPacket packet = kit_expect(client.peer, 5, PS_PACKET_PUBACK);
    assert_int_equal(packet.packet_id, 2);
}

static void test_dropped_publish(void **state) {
    (void)state;
    KitClient client = next_client(4);
    (void)rule("on publish, once: drop");
    kit_publish(&client, "a", 1, 1, "x");
    kit_expect_nothing(client.broker, 4);
    kit_expect_nothing(client.peer, 4);
    published(&client, 2);
    (void)kit_expect(client.peer, 4, PS_PACKET_PUBACK);
}

static void test_cuts(void **state) {
    (void)state;
    EACH_VERSION {
        KitClient client = next_client(version);
        (void)rule("on publish, once: cut");
        kit_publish(&client, "a", 1, 1, "x");
        kit_expect_nothing(client.broker, version);
        kit_expect_end(&client, 0, PS_DISCONNECT_CONNECTION_LOST);
        client = next_client(version);
        (void)rule("on publish, once: cut before puback");
        published(&client, 1);
        kit_expect_end(&client, 0, PS_DISCONNECT_CONNECTION_LOST);
        client = next_client(version);
        (void)rule("on publish, once: cut after puback");
        published(&client, 1);
        (void)kit_expect(client.peer, version, PS_PACKET_PUBACK);
        kit_expect_end(&client, 0, PS_DISCONNECT_CONNECTION_LOST);
        kit_pass_ms(&kit, 1500);
        (void)rule("on connect, once: cut after connack");
        client = kit_client(&kit, version, "gw");
        kit_expect_end(&client, 0, PS_DISCONNECT_CONNECTION_LOST);
    }
}

static void test_refused_connect(void **state) {
    (void)state;
    EACH_VERSION {
        (void)rule("on connect, once: refuse");
        kit_pass_ms(&kit, 1500);
        KitClient client = kit_begin(&kit, &(KitConnect){.version = version, .id = "gw"});
        PsPacket packet = kit_expect(client.peer, version, PS_PACKET_CONNACK);
        assert_int_equal(packet.reason, version == PS_MQTT_5 ? 0x87 : 5);
        assert_true(client.peer->gone);
        (void)next_client(version);
    }
}

static void test_lost_session(void **state) {
    (void)state;
    KitConnect connect = {.version = 5, .id = "gw", .keep = true};
    KitClient client = kit_connect(&kit, &connect);
    kit_lose(client.peer);
    kit_pass_ms(&kit, 1500);
    (void)rule("on connect, once: lose session");
    client = kit_begin(&kit, &connect);
    PsPacket packet = kit_at_broker(&client);
    assert_true(packet.connect.clean);
}

static void test_stopped_reading(void **state) {
    (void)state;
    KitClient client = next_client(4);
    (void)rule("on publish, once: stop reading for 2s");
    published(&client, 1);
    (void)kit_expect(client.peer, 4, PS_PACKET_PUBACK);
    assert_true(client.peer->paused);
    kit_publish(&client, "a", 1, 2, "x");
    kit_expect_nothing(client.broker, 4);
    kit_pass_ms(&kit, 2100);
    (void)kit_expect(client.broker, 4, PS_PACKET_PUBLISH);
    assert_false(client.peer->paused);
}

static void test_lost_delivery(void **state) {
    (void)state;
    KitClient client = next_client(4);
    kit_subscribed(&client, 1, "a", 1);
    (void)rule("on deliver, once: drop");
    kit_deliver(&client, "a", 1, 1, false);
    kit_expect_nothing(client.peer, 4);
    kit_expect_nothing(client.broker, 4); // not acknowledged: it comes again after a reconnect
    kit_deliver(&client, "a", 1, 2, false);
    (void)kit_expect(client.peer, 4, PS_PACKET_PUBLISH);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_withheld_puback),
        TEST(test_withheld_pubacks_fill_the_window),
        TEST(test_dropped_and_delayed_puback),
        TEST(test_dropped_publish),
        TEST(test_cuts),
        TEST(test_refused_connect),
        TEST(test_lost_session),
        TEST(test_stopped_reading),
        TEST(test_lost_delivery),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
