// Knob lines, verdicts, request decoding and addresses, as tables.
#include "sim/faults.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

typedef struct AddressCase {
    const char *text;
    PsErr err;
    PsSimTable table;
    uint32_t offset;
} AddressCase;

static void test_addresses(void **state) {
    (void)state;
    static const AddressCase cases[] = {
        {"1", PS_OK, PS_SIM_COIL, 0},
        {"00001", PS_OK, PS_SIM_COIL, 0},
        {"10000", PS_OK, PS_SIM_COIL, 9999},
        {"10001", PS_OK, PS_SIM_DISCRETE, 0},
        {"20000", PS_OK, PS_SIM_DISCRETE, 9999},
        {"30001", PS_OK, PS_SIM_INPUT, 0},
        {"40001", PS_OK, PS_SIM_HOLDING, 0},
        {"50000", PS_OK, PS_SIM_HOLDING, 9999},
        {"110001", PS_OK, PS_SIM_DISCRETE, 10000},
        {"365536", PS_OK, PS_SIM_INPUT, 65535},
        {"465535", PS_OK, PS_SIM_HOLDING, 65534},
        {"0", PS_ERR_RANGE, PS_SIM_COIL, 0},
        {"20001", PS_ERR_RANGE, PS_SIM_COIL, 0},
        {"50001", PS_ERR_RANGE, PS_SIM_COIL, 0},
        {"465537", PS_ERR_RANGE, PS_SIM_COIL, 0},
        {"", PS_ERR_INVALID, PS_SIM_COIL, 0},
        {"4000x", PS_ERR_INVALID, PS_SIM_COIL, 0},
        {"-1", PS_ERR_INVALID, PS_SIM_COIL, 0},
        {"4000001", PS_ERR_INVALID, PS_SIM_COIL, 0},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PsSimAddress address = {0};
        assert_int_equal(ps_sim_address_parse(cases[i].text, strlen(cases[i].text), &address),
                         cases[i].err);
        if (cases[i].err == PS_OK) {
            assert_int_equal(address.table, cases[i].table);
            assert_int_equal(address.offset, cases[i].offset);
        }
    }
}

typedef struct FrameCase {
    const char *name;
    uint8_t pdu[16];
    size_t len;
    uint8_t exception;
} FrameCase;

static PsSimRequest decode(const uint8_t *pdu, size_t len) {
    uint8_t frame[PS_SIM_FRAME_BYTES] = {0, 1, 0, 0, 0, (uint8_t)(len + 1), 17};
    memcpy(frame + PS_SIM_MBAP_BYTES, pdu, len);
    assert_int_equal(ps_sim_frame_length(frame), len + PS_SIM_MBAP_BYTES);
    return ps_sim_frame_decode(frame, len + PS_SIM_MBAP_BYTES);
}

static void test_frames(void **state) {
    (void)state;
    static const FrameCase cases[] = {
        {"read 125", {3, 0, 0, 0, 125}, 5, 0},
        {"read 126", {3, 0, 0, 0, 126}, 5, 3},
        {"read none", {4, 0, 0, 0, 0}, 5, 3},
        {"2000 bits", {1, 0, 0, 0x07, 0xD0}, 5, 0},
        {"2001 bits", {2, 0, 0, 0x07, 0xD1}, 5, 3},
        {"last item", {3, 0xFF, 0xFF, 0, 1}, 5, 0},
        {"past the end", {3, 0xFF, 0xFF, 0, 2}, 5, 2},
        {"short", {3, 0, 0, 0}, 4, 3},
        {"long", {3, 0, 0, 0, 1, 9}, 6, 3},
        {"coil on", {5, 0, 0, 0xFF, 0}, 5, 0},
        {"coil neither", {5, 0, 0, 0x12, 0x34}, 5, 3},
        {"write 2", {16, 0, 0, 0, 2, 4, 1, 2, 3, 4}, 10, 0},
        {"write, bytes lie", {16, 0, 0, 0, 2, 6, 1, 2, 3, 4}, 10, 3},
        {"write, count lies", {16, 0, 0, 0, 3, 4, 1, 2, 3, 4}, 10, 3},
        {"coils", {15, 0, 0, 0, 9, 2, 0xFF, 1}, 8, 0},
        {"mask", {22, 0, 0, 0, 1, 0, 2}, 7, 0},
        {"read and write", {23, 0, 0, 0, 1, 0, 5, 0, 1, 2, 7, 7}, 12, 0},
        {"write past end", {23, 0, 0, 0, 1, 0xFF, 0xFF, 0, 2, 4, 7, 7}, 12, 3},
        {"unknown", {43, 14, 1, 0}, 4, 1},
        {"bare", {7}, 1, 1},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PsSimRequest request = decode(cases[i].pdu, cases[i].len);
        if (request.exception != cases[i].exception) {
            fail_msg("%s: exception %u", cases[i].name, request.exception);
        }
        assert_int_equal(request.slave, 17);
        assert_int_equal(request.function, cases[i].pdu[0]);
    }
}

static void test_frame_length(void **state) {
    (void)state;
    const uint8_t other_protocol[] = {0, 1, 0, 1, 0, 6, 1};
    const uint8_t too_short[] = {0, 1, 0, 0, 0, 1, 1};
    const uint8_t longest[] = {0, 1, 0, 0, 0, 254, 1};
    const uint8_t too_long[] = {0, 1, 0, 0, 0, 255, 1};
    const uint8_t text[] = "GET / H";
    assert_int_equal(ps_sim_frame_length(other_protocol), 0);
    assert_int_equal(ps_sim_frame_length(too_short), 0);
    assert_int_equal(ps_sim_frame_length(longest), PS_SIM_FRAME_BYTES);
    assert_int_equal(ps_sim_frame_length(too_long), 0);
    assert_int_equal(ps_sim_frame_length(text), 0);
}

static PsSimRequest reading(uint8_t slave, uint32_t offset, uint32_t count) {
    return (PsSimRequest){.slave = slave, .function = 3, .read = {PS_SIM_HOLDING, offset, count}};
}

static PsFaultVerdict judge(PsFaults *faults, PsSimRequest request) {
    return ps_faults_judge(faults, &request);
}

static void turn(PsFaults *faults, const char *line) {
    PsDiag diag = {0};
    if (ps_faults_turn(faults, line, &diag) != PS_OK) {
        fail_msg("'%s': %s", line, diag.text);
    }
}

static void test_knobs(void **state) {
    (void)state;
    PsFaults faults = {0};
    assert_int_equal(judge(&faults, reading(1, 0, 1)).action, PS_FAULT_ANSWER);
    turn(&faults, "  slave   3   silent ");
    turn(&faults, "slave 4 late 250");
    turn(&faults, "slave 4 wrong-id");
    PsFaultVerdict verdict = judge(&faults, reading(4, 0, 1));
    assert_int_equal(verdict.action, PS_FAULT_ANSWER);
    assert_int_equal(verdict.late_ms, 250);
    assert_int_equal(verdict.damage, PS_DAMAGE_WRONG_ID);
    assert_int_equal(judge(&faults, reading(1, 0, 1)).late_ms, 0);
    assert_int_equal(judge(&faults, reading(3, 0, 1)).action, PS_FAULT_SILENCE);
    turn(&faults, "slave 3 ok");
    assert_int_equal(judge(&faults, reading(3, 0, 1)).action, PS_FAULT_ANSWER);
    turn(&faults, "ok");
    PsFaults none = {0};
    assert_memory_equal(&faults, &none, sizeof faults);
    turn(&faults, "exception 6");
    assert_int_equal(judge(&faults, reading(1, 0, 1)).exception, 6);
}

static void test_holes(void **state) {
    (void)state;
    PsFaults faults = {0};
    turn(&faults, "exception 2 40010-40020");
    turn(&faults, "exception 4 40100");
    assert_int_equal(judge(&faults, reading(1, 0, 9)).action, PS_FAULT_ANSWER);
    assert_int_equal(judge(&faults, reading(1, 0, 10)).exception, 2);
    assert_int_equal(judge(&faults, reading(1, 19, 1)).exception, 2);
    assert_int_equal(judge(&faults, reading(1, 20, 79)).action, PS_FAULT_ANSWER);
    assert_int_equal(judge(&faults, reading(1, 20, 80)).exception, 4);
    PsSimRequest writing = {.function = 6, .write = {PS_SIM_HOLDING, 15, 1}};
    assert_int_equal(judge(&faults, writing).exception, 2);
    PsSimRequest input = {.function = 4, .read = {PS_SIM_INPUT, 15, 1}};
    assert_int_equal(judge(&faults, input).action, PS_FAULT_ANSWER);
    for (size_t i = faults.hole_count; i < PS_FAULT_HOLES; i++) {
        turn(&faults, "exception 2 30001");
    }
    assert_int_equal(ps_faults_turn(&faults, "exception 2 30001", NULL), PS_ERR_INVALID);
}

static void test_refused_lines_change_nothing(void **state) {
    (void)state;
    static const char *const lines[] = {
        "",
        "exception",
        "exception 0",
        "exception 12",
        "exception 2 x",
        "exception 2 40020-40010",
        "slave 256 silent",
        "slave 1 loud",
        "exception 2 40001-30009",
        "ok ok",
        "explode",
    };
    for (size_t i = 0; i < PS_COUNT(lines); i++) {
        PsFaults faults = {.exception = 7};
        PsFaults before = faults;
        PsDiag diag = {0};
        assert_true(ps_faults_turn(&faults, lines[i], &diag) != PS_OK);
        assert_true(diag.text[0] != '\0');
        assert_memory_equal(&faults, &before, sizeof faults);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),    cmocka_unit_test(test_frames),
        cmocka_unit_test(test_frame_length), cmocka_unit_test(test_knobs),
        cmocka_unit_test(test_holes),        cmocka_unit_test(test_refused_lines_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
