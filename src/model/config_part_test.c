// Parts of a configuration: what they hold, when two of them are the same, and where their objects
// stand in the whole after it has changed. Pure.
#include "model/config_part.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DEVICE(called) {.name = (called), .ip = "10.0.0.1", .port = 502, .slave = 1, .timeout = 1}
#define VARIABLE(called, of, in)                                                                   \
    {.name = (called),                                                                             \
     .device_name = "x",                                                                           \
     .device = (of),                                                                               \
     .group = (in),                                                                                \
     .group_name = "x",                                                                            \
     .unit = "m"}

// What the tests change: a whole of three devices, the second in a part of its own.
typedef struct Whole {
    PsDevice devices[3];
    PsVariable variables[6]; // five of `vars`, one that an alarm watches
    PsGroup groups[3];
    PsConfig config;
    PsConfigPart *parts[2];
} Whole;

static const uint32_t device_part[] = {0, 1, 0};

static Whole *whole_new(void) {
    Whole *whole = ps_alloc(sizeof *whole);
    *whole = (Whole){
        .devices = {DEVICE("A"), DEVICE("B"), DEVICE("C")},
        .variables = {VARIABLE("a0", 0, 2), VARIABLE("b0", 1, 0), VARIABLE("c0", 2, 0),
                      VARIABLE("b1", 1, 2), VARIABLE("a1", 0, 0), VARIABLE("a0", 0, 1)},
        .groups = {{.name = "default", .polling_interval = 1},
                   {.name = "warning", .type = PS_GROUP_ALARM, .polling_interval = 2},
                   {.name = "slow", .polling_interval = 60, .upload_interval = 60}},
    };
    whole->config = (PsConfig){.devices = whole->devices,
                               .device_count = 3,
                               .variables = whole->variables,
                               .variable_count = 5,
                               .watched_count = 1,
                               .groups = whole->groups,
                               .group_count = 3};
    return whole;
}

static void cut(Whole *whole) {
    ps_config_parts_new(&whole->config, device_part, 2, whole->parts);
}

static void whole_free(Whole *whole) {
    ps_config_part_free(whole->parts[0]);
    ps_config_part_free(whole->parts[1]);
    free(whole);
}

static void a_part_has_its_own_numbers(void **state) {
    Whole *whole = whole_new();
    cut(whole);
    const PsConfigPart *first = whole->parts[0];
    assert_int_equal(first->config.device_count, 2);
    assert_int_equal(first->config.variable_count, 3);
    assert_int_equal(first->config.watched_count, 1);
    assert_int_equal(first->config.group_count, 3);
    assert_string_equal(first->config.devices[1].name, "C");
    assert_string_equal(first->config.devices[1].ip, "10.0.0.1");
    assert_int_equal(first->devices[1], 2);
    static const uint32_t places[] = {0, 2, 4, 5};
    assert_memory_equal(first->variables, places, sizeof places);
    assert_int_equal(first->config.variables[1].device, 1);
    assert_string_equal(first->config.variables[1].device_name, "C");
    assert_string_equal(first->config.variables[3].group_name, "warning");
    assert_int_equal(first->config.groups[2].variable_count, 1);
    const PsConfigPart *second = whole->parts[1];
    assert_int_equal(second->config.group_count, 2);
    assert_int_equal(second->groups[1], 2);
    assert_int_equal(second->config.variables[1].group, 1);
    assert_string_equal(second->config.variables[1].group_name, "slow");
    whole_free(whole);
}

static bool same_after(void (*change)(Whole *whole), uint32_t part) {
    Whole *before = whole_new();
    Whole *after = whole_new();
    change(after);
    cut(before);
    cut(after);
    bool same = ps_config_part_equal(before->parts[part], after->parts[part]);
    whole_free(before);
    whole_free(after);
    return same;
}

static void change_unit(Whole *whole) {
    whole->variables[0].unit = "mm";
    whole->variables[0].mode = PS_MODE_ONCHANGE;
    whole->groups[2].upload_interval = 120;
}

// A server of OPC UA is to tell of its changes then.
static void change_mode_of_opcua(Whole *whole) {
    whole->devices[1].protocol = PS_PROTOCOL_OPCUA;
    whole->variables[1].mode = PS_MODE_ONCHANGE;
}

static void only_opcua(Whole *whole) {
    whole->devices[1].protocol = PS_PROTOCOL_OPCUA;
}

static void the_mode_of_opcua_counts(void **state) {
    (void)state;
    Whole *before = whole_new();
    Whole *after = whole_new();
    only_opcua(before);
    change_mode_of_opcua(after);
    cut(before);
    cut(after);
    assert_false(ps_config_part_equal(before->parts[1], after->parts[1]));
    assert_int_equal(after->parts[1]->config.variables[0].mode, PS_MODE_ONCHANGE);
    whole_free(before);
    whole_free(after);
}

static void change_address(Whole *whole) {
    whole->variables[1].register_addr = 40007;
}

static void change_interval(Whole *whole) {
    whole->groups[1].polling_interval = 5;
}

static void change_timeout(Whole *whole) {
    whole->devices[1].timeout = 3;
}

static void change_alarm(Whole *whole) {
    whole->devices[0].comm_alarm = true;
    whole->devices[0].comm_alarm_on_delay = 60;
    whole->devices[0].comm_alarm_content = "away";
}

static void swap_groups(Whole *whole) {
    whole->variables[0].group = 0;
    whole->variables[2].group = 2;
}

static void only_what_reading_and_writing_needs_counts(void **state) {
    assert_true(same_after(change_unit, 0));
    assert_true(same_after(change_address, 0));
    assert_false(same_after(change_address, 1));
    assert_false(same_after(change_interval, 0)); // what is watched for an alarm
    assert_true(same_after(change_interval, 1));
    assert_true(same_after(change_timeout, 0));
    assert_false(same_after(change_timeout, 1));
    assert_true(same_after(change_alarm, 0));
    assert_false(same_after(swap_groups, 0));
    assert_true(same_after(swap_groups, 1));
}

static void places_follow_the_whole(void **state) {
    Whole *whole = whole_new();
    cut(whole);
    uint32_t to_new[] = {3, 4, PS_NOT_THERE, 0, 1, 2};
    PsConfigMap map = {.variables = {.old_count = 6, .to_new = to_new}};
    ps_config_part_move(whole->parts[0], &map);
    static const uint32_t places[] = {3, PS_NOT_THERE, 1, 2};
    assert_memory_equal(whole->parts[0]->variables, places, sizeof places);
    assert_int_equal(whole->parts[0]->devices[0], PS_NOT_THERE);
    whole_free(whole);
}

static void equal_parts_can_exchange_places(void **state) {
    Whole *before = whole_new();
    Whole *after = whole_new();
    cut(before);
    cut(after);
    uint32_t to_new[] = {0, 1, 2, 3, PS_NOT_THERE, PS_NOT_THERE};
    PsConfigMap map = {.variables = {.old_count = 6, .to_new = to_new}};
    ps_config_part_move(before->parts[0], &map);
    assert_true(ps_config_part_equal(before->parts[0], after->parts[0]));
    ps_config_part_take_places(before->parts[0], after->parts[0]);
    assert_memory_equal(before->parts[0]->variables, after->parts[0]->variables,
                        4 * sizeof(uint32_t));
    assert_int_equal(before->parts[0]->devices[0], after->parts[0]->devices[0]);
    whole_free(before);
    whole_free(after);
}

static void variables_are_found_again(void **state) {
    Whole *before = whole_new();
    Whole *after = whole_new();
    after->variables[0].name = "renamed";
    after->variables[2] = before->variables[4]; // a1 instead of c0
    after->variables[4].name = "a2";
    cut(before);
    cut(after);
    uint32_t *matches = ps_config_part_match(before->parts[0], after->parts[0]);
    static const uint32_t expected[] = {PS_NOT_THERE, PS_NOT_THERE, 1, 3};
    assert_memory_equal(matches, expected, sizeof expected);
    free(matches);
    ps_config_part_free(after->parts[0]);
    ps_config_part_free(after->parts[1]);
    after->devices[0].timeout = 9; // which is nothing to the values
    after->devices[2].slave = 7;
    after->variables[5].register_addr = 40009;
    cut(after);
    matches = ps_config_part_match(before->parts[0], after->parts[0]);
    static const uint32_t still[] = {PS_NOT_THERE, PS_NOT_THERE, 1, PS_NOT_THERE};
    assert_memory_equal(matches, still, sizeof still);
    free(matches);
    whole_free(before);
    whole_free(after);
}

// A part that goes on while the configuration is exchanged must not lean on the former one.
static void a_part_has_its_own_texts(void **state) {
    char symbol[] = "Tank.Level";
    char identifier[] = "ns=2;s=Tank";
    Whole *whole = whole_new();
    whole->variables[0].symbol = symbol;
    whole->variables[2].identifier = identifier;
    cut(whole);
    symbol[0] = 'x';
    identifier[0] = 'x';
    const PsVariable *variables = whole->parts[0]->config.variables;
    assert_string_equal(variables[0].symbol, "Tank.Level");
    assert_string_equal(variables[0].identifier, "");
    assert_string_equal(variables[1].identifier, "ns=2;s=Tank");
    assert_string_equal(whole->parts[1]->config.variables[0].symbol, "");
    whole_free(whole);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_has_its_own_numbers),
        cmocka_unit_test(a_part_has_its_own_texts),
        cmocka_unit_test(only_what_reading_and_writing_needs_counts),
        cmocka_unit_test(the_mode_of_opcua_counts),
        cmocka_unit_test(places_follow_the_whole),
        cmocka_unit_test(equal_parts_can_exchange_places),
        cmocka_unit_test(variables_are_found_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
