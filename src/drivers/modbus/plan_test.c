// How variables become requests, around what is known of a device, and where refused ones are cut.
#include "drivers/modbus/plan.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct Given {
    int address;
    int type;
    int size;
} Given;

typedef struct Fixture {
    PsDevice device;
    PsVariable *variables;
    uint32_t *indexes;
    PsConfig config;
    PsPollSet set;
    PsModbusPlan plan;
    PsLearned *learned;
} Fixture;

#define SLAVE 3U

static Fixture *fixture_new(uint32_t count) {
    Fixture *fixture = ps_alloc(sizeof *fixture);
    fixture->variables = ps_alloc_array(count, sizeof *fixture->variables);
    fixture->indexes = ps_alloc_array(count, sizeof *fixture->indexes);
    fixture->config = (PsConfig){.devices = &fixture->device,
                                 .device_count = 1,
                                 .variables = fixture->variables,
                                 .variable_count = count};
    fixture->set = (PsPollSet){.variables = fixture->indexes, .variable_count = count};
    fixture->learned = ps_learned_new();
    for (uint32_t i = 0; i < count; i++) {
        fixture->indexes[i] = i;
    }
    return fixture;
}

static void set_variable(Fixture *fixture, uint32_t index, Given given) {
    fixture->variables[index] = (PsVariable){.register_addr = given.address,
                                             .data_type = given.type,
                                             .register_bit = 0,
                                             .size = given.size};
}

static Fixture *fixture_of(const Given *given, uint32_t count) {
    Fixture *fixture = fixture_new(count);
    for (uint32_t i = 0; i < count; i++) {
        set_variable(fixture, i, given[i]);
    }
    ps_modbus_plan_init(&fixture->plan, &fixture->config, &fixture->set, fixture->learned, SLAVE);
    return fixture;
}

static void fixture_free(Fixture *fixture) {
    ps_modbus_plan_deinit(&fixture->plan);
    ps_learned_free(fixture->learned);
    free(fixture->variables);
    free(fixture->indexes);
    free(fixture);
}

// "4:0+2 4:100+1": table digit, offset, count of each request.
static void assert_requests(const PsModbusPlan *plan, const char *expected) {
    static const char digits[] = {'0', '1', '3', '4'};
    char shown[512];
    size_t used = 0;
    shown[0] = '\0';
    for (uint32_t i = 0; i < plan->request_count && used < sizeof shown - 32; i++) {
        const PsModbusRequest *request = &plan->requests[i];
        used += (size_t)snprintf(shown + used, sizeof shown - used, "%s%c:%u+%u", i > 0 ? " " : "",
                                 digits[request->table], request->offset, request->count);
    }
    assert_string_equal(shown, expected);
}

// Each item that is read stands in exactly one request, whole.
static void assert_covers_all(const PsModbusPlan *plan) {
    uint32_t next = 0;
    for (uint32_t i = 0; i < plan->request_count; i++) {
        const PsModbusRequest *request = &plan->requests[i];
        assert_int_equal(request->first_item, next);
        for (uint32_t j = next; j < next + request->item_count; j++) {
            const PsModbusItem *item = &plan->items[j];
            assert_int_equal(item->table, request->table);
            assert_true(item->offset >= request->offset);
            assert_true(item->offset + item->width <= request->offset + request->count);
        }
        next += request->item_count;
    }
    assert_int_equal(next, plan->read_count);
}

#define CHECK(expected, ...)                                                                       \
    do {                                                                                           \
        const Given given[] = {__VA_ARGS__};                                                       \
        Fixture *fixture = fixture_of(given, PS_COUNT(given));                                     \
        assert_requests(&fixture->plan, expected);                                                 \
        assert_covers_all(&fixture->plan);                                                         \
        fixture_free(fixture);                                                                     \
    } while (0)

static void neighbours_and_small_holes_are_merged(void **state) {
    (void)state;
    CHECK("4:0+1", {40001, PS_TYPE_WORD, 0});
    CHECK("4:0+3", {40003, PS_TYPE_WORD, 0}, {40001, PS_TYPE_DWORD, 0});
    CHECK("4:0+34", {40001, PS_TYPE_WORD, 0}, {40034, PS_TYPE_WORD, 0});
    CHECK("4:0+1 4:34+1", {40001, PS_TYPE_WORD, 0}, {40035, PS_TYPE_WORD, 0});
    CHECK("0:0+514", {1, PS_TYPE_BOOL, 0}, {514, PS_TYPE_BIT, 0});
    CHECK("0:0+1 0:514+1", {1, PS_TYPE_BOOL, 0}, {515, PS_TYPE_BIT, 0});
    CHECK("4:0+4", {40001, PS_TYPE_DOUBLE, 0}, {40002, PS_TYPE_WORD, 0}); // overlapping
    CHECK("4:5+1", {40006, PS_TYPE_BIT, 0}, {40006, PS_TYPE_BOOL, 0}, {40006, PS_TYPE_WORD, 0});
}

static void tables_are_never_mixed(void **state) {
    (void)state;
    CHECK("0:0+1 1:0+1 3:0+1 4:0+1", {40001, PS_TYPE_WORD, 0}, {1, PS_TYPE_BOOL, 0},
          {30001, PS_TYPE_WORD, 0}, {10001, PS_TYPE_BOOL, 0});
}

static void both_written_forms_meet(void **state) {
    (void)state;
    CHECK("4:9999+2", {50000, PS_TYPE_WORD, 0}, {410001, PS_TYPE_WORD, 0});
    CHECK("4:65534+2", {465535, PS_TYPE_DWORD, 0});
    CHECK("1:9999+2", {20000, PS_TYPE_BIT, 0}, {110001, PS_TYPE_BIT, 0});
}

static void a_wide_value_is_never_cut(void **state) {
    (void)state;
    // Registers 0 to 123 and a DWORD at 124: 126 registers do not fit, so the DWORD moves over.
    CHECK("4:0+124 4:124+2", {40001, PS_TYPE_STRING, 248}, {40125, PS_TYPE_DWORD, 0});
    CHECK("4:0+125", {40001, PS_TYPE_STRING, 248}, {40125, PS_TYPE_WORD, 0});
    CHECK("4:0+125 4:125+125", {40001, PS_TYPE_STRING, 250}, {40126, PS_TYPE_STRING, 249});
}

static Fixture *run_of(uint32_t count, int first, int type) {
    Fixture *fixture = fixture_new(count);
    for (uint32_t i = 0; i < count; i++) {
        set_variable(fixture, i, (Given){first + (int)i, type, 0});
    }
    ps_modbus_plan_init(&fixture->plan, &fixture->config, &fixture->set, fixture->learned, SLAVE);
    return fixture;
}

static void requests_are_filled_to_the_limit(void **state) {
    (void)state;
    Fixture *words = run_of(10000, 40001, PS_TYPE_WORD);
    assert_int_equal(words->plan.request_count, 80);
    assert_int_equal(words->plan.requests[0].count, 125);
    assert_covers_all(&words->plan);
    fixture_free(words);
    Fixture *bits = run_of(4001, 1, PS_TYPE_BOOL);
    assert_requests(&bits->plan, "0:0+2000 0:2000+2000 0:4000+1");
    fixture_free(bits);
}

static void assert_cut(const Fixture *fixture, uint32_t expected) {
    PsModbusRequest request = fixture->plan.requests[0];
    assert_int_equal(ps_modbus_plan_cut(&fixture->plan, &request), expected);
}

static void a_refused_request_is_cut_at_its_gap_first(void **state) {
    (void)state;
    const Given given[] = {{40001, PS_TYPE_WORD, 0},
                           {40002, PS_TYPE_WORD, 0},
                           {40010, PS_TYPE_WORD, 0},
                           {40012, PS_TYPE_WORD, 0}};
    Fixture *fixture = fixture_of(given, 4);
    assert_cut(fixture, 2);
    fixture_free(fixture);
    fixture = run_of(125, 40001, PS_TYPE_WORD);
    assert_cut(fixture, 62);
    fixture_free(fixture);
}

static void what_overlaps_is_cut_last(void **state) {
    (void)state;
    const Given bits[] = {
        {40001, PS_TYPE_BIT, 0}, {40001, PS_TYPE_BIT, 0}, {40001, PS_TYPE_BIT, 0}};
    Fixture *fixture = fixture_of(bits, 3);
    assert_cut(fixture, 0);
    fixture_free(fixture);
    const Given wide[] = {
        {40001, PS_TYPE_WORD, 0}, {40001, PS_TYPE_DWORD, 0}, {40003, PS_TYPE_WORD, 0}};
    fixture = fixture_of(wide, 3);
    assert_cut(fixture, 2);
    fixture_free(fixture);
    fixture = fixture_of(wide, 2);
    assert_cut(fixture, 1);
    fixture_free(fixture);
}

static void learn_hole(Fixture *fixture, uint32_t first, uint32_t count) {
    ps_learned_refused(fixture->learned, SLAVE, PS_MODBUS_HOLDING_REGISTERS, first, count, 2,
                       (PsMono){1}, (PsWall){1});
    ps_modbus_plan_pack(&fixture->plan, fixture->learned, SLAVE);
    assert_covers_all(&fixture->plan);
}

static void requests_go_around_holes(void **state) {
    (void)state;
    Fixture *fixture = run_of(20, 40001, PS_TYPE_WORD);
    learn_hole(fixture, 7, 1);
    assert_requests(&fixture->plan, "4:0+7 4:8+12");
    assert_int_equal(fixture->plan.read_count, 19);
    assert_int_equal(fixture->plan.items[19].offset, 7);
    learn_hole(fixture, 11, 2); // a border: both sides are there, but not in one request
    assert_requests(&fixture->plan, "4:0+7 4:8+4 4:12+8");
    assert_int_equal(fixture->plan.read_count, 19);
    assert_true(ps_learned_answered(fixture->learned, SLAVE, PS_MODBUS_HOLDING_REGISTERS, 0, 20));
    ps_modbus_plan_pack(&fixture->plan, fixture->learned, SLAVE);
    assert_requests(&fixture->plan, "4:0+20");
    assert_covers_all(&fixture->plan);
    fixture_free(fixture);
}

static void a_hole_in_a_gap_is_not_read_through(void **state) {
    (void)state;
    const Given given[] = {{40001, PS_TYPE_WORD, 0}, {40010, PS_TYPE_WORD, 0}};
    Fixture *fixture = fixture_of(given, 2);
    assert_requests(&fixture->plan, "4:0+10");
    learn_hole(fixture, 5, 1);
    assert_requests(&fixture->plan, "4:0+1 4:9+1");
    fixture_free(fixture);
}

static void a_value_over_a_hole_is_left_out(void **state) {
    (void)state;
    const Given given[] = {
        {40001, PS_TYPE_DWORD, 0}, {40002, PS_TYPE_WORD, 0}, {40001, PS_TYPE_WORD, 0}};
    Fixture *fixture = fixture_of(given, 3);
    learn_hole(fixture, 1, 1);
    assert_requests(&fixture->plan, "4:0+1");
    assert_int_equal(fixture->plan.items[0].variable, 2);
    learn_hole(fixture, 0, 1);
    assert_requests(&fixture->plan, "");
    fixture_free(fixture);
}

static void requests_are_no_larger_than_the_device_gives(void **state) {
    (void)state;
    Fixture *fixture = run_of(125, 40001, PS_TYPE_WORD);
    ps_learned_set_max(fixture->learned, SLAVE, PS_MODBUS_HOLDING_REGISTERS, 60, (PsMono){1});
    ps_modbus_plan_pack(&fixture->plan, fixture->learned, SLAVE);
    assert_requests(&fixture->plan, "4:0+60 4:60+60 4:120+5");
    fixture_free(fixture);
    const Given given[] = {
        {40001, PS_TYPE_STRING, 200}, {40010, PS_TYPE_WORD, 0}, {40101, PS_TYPE_WORD, 0}};
    fixture = fixture_of(given, 3);
    ps_learned_set_max(fixture->learned, SLAVE, PS_MODBUS_HOLDING_REGISTERS, 60, (PsMono){1});
    ps_modbus_plan_pack(&fixture->plan, fixture->learned, SLAVE);
    assert_requests(&fixture->plan, "4:0+100 4:100+1"); // the text in portions
    assert_covers_all(&fixture->plan);
    fixture_free(fixture);
}

static void plans_of_the_same_places_are_known(void **state) {
    (void)state;
    static const Given before[] = {{40001, PS_TYPE_WORD, 0}, {40002, PS_TYPE_WORD, 0}};
    static const Given same[] = {{40002, PS_TYPE_INT, 0}, {40001, PS_TYPE_WORD, 0}};
    static const Given more[] = {{40001, PS_TYPE_WORD, 0}, {40002, PS_TYPE_DWORD, 0}};
    Fixture *old_one = fixture_of(before, 2);
    Fixture *same_one = fixture_of(same, 2);
    Fixture *other_one = fixture_of(more, 2);
    assert_true(ps_modbus_plan_same(&same_one->plan, &old_one->plan));
    assert_false(ps_modbus_plan_same(&other_one->plan, &old_one->plan));
    fixture_free(old_one);
    fixture_free(same_one);
    fixture_free(other_one);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_and_small_holes_are_merged),
        cmocka_unit_test(tables_are_never_mixed),
        cmocka_unit_test(both_written_forms_meet),
        cmocka_unit_test(a_wide_value_is_never_cut),
        cmocka_unit_test(requests_are_filled_to_the_limit),
        cmocka_unit_test(a_refused_request_is_cut_at_its_gap_first),
        cmocka_unit_test(what_overlaps_is_cut_last),
        cmocka_unit_test(requests_go_around_holes),
        cmocka_unit_test(a_hole_in_a_gap_is_not_read_through),
        cmocka_unit_test(a_value_over_a_hole_is_left_out),
        cmocka_unit_test(requests_are_no_larger_than_the_device_gives),
        cmocka_unit_test(plans_of_the_same_places_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
