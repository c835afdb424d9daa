// What people say about alarms: acknowledged, shelved; what the journal has of it, what scripts are
// told, and what is still true after a restart.
#include "alarm/desk.h"

#include "base/log.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static PsGroup groups[] = {{.name = "warning", .type = PS_GROUP_ALARM}};
static PsVariable variables[] = {{.name = "level", .data_type = PS_TYPE_WORD, .unit = "mm"}};
static PsAlarm definitions[] = {
    {.name = "high",
     .group_name = "warning",
     .content = "too high",
     .conditions = {{PS_COMPARE_GT, "30"}}},
    {.name = "low",
     .group_name = "warning",
     .content = "too low",
     .place = 1,
     .conditions = {{PS_COMPARE_LT, "10"}}},
    {.name = "D communication",
     .group_name = "warning",
     .content = "away",
     .place = 2,
     .level = 4,
     .watched = UINT32_MAX,
     .is_comm = true},
};
static const PsConfig config = {
    .groups = groups,
    .group_count = 1,
    .variables = variables,
    .watched_count = 1,
    .alarms = definitions,
    .alarm_count = 3,
    .device_count = 1,
    .parameters = {.warning_recording = 100, .max_loss_s = 1},
};

typedef struct Bench {
    char folder[64];
    uv_loop_t loop;
    PsTagTable *table;
    PsAlarmDesk *desk;
    char told[256];
    char found[1024];
    bool answered;
} Bench;

// "high+ " for one that was triggered.
static void on_changed(const PsAlarmUpload *changed, void *ctx) {
    Bench *bench = ctx;
    for (uint32_t i = 0; i < changed->event_count; i++) {
        const PsAlarmEvent *event = &changed->events[i];
        size_t used = strlen(bench->told);
        if (definitions[event->alarm].is_comm) {
            snprintf(bench->told + used, sizeof bench->told - used, "D%c ", event->on ? '+' : '-');
            continue;
        }
        snprintf(bench->told + used, sizeof bench->told - used, "%s%c%lld ",
                 definitions[event->alarm].name, event->on ? '+' : '-',
                 (long long)event->value.integer);
    }
}

static void desk_open(Bench *bench) {
    uv_loop_init(&bench->loop);
    bench->table = ps_tag_table_new(&config);
    PsAlarmDeskSetup setup = {.loop = &bench->loop,
                              .config = &config,
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

static void desk_reopen(Bench *bench) {
    desk_close(bench);
    desk_open(bench);
}

static int setup(void **state) {
    Bench *bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    snprintf(bench->folder, sizeof bench->folder, "/tmp/ps-desk-test-XXXXXX");
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

static void evaluate(Bench *bench, int level) {
    PsUploadItem item = {.good = true, .value = ps_value_int(level)};
    PsUpload upload = {.item_count = 1, .items = &item};
    ps_alarm_desk_evaluate(bench->desk, &upload);
}

static void evaluate_bad(Bench *bench) {
    PsUploadItem item = {0};
    PsUpload upload = {.item_count = 1, .items = &item};
    ps_alarm_desk_evaluate(bench->desk, &upload);
}

static void expect_told(Bench *bench, const char *expected) {
    assert_string_equal(bench->told, expected);
    bench->told[0] = '\0';
}

// "high Triggered 31mm too high; ..." with who did it.
static void on_found(PsErr result, PsJournalRow *const *rows, size_t count, void *ctx) {
    Bench *bench = ctx;
    assert_int_equal(result, PS_OK);
    bench->answered = true;
    bench->found[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        const PsJournalEntry *entry = &rows[i]->entry;
        size_t used = strlen(bench->found);
        snprintf(bench->found + used, sizeof bench->found - used, "%s %s %s%s by '%s'; ",
                 entry->name, entry->status, entry->value, entry->unit, entry->who);
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

static const PsAlarmMark *mark_of(const Bench *bench, uint32_t alarm) {
    return ps_alarm_desk_mark(bench->desk, alarm);
}

static void an_acknowledgement_belongs_to_one_occurrence(void **state) {
    Bench *bench = *state;
    PsDiag diag = {0};
    evaluate(bench, 20);
    assert_int_equal(ps_alarm_desk_acknowledge(bench->desk, "high", "ann", &diag), PS_ERR_INVALID);
    assert_int_equal(ps_alarm_desk_acknowledge(bench->desk, "hi", "ann", &diag), PS_ERR_NOT_FOUND);
    evaluate(bench, 31);
    assert_int_equal(ps_alarm_desk_acknowledge(bench->desk, "high", "ann", &diag), PS_OK);
    assert_int_equal(ps_alarm_desk_acknowledge(bench->desk, "high", "bob", &diag), PS_ERR_EXISTS);
    assert_non_null(strstr(diag.text, "by ann"));
    assert_string_equal(mark_of(bench, 0)->acknowledged_by, "ann");
    evaluate(bench, 20);
    assert_int_equal(mark_of(bench, 0)->acknowledged.ns, 0);
    evaluate(bench, 32);
    assert_int_equal(mark_of(bench, 0)->acknowledged.ns, 0);
    expect_told(bench, "high+31 high-20 high+32 ");
    expect_history(bench, "high Triggered 32mm by ''; high Restored 20mm by ''; "
                          "high Acknowledged 31mm by 'ann'; high Triggered 31mm by ''; ");
    desk_reopen(bench); // the end was kept too
    evaluate(bench, 33);
    assert_int_equal(mark_of(bench, 0)->acknowledged.ns, 0);
}

static void an_acknowledgement_after_a_restart(void **state) {
    Bench *bench = *state;
    PsDiag diag = {0};
    evaluate(bench, 31);
    assert_int_equal(ps_alarm_desk_acknowledge(bench->desk, "high", "ann", &diag), PS_OK);
    desk_reopen(bench);
    evaluate_bad(bench); // says nothing
    evaluate(bench, 32); // still there
    assert_string_equal(mark_of(bench, 0)->acknowledged_by, "ann");
    desk_reopen(bench);
    evaluate(bench, 20); // it ended meanwhile
    assert_int_equal(mark_of(bench, 0)->acknowledged.ns, 0);
    desk_reopen(bench);
    evaluate(bench, 33); // another one
    assert_int_equal(mark_of(bench, 0)->acknowledged.ns, 0);
    expect_history(bench, "high Triggered 33mm by ''; high Triggered 32mm by ''; "
                          "high Acknowledged 31mm by 'ann'; high Triggered 31mm by ''; ");
}

static void a_shelved_alarm_is_recorded_but_not_told(void **state) {
    Bench *bench = *state;
    PsDiag diag = {0};
    evaluate(bench, 20);
    assert_int_equal(ps_alarm_desk_shelve(bench->desk, "high", 0, "ann", &diag), PS_ERR_RANGE);
    assert_int_equal(
        ps_alarm_desk_shelve(bench->desk, "high", PS_ALARM_SHELVE_MAX_S + 1, "ann", &diag),
        PS_ERR_RANGE);
    assert_int_equal(ps_alarm_desk_shelve(bench->desk, "high", 3600, "ann", &diag), PS_OK);
    evaluate(bench, 31);
    evaluate(bench, 5);
    expect_told(bench, "low+5 "); // others are
    desk_reopen(bench);
    assert_true(mark_of(bench, 0)->shelved_until.ns > ps_wall_now().ns);
    evaluate(bench, 32);
    expect_told(bench, "");
    assert_int_equal(ps_alarm_desk_unshelve(bench->desk, "high", "bob", &diag), PS_OK);
    expect_told(bench, "high+32 "); // as it is now
    assert_int_equal(ps_alarm_desk_unshelve(bench->desk, "high", "bob", &diag), PS_ERR_INVALID);
    expect_history(bench, "high Unshelved  by 'bob'; high Triggered 32mm by ''; "
                          "low Triggered 5mm by ''; high Restored 5mm by ''; "
                          "high Triggered 31mm by ''; high Shelved  by 'ann'; ");
    desk_reopen(bench);
    assert_int_equal(mark_of(bench, 0)->shelved_until.ns, 0);
}

static void what_was_told_is_taken_back(void **state) {
    Bench *bench = *state;
    PsDiag diag = {0};
    evaluate(bench, 31);
    assert_int_equal(ps_alarm_desk_shelve(bench->desk, "high", 1, "ann", &diag), PS_OK);
    evaluate(bench, 20);
    expect_told(bench, "high+31 ");
    while (mark_of(bench, 0)->shelved_until.ns > ps_wall_now().ns) { // a second at most
        evaluate(bench, 20);
    }
    evaluate(bench, 21); // it ends by itself
    assert_int_equal(mark_of(bench, 0)->shelved_until.ns, 0);
    expect_told(bench, "high-20 ");
    expect_history(bench, "high Unshelved  by ''; high Restored 20mm by ''; "
                          "high Shelved  by 'ann'; high Triggered 31mm by ''; ");
}

static void see_device(Bench *bench, PsAlarmVerdict verdict) {
    ps_alarm_desk_evaluate_devices(bench->desk, &verdict);
}

static void a_silent_device_is_told_once_over_restarts(void **state) {
    Bench *bench = *state;
    PsDiag diag = {0};
    see_device(bench, PS_ALARM_UNKNOWN);
    see_device(bench, PS_ALARM_CLEAR);
    see_device(bench, PS_ALARM_MET);
    expect_told(bench, "D+ ");
    assert_int_equal(ps_alarm_desk_acknowledge(bench->desk, "D communication", "ann", &diag),
                     PS_OK);
    desk_reopen(bench);
    assert_int_equal(ps_alarms_on_count(ps_alarm_desk_alarms(bench->desk)), 1);
    see_device(bench, PS_ALARM_UNKNOWN);
    see_device(bench, PS_ALARM_MET);
    assert_string_equal(mark_of(bench, 2)->acknowledged_by, "ann");
    expect_told(bench, "");
    desk_reopen(bench);
    see_device(bench, PS_ALARM_CLEAR); // it came back while the gateway was stopped
    expect_told(bench, "D- ");
    assert_int_equal(mark_of(bench, 2)->acknowledged.ns, 0);
    desk_reopen(bench);
    assert_int_equal(ps_alarms_on_count(ps_alarm_desk_alarms(bench->desk)), 0);
    see_device(bench, PS_ALARM_CLEAR);
    expect_told(bench, "");
    expect_history(bench, "D communication Restored answers by ''; "
                          "D communication Acknowledged no answer by 'ann'; "
                          "D communication Triggered no answer by ''; ");
}

static void what_scripts_know_of_a_device_is_kept_too(void **state) {
    Bench *bench = *state;
    PsDiag diag = {0};
    assert_int_equal(ps_alarm_desk_shelve(bench->desk, "D communication", 3600, "ann", &diag),
                     PS_OK);
    see_device(bench, PS_ALARM_MET);
    expect_told(bench, "");
    desk_reopen(bench);
    see_device(bench, PS_ALARM_MET);
    expect_told(bench, "");
    assert_int_equal(ps_alarm_desk_unshelve(bench->desk, "D communication", "bob", &diag), PS_OK);
    expect_told(bench, "D+ ");
    desk_reopen(bench);
    assert_int_equal(ps_alarm_desk_shelve(bench->desk, "D communication", 3600, "ann", &diag),
                     PS_OK);
    see_device(bench, PS_ALARM_CLEAR);
    desk_reopen(bench);
    see_device(bench, PS_ALARM_CLEAR);
    assert_int_equal(ps_alarm_desk_unshelve(bench->desk, "D communication", "bob", &diag), PS_OK);
    expect_told(bench, "D- ");
}

// A configuration that has another alarm of this name, or none of this kind any more.
static void the_state_of_a_device_is_no_other_alarms(void **state) {
    Bench *bench = *state;
    see_device(bench, PS_ALARM_MET);
    expect_told(bench, "D+ ");
    definitions[2].is_comm = false;
    definitions[2].watched = 0;
    definitions[2].conditions[0] = (PsCondition){PS_COMPARE_GT, "100"};
    desk_reopen(bench);
    uint32_t on = ps_alarms_on_count(ps_alarm_desk_alarms(bench->desk));
    definitions[2].is_comm = true;
    definitions[2].watched = UINT32_MAX;
    assert_int_equal(on, 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
    ps_log_set_fd(-1);
    const struct CMUnitTest tests[] = {
        TEST(an_acknowledgement_belongs_to_one_occurrence),
        TEST(an_acknowledgement_after_a_restart),
        TEST(a_shelved_alarm_is_recorded_but_not_told),
        TEST(what_was_told_is_taken_back),
        TEST(a_silent_device_is_told_once_over_restarts),
        TEST(what_scripts_know_of_a_device_is_kept_too),
        TEST(the_state_of_a_device_is_no_other_alarms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
