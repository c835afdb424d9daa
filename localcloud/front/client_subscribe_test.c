// SUBSCRIBE and UNSUBSCRIBE: the rows of the specification's chapters 4, 4.4 and 5.4.
#include "localcloud/front/front_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
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

static void react(PsReaction row, PsReact how) {
    ps_front_reactions(kit.front)->of[row] = how;
}

static void subscribe_to(KitClient *client, uint16_t packet_id, const char *const *filters,
                         size_t count) {
    PS_AUTO_BUF PsBuf out = {0};
    PsFilterOrder order = {0};
    ps_filter_order_begin(&order, PS_PACKET_SUBSCRIBE, client->version, packet_id,
                          ps_bytes(NULL, 0));
    for (size_t i = 0; i < count; i++) {
        ps_filter_order_put(&order, kit_text(filters[i]), 1);
    }
    ps_filter_order_end(&order, &out);
    kit_send(client->peer, &out);
}

static uint8_t failure(uint8_t version, PsReason code) {
    return version == PS_MQTT_5 ? (uint8_t)code : 0x80;
}

static void test_suback_comes_from_the_broker(void **state) {
    (void)state;
    EACH_VERSION {
        KitClient client = next_client(version);
        kit_subscribed(&client, 3, "a/+/b", 1);
        const KitEvent *event = kit_last_event(&kit);
        assert_int_equal(event->kind, PS_PRESENCE_SUBSCRIBED);
        assert_string_equal(event->topic, "a/+/b");
    }
}

// Spec 5.4, row SUBSCRIBE: SUBACK 0x80 (3.1.1) or 0x87 for that filter alone.
static void test_row_subscribe_denied(void **state) {
    (void)state;
    kit_deny(&kit, PS_POLICY_SUBSCRIBE, "no/#");
    static const char *const filters[] = {"a", "no/#", "b"};
    EACH_VERSION {
        KitClient client = next_client(version);
        subscribe_to(&client, 4, filters, 3);
        PsPacket packet = kit_expect(client.broker, version, PS_PACKET_SUBSCRIBE);
        assert_int_equal(packet.count, 2);
        PS_AUTO_BUF PsBuf out = {0};
        static const uint8_t codes[] = {1, 0};
        ps_packet_put_codes(&out, PS_PACKET_SUBACK, version, 4, codes, 2);
        kit_send(client.broker, &out);
        packet = kit_expect(client.peer, version, PS_PACKET_SUBACK);
        uint8_t expected[] = {1, failure(version, PS_REASON_NOT_AUTHORIZED), 0};
        assert_int_equal(packet.list.len, 3);
        assert_memory_equal(packet.list.data, expected, 3);
        assert_int_equal(kit_last_event(&kit)->topic_count, 2);
        // All refused: the broker is not asked.
        subscribe_to(&client, 5, filters + 1, 1);
        kit_expect_nothing(client.broker, version);
        packet = kit_expect(client.peer, version, PS_PACKET_SUBACK);
        assert_int_equal(packet.list.data[0], failure(version, PS_REASON_NOT_AUTHORIZED));
        react(PS_REACTION_SUBSCRIBE_DENIED, PS_REACT_CLOSE);
        subscribe_to(&client, 6, filters, 3);
        kit_expect_nothing(client.broker, version);
        kit_expect_end(&client, PS_REASON_NOT_AUTHORIZED, PS_DISCONNECT_FORBIDDEN_ACCESS);
        react(PS_REACTION_SUBSCRIBE_DENIED, PS_REACT_ACK);
    }
}

// Spec 4, row QoS: a SUBSCRIBE for QoS 2 gets no SUBACK at all.
static void test_row_qos2_subscribe(void **state) {
    (void)state;
    EACH_VERSION {
        KitClient client = next_client(version);
        kit_subscribe(&client, 1, "a", 2);
        kit_expect_nothing(client.peer, version);
        kit_expect_nothing(client.broker, version);
        kit_expect_alive(&client);
        react(PS_REACTION_QOS2, PS_REACT_CLOSE);
        kit_subscribe(&client, 1, "a", 2);
        kit_expect_end(&client, PS_REASON_QOS, PS_DISCONNECT_CLIENT_ERROR);
        react(PS_REACTION_QOS2, PS_REACT_SILENCE);
    }
}

// Spec 4, row "subscription identifiers": DISCONNECT 0xA1.
static void test_row_subscription_identifiers(void **state) {
    (void)state;
    KitClient client = next_client(5);
    PS_AUTO_BUF PsBuf props = {0};
    PS_AUTO_BUF PsBuf out = {0};
    ps_props_put_number(&props, PS_PROPERTY_SUBSCRIPTION_ID, 7);
    PsFilterOrder order = {0};
    ps_filter_order_begin(&order, PS_PACKET_SUBSCRIBE, 5, 1, ps_bytes(props.data, props.len));
    ps_filter_order_put(&order, kit_text("a"), 0);
    ps_filter_order_end(&order, &out);
    kit_send(client.peer, &out);
    kit_expect_end(&client, PS_REASON_SUBSCRIPTION_IDS, PS_DISCONNECT_CLIENT_ERROR);
}

// Spec 4.4, row "filters per SUBSCRIBE": 8 pass, 9 close.
static void test_row_filters_per_subscribe(void **state) {
    (void)state;
    static const char *const filters[] = {"1", "2", "3", "4", "5", "6", "7", "8", "9"};
    EACH_VERSION {
        KitClient client = next_client(version);
        subscribe_to(&client, 1, filters, 8);
        PsPacket packet = kit_expect(client.broker, version, PS_PACKET_SUBSCRIBE);
        assert_int_equal(packet.count, 8);
        subscribe_to(&client, 2, filters, 9);
        kit_expect_end(&client, PS_REASON_QUOTA, PS_DISCONNECT_CLIENT_ERROR);
        react(PS_REACTION_TOO_MANY_FILTERS, PS_REACT_ACK);
        client = next_client(version);
        subscribe_to(&client, 2, filters, 9);
        packet = kit_expect(client.peer, version, PS_PACKET_SUBACK);
        assert_int_equal(packet.count, 9);
        assert_int_equal(packet.list.data[8], failure(version, PS_REASON_QUOTA));
        react(PS_REACTION_TOO_MANY_FILTERS, PS_REACT_CLOSE);
    }
}

// Spec 4.4, row "subscriptions per connection": the 51st fails in its SUBACK.
static void test_row_subscriptions_per_connection(void **state) {
    (void)state;
    EACH_VERSION {
        KitClient client = next_client(version);
        char filter[16];
        for (uint16_t i = 1; i <= 50; i++) {
            snprintf(filter, sizeof filter, "f/%u", i);
            kit_subscribed(&client, i, filter, 1);
        }
        kit_subscribe(&client, 51, "f/51", 1);
        PsPacket packet = kit_expect(client.peer, version, PS_PACKET_SUBACK);
        assert_int_equal(packet.list.data[0], failure(version, PS_REASON_QUOTA));
        kit_subscribed(&client, 52, "f/1", 0); // one it has
        PS_AUTO_BUF PsBuf out = {0};
        PsFilterOrder order = {0};
        ps_filter_order_begin(&order, PS_PACKET_UNSUBSCRIBE, version, 53, ps_bytes(NULL, 0));
        ps_filter_order_put(&order, kit_text("f/2"), 0);
        ps_filter_order_end(&order, &out);
        kit_send(client.peer, &out);
        (void)kit_expect(client.broker, version, PS_PACKET_UNSUBSCRIBE);
        kit_subscribed(&client, 54, "f/51", 1);
        react(PS_REACTION_TOO_MANY_SUBSCRIPTIONS, PS_REACT_CLOSE);
        kit_subscribe(&client, 55, "f/52", 1);
        kit_expect_end(&client, PS_REASON_QUOTA, PS_DISCONNECT_CLIENT_ERROR);
        react(PS_REACTION_TOO_MANY_SUBSCRIPTIONS, PS_REACT_ACK);
    }
}

static void expect_filter_refused(const char *filter) {
    EACH_VERSION {
        KitClient client = next_client(version);
        kit_subscribe(&client, 1, filter, 1);
        kit_expect_end(&client, PS_REASON_FILTER, PS_DISCONNECT_CLIENT_ERROR);
        react(PS_REACTION_FILTER_LIMIT, PS_REACT_ACK);
        client = next_client(version);
        kit_subscribe(&client, 1, filter, 1);
        PsPacket packet = kit_expect(client.peer, version, PS_PACKET_SUBACK);
        assert_int_equal(packet.list.data[0], failure(version, PS_REASON_FILTER));
        kit_expect_alive(&client);
        react(PS_REACTION_FILTER_LIMIT, PS_REACT_CLOSE);
    }
}

// Spec 4.4, rows "slashes" and "topic length" for filters, and the prefix that does not count.
static void test_row_filter_limits(void **state) {
    (void)state;
    expect_filter_refused("1/2/3/4/5/6/7/8/9");
    expect_filter_refused("a/#/b");
    char filter[270];
    memset(filter, 'f', sizeof filter);
    filter[257] = '\0';
    expect_filter_refused(filter);
    KitClient client = next_client(5);
    kit_subscribed(&client, 1, "$share/group/1/2/3/4/5/6/7/8", 1);
}

// Spec 5.4, row "unsupported $ topic": may close, 0x8F.
static void test_row_reserved_filter(void **state) {
    (void)state;
    EACH_VERSION {
        KitClient client = next_client(version);
        kit_subscribe(&client, 1, "$bad/x", 1);
        kit_expect_end(&client, PS_REASON_FILTER, PS_DISCONNECT_CLIENT_ERROR);
    }
    react(PS_REACTION_RESERVED_TOPIC, PS_REACT_ACK);
    KitClient client = next_client(5);
    kit_subscribe(&client, 1, "$bad/x", 1);
    PsPacket packet = kit_expect(client.peer, 5, PS_PACKET_SUBACK);
    assert_int_equal(packet.list.data[0], PS_REASON_FILTER);
}

// Spec 4.3: UNSUBACK has 00, 80, 8F, 91; not the broker's "no subscription existed".
static void test_row_unsuback_codes(void **state) {
    (void)state;
    EACH_VERSION {
        KitClient client = next_client(version);
        kit_subscribed(&client, 1, "a", 1);
        PS_AUTO_BUF PsBuf out = {0};
        PsFilterOrder order = {0};
        ps_filter_order_begin(&order, PS_PACKET_UNSUBSCRIBE, version, 2, ps_bytes(NULL, 0));
        ps_filter_order_put(&order, kit_text("a"), 0);
        ps_filter_order_put(&order, kit_text("never"), 0);
        ps_filter_order_end(&order, &out);
        kit_send(client.peer, &out);
        (void)kit_expect(client.broker, version, PS_PACKET_UNSUBSCRIBE);
        const KitEvent *event = kit_last_event(&kit);
        assert_int_equal(event->kind, PS_PRESENCE_UNSUBSCRIBED);
        assert_int_equal(event->topic_count, 1);
        ps_buf_clear(&out);
        static const uint8_t codes[] = {0, PS_REASON_NO_SUBSCRIPTION};
        ps_packet_put_codes(&out, PS_PACKET_UNSUBACK, version, 2, codes,
                            version == PS_MQTT_5 ? 2 : 0);
        kit_send(client.broker, &out);
        PsPacket packet = kit_expect(client.peer, version, PS_PACKET_UNSUBACK);
        assert_int_equal(packet.count, version == PS_MQTT_5 ? 2 : 0);
        assert_true(packet.count == 0 || packet.list.data[1] == 0);
    }
}

// A SUBACK of the broker that says no is passed on, and the filter is not ours.
static void test_broker_refuses(void **state) {
    (void)state;
    KitClient client = next_client(5);
    kit_subscribe(&client, 1, "a/#", 1);
    PS_AUTO_BUF PsBuf out = {0};
    ps_packet_put_codes(&out, PS_PACKET_SUBACK, 5, 1, (const uint8_t[]){0x87}, 1);
    kit_send(client.broker, &out);
    PsPacket packet = kit_expect(client.peer, 5, PS_PACKET_SUBACK);
    assert_int_equal(packet.list.data[0], 0x87);
    ps_front_limits(kit.front)->subscriptions = 1;
    kit_subscribed(&client, 2, "b", 1);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_suback_comes_from_the_broker),
        TEST(test_row_subscribe_denied),
        TEST(test_row_qos2_subscribe),
        TEST(test_row_subscription_identifiers),
        TEST(test_row_filters_per_subscribe),
        TEST(test_row_subscriptions_per_connection),
        TEST(test_row_filter_limits),
        TEST(test_row_reserved_filter),
        TEST(test_row_unsuback_codes),
        TEST(test_broker_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
