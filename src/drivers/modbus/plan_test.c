// How variables become requests, and how refused requests come apart.
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
} Fixture;

static Fixture *fixture_new(uint32_t count) {
    Fixture *fixture = ps_alloc(sizeof *fixture);
    fixture->variables = ps_alloc_array(count, sizeof *fixture->variables);
    fixture->indexes = ps_alloc_array(count, sizeof *fixture->indexes);
    fixture->config = (PsConfig){.devices = &fixture->device,
                                 .device_count = 1,
                                 .variables = fixture->variables,
                                 .variable_count = count};
    fixture->set = (PsPollSet){.variables = fixture->indexes, .variable_count = count};
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
    ps_modbus_plan_init(&fixture->plan, &fixture->config, &fixture->set);
    return fixture;
}

static void fixture_free(Fixture *fixture) {
    ps_modbus_plan_deinit(&fixture->plan);
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

// Each item stands in exactly one request, whole.
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
    assert_int_equal(next, plan->item_count);
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
    ps_modbus_plan_init(&fixture->plan, &fixture->config, &fixture->set);
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

static void a_refused_request_is_cut_at_its_hole_first(void **state) {
    (void)state;
    const Given given[] = {{40001, PS_TYPE_WORD, 0},
                           {40002, PS_TYPE_WORD, 0},
                           {40010, PS_TYPE_WORD, 0},
                           {40012, PS_TYPE_WORD, 0}};
    Fixture *fixture = fixture_of(given, 4);
    assert_requests(&fixture->plan, "4:0+12");
    assert_true(ps_modbus_plan_split(&fixture->plan, 0));
    assert_requests(&fixture->plan, "4:0+2 4:9+3");
    assert_true(ps_modbus_plan_split(&fixture->plan, 1));
    assert_true(ps_modbus_plan_split(&fixture->plan, 0));
    assert_requests(&fixture->plan, "4:0+1 4:1+1 4:9+1 4:11+1");
    assert_covers_all(&fixture->plan);
    assert_false(ps_modbus_plan_split(&fixture->plan, 2));
    ps_modbus_plan_merge(&fixture->plan);
    assert_requests(&fixture->plan, "4:0+12");
    fixture_free(fixture);
}

static void bits_of_one_register_stay_together(void **state) {
    (void)state;
    const Given given[] = {
        {40001, PS_TYPE_BIT, 0}, {40001, PS_TYPE_BIT, 0}, {40001, PS_TYPE_BIT, 0}};
    Fixture *fixture = fixture_of(given, 3);
    assert_false(ps_modbus_plan_split(&fixture->plan, 0));
    fixture_free(fixture);
}

static void one_bad_register_is_found_by_halving(void **state) {
    (void)state;
    enum {
        BAD = 77
    };
    Fixture *fixture = run_of(125, 40001, PS_TYPE_WORD);
    PsModbusPlan *plan = &fixture->plan;
    unsigned requests = 0;
    for (uint32_t i = 0; i < plan->request_count;) {
        requests++;
        const PsModbusRequest *request = &plan->requests[i];
        bool refused = request->offset <= BAD && BAD < request->offset + request->count;
        if (!refused || !ps_modbus_plan_split(plan, i)) {
            i++;
        }
    }
    assert_covers_all(plan);
    assert_true(requests <= 15);
    assert_true(plan->request_count <= 8);
    fixture_free(fixture);
}

static void a_plan_of_the_same_places_keeps_the_cuts(void **state) {
    static const Given before[] = {{40001, PS_TYPE_WORD, 0}, {40002, PS_TYPE_WORD, 0}};
    static const Given same[] = {{40002, PS_TYPE_INT, 0}, {40001, PS_TYPE_WORD, 0}};
    static const Given more[] = {{40001, PS_TYPE_WORD, 0}, {40002, PS_TYPE_DWORD, 0}};
    Fixture *old_one = fixture_of(before, 2);
    Fixture *same_one = fixture_of(same, 2);
    Fixture *other_one = fixture_of(more, 2);
    assert_true(ps_modbus_plan_split(&old_one->plan, 0));
    assert_true(ps_modbus_plan_follow(&same_one->plan, &old_one->plan));
    assert_int_equal(same_one->plan.request_count, 2);
    assert_int_equal(same_one->plan.items[0].variable, 1); // the numbers are its own
    assert_covers_all(&same_one->plan);
    assert_false(ps_modbus_plan_follow(&other_one->plan, &old_one->plan));
    assert_int_equal(other_one->plan.request_count, 1);
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
        cmocka_unit_test(a_refused_request_is_cut_at_its_hole_first),
        cmocka_unit_test(bits_of_one_register_stay_together),
        cmocka_unit_test(one_bad_register_is_found_by_halving),
        cmocka_unit_test(a_plan_of_the_same_places_keeps_the_cuts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
