// Knob lines and what they decide about requests and answers.
#include "sim/framing.h"
#include "sim/knobs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static void turn(PsKnobs *knobs, const char *line) {
    PsDiag diag = {0};
    if (ps_knobs_turn(knobs, line, &diag) != PS_OK) {
        fail_msg("'%s': %s", line, diag.text);
    }
}

static void test_waits(void **state) {
    (void)state;
    PsKnobs knobs = {0};
    turn(&knobs, "delay 200");
    assert_int_equal(ps_knobs_answer(&knobs).delay_ms, 200);
    turn(&knobs, " jitter  50 ");
    uint32_t least = UINT32_MAX;
    uint32_t most = 0;
    for (int i = 0; i < 1000; i++) {
        uint32_t delay_ms = ps_knobs_answer(&knobs).delay_ms;
        least = delay_ms < least ? delay_ms : least;
        most = delay_ms > most ? delay_ms : most;
    }
    assert_int_equal(least, 200);
    assert_int_equal(most, 250);
    turn(&knobs, "late 1500 3");
    for (int i = 1; i <= 9; i++) {
        assert_int_equal(ps_knobs_answer(&knobs).late_ms, i % 3 == 0 ? 1500 : 0);
    }
    turn(&knobs, "late 100");
    assert_int_equal(ps_knobs_answer(&knobs).late_ms, 100);
    assert_int_equal(ps_knobs_answer(&knobs).late_ms, 100);
    turn(&knobs, "ok");
    PsKnobs none = {0};
    assert_memory_equal(&knobs, &none, sizeof none);
}

static void test_requests(void **state) {
    (void)state;
    PsKnobs knobs = {0};
    assert_int_equal(ps_knobs_request(&knobs), PS_KNOB_PASS);
    turn(&knobs, "silence");
    assert_int_equal(ps_knobs_request(&knobs), PS_KNOB_SILENCE);
    assert_true(ps_knobs_answer(&knobs).dropped);
    turn(&knobs, "silence once");
    assert_int_equal(ps_knobs_request(&knobs), PS_KNOB_SILENCE);
    assert_int_equal(ps_knobs_request(&knobs), PS_KNOB_PASS);
    assert_false(ps_knobs_answer(&knobs).dropped);
    turn(&knobs, "reset");
    assert_int_equal(ps_knobs_request(&knobs), PS_KNOB_RESET);
    assert_int_equal(ps_knobs_request(&knobs), PS_KNOB_PASS);
    turn(&knobs, "reset 3");
    for (int i = 1; i <= 9; i++) {
        assert_int_equal(ps_knobs_request(&knobs), i % 3 == 0 ? PS_KNOB_RESET : PS_KNOB_PASS);
    }
    turn(&knobs, "refuse");
    assert_true(knobs.refuse);
}

static void test_damages(void **state) {
    (void)state;
    PsKnobs knobs = {0};
    turn(&knobs, "wrong-id once");
    turn(&knobs, "truncate 2");
    assert_int_equal(ps_knobs_answer(&knobs).damage, PS_DAMAGE_WRONG_ID);
    assert_int_equal(ps_knobs_answer(&knobs).damage, PS_DAMAGE_TRUNCATED);
    assert_int_equal(ps_knobs_answer(&knobs).damage, PS_DAMAGE_NONE);
    turn(&knobs, "garbage");
    assert_int_equal(ps_knobs_answer(&knobs).damage, PS_DAMAGE_GARBAGE);

    const uint8_t whole[] = {0, 1, 0, 0, 0, 5, 1, 3, 2, 0, 7};
    uint8_t frame[sizeof whole];
    size_t len = sizeof whole;
    memcpy(frame, whole, len);
    ps_knobs_damage(PS_DAMAGE_NONE, &ps_sim_framing_modbus, frame, &len);
    assert_memory_equal(frame, whole, len);
    ps_knobs_damage(PS_DAMAGE_WRONG_ID, &ps_sim_framing_modbus, frame, &len);
    assert_memory_not_equal(frame, whole, 2);
    assert_memory_equal(frame + 2, whole + 2, len - 2);
    ps_knobs_damage(PS_DAMAGE_GARBAGE, &ps_sim_framing_modbus, frame, &len);
    assert_memory_not_equal(frame + 2, whole + 2, len - 2);
    ps_knobs_damage(PS_DAMAGE_TRUNCATED, &ps_sim_framing_modbus, frame, &len);
    assert_int_equal(len, sizeof whole / 2);
}

static void test_twice_and_in_pieces(void **state) {
    (void)state;
    PsKnobs knobs = {0};
    assert_false(ps_knobs_answer(&knobs).twice);
    turn(&knobs, "twice 2");
    turn(&knobs, "pieces 3");
    assert_false(ps_knobs_answer(&knobs).twice);
    PsKnobAnswer answer = ps_knobs_answer(&knobs);
    assert_true(answer.twice);
    assert_int_equal(answer.piece_bytes, 3);
    turn(&knobs, "pieces 0");
    assert_int_equal(ps_knobs_answer(&knobs).piece_bytes, 0);
}

static void test_refused_lines_change_nothing(void **state) {
    (void)state;
    static const char *const lines[] = {
        "",           "delay",       "delay -1",      "delay 1 2", "delay 9999999",
        "jitter",     "silence now", "silence 0",     "reset 0",   "refuse 1",
        "late",       "late once",   "late 5 7 8",    "garbage x", "truncate 1 2",
        "wrong-id -", "ok ok",       "delay 1 2 3 4", "explode",   "pieces",
        "pieces -1",  "twice 0",     "late 5 0",
    };
    for (size_t i = 0; i < PS_COUNT(lines); i++) {
        PsKnobs knobs = {.delay_ms = 7};
        PsKnobs before = knobs;
        PsDiag diag = {0};
        assert_true(ps_knobs_turn(&knobs, lines[i], &diag) != PS_OK);
        assert_true(diag.text[0] != '\0');
        assert_memory_equal(&knobs, &before, sizeof knobs);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waits),
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_damages),
        cmocka_unit_test(test_twice_and_in_pieces),
        cmocka_unit_test(test_refused_lines_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
