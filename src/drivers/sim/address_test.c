// Addresses of the simulator, and its waves.
#include "drivers/sim/address.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static PsSimulatorPlace parse(const char *text) {
    PsSimulatorPlace place = {0};
    PsDiag diag = {0};
    if (ps_simulator_parse(text, &place, &diag) != PS_OK) {
        fail_msg("%s: %s", text, diag.text);
    }
    return place;
}

static void addresses_are_taken(void **state) {
    (void)state;
    PsSimulatorPlace place = parse("ramp/2.5/-10..20.5");
    assert_int_equal(place.kind, PS_SIMULATOR_RAMP);
    assert_true(place.seconds == 2.5 && place.low == -10 && place.high == 20.5);
    place = parse("sine");
    assert_true(place.seconds == 10 && place.low == 0 && place.high == 100);
    place = parse("square/3");
    assert_true(place.seconds == 3 && place.high == 100);
    place = parse("square/3/0.5..1");
    assert_true(place.low == 0.5 && place.high == 1);
    place = parse("ramp/1/5..6");
    assert_true(place.low == 5 && place.high == 6);
    place = parse("cell/Set point/1");
    assert_string_equal(place.cell, "Set point/1");
    assert_true(parse("slow").seconds == 0.2);
    assert_int_equal(parse("missing").kind, PS_SIMULATOR_MISSING);
    for (int kind = 0; ps_simulator_example((PsSimulatorKind)kind) != NULL; kind++) {
        assert_int_equal(parse(ps_simulator_example((PsSimulatorKind)kind)).kind, kind);
    }
}

static void what_is_wrong_is_said(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "",         "rampe",        "ramp/",         "ramp/0",      "ramp/-1",        "ramp/1e9",
        "ramp/1/",  "ramp/1/5",     "ramp/1/5..",    "ramp/1/5..5", "ramp/1/..5",     "ramp/1/5..1",
        "ramp/nan", "ramp/1/0..1x", "ramp/1/0..inf", "ramp/1/0.1",  "counter/1/0..1", "missing/1",
        "cell",     "cell/",        "slow/x",        " ramp",
    };
    for (size_t i = 0; i < PS_COUNT(wrong); i++) {
        PsSimulatorPlace place;
        PsDiag diag = {0};
        if (ps_simulator_parse(wrong[i], &place, &diag) != PS_ERR_INVALID) {
            fail_msg("'%s' was taken", wrong[i]);
        }
        assert_string_equal(diag.field, "symbol");
        assert_string_not_equal(diag.text, "");
    }
}

static void waves_go_where_they_should(void **state) {
    (void)state;
    PsSimulatorPlace ramp = parse("ramp/10/0..100");
    assert_true(ps_simulator_wave(&ramp, 0) == 0);
    assert_true(ps_simulator_wave(&ramp, 5) == 50);
    assert_true(ps_simulator_wave(&ramp, 1010) == 0);
    PsSimulatorPlace sine = parse("sine/4/-1..1");
    assert_true(fabs(ps_simulator_wave(&sine, 1) - 1) < 1e-9);
    assert_true(fabs(ps_simulator_wave(&sine, 3) + 1) < 1e-9);
    PsSimulatorPlace square = parse("square/2/3..4");
    assert_true(ps_simulator_wave(&square, 0.9) == 3);
    assert_true(ps_simulator_wave(&square, 1.1) == 4);
    PsSimulatorPlace counter = parse("counter/0.5");
    assert_true(ps_simulator_wave(&counter, 2.6) == 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_taken),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(waves_go_where_they_should),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
