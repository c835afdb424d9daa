// Reading around what a device does not have, against simulated devices with holes, borders and
// limits at random places: the good values come in each cycle, and from the second one on with the
// fewest requests there can be.
#include "drivers/modbus/reading.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SLAVE 1U
#define FIRST_ADDRESS 40001
#define PLACES 2000U

typedef struct Device {
    bool missing[PLACES];
    bool border[PLACES]; // no request may hold this place and the one before
    uint32_t max;
    int code;
    int all;       // answers everything with this exception; 0: no
    int silent_at; // request number that is not answered; 0: none
} Device;

typedef struct Fixture {
    Device device;
    PsDevice configured;
    PsVariable *variables;
    uint32_t *indexes;
    uint32_t count;
    PsConfig config;
    PsPollSet set;
    PsModbusPlan plan;
    PsLearned *learned;
    PsMono now;
    uint32_t requests; // of the last cycle
    uint32_t search_limit;
    uint8_t *good; // by variable: 1 answered, 2 refused, in the last cycle
    uint32_t tells;
    PsDiag diag;
} Fixture;

static Fixture *fixture_new(uint32_t count) {
    Fixture *f = ps_alloc(sizeof *f);
    f->device = (Device){.max = PS_MODBUS_READ_REGISTERS_MAX, .code = 2};
    f->variables = ps_alloc_array(count, sizeof *f->variables);
    f->indexes = ps_alloc_array(count, sizeof *f->indexes);
    f->good = ps_alloc_array(count, sizeof *f->good);
    f->learned = ps_learned_new();
    f->now = (PsMono){1000 * PS_NS_PER_S};
    f->search_limit = UINT32_MAX;
    f->config = (PsConfig){.devices = &f->configured, .device_count = 1, .variables = f->variables};
    return f;
}

static void add(Fixture *f, uint32_t offset, int type, int size) {
    f->variables[f->count] =
        (PsVariable){.register_addr = FIRST_ADDRESS + (int)offset, .data_type = type, .size = size};
    f->indexes[f->count] = f->count;
    f->count++;
}

static void make_plan(Fixture *f) {
    ps_modbus_plan_deinit(&f->plan);
    f->config.variable_count = f->count;
    f->set = (PsPollSet){.variables = f->indexes, .variable_count = f->count};
    ps_modbus_plan_init(&f->plan, &f->config, &f->set, f->learned, SLAVE);
}

static Fixture *words(uint32_t count) {
    Fixture *f = fixture_new(count);
    for (uint32_t i = 0; i < count; i++) {
        add(f, i, PS_TYPE_WORD, 0);
    }
    make_plan(f);
    return f;
}

static void fixture_free(Fixture *f) {
    ps_modbus_plan_deinit(&f->plan);
    ps_learned_free(f->learned);
    free(f->variables);
    free(f->indexes);
    free(f->good);
    free(f);
}

static bool gives(const Device *device, uint32_t first, uint32_t count) {
    for (uint32_t i = first; i < first + count; i++) {
        if (device->missing[i] || (i > first && device->border[i])) {
            return false;
        }
    }
    return count <= device->max;
}

static PsErr ask(void *ctx, const PsModbusRequest *request, int *ret_exception, PsDiag *diag) {
    Fixture *f = ctx;
    uint32_t most = ps_learned_max(f->learned, SLAVE, request->table, 125);
    for (uint32_t done = 0; done < request->count; done += most) {
        uint32_t left = request->count - done;
        f->requests++;
        if ((int)f->requests == f->device.silent_at) {
            return ps_fail(PS_ERR_TIMEOUT, diag, NULL, NULL, "silent");
        }
        int code = f->device.all != 0 ? f->device.all : f->device.code;
        if (f->device.all != 0 ||
            !gives(&f->device, request->offset + done, left < most ? left : most)) {
            *ret_exception = code;
            return ps_fail(PS_ERR_REFUSED, diag, NULL, NULL, "refused at %u", request->offset);
        }
    }
    return PS_OK;
}

static void answered(void *ctx, const PsModbusRequest *request) {
    Fixture *f = ctx;
    for (uint32_t i = 0; i < request->item_count; i++) {
        const PsModbusItem *item = &f->plan.items[request->first_item + i];
        assert_int_equal(f->good[item->variable], 0);
        f->good[item->variable] = 1;
        assert_true(item->offset >= request->offset &&
                    item->offset + item->width <= request->offset + request->count);
    }
}

static void refused(void *ctx, const PsModbusItem *item) {
    Fixture *f = ctx;
    assert_int_equal(f->good[item->variable], 0);
    f->good[item->variable] = 2;
}

static void tell(void *ctx, const PsLearnedHole *hole, PsDiag *diag) {
    Fixture *f = ctx;
    f->tells++;
    ps_diag_set(diag, NULL, NULL, "known hole at %u", hole->first);
}

static bool may_search(void *ctx, uint32_t requests) {
    return requests < ((Fixture *)ctx)->search_limit;
}

// One cycle a second.
static PsErr cycle(Fixture *f) {
    PsModbusAsker asker = {ask, answered, refused, tell, may_search, f};
    PsModbusReading reading = {&f->plan, f->learned, SLAVE, f->now, {1}, &asker};
    memset(f->good, 0, f->count);
    f->requests = 0;
    f->tells = 0;
    PsErr err = ps_modbus_read_plan(&reading, &f->diag);
    f->now = ps_mono_add_ns(f->now, PS_NS_PER_S);
    return err;
}

// Every value that the device has alone is there, and no other.
static void assert_fresh(const Fixture *f) {
    for (uint32_t i = 0; i < f->count; i++) {
        uint32_t offset = (uint32_t)(f->variables[i].register_addr - FIRST_ADDRESS);
        uint32_t width = ps_modbus_width(PS_MODBUS_HOLDING_REGISTERS, f->variables[i].data_type,
                                         f->variables[i].size);
        bool there = true;
        for (uint32_t at = offset; at < offset + width; at++) {
            there = there && !f->device.missing[at] && (at == offset || !f->device.border[at]);
        }
        assert_int_equal(f->good[i], there ? 1 : 2);
    }
}

// The fewest requests for a run of registers, all of them wanted, counted along the device.
static uint32_t fewest(const Device *device, uint32_t count) {
    uint32_t requests = 0;
    uint32_t length = 0;
    for (uint32_t i = 0; i < count; i++) {
        bool fits = length > 0 && length < device->max && !device->border[i];
        requests += device->missing[i] || fits ? 0 : 1;
        length = device->missing[i] ? 0 : fits ? length + 1 : 1;
    }
    return requests;
}

static void a_healthy_device_is_asked_nothing_more(void **state) {
    (void)state;
    Fixture *f = words(1000);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(cycle(f), PS_OK);
        assert_int_equal(f->requests, 8);
        assert_string_equal(f->diag.text, "");
    }
    assert_int_equal(ps_learned_version(f->learned), 0);
    fixture_free(f);
}

static void holes_anywhere_cost_the_fewest_requests(void **state) {
    (void)state;
    srand(7);
    for (int round = 0; round < 300; round++) {
        Fixture *f = words(1000);
        f->device.code = 2 + rand() % 2;
        f->device.max = round % 3 == 0 ? 20 + (uint32_t)rand() % 106 : 125;
        for (int hole = round % 16; hole > 0; hole--) {
            f->device.missing[rand() % 1000] = true;
        }
        assert_int_equal(cycle(f), PS_OK);
        assert_fresh(f);
        assert_int_equal(cycle(f), PS_OK); // a limit may show only here, between holes
        assert_fresh(f);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(cycle(f), PS_OK);
            assert_fresh(f);
            assert_int_equal(f->requests, fewest(&f->device, 1000));
        }
        fixture_free(f);
    }
}

static void the_second_cycle_is_already_at_its_best(void **state) {
    (void)state;
    srand(11);
    for (int round = 0; round < 300; round++) {
        Fixture *f = words(1000);
        for (int hole = 0; hole < 7; hole++) {
            f->device.missing[rand() % 1000] = true;
        }
        assert_int_equal(cycle(f), PS_OK);
        assert_fresh(f);
        assert_non_null(strstr(f->diag.text, "refused at"));
        assert_true(f->requests <= 8 + 7 * 16);
        assert_int_equal(cycle(f), PS_OK);
        assert_fresh(f);
        assert_non_null(strstr(f->diag.text, "known hole at"));
        assert_int_equal(f->requests, fewest(&f->device, 1000));
        fixture_free(f);
    }
}

static void the_largest_request_is_found_exactly(void **state) {
    (void)state;
    for (uint32_t max = 2; max <= 125; max++) {
        Fixture *f = words(500);
        f->device.max = max;
        f->device.code = 3;
        assert_int_equal(cycle(f), PS_OK);
        assert_fresh(f);
        assert_int_equal(ps_learned_max(f->learned, SLAVE, PS_MODBUS_HOLDING_REGISTERS, 125), max);
        uint32_t holes;
        (void)ps_learned_holes(f->learned, &holes);
        assert_int_equal(holes, 0);
        assert_int_equal(cycle(f), PS_OK);
        assert_int_equal(f->requests, (500 + max - 1) / max);
        fixture_free(f);
    }
}

static void borders_between_memory_blocks_are_kept(void **state) {
    (void)state;
    Fixture *f = words(400);
    f->device.border[100] = f->device.border[230] = true;
    f->device.missing[300] = true;
    assert_int_equal(cycle(f), PS_OK);
    assert_fresh(f);
    assert_int_equal(cycle(f), PS_OK);
    assert_fresh(f);
    assert_int_equal(f->requests, fewest(&f->device, 400));
    assert_int_equal(ps_learned_max(f->learned, SLAVE, PS_MODBUS_HOLDING_REGISTERS, 125), 125);
    fixture_free(f);
}

static void a_hole_in_a_gap_is_found(void **state) {
    (void)state;
    Fixture *f = fixture_new(3);
    add(f, 0, PS_TYPE_WORD, 0);
    add(f, 20, PS_TYPE_WORD, 0);
    add(f, 25, PS_TYPE_WORD, 0);
    make_plan(f);
    f->device.missing[10] = true;
    assert_int_equal(cycle(f), PS_OK);
    assert_fresh(f);
    assert_string_equal(f->diag.text, "");
    assert_int_equal(cycle(f), PS_OK);
    assert_int_equal(f->requests, 2);
    f->device.missing[10] = false; // it is there after all
    f->now = ps_mono_add_ns(f->now, 60 * PS_NS_PER_S);
    assert_int_equal(cycle(f), PS_OK);
    assert_int_equal(f->requests, 3);
    assert_int_equal(cycle(f), PS_OK);
    assert_int_equal(f->requests, 1);
    fixture_free(f);
}

static void values_of_all_widths_with_holes_and_gaps(void **state) {
    (void)state;
    static const int types[] = {PS_TYPE_WORD, PS_TYPE_DWORD, PS_TYPE_DOUBLE, PS_TYPE_STRING};
    srand(3);
    for (int round = 0; round < 400; round++) {
        bool overlapping = round % 2 == 1;
        Fixture *f = fixture_new(200);
        uint32_t offset = 0;
        for (int i = 0; i < 200 && offset < PLACES - 100; i++) {
            int type = types[rand() % 4];
            int size = type == PS_TYPE_STRING ? 2 + rand() % 40 : 0;
            add(f, offset, type, size);
            offset += (uint32_t)rand() % 12;
            offset += overlapping ? 0 : ps_modbus_width(PS_MODBUS_HOLDING_REGISTERS, type, size);
        }
        make_plan(f);
        for (int hole = rand() % 12; hole > 0; hole--) {
            f->device.missing[(uint32_t)rand() % offset] = true;
        }
        for (int i = 0; i < 8; i++) { // new requests may cross gaps that none has crossed before
            assert_int_equal(cycle(f), PS_OK);
            assert_fresh(f);
        }
        assert_int_equal(f->requests, f->plan.request_count);
        fixture_free(f);
    }
}

static void a_long_text_is_read_in_portions(void **state) {
    (void)state;
    Fixture *f = fixture_new(1);
    add(f, 0, PS_TYPE_STRING, 200);
    make_plan(f);
    f->device.max = 32;
    assert_int_equal(cycle(f), PS_OK);
    assert_int_equal(f->good[0], 2); // not even half of it came at a time
    fixture_free(f);
    f = fixture_new(1);
    add(f, 0, PS_TYPE_STRING, 200);
    make_plan(f);
    f->device.max = 64;
    assert_int_equal(cycle(f), PS_OK);
    assert_int_equal(f->good[0], 1);
    assert_int_equal(cycle(f), PS_OK);
    assert_int_equal(f->good[0], 1);
    assert_int_equal(f->requests, 2);
    assert_int_equal(ps_learned_max(f->learned, SLAVE, PS_MODBUS_HOLDING_REGISTERS, 125), 64);
    fixture_free(f);
}

static void holes_are_tried_again_seldom_and_one_at_a_time(void **state) {
    (void)state;
    Fixture *f = words(1000);
    for (uint32_t i = 0; i < 7; i++) {
        f->device.missing[50 + 130 * i] = true;
    }
    assert_int_equal(cycle(f), PS_OK);
    uint32_t least = fewest(&f->device, 1000);
    uint32_t more = 0;
    uint32_t first = 0;
    for (uint32_t i = 0; i < 24 * 3600; i++) {
        assert_int_equal(cycle(f), PS_OK);
        assert_true(f->requests <= least + 1);
        more += f->requests - least;
        first = i == 58 ? more : first;
    }
    assert_int_equal(first, 0);
    assert_in_range(more, 7 * 24, 7 * 32); // six while the pause grows, then one an hour
    assert_fresh(f);
    fixture_free(f);
}

static void what_comes_back_is_read_again(void **state) {
    (void)state;
    Fixture *f = words(1000);
    for (uint32_t i = 0; i < 16; i++) {
        f->device.missing[3 + 60 * i] = true;
    }
    assert_int_equal(cycle(f), PS_OK);
    memset(f->device.missing, 0, sizeof f->device.missing);
    uint32_t cycles = 0;
    do {
        assert_int_equal(cycle(f), PS_OK);
        cycles++;
    } while (f->good[3] != 1 && cycles < 100);
    assert_in_range(cycles, 59, 62);
    assert_fresh(f); // the first that answered brought all of them
    assert_int_equal(f->requests, 8);
    fixture_free(f);
}

static void after_a_restart_no_hole_is_asked_for(void **state) {
    (void)state;
    Fixture *f = words(1000);
    for (uint32_t i = 0; i < 7; i++) {
        f->device.missing[100 + 100 * i] = true;
    }
    assert_int_equal(cycle(f), PS_OK);
    make_plan(f); // what was learned is all that is left
    assert_int_equal(cycle(f), PS_OK);
    assert_fresh(f);
    assert_int_equal(f->requests, fewest(&f->device, 1000));
    fixture_free(f);
}

static void a_device_that_refuses_everything_costs_little(void **state) {
    (void)state;
    Fixture *f = words(1000);
    f->device.all = 2;
    f->search_limit = 64;
    uint32_t cycles = 0;
    do {
        assert_int_equal(cycle(f), PS_OK);
        assert_true(f->requests <= 64 + 8 + 2000 / 64);
        for (uint32_t i = 0; i < f->count; i++) {
            assert_int_equal(f->good[i], 2);
        }
        cycles++;
    } while (f->plan.request_count > 0 && cycles < 200);
    assert_true(cycles < 100);
    for (int i = 0; i < 600; i++) {
        assert_int_equal(cycle(f), PS_OK);
        assert_true(f->requests <= 1);
    }
    f->device.all = 0; // its program is back
    f->search_limit = 2000;
    cycles = 0;
    do {
        assert_int_equal(cycle(f), PS_OK);
        cycles++;
    } while (f->good[0] != 1 && cycles < 100);
    assert_true(cycles <= 62); // not the hour to which the pauses have grown
    assert_fresh(f);
    fixture_free(f);
}

static void other_exceptions_and_silence_teach_nothing(void **state) {
    (void)state;
    Fixture *f = words(300);
    f->device.all = 4;
    assert_int_equal(cycle(f), PS_OK);
    assert_int_equal(f->requests, 3);
    assert_non_null(strstr(f->diag.text, "refused at 0"));
    f->device.all = 1;
    assert_int_equal(cycle(f), PS_OK);
    f->device.all = 0;
    f->device.silent_at = 2;
    assert_int_equal(cycle(f), PS_ERR_TIMEOUT);
    assert_string_equal(f->diag.text, "silent");
    assert_int_equal(ps_learned_version(f->learned), 0);
    f->device.missing[100] = true;
    f->device.silent_at = 6; // in the middle of a search
    assert_int_equal(cycle(f), PS_ERR_TIMEOUT);
    f->device.silent_at = 0;
    assert_int_equal(cycle(f), PS_OK);
    assert_int_equal(cycle(f), PS_OK);
    assert_fresh(f);
    assert_int_equal(f->requests, fewest(&f->device, 300));
    fixture_free(f);
}

static void a_probe_that_is_not_answered_takes_no_values_away(void **state) {
    (void)state;
    Fixture *f = words(100);
    f->device.missing[50] = true;
    assert_int_equal(cycle(f), PS_OK);
    f->now = ps_mono_add_ns(f->now, 60 * PS_NS_PER_S);
    f->device.silent_at = 3; // the probe after the two requests
    assert_int_equal(cycle(f), PS_OK);
    assert_int_equal(f->requests, 3);
    assert_fresh(f);
    assert_int_equal(cycle(f), PS_OK); // and it is not tried at once
    assert_int_equal(f->requests, 2);
    fixture_free(f);
}

static void a_limit_is_put_to_the_test_after_a_day(void **state) {
    (void)state;
    Fixture *f = words(500);
    f->device.max = 50;
    assert_int_equal(cycle(f), PS_OK);
    assert_int_equal(cycle(f), PS_OK);
    assert_int_equal(f->requests, 10);
    f->device.max = 125;
    f->now = ps_mono_add_ns(f->now, (int64_t)PS_LEARNED_LIMIT_PAUSE_S * PS_NS_PER_S);
    assert_int_equal(cycle(f), PS_OK);
    assert_int_equal(f->requests, 4);
    fixture_free(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_healthy_device_is_asked_nothing_more),
        cmocka_unit_test(holes_anywhere_cost_the_fewest_requests),
        cmocka_unit_test(the_second_cycle_is_already_at_its_best),
        cmocka_unit_test(the_largest_request_is_found_exactly),
        cmocka_unit_test(borders_between_memory_blocks_are_kept),
        cmocka_unit_test(a_hole_in_a_gap_is_found),
        cmocka_unit_test(values_of_all_widths_with_holes_and_gaps),
        cmocka_unit_test(a_long_text_is_read_in_portions),
        cmocka_unit_test(holes_are_tried_again_seldom_and_one_at_a_time),
        cmocka_unit_test(what_comes_back_is_read_again),
        cmocka_unit_test(after_a_restart_no_hole_is_asked_for),
        cmocka_unit_test(a_device_that_refuses_everything_costs_little),
        cmocka_unit_test(other_exceptions_and_silence_teach_nothing),
        cmocka_unit_test(a_probe_that_is_not_answered_takes_no_values_away),
        cmocka_unit_test(a_limit_is_put_to_the_test_after_a_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
