// The packet codec: what is put together is taken apart again, and what is malformed has a reason.
#include "localcloud/front/packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define MOST ((size_t)200000)

static PsBytes text(const char *words) {
    return ps_bytes(words, strlen(words));
}

static PsPacket parse(const PsBuf *bytes, uint8_t version) {
    PsPacket packet;
    PsPacketFault fault = {0};
    size_t len = 0;
    assert_int_equal(ps_packet_frame(bytes->data, bytes->len, MOST, &len, &fault), PS_OK);
    assert_int_equal(len, bytes->len);
    PsErr err = ps_packet_parse(ps_bytes(bytes->data, len), version, &packet, &fault);
    if (err != PS_OK) {
        fail_msg("%s", fault.text);
    }
    return packet;
}

static void test_connect(void **state) {
    (void)state;
    for (uint8_t version = PS_MQTT_3; version <= PS_MQTT_5; version++) {
        PS_AUTO_BUF PsBuf out = {0};
        PS_AUTO_BUF PsBuf props = {0};
        ps_props_put_number(&props, PS_PROPERTY_SESSION_EXPIRY, 120);
        ps_props_put_number(&props, PS_PROPERTY_RECEIVE_MAXIMUM, 7);
        PsPacketWill will = {
            .topic = text("w/t"), .payload = text("gone"), .qos = 1, .retain = true};
        PsConnectOrder order = {.version = version,
                                .client_id = text("gw"),
                                .keep_alive = 300,
                                .clean = true,
                                .props = ps_bytes(props.data, props.len),
                                .will = &will};
        ps_packet_put_connect(&out, &order);
        PsPacket packet = parse(&out, 0);
        assert_int_equal(packet.type, PS_PACKET_CONNECT);
        assert_int_equal(packet.version, version);
        assert_true(ps_bytes_are(packet.connect.client_id, "gw"));
        assert_int_equal(packet.connect.keep_alive, 300);
        assert_true(packet.connect.clean && packet.connect.has_will);
        assert_true(ps_bytes_are(packet.connect.will.topic, "w/t"));
        assert_true(ps_bytes_are(packet.connect.will.payload, "gone"));
        assert_int_equal(packet.connect.will.qos, 1);
        assert_true(packet.connect.will.retain);
        uint32_t expiry = ps_props_number(&packet.props, PS_PROPERTY_SESSION_EXPIRY, 1);
        assert_int_equal(expiry, version == PS_MQTT_5 ? 120 : 1);
    }
}

static void test_publish(void **state) {
    (void)state;
    for (uint8_t version = PS_MQTT_3; version <= PS_MQTT_5; version++) {
        PS_AUTO_BUF PsBuf out = {0};
        PS_AUTO_BUF PsBuf props = {0};
        ps_props_put_text(&props, PS_PROPERTY_CONTENT_TYPE, text("json"));
        ps_props_put_number(&props, PS_PROPERTY_TOPIC_ALIAS, 3);
        ps_props_put_number(&props, PS_PROPERTY_MESSAGE_EXPIRY, 60);
        PsPublishOrder order = {.version = version,
                                .qos = 1,
                                .retain = true,
                                .packet_id = 0x1234,
                                .topic = text("a/b"),
                                .props = ps_bytes(props.data, props.len),
                                .payload = text("x")};
        ps_packet_put_publish(&out, &order);
        PsPacket packet = parse(&out, version);
        assert_int_equal(packet.packet_id, 0x1234);
        assert_true(ps_bytes_are(packet.publish.topic, "a/b"));
        assert_true(ps_bytes_are(packet.publish.payload, "x"));
        assert_true(packet.publish.retain && !packet.publish.dup && packet.publish.qos == 1);
        if (version == PS_MQTT_5) {
            assert_true(
                ps_bytes_are(ps_props_text(&packet.props, PS_PROPERTY_CONTENT_TYPE), "json"));
            PS_AUTO_BUF PsBuf copy = {0};
            ps_props_copy(&copy, &packet.props, UINT64_C(1) << PS_PROPERTY_TOPIC_ALIAS);
            assert_int_equal(copy.len, props.len - 3);
        }
    }
}

static void test_filters(void **state) {
    (void)state;
    for (uint8_t version = PS_MQTT_3; version <= PS_MQTT_5; version++) {
        PS_AUTO_BUF PsBuf out = {0};
        PsFilterOrder order = {0};
        ps_filter_order_begin(&order, PS_PACKET_SUBSCRIBE, version, 9, ps_bytes(NULL, 0));
        ps_filter_order_put(&order, text("a/#"), 1);
        ps_filter_order_put(&order, text("b"), 0);
        ps_filter_order_end(&order, &out);
        PsPacket packet = parse(&out, version);
        assert_int_equal(packet.count, 2);
        PsFilterCursor cursor = ps_filter_cursor(&packet);
        PsBytes filter;
        uint8_t options = 9;
        assert_true(ps_filter_cursor_next(&cursor, &filter, &options));
        assert_true(ps_bytes_are(filter, "a/#"));
        assert_int_equal(options, 1);
        assert_true(ps_filter_cursor_next(&cursor, &filter, &options));
        assert_int_equal(options, 0);
        assert_false(ps_filter_cursor_next(&cursor, &filter, &options));
    }
}

static void test_answers(void **state) {
    (void)state;
    for (uint8_t version = PS_MQTT_3; version <= PS_MQTT_5; version++) {
        PS_AUTO_BUF PsBuf out = {0};
        ps_packet_put_puback(&out, version, 5, PS_REASON_NOT_AUTHORIZED, "no");
        PsPacket packet = parse(&out, version);
        assert_int_equal(packet.reason, version == PS_MQTT_5 ? PS_REASON_NOT_AUTHORIZED : 0);
        ps_buf_clear(&out);
        static const uint8_t codes[] = {1, 0x80};
        ps_packet_put_codes(&out, PS_PACKET_SUBACK, version, 6, codes, 2);
        packet = parse(&out, version);
        assert_int_equal(packet.packet_id, 6);
        assert_memory_equal(packet.list.data, codes, 2);
        ps_buf_clear(&out);
        ps_packet_put_connack(&out, version, true, 0, ps_bytes(NULL, 0));
        packet = parse(&out, version);
        assert_true(packet.session_present);
        ps_buf_clear(&out);
        ps_packet_put_disconnect(&out, version, PS_REASON_TAKEN_OVER, ps_bytes(NULL, 0));
        packet = parse(&out, version);
        assert_int_equal(packet.reason, version == PS_MQTT_5 ? PS_REASON_TAKEN_OVER : 0);
        ps_buf_clear(&out);
        ps_packet_put_empty(&out, PS_PACKET_PINGRESP);
        packet = parse(&out, version);
        assert_int_equal(packet.type, PS_PACKET_PINGRESP);
    }
}

typedef struct BadCase {
    const char *bytes;
    size_t len;
    uint8_t version;
    PsReason reason;
    const char *text; // part of the words
} BadCase;

#define BYTES(literal) literal, sizeof(literal) - 1

static void test_malformed_packets_have_a_reason(void **state) {
    (void)state;
    static const BadCase cases[] = {
        {BYTES("\x10\x06\0\4MQTT"), 0, PS_REASON_MALFORMED, "protocol is cut off"},
        {BYTES("\x10\x0e\0\6MQIsdp\3\2\0\x3c\0\0"), 0, PS_REASON_VERSION, "neither"},
        {BYTES("\x10\x0c\0\4MQTT\4\3\0\x3c\0\0"), 0, PS_REASON_MALFORMED, "reserved bit"},
        {BYTES("\x10\x0c\0\4MQTT\4\x0a\0\x3c\0\0"), 0, PS_REASON_MALFORMED, "no will"},
        {BYTES("\x10\x0c\0\4MQTT\4\2\0\x3c\0\5"), 0, PS_REASON_MALFORMED, "client id is cut"},
        {BYTES("\x10\x0d\0\4MQTT\4\2\0\x3c\0\1\xff"), 0, PS_REASON_MALFORMED, "not UTF-8"},
        {BYTES("\x10\x0d\0\4MQTT\4\2\0\x3c\0\0x"), 0, PS_REASON_MALFORMED, "bytes after"},
        {BYTES("\x10\x0e\0\4MQTT\4\x42\0\x3c\0\0\0\0"), 0, PS_REASON_MALFORMED, "password"},
        {BYTES("\x10\x13\0\4MQTT\5\2\0\x3c\5\x11\0\0\0\1\0\0x"), 0, PS_REASON_MALFORMED, "after"},
        {BYTES("\x10\x17\0\4MQTT\5\2\0\x3c\x0a\x11\0\0\0\1\x11\0\0\0\1\0\0"), 0, PS_REASON_PROTOCOL,
         "twice"},
        {BYTES("\x10\x10\0\4MQTT\5\2\0\x3c\3\x21\0\0\0\0"), 0, PS_REASON_PROTOCOL, "range"},
        {BYTES("\x10\x10\0\4MQTT\5\2\0\x3c\3\x23\0\1\0\0"), 0, PS_REASON_MALFORMED, "may not have"},
        {BYTES("\x10\x0f\0\4MQTT\5\2\0\x3c\2\x7e\1\0\0"), 0, PS_REASON_MALFORMED, "unknown"},
        {BYTES("\x10\x0f\0\4MQTT\5\2\0\x3c\2\x11\1\0\0"), 0, PS_REASON_MALFORMED, "cut off"},
        {BYTES("\x36\3\0\1a"), 4, PS_REASON_MALFORMED, "QoS 3"},
        {BYTES("\x38\3\0\1a"), 4, PS_REASON_MALFORMED, "DUP"},
        {BYTES("\x32\3\0\1a"), 4, PS_REASON_MALFORMED, "identifier is cut"},
        {BYTES("\x32\5\0\1a\0\0"), 4, PS_REASON_PROTOCOL, "identifier is 0"},
        {BYTES("\x30\2\0\1"), 4, PS_REASON_MALFORMED, "topic is cut"},
        {BYTES("\x30\3\0\1\xc0"), 4, PS_REASON_MALFORMED, "topic is not UTF-8"},
        {BYTES("\x80\6\0\1\0\1a\0"), 4, PS_REASON_MALFORMED, "flags"},
        {BYTES("\x82\2\0\1"), 4, PS_REASON_PROTOCOL, "no filter"},
        {BYTES("\x82\6\0\1\0\1a\3"), 4, PS_REASON_MALFORMED, "QoS 3"},
        {BYTES("\x82\6\0\1\0\1a\4"), 4, PS_REASON_MALFORMED, "reserved bits"},
        {BYTES("\x82\7\0\1\0\0\1a\x30"), 5, PS_REASON_PROTOCOL, "Retain Handling"},
        {BYTES("\x82\5\0\1\0\1a"), 4, PS_REASON_MALFORMED, "filter is cut"},
        {BYTES("\x82\5\0\1\0\0\0"), 4, PS_REASON_MALFORMED, "empty"},
        {BYTES("\xc0\1x"), 4, PS_REASON_MALFORMED, "bytes after"},
        {BYTES("\xe0\1\0"), 4, PS_REASON_MALFORMED, "bytes after"},
        {BYTES("\xf0\0"), 4, PS_REASON_PROTOCOL, "AUTH"},
        {BYTES("\x40\1\0"), 4, PS_REASON_MALFORMED, "cut off"},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        const BadCase *bad = &cases[i];
        PsPacket packet;
        PsPacketFault fault = {0};
        size_t len = 0;
        const uint8_t *bytes = (const uint8_t *)bad->bytes;
        assert_int_equal(ps_packet_frame(bytes, bad->len, MOST, &len, &fault), PS_OK);
        PsErr err = ps_packet_parse(ps_bytes(bytes, len), bad->version, &packet, &fault);
        if (err == PS_OK || fault.reason != bad->reason || strstr(fault.text, bad->text) == NULL) {
            fail_msg("case %zu (%s): %s %x %s", i, bad->text, ps_err_name(err), fault.reason,
                     fault.text);
        }
    }
}

static void test_frames(void **state) {
    (void)state;
    PsPacketFault fault = {0};
    size_t len = 0;
    const uint8_t endless[] = {0x30, 0xff, 0xff, 0xff, 0xff, 1};
    assert_int_equal(ps_packet_frame(endless, sizeof endless, MOST, &len, &fault), PS_ERR_PROTOCOL);
    assert_non_null(strstr(fault.text, "no end"));
    const uint8_t none[] = {0x00, 0};
    assert_int_equal(ps_packet_frame(none, sizeof none, MOST, &len, &fault), PS_ERR_PROTOCOL);
    const uint8_t large[] = {0x30, 0x80, 0x80, 0x40};
    assert_int_equal(ps_packet_frame(large, sizeof large, MOST, &len, &fault), PS_ERR_TOO_BIG);
    assert_int_equal(ps_packet_frame(large, 3, MOST, &len, &fault), PS_ERR_BUSY);
}

// Whatever the pieces, the same packets come out.
static void test_queue(void **state) {
    (void)state;
    PS_AUTO_BUF PsBuf stream = {0};
    char payload[3000];
    memset(payload, 'p', sizeof payload);
    for (unsigned i = 0; i < 20; i++) {
        ps_packet_put_publish(&stream, &(PsPublishOrder){.version = 4,
                                                         .topic = text("t"),
                                                         .payload = ps_bytes(payload, i * 150)});
        ps_packet_put_empty(&stream, PS_PACKET_PINGREQ);
    }
    for (size_t step = 1; step < 5000; step = step * 3 + 1) {
        PsPacketQueue queue = {0};
        size_t count = 0;
        for (size_t at = 0; at < stream.len; at += step) {
            size_t len = stream.len - at < step ? stream.len - at : step;
            ps_packet_queue_put(&queue, stream.data + at, len);
            PsBytes packet;
            PsPacketFault fault;
            PsErr err = PS_OK;
            while ((err = ps_packet_queue_next(&queue, MOST, &packet, &fault)) == PS_OK) {
                size_t body = count / 2 * 150;
                assert_true(count % 2 == 1 ? packet.len == 2 : packet.len >= body + 5);
                count++;
            }
            assert_int_equal(err, PS_ERR_BUSY);
        }
        assert_int_equal(count, 40);
        assert_int_equal(ps_packet_queue_len(&queue), 0);
        ps_packet_queue_deinit(&queue);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connect),
        cmocka_unit_test(test_publish),
        cmocka_unit_test(test_filters),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_malformed_packets_have_a_reason),
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
