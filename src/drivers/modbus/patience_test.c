// Time limits of silent slaves, and probes that no late answer fits. Pure.
#include "drivers/modbus/patience.h"

#include "base/time.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define SECOND PS_NS_PER_S

static PsModbusAdu read_of(PsModbusTable table, uint16_t offset, uint16_t count) {
    return ps_modbus_adu_read((PsModbusAsk){.slave = 3, .offset = offset}, table, count);
}

static unsigned count_of(const PsModbusAdu *adu) {
    return (unsigned)adu->bytes[10] << 8 | adu->bytes[11];
}

static void tries_are_short_and_each_fourth_is_whole(void **state) {
    PsModbusPatience patience = {0};
    PsModbusAdu request = read_of(PS_MODBUS_HOLDING_REGISTERS, 0, 10);
    static const int64_t expected[] = {SECOND,     SECOND / 8, SECOND / 4,
                                       SECOND / 2, SECOND,     SECOND / 8};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        assert_int_equal(ps_modbus_patience_limit(&patience, SECOND), expected[i]);
        ps_modbus_patience_failed(&patience, &request);
    }
    ps_modbus_patience_answered(&patience, SECOND / 100);
    assert_int_equal(ps_modbus_patience_limit(&patience, SECOND), SECOND);
}

static void a_slow_slave_is_given_the_time_it_took(void **state) {
    PsModbusPatience patience = {0};
    PsModbusAdu request = read_of(PS_MODBUS_HOLDING_REGISTERS, 0, 10);
    ps_modbus_patience_answered(&patience, SECOND * 3 / 10);
    ps_modbus_patience_failed(&patience, &request);
    assert_int_equal(ps_modbus_patience_limit(&patience, SECOND), SECOND * 6 / 10);
    assert_int_equal(ps_modbus_patience_limit(&patience, SECOND / 2), SECOND / 2);
    patience = (PsModbusPatience){.failures = 1};
    assert_int_equal(ps_modbus_patience_limit(&patience, SECOND / 20), 20 * PS_NS_PER_MS);
}

static void a_probe_asks_for_what_is_not_owed(void **state) {
    PsModbusPatience patience = {0};
    PsModbusAdu one = read_of(PS_MODBUS_INPUT_REGISTERS, 65535, 1);
    ps_modbus_patience_failed(&patience, &one);
    PsModbusAdu probe = ps_modbus_patience_probe(&patience, &one, 9);
    assert_int_equal(count_of(&probe), 2);
    assert_int_equal(probe.bytes[7], 4);                           // the same function
    assert_int_equal(probe.bytes[8] << 8 | probe.bytes[9], 65534); // within the table
    for (unsigned count = 2; count <= 4; count++) {
        assert_int_equal(count_of(&probe), count);
        ps_modbus_patience_failed(&patience, &probe);
        probe = ps_modbus_patience_probe(&patience, &one, 9);
    }
    assert_int_equal(count_of(&probe), 1); // all are owed: begins again with the oldest
    ps_modbus_patience_answered(&patience, SECOND);
    assert_int_equal(patience.owed, 0);

    PsModbusAdu bits = read_of(PS_MODBUS_COILS, 5, 8);
    ps_modbus_patience_failed(&patience, &bits);
    probe = ps_modbus_patience_probe(&patience, &bits, 9);
    assert_int_equal(count_of(&probe), 9); // two bytes where one is owed
    PsModbusAdu write = ps_modbus_adu_write_coil((PsModbusAsk){.slave = 3, .offset = 5}, true);
    patience = (PsModbusPatience){0};
    ps_modbus_patience_failed(&patience, &write);
    probe = ps_modbus_patience_probe(&patience, &write, 9);
    assert_int_equal(probe.bytes[7], 1);
    assert_int_equal(count_of(&probe), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tries_are_short_and_each_fourth_is_whole),
        cmocka_unit_test(a_slow_slave_is_given_the_time_it_took),
        cmocka_unit_test(a_probe_asks_for_what_is_not_owed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
