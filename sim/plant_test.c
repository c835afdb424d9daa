// The plant over simulated time: what moves, what stays, what a client's write does.
#include "sim/plant.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

static const PsSimAddress whole_degrees = {PS_SIM_HOLDING, 0};
static const PsSimAddress set_point = {PS_SIM_HOLDING, 100};

static float float_at(const uint16_t *registers) {
    uint32_t image = (uint32_t)registers[0] << 16 | registers[1];
    float value;
    memcpy(&value, &image, sizeof value);
    return value;
}

static uint32_t counter(const PsPlant *plant) {
    return (uint32_t)plant->holdings[3] << 16 | plant->holdings[4];
}

static void test_moves_with_time(void **state) {
    (void)state;
    PsPlant *plant = ps_plant_new(0);
    assert_int_equal(ps_plant_item(plant, whole_degrees), 22);
    int changes = 0;
    uint16_t before = ps_plant_item(plant, whole_degrees);
    for (int64_t now = 100; now <= 12000; now += 100) {
        ps_plant_advance(plant, now);
        uint16_t degrees = ps_plant_item(plant, whole_degrees);
        assert_in_range(degrees, 20, 24);
        assert_true(fabsf(float_at(plant->holdings + 1) - (float)degrees) <= 0.5F);
        changes += degrees != before;
        before = degrees;
    }
    assert_in_range(changes, 6, 20);
    assert_int_equal(counter(plant), 120);
    assert_int_equal((plant->inputs[3] << 16) + plant->inputs[4], 12);
    ps_plant_free(plant);
}

static void test_stands_within_a_step_and_never_goes_back(void **state) {
    (void)state;
    PsPlant *plant = ps_plant_new(1000);
    ps_plant_advance(plant, 1099);
    assert_int_equal(counter(plant), 0);
    ps_plant_advance(plant, 1100);
    assert_int_equal(counter(plant), 1);
    ps_plant_advance(plant, 0);
    assert_int_equal(counter(plant), 1);
    ps_plant_advance(plant, 1250);
    ps_plant_advance(plant, 1300); // the half step of before is not lost
    assert_int_equal(counter(plant), 3);
    ps_plant_free(plant);
}

static void test_one_long_step_equals_many_short_ones(void **state) {
    (void)state;
    PsPlant *one = ps_plant_new(0);
    PsPlant *many = ps_plant_new(0);
    one->holdings[100] = many->holdings[100] = 80;
    ps_plant_advance(one, 60000);
    for (int64_t now = 0; now <= 60000; now += 100) {
        ps_plant_advance(many, now);
    }
    assert_true(fabs(one->temperature - many->temperature) < 1e-6);
    assert_memory_equal(one->holdings, many->holdings, sizeof one->holdings);
    ps_plant_free(one);
    ps_plant_free(many);
}

static void test_follows_set_points(void **state) {
    (void)state;
    PsPlant *plant = ps_plant_new(0);
    plant->holdings[100] = 60;
    ps_plant_written(plant, PS_SIM_HOLDING, 100, 1);
    ps_plant_advance(plant, 100);
    assert_int_equal(plant->discretes[2], 1); // heating
    ps_plant_advance(plant, 60000);
    assert_true(fabs(plant->temperature - 60) < 0.1);
    assert_int_equal(ps_plant_item(plant, set_point), 60); // stays as written
    plant->coils[0] = 0;                                   // heater off: back to the room's 15
    ps_plant_advance(plant, 180000);
    assert_true(fabs(plant->temperature - 15) < 0.1);
    assert_int_equal(plant->holdings[6] & 1, 0);
    memcpy(plant->holdings + 103, "AB", 2);
    ps_plant_advance(plant, 180100);
    assert_memory_equal(plant->inputs + 9, plant->holdings + 103, 16);
    uint16_t not_a_number[2] = {0x7FC0, 0};
    memcpy(plant->holdings + 101, not_a_number, sizeof not_a_number);
    ps_plant_advance(plant, 240000);
    assert_true(fabsf(float_at(plant->inputs + 1)) < 0.01F); // stops, not NaN
    ps_plant_free(plant);
}

static void test_written_point_holds_then_goes_on(void **state) {
    (void)state;
    PsPlant *plant = ps_plant_new(0);
    ps_plant_advance(plant, 1000);
    plant->holdings[0] = 40;
    plant->holdings[3] = 1;
    plant->holdings[4] = 0;
    ps_plant_written(plant, PS_SIM_HOLDING, 0, 5);
    ps_plant_advance(plant, 1000 + PS_PLANT_HOLD_MS - 100);
    assert_int_equal(ps_plant_item(plant, whole_degrees), 40);
    assert_int_equal(counter(plant), 65536);
    ps_plant_advance(plant, 1000 + PS_PLANT_HOLD_MS);
    assert_int_equal(counter(plant), 65536 + PS_PLANT_HOLD_MS / 100);
    assert_int_not_equal(ps_plant_item(plant, whole_degrees), 40); // drifting back to 22
    ps_plant_free(plant);
}

static void test_forced_stays_until_released(void **state) {
    (void)state;
    PsPlant *plant = ps_plant_new(0);
    PsSimAddress door = {PS_SIM_DISCRETE, 0};
    ps_plant_force(plant, whole_degrees, 123);
    ps_plant_force(plant, door, 1);
    ps_plant_advance(plant, 3600000);
    assert_int_equal(ps_plant_item(plant, whole_degrees), 123);
    assert_int_equal(ps_plant_item(plant, door), 1);
    // A client's write does not shorten it.
    ps_plant_written(plant, PS_SIM_HOLDING, 0, 1);
    ps_plant_advance(plant, 3700000);
    assert_int_equal(ps_plant_item(plant, whole_degrees), 123);
    ps_plant_release(plant);
    ps_plant_advance(plant, 3800000);
    assert_in_range(ps_plant_item(plant, whole_degrees), 20, 24);
    ps_plant_free(plant);
}

static void test_pattern_and_text(void **state) {
    (void)state;
    PsPlant *plant = ps_plant_new(0);
    assert_int_equal(plant->holdings[999], 0);
    assert_int_equal(plant->holdings[1000], 1001);
    assert_int_equal(plant->inputs[19999], 20000);
    assert_int_equal(plant->holdings[20000], 0);
    assert_int_equal(plant->holdings[30], 'P' << 8 | 'E');
    assert_int_equal(plant->holdings[36], 0);
    ps_plant_free(plant);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moves_with_time),
        cmocka_unit_test(test_stands_within_a_step_and_never_goes_back),
        cmocka_unit_test(test_one_long_step_equals_many_short_ones),
        cmocka_unit_test(test_follows_set_points),
        cmocka_unit_test(test_written_point_holds_then_goes_on),
        cmocka_unit_test(test_forced_stays_until_released),
        cmocka_unit_test(test_pattern_and_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
