// Another configuration while alarms are on, being delayed, acknowledged and shelved: what stays,
// what ends and how that is told, and what the next value decides.
#include "alarm/desk.h"

#include "base/err.h"
#include "base/log.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ALARMS 3

// Configurations that the tests change; each alarm watches what its place says.
typedef struct Plant {
    PsGroup groups[2];
    PsVariable variables[ALARMS];
    PsAlarm alarms[ALARMS];
    PsConfig config;
} Plant;

static void plant_init(Plant *plant) {
    static const char *const names[ALARMS] = {"high", "low", "slow"};
    *plant = (Plant){.groups = {{.name = "warning", .type = PS_GROUP_ALARM},
                                {.name = "other", .type = PS_GROUP_ALARM}}};
    for (uint32_t i = 0; i < ALARMS; i++) {
        plant->variables[i] = (PsVariable){.name = "level",
                                           .device_name = "tank",
                                           .data_type = PS_TYPE_WORD,
                                           .register_addr = 40001,
                                           .unit = "mm"};
        plant->alarms[i] = (PsAlarm){.name = names[i],
                                     .group_name = "warning",
                                     .quotes = 1,
                                     .device_name = "tank",
                                     .variable_name = "level",
                                     .content = "see there",
                                     .conditions = {{PS_COMPARE_GT, "30"}, {PS_COMPARE_EQ, ""}},
                                     .place = i,
                                     .watched = i};
    }
    plant->alarms[1].conditions[0] = (PsCondition){PS_COMPARE_LT, "10"};
    plant->alarms[2].on_delay = 3600;
    plant->config = (PsConfig){.groups = plant->groups,
                               .group_count = 2,
                               .variables = plant->variables,
                               .watched_count = ALARMS,
                               .alarms = plant->alarms,
                               .alarm_count = ALARMS,
                               .parameters = {.warning_recording = 100, .max_loss_s = 1}};
}

typedef struct Bench {
    char folder[64];
    uv_loop_t loop;
    Plant plants[2];
    size_t present; // which of them the desk has
    PsTagTable *table;
    PsAlarmDesk *desk;
    char told[256];
    char found[1024];
    bool answered;
} Bench;

static const PsConfig *present(const Bench *bench) {
    return &bench->plants[bench->present].config;
}

// The one that comes next, as the present one is until a test changes it.
static Plant *next_plant(Bench *bench) {
    Plant *plant = &bench->plants[1 - bench->present];
    plant_init(plant);
    return plant;
}

static void on_changed(const PsAlarmUpload *changed, void *ctx) {
    Bench *bench = ctx;
    size_t used = strlen(bench->told);
    snprintf(bench->told + used, sizeof bench->told - used,
             "%s:", present(bench)->groups[changed->group].name);
    for (uint32_t i = 0; i < changed->event_count; i++) {
        const PsAlarmEvent *event = &changed->events[i];
        used = strlen(bench->told);
        snprintf(bench->told + used, sizeof bench->told - used, " %s%c%lld",
                 present(bench)->alarms[event->alarm].name, event->on ? '+' : '-',
                 (long long)event->value.integer);
    }
    used = strlen(bench->told);
    snprintf(bench->told + used, sizeof bench->told - used, "; ");
}

static void desk_open(Bench *bench) {
    uv_loop_init(&bench->loop);
    bench->table = ps_tag_table_new(present(bench));
    PsAlarmDeskSetup setup = {.loop = &bench->loop,
                              .config = present(bench),
                              .table = bench->table,
                              .folder = bench->folder,
                              .on_changed = on_changed,
                              .ctx = bench};
    PsDiag diag = {0};
    assert_int_equal(ps_alarm_desk_open(&setup, &bench->desk, &diag), PS_OK);
}

static void desk_close(Bench *bench) {
    ps_alarm_desk_close(bench->desk);
    uv_run(&bench->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&bench->loop), 0);
    ps_tag_table_free(bench->table);
}

static int setup(void **state) {
    Bench *bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    plant_init(&bench->plants[0]);
    snprintf(bench->folder, sizeof bench->folder, "/tmp/ps-desk-apply-XXXXXX");
    assert_non_null(mkdtemp(bench->folder));
    desk_open(bench);
    *state = bench;
    return 0;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *where) {
    return remove(path);
}

static int teardown(void **state) {
    Bench *bench = *state;
    desk_close(bench);
    (void)nftw(bench->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(bench);
    return 0;
}

// To the plant that next_plant gave; the former one is spoiled, so that nobody may look at it.
static void apply(Bench *bench) {
    size_t former = bench->present;
    Plant *next = &bench->plants[1 - former];
    PsConfigMap *map = ps_config_map_new(present(bench), &next->config);
    ps_alarm_desk_apply(bench->desk, &next->config, map);
    ps_config_map_free(map);
    bench->present = 1 - former;
    memset(&bench->plants[former], 0x5a, sizeof bench->plants[former]);
}

// Every alarm of the group "warning" reads the level.
static void evaluate(Bench *bench, int level) {
    PsUploadItem items[ALARMS];
    uint32_t count = 0;
    for (uint32_t i = 0; i < present(bench)->alarm_count; i++) {
        if (present(bench)->alarms[i].group == 0) {
            items[count++] = (PsUploadItem){.variable = present(bench)->alarms[i].watched,
                                            .good = true,
                                            .value = ps_value_int(level)};
        }
    }
    PsUpload upload = {.item_count = count, .items = items};
    ps_alarm_desk_evaluate(bench->desk, &upload);
}

static void expect_told(Bench *bench, const char *expected) {
    assert_string_equal(bench->told, expected);
    bench->told[0] = '\0';
}

static void on_found(PsErr result, PsJournalRow *const *rows, size_t count, void *ctx) {
    Bench *bench = ctx;
    assert_int_equal(result, PS_OK);
    bench->answered = true;
    bench->found[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        const PsJournalEntry *entry = &rows[i]->entry;
        size_t used = strlen(bench->found);
        snprintf(bench->found + used, sizeof bench->found - used, "%s %s (%s); ", entry->name,
                 entry->status, entry->description);
    }
}

static void expect_history(Bench *bench, const char *expected) {
    bench->answered = false;
    ps_journal_find(ps_alarm_desk_journal(bench->desk), &(PsJournalQuery){0}, on_found, bench);
    while (!bench->answered) { // the journal always answers
        uv_run(&bench->loop, UV_RUN_ONCE);
    }
    assert_string_equal(bench->found, expected);
}

static bool is_on(const Bench *bench, uint32_t alarm) {
    PsAlarmRow row;
    return ps_alarms_row(ps_alarm_desk_alarms(bench->desk), alarm, &row);
}

static void acknowledge(Bench *bench, const char *name) {
    PsDiag diag = {0};
    assert_int_equal(ps_alarm_desk_acknowledge(bench->desk, name, "ann", &diag), PS_OK);
}

static void shelve(Bench *bench, const char *name) {
    PsDiag diag = {0};
    assert_int_equal(ps_alarm_desk_shelve(bench->desk, name, 3600, "ann", &diag), PS_OK);
}

// Another text, another group, another place in the file: no new occurrence.
static void an_alarm_that_is_on_stays_on(void **state) {
    Bench *bench = *state;
    evaluate(bench, 31);
    acknowledge(bench, "high");
    expect_told(bench, "warning: high+31; ");
    Plant *next = next_plant(bench);
    PsAlarm high = next->alarms[0];
    next->alarms[0] = next->alarms[1];
    next->alarms[1] = high;
    next->alarms[0].place = 0;
    next->alarms[1].place = 1;
    next->alarms[1].content = "above the mark";
    apply(bench);
    assert_false(is_on(bench, 0));
    assert_true(is_on(bench, 1));
    assert_int_equal(ps_alarms_on_count(ps_alarm_desk_alarms(bench->desk)), 1);
    assert_string_equal(ps_alarm_desk_mark(bench->desk, 1)->acknowledged_by, "ann");
    evaluate(bench, 32);
    expect_told(bench, "");
    evaluate(bench, 20);
    expect_told(bench, "warning: high-20; ");
    expect_history(bench, "high Restored (above the mark); high Acknowledged (see there); "
                          "high Triggered (see there); ");
}

static void another_condition_is_decided_by_the_next_value(void **state) {
    Bench *bench = *state;
    evaluate(bench, 31);
    expect_told(bench, "warning: high+31; ");
    next_plant(bench)->alarms[0].conditions[0].operand = "40";
    apply(bench);
    assert_true(is_on(bench, 0)); // nobody has looked yet
    expect_told(bench, "");
    evaluate(bench, 31);
    expect_told(bench, "warning: high-31; ");
    next_plant(bench)->alarms[0].conditions[0].operand = "20";
    apply(bench);
    evaluate(bench, 31);
    expect_told(bench, "warning: high+31; ");
}

static bool is_turning(const Bench *bench, uint32_t alarm) {
    return !is_on(bench, alarm) && !ps_alarms_is_clear(ps_alarm_desk_alarms(bench->desk), alarm);
}

static void a_delay_goes_on_unless_it_was_changed(void **state) {
    Bench *bench = *state;
    evaluate(bench, 31);
    PsMono begun = ps_mono_now();
    while (ps_mono_diff_ns(ps_mono_now(), begun) < 30 * PS_NS_PER_MS) {
        evaluate(bench, 31);
    }
    assert_true(is_turning(bench, 2));
    next_plant(bench);
    bench->plants[1 - bench->present].alarms[0].content = "changed";
    apply(bench);
    assert_true(is_turning(bench, 2));
    evaluate(bench, 31);
    assert_true(is_turning(bench, 2));
    expect_told(bench, "warning: high+31; ");
    next_plant(bench)->alarms[2].on_delay = 0.02; // what was counted does not count for it
    apply(bench);
    begun = ps_mono_now();
    evaluate(bench, 31);
    assert_false(is_on(bench, 2));
    while (!is_on(bench, 2) && ps_mono_diff_ns(ps_mono_now(), begun) < 5 * PS_NS_PER_S) {
        evaluate(bench, 31);
    }
    assert_true(ps_mono_diff_ns(ps_mono_now(), begun) >= 20 * PS_NS_PER_MS);
    expect_told(bench, "warning: slow+31; ");
}

static void a_removed_alarm_ends(void **state) {
    Bench *bench = *state;
    evaluate(bench, 5);
    expect_told(bench, "warning: low+5; ");
    acknowledge(bench, "low");
    Plant *next = next_plant(bench);
    next->alarms[1] = next->alarms[2];
    next->alarms[1].place = 1;
    next->config.alarm_count = 2;
    apply(bench);
    expect_told(bench, "warning: low-5; ");
    expect_history(bench, "low Restored (the alarm was removed from the configuration); "
                          "low Acknowledged (see there); low Triggered (see there); ");
    assert_int_equal(ps_alarms_on_count(ps_alarm_desk_alarms(bench->desk)), 0);
    next_plant(bench); // it comes back
    apply(bench);
    evaluate(bench, 5);
    expect_told(bench, "warning: low+5; ");
    assert_int_equal(ps_alarm_desk_mark(bench->desk, 1)->acknowledged.ns, 0);
}

static void nobody_is_told_where_the_group_is_gone(void **state) {
    Bench *bench = *state;
    evaluate(bench, 31);
    expect_told(bench, "warning: high+31; ");
    Plant *next = next_plant(bench);
    next->groups[0].name = "renamed";
    next->config.alarm_count = 0;
    apply(bench);
    expect_told(bench, "");
    expect_history(bench, "high Restored (the alarm was removed from the configuration); "
                          "high Triggered (see there); ");
}

static void one_that_watches_something_else_begins_anew(void **state) {
    Bench *bench = *state;
    evaluate(bench, 31);
    expect_told(bench, "warning: high+31; ");
    Plant *next = next_plant(bench);
    next->alarms[0].device_name = "boiler";
    apply(bench);
    expect_told(bench, "warning: high-31; ");
    assert_false(is_on(bench, 0));
    evaluate(bench, 31);
    expect_told(bench, "warning: high+31; ");
    expect_history(bench, "high Triggered (see there); "
                          "high Restored (the alarm was changed to watch something else); "
                          "high Triggered (see there); ");
}

static void shelving_stays_with_the_name(void **state) {
    Bench *bench = *state;
    PsDiag diag = {0};
    evaluate(bench, 31);
    expect_told(bench, "warning: high+31; ");
    shelve(bench, "high");
    evaluate(bench, 20);
    expect_told(bench, "");
    Plant *next = next_plant(bench);
    next->alarms[0] = next->alarms[1];
    next->alarms[0].place = 0;
    next->config.alarm_count = 1;
    apply(bench);
    expect_told(bench, "warning: high-20; "); // scripts still have it on
    assert_int_equal(ps_alarm_desk_unshelve(bench->desk, "high", "ann", &diag), PS_ERR_NOT_FOUND);
    desk_close(bench);
    desk_open(bench); // and over a restart
    next_plant(bench);
    apply(bench);
    assert_string_equal(ps_alarm_desk_mark(bench->desk, 0)->shelved_by, "ann");
    evaluate(bench, 31);
    expect_told(bench, "");
    assert_int_equal(ps_alarm_desk_unshelve(bench->desk, "high", "ann", &diag), PS_OK);
    expect_told(bench, "warning: high+31; ");
}

// A text that triggered an alarm is the alarm's own, whatever is watched later.
static void a_text_is_kept(void **state) {
    Bench *bench = *state;
    Plant *next = next_plant(bench);
    next->variables[0].data_type = PS_TYPE_STRING;
    next->variables[0].size = 16;
    next->alarms[0].conditions[0] = (PsCondition){PS_COMPARE_EQ, "stopped"};
    apply(bench);
    PsUploadItem item = {.good = true, .value = {.kind = PS_VALUE_TEXT, .text = "stopped"}};
    item.value.text_len = 7;
    PsUpload upload = {.item_count = 1, .items = &item};
    ps_alarm_desk_evaluate(bench->desk, &upload);
    assert_true(is_on(bench, 0));
    next_plant(bench); // a number again
    apply(bench);
    PsAlarmRow row;
    assert_true(ps_alarms_row(ps_alarm_desk_alarms(bench->desk), 0, &row));
    assert_int_equal(row.value.text_len, 7);
    assert_memory_equal(row.value.text, "stopped", 7);
    evaluate(bench, 31);
    assert_true(is_on(bench, 0));
}

// One alarm of the device "tank" instead of the others.
static Plant *comm_plant(Bench *bench) {
    Plant *next = next_plant(bench);
    next->alarms[0] = (PsAlarm){.name = "tank silent",
                                .group_name = "warning",
                                .device_name = "tank",
                                .content = "gone",
                                .watched = UINT32_MAX,
                                .is_comm = true};
    next->config.alarm_count = 1;
    return next;
}

static void is_silent(Bench *bench, bool silent) {
    PsAlarmVerdict verdict = silent ? PS_ALARM_MET : PS_ALARM_CLEAR;
    ps_alarm_desk_evaluate_devices(bench->desk, &verdict);
}

static void a_communication_alarm_belongs_to_its_device(void **state) {
    Bench *bench = *state;
    comm_plant(bench);
    apply(bench);
    is_silent(bench, true);
    comm_plant(bench)->alarms[0].content = "no answer from it";
    apply(bench);
    assert_true(is_on(bench, 0));
    is_silent(bench, true);
    expect_history(bench, "tank silent Triggered (gone); ");
    bench->told[0] = '\0';
    next_plant(bench)->config.alarm_count = 0;
    apply(bench);
    assert_non_null(strstr(bench->told, "tank silent-"));
    desk_close(bench);
    desk_open(bench); // what ended does not come back by its mark
    comm_plant(bench);
    apply(bench);
    assert_false(is_on(bench, 0));
    is_silent(bench, true);
    expect_history(bench, "tank silent Triggered (gone); "
                          "tank silent Restored (the alarm was removed from the configuration); "
                          "tank silent Triggered (gone); ");
}

static void the_history_is_cut_to_a_new_limit(void **state) {
    Bench *bench = *state;
    for (int i = 0; i < 10; i++) {
        evaluate(bench, i % 2 == 0 ? 31 : 20);
    }
    next_plant(bench)->config.parameters.warning_recording = 2;
    apply(bench);
    evaluate(bench, 31);
    expect_history(bench, "high Triggered (see there); high Restored (see there); ");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
    ps_log_set_fd(-1);
    const struct CMUnitTest tests[] = {
        TEST(an_alarm_that_is_on_stays_on),
        TEST(another_condition_is_decided_by_the_next_value),
        TEST(a_delay_goes_on_unless_it_was_changed),
        TEST(a_removed_alarm_ends),
        TEST(nobody_is_told_where_the_group_is_gone),
        TEST(one_that_watches_something_else_begins_anew),
        TEST(shelving_stays_with_the_name),
        TEST(a_text_is_kept),
        TEST(a_communication_alarm_belongs_to_its_device),
        TEST(the_history_is_cut_to_a_new_limit),
    };
    return cmocka_run_group_tests_name("desk_apply", tests, NULL, NULL);
}
