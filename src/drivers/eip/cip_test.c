// Messages against the worked examples of Rockwell 1756-PM020F and the layouts of CIP Volume 1.
#include "drivers/eip/cip.h"

#include "base/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define ASSERT_BYTES(buf, text)                                                                    \
    do {                                                                                           \
        assert_int_equal((buf).len, sizeof(text) - 1);                                             \
        assert_memory_equal((buf).data, text, sizeof(text) - 1);                                   \
    } while (0)

static PsEipReply reply_of(const char *bytes, size_t len) {
    PsEipReply reply = {0};
    assert_true(ps_eip_reply_get((const uint8_t *)bytes, len, &reply));
    return reply;
}

#define REPLY(text) reply_of(text, sizeof(text) - 1)

static void answers_are_taken_apart(void **state) {
    (void)state;
    // 1756-PM020F, "Atomic members of predefined data types": parts is the INT 42
    PsEipReply reply = REPLY("\xCC\x00\x00\x00\xC3\x00\x2A\x00");
    assert_int_equal(reply.service, PS_EIP_READ_TAG | PS_EIP_ANSWER);
    assert_int_equal(reply.status, 0);
    assert_int_equal(reply.len, 4);
    assert_memory_equal(reply.data, "\xC3\x00\x2A\x00", 4);
    // General status 0xFF with one word of extended status
    reply = REPLY("\xCC\x00\xFF\x01\x05\x21");
    assert_int_equal(reply.status, PS_EIP_GENERAL);
    assert_int_equal(reply.extended, PS_EIP_BEYOND_END);
    assert_int_equal(reply.len, 0);
    assert_false(ps_eip_reply_get((const uint8_t *)"\xCC\x00\x00", 3, &reply));
    assert_false(ps_eip_reply_get((const uint8_t *)"\xCC\x00\xFF\x01\x05", 5, &reply));
    assert_false(ps_eip_reply_get((const uint8_t *)"\x4C\x00\x00\x00", 4, &reply));
}

// 1756-PM020F, "Multiple Service Packet Service": parts and ControlWord at once.
static void packets_hold_many_services(void **state) {
    (void)state;
    PS_AUTO_BUF PsBuf buf = {0};
    ps_eip_multiple_begin(&buf, 2);
    ps_eip_multiple_next(&buf, 0, 0);
    ps_eip_request_put(&buf, PS_EIP_READ_TAG, (const uint8_t *)"\x91\x05parts\0", 8);
    ps_buf_put_u16(&buf, 1);
    ps_eip_multiple_next(&buf, 0, 1);
    ps_eip_request_put(&buf, PS_EIP_READ_TAG,
                       (const uint8_t *)"\x91\x0B"
                                        "ControlWord\0",
                       14);
    ps_buf_put_u16(&buf, 1);
    ASSERT_BYTES(buf, "\x0A\x02\x20\x02\x24\x01\x02\x00\x06\x00\x12\x00"
                      "\x4C\x04\x91\x05parts\x00\x01\x00"
                      "\x4C\x07\x91\x0B"
                      "ControlWord\x00\x01\x00");
    PsEipReply packet = REPLY("\x8A\x00\x00\x00\x02\x00\x06\x00\x10\x00"
                              "\xCC\x00\x00\x00\xC4\x00\x2A\x00\x00\x00"
                              "\xCC\x00\x00\x00\xC4\x00\xDC\x01\x00\x00");
    assert_int_equal(ps_eip_multiple_count(&packet), 2);
    PsEipReply one;
    assert_true(ps_eip_multiple_get(&packet, 0, &one));
    assert_int_equal(one.len, 6);
    assert_memory_equal(one.data, "\xC4\x00\x2A\x00\x00\x00", 6);
    assert_true(ps_eip_multiple_get(&packet, 1, &one));
    assert_memory_equal(one.data, "\xC4\x00\xDC\x01\x00\x00", 6);
    assert_false(ps_eip_multiple_get(&packet, 2, &one));
}

static void packets_that_are_not_well_formed_are_refused(void **state) {
    (void)state;
    PsEipReply one;
    PsEipReply packet = REPLY("\x8A\x00\x00\x00\x05\x00\x06\x00"); // five, with one offset
    assert_int_equal(ps_eip_multiple_count(&packet), 0);
    packet = REPLY("\x8A\x00\x00\x00\x01\x00\x00\x00\xCC\x00\x00\x00"); // into the offsets
    assert_false(ps_eip_multiple_get(&packet, 0, &one));
    packet = REPLY("\x8A\x00\x00\x00\x01\x00\xFF\xFF\xCC\x00\x00\x00"); // beyond the end
    assert_false(ps_eip_multiple_get(&packet, 0, &one));
    packet = REPLY("\x8A\x00\x00\x00\x02\x00\x0A\x00\x06\x00\xCC\x00\x00\x00\xCC\x00\x00\x00");
    assert_false(ps_eip_multiple_get(&packet, 0, &one)); // backwards
}

// CIP Volume 1, 3-5.5.4: Unconnected_Send, with a pad behind an odd message.
static void messages_are_sent_over_a_route(void **state) {
    (void)state;
    uint8_t out[64];
    PsEipRoute route = {.bytes = {0x01, 0x02}, .len = 2};
    size_t len = ps_eip_unconnected_send_put(out, sizeof out, (const uint8_t *)"\x01\x02\x20", 3,
                                             &route, 2 * PS_NS_PER_S);
    static const uint8_t expected[] = {0x52, 0x02, 0x20, 0x06, 0x24, 0x01, 0x03, 0xFA, 0x03,
                                       0x00, 0x01, 0x02, 0x20, 0x00, 0x01, 0x00, 0x01, 0x02};
    assert_int_equal(len, sizeof expected);
    assert_memory_equal(out, expected, sizeof expected);
    assert_int_equal(ps_eip_unconnected_send_put(out, 16, out, 3, &route, PS_NS_PER_S), 0);
}

static void connections_are_opened_and_closed(void **state) {
    (void)state;
    PS_AUTO_BUF PsBuf buf = {0};
    PsEipRoute route = {.bytes = {0x01, 0x00}, .len = 2};
    PsEipForwardOpen open = {.large = true,
                             .size = 4002,
                             .to_us = 0x11223344,
                             .serial = 0x5566,
                             .originator = 0x778899AA,
                             .interval_us = 1000000,
                             .multiplier = 3,
                             .route = &route,
                             .timeout_ns = PS_NS_PER_S};
    // CIP Volume 1, 3-5.5.2, and 3-5.5.3 for the large one: sizes in 32 bits
    ps_eip_forward_open_put(&buf, &open);
    ASSERT_BYTES(buf, "\x5B\x02\x20\x06\x24\x01\x02\xFA"
                      "\x00\x00\x00\x00\x44\x33\x22\x11\x66\x55\x53\x50\xAA\x99\x88\x77"
                      "\x03\x00\x00\x00\x40\x42\x0F\x00\xA2\x0F\x00\x42\x40\x42\x0F\x00"
                      "\xA2\x0F\x00\x42\xA3\x03\x01\x00\x20\x02\x24\x01");
    ps_buf_clear(&buf);
    open.large = false;
    open.size = 504;
    ps_eip_forward_open_put(&buf, &open);
    assert_int_equal(buf.data[0], 0x54);
    assert_memory_equal(buf.data + 32, "\xF8\x43", 2);
    PsEipReply reply = REPLY("\xD4\x00\x00\x00\x01\x00\xFE\x80\x44\x33\x22\x11\x66\x55\x53\x50"
                             "\xAA\x99\x88\x77\x40\x42\x0F\x00\x40\x42\x0F\x00\x00\x00");
    uint32_t to_device = 0;
    assert_true(ps_eip_forward_open_get(&reply, &open, &to_device));
    assert_int_equal(to_device, 0x80FE0001);
    open.serial++;
    assert_false(ps_eip_forward_open_get(&reply, &open, &to_device));
    // 3-5.5.5
    ps_buf_clear(&buf);
    ps_eip_forward_close_put(&buf, &open);
    ASSERT_BYTES(buf, "\x4E\x02\x20\x06\x24\x01\x02\xFA\x67\x55\x53\x50\xAA\x99\x88\x77"
                      "\x03\x00\x01\x00\x20\x02\x24\x01");
}

// CIP Volume 1, 5-2.2: attributes 1 to 7 one after the other.
static void who_answers_is_read(void **state) {
    (void)state;
    PsEipReply reply = REPLY("\x81\x00\x00\x00\x01\x00\x0E\x00\xA6\x00\x21\x0B\x60\x31"
                             "\x44\x33\x22\x11\x0B"
                             "1756-L83E/B");
    PsEipIdentity identity;
    assert_true(ps_eip_identity_get(&reply, &identity));
    assert_string_equal(identity.product, "1756-L83E/B");
    assert_int_equal(identity.major, 33);
    assert_int_equal(identity.minor, 11);
    reply.len--;
    assert_false(ps_eip_identity_get(&reply, &identity));
}

static void refusals_have_words(void **state) {
    (void)state;
    char words[256];
    ps_eip_status_format(0xFF, 0x2105, words, sizeof words);
    assert_string_equal(words, "the index is beyond the end of the array; check it against the "
                               "tag's dimensions (CIP status 0xFF, extended 0x2105)");
    ps_eip_status_format(0xFF, 0x9999, words, sizeof words);
    assert_non_null(strstr(words, "extended 0x9999"));
    ps_eip_status_format(0x04, 0, words, sizeof words);
    assert_non_null(strstr(words, "misspelt"));
    assert_non_null(strstr(words, "(CIP status 0x04)"));
    for (unsigned status = 1; status <= 0xFF; status++) {
        assert_true(strlen(ps_eip_status_words((uint8_t)status, 0)) > 10);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_taken_apart),
        cmocka_unit_test(packets_hold_many_services),
        cmocka_unit_test(packets_that_are_not_well_formed_are_refused),
        cmocka_unit_test(messages_are_sent_over_a_route),
        cmocka_unit_test(connections_are_opened_and_closed),
        cmocka_unit_test(who_answers_is_read),
        cmocka_unit_test(refusals_have_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
