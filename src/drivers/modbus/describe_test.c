// The words for what reads a variable.
#include "drivers/modbus/describe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static PsVariable variable(int address, int type) {
    return (PsVariable){
        .name = "v", .data_type = type, .register_addr = address, .register_bit = PS_UNSET};
}

static void words(void **state) {
    (void)state;
    PsDevice device = {.name = "P", .slave = 7};
    PsVariable variables[] = {variable(40001, PS_TYPE_WORD), variable(40011, PS_TYPE_FLOAT),
                              variable(1, PS_TYPE_BOOL), variable(30001, PS_TYPE_WORD)};
    PsConfig config = {
        .devices = &device, .device_count = 1, .variables = variables, .variable_count = 4};
    const uint32_t members[] = {0, 1, 2};
    PsPollSet set = {.variables = members, .variable_count = 3};
    PS_AUTO_BUF PsBuf out = {0};
    ps_modbus_describe(&config, &set, 1, &out);
    assert_string_equal(
        (const char *)out.data,
        "function 3 to slave 7: 12 registers of the holding registers from offset "
        "0 on, for 2 variables together; this one is 2 registers from offset 10 on");
    ps_buf_clear(&out);
    ps_modbus_describe(&config, &set, 2, &out);
    assert_string_equal((const char *)out.data,
                        "function 1 to slave 7: 1 bit of the coils from offset 0 on");
    ps_buf_clear(&out);
    ps_modbus_describe(&config, &set, 3, &out); // not one of the set
    assert_int_equal(out.len, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(words)};
    return cmocka_run_group_tests_name("drivers/modbus/describe", tests, NULL, NULL);
}
