// Cells that keep their values, and what a variable's type makes of a value.
#include "drivers/sim/cells.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void cells_keep_what_was_written(void **state) {
    (void)state;
    PsSimulatorCells none = {0};
    PsSimulatorCells first;
    ps_simulator_cells_init(&first, 3);
    ps_simulator_cells_add(&first, "a", &none);
    ps_simulator_cells_add(&first, "b", &none);
    ps_simulator_cells_add(&first, "a", &none);
    assert_true(ps_value_equal(ps_simulator_cells_get(&first, "a"), ps_value_int(0)));
    char text[] = "tea";
    ps_simulator_cells_put(&first, "a", ps_value_text(text, 3));
    ps_simulator_cells_put(&first, "b", ps_value_float(1.5));
    text[0] = 'X'; // it has its own copy
    PsSimulatorCells second;
    ps_simulator_cells_init(&second, 2);
    ps_simulator_cells_add(&second, "new", &first);
    ps_simulator_cells_add(&second, "a", &first);
    ps_simulator_cells_deinit(&first);
    assert_true(ps_value_equal(ps_simulator_cells_get(&second, "a"), ps_value_text("tea", 3)));
    assert_true(ps_value_equal(ps_simulator_cells_get(&second, "new"), ps_value_int(0)));
    ps_simulator_cells_deinit(&second);
}

static void types_make_their_own_of_it(void **state) {
    (void)state;
    static const struct {
        int type;
        PsValue raw;
        PsQuality quality;
        PsValue value;
    } cases[] = {
        {PS_TYPE_INT,
         {.kind = PS_VALUE_FLOAT, .number = 2.5},
         PS_QUALITY_GOOD,
         {.kind = PS_VALUE_INT, .integer = 3}},
        {PS_TYPE_BYTE, {.kind = PS_VALUE_FLOAT, .number = 256}, PS_QUALITY_UNDECODABLE, {0}},
        {PS_TYPE_FLOAT,
         {.kind = PS_VALUE_FLOAT, .number = 1.234},
         PS_QUALITY_GOOD,
         {.kind = PS_VALUE_FLOAT, .number = 1.23}},
        {PS_TYPE_BOOL,
         {.kind = PS_VALUE_FLOAT, .number = 1},
         PS_QUALITY_GOOD,
         {.kind = PS_VALUE_BOOL, .boolean = true}},
        {PS_TYPE_STRING,
         {.kind = PS_VALUE_INT, .integer = 12345678},
         PS_QUALITY_GOOD,
         {.kind = PS_VALUE_TEXT, .text_len = 4, .text = "1234"}},
        {PS_TYPE_INT,
         {.kind = PS_VALUE_TEXT, .text_len = 3, .text = "tea"},
         PS_QUALITY_UNDECODABLE,
         {0}},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PsVariable variable = {.name = "v", .device_name = "d", .float_repr = 2, .size = 4};
        variable.data_type = (int8_t)cases[i].type;
        char text[PS_SIMULATOR_TEXT_MOST];
        PsValue value = ps_value_none();
        assert_int_equal(ps_simulator_value(&variable, cases[i].raw, text, &value),
                         cases[i].quality);
        if (cases[i].quality == PS_QUALITY_GOOD) {
            assert_true(ps_value_equal(value, cases[i].value));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_keep_what_was_written),
        cmocka_unit_test(types_make_their_own_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
