// Alarms from rule to group: what each operator says of each kind of value, when the state changes,
// and what one evaluation tells.
#include "alarm/alarms.h"
#include "alarm/state.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define U PS_ALARM_UNKNOWN
#define C PS_ALARM_CLEAR
#define M PS_ALARM_MET

static PsAlarmVerdict judge(int data_type, PsCompare compare, const char *operand, PsValue value) {
    PsAlarm alarm = {.conditions = {{compare, operand}}};
    PsAlarmRule rule;
    ps_alarm_rule_init(&rule, &alarm, data_type);
    return ps_alarm_rule_judge(&rule, value, false);
}

static void each_operator(void **state) {
    static const PsAlarmVerdict below_equal_above[][3] = {
        [PS_COMPARE_EQ] = {C, M, C},  [PS_COMPARE_NEQ] = {M, C, M}, [PS_COMPARE_GT] = {C, C, M},
        [PS_COMPARE_GNE] = {C, M, M}, [PS_COMPARE_LNE] = {M, M, C}, [PS_COMPARE_LT] = {M, C, C},
    };
    for (int compare = PS_COMPARE_EQ; compare <= PS_COMPARE_LT; compare++) {
        for (int i = 0; i < 3; i++) {
            PsAlarmVerdict expected = below_equal_above[compare][i];
            PsCompare as = (PsCompare)compare;
            assert_int_equal(judge(PS_TYPE_INT, as, "30", ps_value_int(29 + i)), expected);
            assert_int_equal(judge(PS_TYPE_INT, as, "-30", ps_value_int(-31 + i)), expected);
            assert_int_equal(judge(PS_TYPE_INT, as, "30.0", ps_value_int(29 + i)), expected);
            assert_int_equal(judge(PS_TYPE_FLOAT, as, "0.2", ps_value_float((i + 1) / 10.0)),
                             expected);
            assert_int_equal(judge(PS_TYPE_INT, as, "0", ps_value_int(i - 1)), expected);
        }
    }
}

static void values_of_every_kind(void **state) {
    static const struct {
        int type;
        PsCompare compare;
        const char *operand;
        PsValue value;
        PsAlarmVerdict expected;
    } cases[] = {
        {PS_TYPE_BOOL, PS_COMPARE_EQ, "1", {.kind = PS_VALUE_BOOL, .boolean = true}, M},
        {PS_TYPE_BOOL, PS_COMPARE_EQ, "0", {.kind = PS_VALUE_BOOL, .boolean = true}, C},
        {PS_TYPE_BOOL, PS_COMPARE_LT, "0.5", {.kind = PS_VALUE_BOOL, .boolean = false}, M},
        {PS_TYPE_WORD, PS_COMPARE_GT, "1", {.kind = PS_VALUE_NONE}, U},
        {PS_TYPE_WORD, PS_COMPARE_NEQ, "1", {.kind = PS_VALUE_NONE}, U},
        {PS_TYPE_FLOAT, PS_COMPARE_NEQ, "1", {.kind = PS_VALUE_FLOAT, .number = NAN}, U},
        {PS_TYPE_FLOAT, PS_COMPARE_GT, "1", {.kind = PS_VALUE_FLOAT, .number = INFINITY}, M},
        // Neighbours that a double cannot tell apart.
        {PS_TYPE_LONG,
         PS_COMPARE_EQ,
         "9007199254740993",
         {.kind = PS_VALUE_INT, .integer = 9007199254740992},
         C},
        {PS_TYPE_LONG,
         PS_COMPARE_LT,
         "-9223372036854775807",
         {.kind = PS_VALUE_INT, .integer = INT64_MIN},
         M},
        {PS_TYPE_ULONG,
         PS_COMPARE_EQ,
         "18446744073709551615",
         {.kind = PS_VALUE_UINT, .unsigned_integer = UINT64_MAX},
         M},
        {PS_TYPE_ULONG,
         PS_COMPARE_GT,
         "-1",
         {.kind = PS_VALUE_UINT, .unsigned_integer = UINT64_MAX},
         M},
        {PS_TYPE_STRING,
         PS_COMPARE_EQ,
         "OK",
         {.kind = PS_VALUE_TEXT, .text = "OKAY", .text_len = 2},
         M},
        {PS_TYPE_STRING,
         PS_COMPARE_EQ,
         "OK",
         {.kind = PS_VALUE_TEXT, .text = "OKAY", .text_len = 4},
         C},
        {PS_TYPE_STRING,
         PS_COMPARE_NEQ,
         "",
         {.kind = PS_VALUE_TEXT, .text = "x", .text_len = 1},
         M},
        {PS_TYPE_STRING, PS_COMPARE_EQ, "", {.kind = PS_VALUE_TEXT}, M},
        {PS_TYPE_STRING, PS_COMPARE_NEQ, "1", {.kind = PS_VALUE_INT, .integer = 2}, U},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PsAlarmVerdict got =
            judge(cases[i].type, cases[i].compare, cases[i].operand, cases[i].value);
        if (got != cases[i].expected) {
            fail_msg("case %zu: %d", i, got);
        }
    }
}

// AUTO: the device says what comes.
static void what_came_decides_how_it_is_compared(void **state) {
    PsValue pump = ps_value_text("pump", 4);
    assert_int_equal(judge(PS_TYPE_AUTO, PS_COMPARE_GT, "30", ps_value_int(31)), M);
    assert_int_equal(judge(PS_TYPE_AUTO, PS_COMPARE_GT, "30", ps_value_float(29.9)), C);
    assert_int_equal(judge(PS_TYPE_AUTO, PS_COMPARE_GT, "30", pump), U);
    assert_int_equal(judge(PS_TYPE_AUTO, PS_COMPARE_EQ, "pump", pump), M);
    assert_int_equal(judge(PS_TYPE_AUTO, PS_COMPARE_NEQ, "pump", pump), C);
    assert_int_equal(judge(PS_TYPE_AUTO, PS_COMPARE_EQ, "30", ps_value_text("30", 2)), M);
    assert_int_equal(judge(PS_TYPE_AUTO, PS_COMPARE_EQ, "pump", ps_value_int(1)), U);
    assert_int_equal(judge(PS_TYPE_AUTO, PS_COMPARE_EQ, "true", ps_value_bool(true)), M);
    assert_int_equal(judge(PS_TYPE_AUTO, PS_COMPARE_NEQ, "False", ps_value_bool(false)), C);
    assert_int_equal(judge(PS_TYPE_AUTO, PS_COMPARE_EQ, "1", ps_value_bool(true)), M);
    assert_int_equal(judge(PS_TYPE_S7STRING, PS_COMPARE_EQ, "pump", pump), M);
    assert_int_equal(judge(PS_TYPE_INT, PS_COMPARE_EQ, "1", pump), U);
    assert_int_equal(judge(PS_TYPE_STRING, PS_COMPARE_EQ, "1", ps_value_int(1)), U);
    PsAlarm wide = {.conditions = {{PS_COMPARE_EQ, "pump"}}, .hysteresis = 2};
    PsAlarmRule rule;
    ps_alarm_rule_init(&rule, &wide, PS_TYPE_AUTO);
    assert_int_equal(ps_alarm_rule_judge(&rule, pump, true), M);
}

static PsAlarmVerdict judge_two(PsCombine combine, PsValue value) {
    PsAlarm alarm = {.conditions = {{PS_COMPARE_GT, "30"}, {PS_COMPARE_LT, "50"}},
                     .combine = combine};
    PsAlarmRule rule;
    ps_alarm_rule_init(&rule, &alarm, PS_TYPE_WORD);
    return ps_alarm_rule_judge(&rule, value, false);
}

static void two_conditions(void **state) {
    assert_int_equal(judge_two(PS_COMBINE_AND, ps_value_int(20)), C);
    assert_int_equal(judge_two(PS_COMBINE_AND, ps_value_int(40)), M);
    assert_int_equal(judge_two(PS_COMBINE_AND, ps_value_int(50)), C);
    assert_int_equal(judge_two(PS_COMBINE_OR, ps_value_int(20)), M);
    assert_int_equal(judge_two(PS_COMBINE_OR, ps_value_int(60)), M);
    assert_int_equal(judge_two(PS_COMBINE_NONE, ps_value_int(60)), M);
    assert_int_equal(judge_two(PS_COMBINE_AND, ps_value_none()), U);
    PsAlarm outside = {.conditions = {{PS_COMPARE_LT, "30"}, {PS_COMPARE_GT, "50"}},
                       .combine = PS_COMBINE_OR};
    PsAlarmRule rule;
    ps_alarm_rule_init(&rule, &outside, PS_TYPE_WORD);
    assert_int_equal(ps_alarm_rule_judge(&rule, ps_value_int(40), false), C);
}

static void the_condition_is_wider_while_the_alarm_is_on(void **state) {
    static const struct {
        int type;
        PsCompare compare;
        const char *operand;
        double hysteresis;
        PsValue value;
        PsAlarmVerdict on;
    } cases[] = {
        {PS_TYPE_INT, PS_COMPARE_GT, "30", 2, {.kind = PS_VALUE_INT, .integer = 29}, M},
        {PS_TYPE_INT, PS_COMPARE_GT, "30", 2, {.kind = PS_VALUE_INT, .integer = 28}, C},
        {PS_TYPE_INT, PS_COMPARE_GNE, "30", 2, {.kind = PS_VALUE_INT, .integer = 28}, M},
        {PS_TYPE_INT, PS_COMPARE_GNE, "30", 2, {.kind = PS_VALUE_INT, .integer = 27}, C},
        {PS_TYPE_INT, PS_COMPARE_LT, "-30", 2, {.kind = PS_VALUE_INT, .integer = -29}, M},
        {PS_TYPE_INT, PS_COMPARE_LT, "-30", 2, {.kind = PS_VALUE_INT, .integer = -28}, C},
        {PS_TYPE_INT, PS_COMPARE_LNE, "-1", 3, {.kind = PS_VALUE_INT, .integer = 2}, M},
        {PS_TYPE_INT, PS_COMPARE_LNE, "-1", 3, {.kind = PS_VALUE_INT, .integer = 3}, C},
        {PS_TYPE_INT, PS_COMPARE_EQ, "30", 2, {.kind = PS_VALUE_INT, .integer = 32}, M},
        {PS_TYPE_INT, PS_COMPARE_EQ, "30", 2, {.kind = PS_VALUE_INT, .integer = 33}, C},
        {PS_TYPE_INT, PS_COMPARE_EQ, "30", 2, {.kind = PS_VALUE_INT, .integer = 27}, C},
        {PS_TYPE_FLOAT, PS_COMPARE_GT, "30", 0.5, {.kind = PS_VALUE_FLOAT, .number = 29.6}, M},
        {PS_TYPE_FLOAT, PS_COMPARE_GT, "30", 0.5, {.kind = PS_VALUE_FLOAT, .number = 29.5}, C},
        {PS_TYPE_FLOAT, PS_COMPARE_GT, "30", 0.5, {.kind = PS_VALUE_FLOAT, .number = NAN}, U},
        {PS_TYPE_INT, PS_COMPARE_GT, "30", 2, {.kind = PS_VALUE_NONE}, U},
        // Neighbours that a double cannot tell apart, and where 64 bits end.
        {PS_TYPE_LONG,
         PS_COMPARE_GT,
         "9007199254740994",
         1,
         {.kind = PS_VALUE_INT, .integer = 9007199254740993},
         C},
        {PS_TYPE_ULONG,
         PS_COMPARE_LT,
         "18446744073709551615",
         1,
         {.kind = PS_VALUE_UINT, .unsigned_integer = UINT64_MAX - 1},
         M},
    };
    for (size_t i = 0; i < PS_COUNT(cases); i++) {
        PsAlarm alarm = {.conditions = {{cases[i].compare, cases[i].operand}},
                         .hysteresis = cases[i].hysteresis};
        PsAlarmRule rule;
        ps_alarm_rule_init(&rule, &alarm, cases[i].type);
        PsAlarmVerdict got = ps_alarm_rule_judge(&rule, cases[i].value, true);
        if (got != cases[i].on) {
            fail_msg("case %zu: %d", i, got);
        }
    }
    PsAlarm between = {.conditions = {{PS_COMPARE_GT, "30"}, {PS_COMPARE_LT, "50"}},
                       .combine = PS_COMBINE_AND,
                       .hysteresis = 2};
    PsAlarmRule rule;
    ps_alarm_rule_init(&rule, &between, PS_TYPE_WORD);
    static const PsAlarmVerdict off_on[][2] = {{C, C}, {C, M}, {M, M}, {C, M}, {C, C}};
    static const int values[] = {28, 29, 40, 51, 52};
    for (size_t i = 0; i < PS_COUNT(values); i++) {
        PsValue value = ps_value_int(values[i]);
        assert_int_equal(ps_alarm_rule_judge(&rule, value, false), off_on[i][0]);
        assert_int_equal(ps_alarm_rule_judge(&rule, value, true), off_on[i][1]);
    }
}

// One verdict a second; `changes` says after which of them the alarm has changed.
static void expect_changes(PsAlarmDelays delays, const PsAlarmVerdict *verdicts, size_t count,
                           const char *changes) {
    PsAlarmState alarm = {0};
    for (size_t i = 0; i < count; i++) {
        PsMono now = {(int64_t)i * PS_NS_PER_S};
        PsWall stamp = {1000 + (int64_t)i};
        PsAlarmChange change = ps_alarm_state_step(&alarm, delays, verdicts[i], now, stamp);
        char said = change == PS_ALARM_TRIGGERED ? '+' : change == PS_ALARM_RESTORED ? '-' : '.';
        if (said != changes[i]) {
            fail_msg("verdict %zu: %c instead of %c", i, said, changes[i]);
        }
        assert_true(change == PS_ALARM_SAME || alarm.since.ns == stamp.ns);
    }
    assert_int_equal(strlen(changes), count);
}

#define EXPECT_CHANGES(on_s, off_s, changes, ...)                                                  \
    expect_changes((PsAlarmDelays){(on_s) * PS_NS_PER_S, (off_s) * PS_NS_PER_S},                   \
                   (const PsAlarmVerdict[]){__VA_ARGS__},                                          \
                   PS_COUNT(((const PsAlarmVerdict[]){__VA_ARGS__})), changes)

static void states(void **state) {
    EXPECT_CHANGES(0, 0, "..+..-", C, U, M, M, U, C);
}

static void delays(void **state) {
    EXPECT_CHANGES(2, 0, "..+-.", M, M, M, C, C);
    EXPECT_CHANGES(2, 0, ".....+", M, M, C, M, M, M); // from the beginning
    EXPECT_CHANGES(0, 2, "+..-", M, C, C, C);
    EXPECT_CHANGES(0, 2, "+.....-", M, C, C, M, C, C, C);
    EXPECT_CHANGES(2, 2, "..+..-..+", M, M, M, C, C, C, M, M, M);
}

// What is not known neither begins nor advances a delay, and does not throw it away.
static void delays_and_bad_values(void **state) {
    EXPECT_CHANGES(2, 0, "..........", M, U, U, U, U, U, U, U, M, M);
    EXPECT_CHANGES(2, 0, ".....+", M, M, U, U, M, M);
    EXPECT_CHANGES(2, 0, "......+", U, U, U, U, M, M, M);
    EXPECT_CHANGES(2, 0, "......+", M, M, U, C, M, M, M);
    EXPECT_CHANGES(0, 2, "+......-", M, C, C, U, U, U, C, C);
    EXPECT_CHANGES(2, 0, "..........", M, U, M, U, M, U, M, U, M, U); // nor by halves
}

static PsGroup groups[] = {{.name = "default"},
                           {.name = "warning", .type = PS_GROUP_ALARM},
                           {.name = "fast", .type = PS_GROUP_ALARM}};
static PsVariable variables[] = {
    {.name = "of vars", .data_type = PS_TYPE_WORD},
    {.name = "level", .data_type = PS_TYPE_WORD, .group = 1},
    {.name = "name", .data_type = PS_TYPE_STRING, .size = 4, .group = 2},
    {.name = "other", .data_type = PS_TYPE_WORD, .group = 1},
};
static PsAlarm definitions[] = {
    {.name = "high", .group = 1, .watched = 1, .conditions = {{PS_COMPARE_GT, "30"}}},
    {.name = "named", .group = 2, .watched = 2, .conditions = {{PS_COMPARE_EQ, "pump"}}},
    {.name = "low", .group = 1, .place = 1, .watched = 1, .conditions = {{PS_COMPARE_LT, "10"}}},
    {.name = "second", .group = 1, .place = 2, .watched = 3, .conditions = {{PS_COMPARE_EQ, "1"}}},
};
static const PsConfig config = {.groups = groups,
                                .group_count = 3,
                                .variables = variables,
                                .variable_count = 1,
                                .watched_count = 3,
                                .alarms = definitions,
                                .alarm_count = 4};

typedef struct Plant {
    PsTagTable *table;
    PsAlarms *alarms;
    PsAlarmUpload changed;
} Plant;

static void read_value(const Plant *plant, uint32_t variable, PsValue value, int64_t at) {
    PsSample sample = {.variable = variable, .quality = PS_QUALITY_GOOD, .value = value};
    PsSampleBatch batch = {.read_wall = {at}, .sample_count = 1, .samples = &sample};
    ps_tag_table_apply(plant->table, &batch);
}

// One evaluation of group `warning` with these values; NULL is a variable that could not be read.
static bool evaluate(Plant *plant, const int *level, const int *other, int64_t at) {
    const int *values[] = {level, other};
    PsUploadItem items[2] = {{.variable = 1}, {.variable = 3}};
    for (size_t i = 0; i < 2; i++) {
        if (values[i] != NULL) {
            items[i].good = true;
            items[i].value = ps_value_int(*values[i]);
            read_value(plant, items[i].variable, items[i].value, at - 1);
        }
    }
    PsUpload upload = {.group = 1, .collected = {at}, .item_count = 2, .items = items};
    return ps_alarms_evaluate(plant->alarms, &upload, (PsMono){at}, &plant->changed);
}

static void one_evaluation_tells_what_changed(void **state) {
    Plant plant = {.table = ps_tag_table_new(&config)};
    plant.alarms = ps_alarms_new(&config, plant.table);
    assert_false(evaluate(&plant, &(int){20}, &(int){0}, 100));
    assert_int_equal(ps_alarms_on_count(plant.alarms), 0);
    assert_true(evaluate(&plant, &(int){40}, &(int){1}, 200)); // two at once, in order
    assert_int_equal(plant.changed.event_count, 2);
    assert_int_equal(plant.changed.group, 1);
    assert_int_equal(plant.changed.collected.ns, 200);
    const PsAlarmEvent *events = plant.changed.events;
    assert_true(events[0].alarm == 0 && events[0].on && events[0].value.integer == 40);
    assert_int_equal(events[0].stamp.ns, 199);
    assert_true(events[1].alarm == 3 && events[1].on);
    assert_int_equal(ps_alarms_on_count(plant.alarms), 2);
    assert_false(evaluate(&plant, &(int){45}, &(int){1}, 300)); // nothing new while on
    assert_false(evaluate(&plant, NULL, NULL, 400));            // nor when it cannot be read
    PsAlarmRow row;
    assert_true(ps_alarms_row(plant.alarms, 0, &row));
    assert_true(row.value.integer == 40 && row.since.ns == 199);
    assert_true(evaluate(&plant, &(int){5}, &(int){1}, 500)); // one goes as another comes
    assert_int_equal(plant.changed.event_count, 2);
    assert_true(!plant.changed.events[0].on && plant.changed.events[0].value.integer == 5);
    assert_true(plant.changed.events[1].alarm == 2 && plant.changed.events[1].on);
    assert_false(ps_alarms_row(plant.alarms, 0, &row));
    assert_int_equal(ps_alarms_on_count(plant.alarms), 2);
    ps_alarms_free(plant.alarms);
    ps_tag_table_free(plant.table);
}

static void texts_are_kept(void **state) {
    Plant plant = {.table = ps_tag_table_new(&config)};
    plant.alarms = ps_alarms_new(&config, plant.table);
    char text[] = "pump";
    PsUploadItem item = {.variable = 2, .good = true, .value = ps_value_text(text, 4)};
    PsUpload upload = {.group = 2, .collected = {9}, .item_count = 1, .items = &item};
    assert_true(ps_alarms_evaluate(plant.alarms, &upload, (PsMono){9}, &plant.changed));
    memset(text, 'x', 4);
    PsAlarmRow row;
    assert_true(ps_alarms_row(plant.alarms, 1, &row));
    assert_memory_equal(row.value.text, "pump", 4);
    assert_true(ps_alarms_evaluate(plant.alarms, &upload, (PsMono){9}, &plant.changed));
    assert_false(plant.changed.events[0].on);
    ps_alarms_free(plant.alarms);
    ps_tag_table_free(plant.table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_operator),
        cmocka_unit_test(values_of_every_kind),
        cmocka_unit_test(what_came_decides_how_it_is_compared),
        cmocka_unit_test(two_conditions),
        cmocka_unit_test(states),
        cmocka_unit_test(texts_are_kept),
        cmocka_unit_test(one_evaluation_tells_what_changed),
        cmocka_unit_test(delays),
        cmocka_unit_test(delays_and_bad_values),
        cmocka_unit_test(the_condition_is_wider_while_the_alarm_is_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
