// Outer frames as bytes, and what comes back taken apart or refused.
#include "drivers/eip/encap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void a_session_is_registered_and_given_back(void **state) {
    (void)state;
    uint8_t frame[64];
    // CIP Volume 2, 2-4.4: version 1, no options
    static const uint8_t expected[] = {0x65, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 7,
                                       6,    5, 4, 3, 2, 1, 0, 0, 0, 0, 1, 0, 0, 0};
    assert_int_equal(ps_eip_register_put(frame, UINT64_C(0x0102030405060708)), sizeof expected);
    assert_memory_equal(frame, expected, sizeof expected);
    static const uint8_t good_bye[] = {0x66, 0, 0, 0, 0x78, 0x56, 0x34, 0x12, 0, 0, 0, 0,
                                       0,    0, 0, 0, 0,    0,    0,    0,    0, 0, 0, 0};
    assert_int_equal(ps_eip_unregister_put(frame, 0x12345678), sizeof good_bye);
    assert_memory_equal(frame, good_bye, sizeof good_bye);
}

static const uint8_t abc[] = {'a', 'b', 'c'};

static void messages_are_wrapped_and_unwrapped(void **state) {
    (void)state;
    uint8_t frame[PS_EIP_FRAME_MAX];
    PsEipHeader header;
    PsEipPayload payload;
    // CIP Volume 2, 2-4.7 and 2-6: null address, unconnected data
    static const uint8_t unconnected[] = {0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0xB2, 0, 3, 0};
    ps_eip_unconnected_put(frame, 7, 99, 3);
    memcpy(frame + PS_EIP_UNCONNECTED_PREFIX, abc, sizeof abc);
    assert_memory_equal(frame + PS_EIP_HEADER_LEN, unconnected, sizeof unconnected);
    assert_true(ps_eip_header_get(frame, PS_EIP_UNCONNECTED_PREFIX + 3, &header));
    assert_int_equal(header.command, PS_EIP_SEND_RR_DATA);
    assert_int_equal(header.session, 7);
    assert_int_equal(header.context, 99);
    assert_true(ps_eip_payload_get(frame + PS_EIP_HEADER_LEN, header.len, &payload));
    assert_false(payload.connected);
    assert_int_equal(payload.len, 3);
    assert_memory_equal(payload.message, abc, sizeof abc);
    // 2-4.8: connected address, connected data that begins with the sequence count
    static const uint8_t connected[] = {0, 0, 0, 0, 0, 0,    2, 0, 0xA1, 0,    4,
                                        0, 4, 3, 2, 1, 0xB1, 0, 5, 0,    0xCD, 0xAB};
    ps_eip_connected_put(frame, 7, 99, 0x01020304, 0xABCD, 3);
    memcpy(frame + PS_EIP_CONNECTED_PREFIX, abc, sizeof abc);
    assert_memory_equal(frame + PS_EIP_HEADER_LEN, connected, sizeof connected);
    assert_true(ps_eip_header_get(frame, PS_EIP_CONNECTED_PREFIX + 3, &header));
    assert_true(ps_eip_payload_get(frame + PS_EIP_HEADER_LEN, header.len, &payload));
    assert_true(payload.connected);
    assert_int_equal(payload.connection, 0x01020304);
    assert_int_equal(payload.sequence, 0xABCD);
    assert_int_equal(payload.len, 3);
}

static void other_bytes_are_no_frame(void **state) {
    (void)state;
    uint8_t frame[PS_EIP_FRAME_MAX] = {0};
    PsEipHeader header;
    ps_eip_unconnected_put(frame, 7, 99, 3);
    assert_false(ps_eip_header_get(frame, PS_EIP_HEADER_LEN - 1, &header));
    frame[1] = 0x12; // no command has this number
    assert_false(ps_eip_header_get(frame, sizeof frame, &header));
    assert_false(ps_eip_header_get((const uint8_t *)"HTTP/1.1 400 Bad Request", 24, &header));
}

// Whatever its end, a cut payload is not taken, and nothing beyond it is read.
static void cut_payloads_are_refused(void **state) {
    (void)state;
    uint8_t frame[PS_EIP_FRAME_MAX];
    PsEipPayload payload;
    ps_eip_connected_put(frame, 7, 99, 1, 2, 3);
    for (size_t len = 0; len < PS_EIP_CONNECTED_PREFIX + 3 - PS_EIP_HEADER_LEN; len++) {
        assert_false(ps_eip_payload_get(frame + PS_EIP_HEADER_LEN, len, &payload));
    }
    ps_eip_connected_put(frame, 7, 99, 1, 2, 3);
    frame[PS_EIP_HEADER_LEN + 6] = 200; // items that are not there
    assert_false(ps_eip_payload_get(frame + PS_EIP_HEADER_LEN, 25, &payload));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_is_registered_and_given_back),
        cmocka_unit_test(messages_are_wrapped_and_unwrapped),
        cmocka_unit_test(other_bytes_are_no_frame),
        cmocka_unit_test(cut_payloads_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
