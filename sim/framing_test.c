// Where frames end and where their identity stands, protocol by protocol.
#include "sim/framing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

typedef struct Case {
    const char *name;
    const PsSimFraming *framing;
    uint8_t bytes[16];
    size_t have;
    size_t length;
} Case;

static const Case cases[] = {
    {"tpkt", &ps_sim_framing_tpkt, {3, 0, 0, 22}, 4, 22},
    {"tpkt, part", &ps_sim_framing_tpkt, {3, 0, 0}, 3, 0},
    {"tpkt, none", &ps_sim_framing_tpkt, {0}, 0, 0},
    {"tpkt, other version", &ps_sim_framing_tpkt, {4, 0, 0, 22}, 4, SIZE_MAX},
    {"tpkt, other version at once", &ps_sim_framing_tpkt, {'G'}, 1, SIZE_MAX},
    {"tpkt, shorter than itself", &ps_sim_framing_tpkt, {3, 0, 0, 6}, 4, SIZE_MAX},
    {"tpkt, longest", &ps_sim_framing_tpkt, {3, 0, 0xFF, 0xFF}, 4, 65535},
    {"opc ua", &ps_sim_framing_opcua, {'M', 'S', 'G', 'F', 0x20, 1, 0, 0}, 8, 0x120},
    {"opc ua, part", &ps_sim_framing_opcua, {'O', 'P', 'N', 'F', 0x20, 1}, 6, 0},
    {"opc ua, other type", &ps_sim_framing_opcua, {'G', 'E', 'T'}, 3, SIZE_MAX},
    {"opc ua, too short", &ps_sim_framing_opcua, {'H', 'E', 'L', 'F', 7}, 8, SIZE_MAX},
    {"opc ua, huge", &ps_sim_framing_opcua, {'H', 'E', 'L', 'F', 0, 0, 0, 0x7F}, 8, 0x7F000000},
    {"eip", &ps_sim_framing_eip, {0x65, 0, 4, 0}, 4, 28},
    {"eip, part", &ps_sim_framing_eip, {0x65, 0, 4}, 3, 0},
    {"eip, longest", &ps_sim_framing_eip, {0x6F, 0, 0xFF, 0xFF}, 4, 65559},
    {"modbus", &ps_sim_framing_modbus, {0, 1, 0, 0, 0, 6, 1}, 7, 12},
    {"modbus, part", &ps_sim_framing_modbus, {0, 1, 0, 0, 0, 6}, 6, 0},
    {"modbus, other protocol", &ps_sim_framing_modbus, {0, 1, 0, 9, 0, 6, 1}, 7, SIZE_MAX},
};

static void test_lengths(void **state) {
    (void)state;
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        size_t length = cases[i].framing->length(cases[i].bytes, cases[i].have);
        if (length != cases[i].length) {
            fail_msg("%s: %zu", cases[i].name, length);
        }
    }
}

// Exactly these bytes change.
static void expect_spoiled(const PsSimFraming *framing, uint8_t *frame, size_t len, size_t at,
                           size_t count) {
    uint8_t before[64];
    assert_true(len <= sizeof before);
    memcpy(before, frame, len);
    framing->spoil_id(frame, len);
    for (size_t i = 0; i < len; i++) {
        assert_int_equal(frame[i] != before[i], i >= at && i < at + count);
    }
}

static void test_identities(void **state) {
    (void)state;
    uint8_t s7[27] = {3, 0, 0, 27, 2, 0xF0, 0x80, 0x32, 3, 0, 0, 0x12, 0x34};
    expect_spoiled(&ps_sim_framing_tpkt, s7, sizeof s7, 11, 2);
    uint8_t connect[22] = {3, 0, 0, 22, 17, 0xD0};
    expect_spoiled(&ps_sim_framing_tpkt, connect, sizeof connect, 0, 0);
    expect_spoiled(&ps_sim_framing_tpkt, s7, 9, 0, 0);
    uint8_t message[40] = {'M', 'S', 'G', 'F', 40};
    expect_spoiled(&ps_sim_framing_opcua, message, sizeof message, 20, 4);
    expect_spoiled(&ps_sim_framing_opcua, message, 22, 0, 0);
    uint8_t acknowledge[28] = {'A', 'C', 'K', 'F', 28};
    expect_spoiled(&ps_sim_framing_opcua, acknowledge, sizeof acknowledge, 0, 0);
    uint8_t unconnected[40] = {0x6F, 0, 16};
    expect_spoiled(&ps_sim_framing_eip, unconnected, sizeof unconnected, 12, 8);
    uint8_t connected[60] = {0x70, 0, 36};
    expect_spoiled(&ps_sim_framing_eip, connected, sizeof connected, 44, 2);
    expect_spoiled(&ps_sim_framing_eip, connected, 45, 0, 0);
    uint8_t modbus[12] = {0, 1, 0, 0, 0, 6, 1};
    expect_spoiled(&ps_sim_framing_modbus, modbus, sizeof modbus, 0, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_identities),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
