// Communication alarms on simulated time: which devices answer goes in, what is told comes out.
#include "alarm/alarms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define U PS_ALARM_UNKNOWN
#define C PS_ALARM_CLEAR
#define M PS_ALARM_MET

static PsGroup groups[] = {{.name = "warning", .type = PS_GROUP_ALARM, .alarm_count = 3},
                           {.name = "line", .type = PS_GROUP_ALARM, .alarm_count = 1}};
static PsVariable variables[] = {{.name = "level", .data_type = PS_TYPE_WORD}};
static PsAlarm definitions[] = {
    {.name = "high", .conditions = {{PS_COMPARE_GT, "30"}}},
    {.name = "A communication",
     .is_comm = true,
     .place = 1,
     .watched = UINT32_MAX,
     .on_delay = 30,
     .off_delay = 10},
    {.name = "C communication", .is_comm = true, .device = 2, .group = 1, .watched = UINT32_MAX},
    {.name = "B communication",
     .is_comm = true,
     .device = 1,
     .place = 2,
     .watched = UINT32_MAX,
     .on_delay = 30},
};
static const PsConfig config = {
    .groups = groups,
    .group_count = 2,
    .device_count = 3,
    .variables = variables,
    .watched_count = 1,
    .alarms = definitions,
    .alarm_count = 4,
};

typedef struct Bench {
    PsTagTable *table;
    PsAlarms *alarms;
    int second;
    char told[512];
} Bench;

static int setup(void **state) {
    static Bench bench;
    bench = (Bench){.table = ps_tag_table_new(&config)};
    bench.alarms = ps_alarms_new(&config, bench.table);
    *state = &bench;
    return 0;
}

static int teardown(void **state) {
    Bench *bench = *state;
    ps_alarms_free(bench->alarms);
    ps_tag_table_free(bench->table);
    return 0;
}

static void note(Bench *bench, const PsAlarmUpload *changed) {
    size_t used = strlen(bench->told);
    used += (size_t)snprintf(bench->told + used, sizeof bench->told - used, "%d%s:", bench->second,
                             groups[changed->group].name);
    for (uint32_t i = 0; i < changed->event_count; i++) {
        const PsAlarmEvent *event = &changed->events[i];
        assert_int_equal(event->stamp.ns, bench->second * PS_NS_PER_S);
        assert_int_equal(changed->collected.ns, event->stamp.ns);
        used += (size_t)snprintf(bench->told + used, sizeof bench->told - used, " %c%c'%.*s'",
                                 definitions[event->alarm].name[0], event->on ? '+' : '-',
                                 (int)event->value.text_len, event->value.text);
    }
    snprintf(bench->told + used, sizeof bench->told - used, "; ");
}

// The same for so many seconds, one look a second; A, B and C are the devices.
static void pass(Bench *bench, int seconds, PsAlarmVerdict a, PsAlarmVerdict b, PsAlarmVerdict c) {
    const PsAlarmVerdict devices[] = {a, b, c};
    for (int i = 0; i < seconds; i++) {
        bench->second++;
        for (uint32_t group = 0; group < config.group_count; group++) {
            PsAlarmUpload changed;
            PsMono now = {bench->second * PS_NS_PER_S};
            if (ps_alarms_evaluate_devices(bench->alarms, group, devices, now, (PsWall){now.ns},
                                           &changed)) {
                note(bench, &changed);
            }
        }
    }
}

static void expect(Bench *bench, const char *told) {
    assert_string_equal(bench->told, told);
    bench->told[0] = '\0';
}

static void delays_are_kept(void **state) {
    Bench *bench = *state;
    pass(bench, 10, C, C, C);
    pass(bench, 30, M, C, C); // silent since 11, seen for 29 seconds
    expect(bench, "");
    pass(bench, 1, M, C, C);
    expect(bench, "41warning: A+'no answer'; ");
    assert_int_equal(ps_alarms_on_count(bench->alarms), 1);
    pass(bench, 10, C, C, C);
    pass(bench, 20, M, C, C); // ten seconds must be seen, too
    expect(bench, "");
    pass(bench, 11, C, C, C);
    expect(bench, "82warning: A-'answers'; ");
    assert_int_equal(ps_alarms_on_count(bench->alarms), 0);
}

static void short_silences_do_not_add_up(void **state) {
    Bench *bench = *state;
    for (int i = 0; i < 20; i++) {
        pass(bench, 29, M, C, C);
        pass(bench, 1, C, C, C);
    }
    expect(bench, "");
}

static void a_device_that_never_answered(void **state) {
    Bench *bench = *state;
    pass(bench, 5, U, U, U);
    assert_false(ps_alarms_is_known(bench->alarms, 1));
    assert_false(ps_alarms_is_clear(bench->alarms, 1));
    pass(bench, 30, M, U, U);
    expect(bench, "");
    pass(bench, 1, M, U, U);
    expect(bench, "36warning: A+'no answer'; ");
    pass(bench, 1, M, U, M); // without a delay at the first silence
    expect(bench, "37line: C+'no answer'; ");
    pass(bench, 1, M, U, C);
    expect(bench, "38line: C-'answers'; ");
}

// While a connection comes back nothing is known: that is no answer, and no silence either.
static void what_is_not_known_changes_nothing(void **state) {
    Bench *bench = *state;
    pass(bench, 20, M, C, C);
    pass(bench, 100, U, C, C);
    pass(bench, 11, M, C, C); // 19 seconds before, 10 now
    expect(bench, "");
    pass(bench, 1, M, C, C);
    expect(bench, "132warning: A+'no answer'; ");
    pass(bench, 100, U, C, C);
    expect(bench, "");
}

static void devices_of_one_group_are_told_together(void **state) {
    Bench *bench = *state;
    pass(bench, 31, M, M, M);
    expect(bench, "1line: C+'no answer'; 31warning: A+'no answer' B+'no answer'; ");
    pass(bench, 11, C, C, C);
    expect(bench, "32warning: B-'answers'; 32line: C-'answers'; 42warning: A-'answers'; ");
}

static void values_of_the_group_touch_no_device(void **state) {
    Bench *bench = *state;
    pass(bench, 31, M, C, C);
    bench->told[0] = '\0';
    PsUploadItem item = {.good = true, .value = ps_value_int(31)};
    PsUpload upload = {.item_count = 1, .items = &item};
    PsAlarmUpload changed;
    PsMono now = {bench->second * PS_NS_PER_S};
    assert_true(ps_alarms_evaluate(bench->alarms, &upload, now, &changed));
    assert_int_equal(changed.event_count, 1);
    assert_int_equal(changed.events[0].alarm, 0);
    assert_int_equal(ps_alarms_on_count(bench->alarms), 2);
    pass(bench, 11, C, C, C); // nor the other way round
    expect(bench, "42warning: A-'answers'; ");
    assert_int_equal(ps_alarms_on_count(bench->alarms), 1);
}

// It was on when the gateway stopped.
static void on_since_before_the_start(void **state) {
    Bench *bench = *state;
    ps_alarms_restore(bench->alarms, 1, (PsWall){7});
    PsAlarmRow row;
    assert_true(ps_alarms_row(bench->alarms, 1, &row));
    assert_int_equal(row.since.ns, 7);
    assert_int_equal(row.value.kind, PS_VALUE_TEXT);
    assert_int_equal(ps_alarms_on_count(bench->alarms), 1);
    pass(bench, 5, U, C, C);
    pass(bench, 60, M, C, C); // still silent: told before
    expect(bench, "");
    pass(bench, 11, C, C, C);
    expect(bench, "76warning: A-'answers'; ");
    assert_int_equal(ps_alarms_on_count(bench->alarms), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(delays_are_kept),
        TEST(short_silences_do_not_add_up),
        TEST(a_device_that_never_answered),
        TEST(what_is_not_known_changes_nothing),
        TEST(devices_of_one_group_are_told_together),
        TEST(values_of_the_group_touch_no_device),
        TEST(on_since_before_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
