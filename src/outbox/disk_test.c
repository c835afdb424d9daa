// What the outbox says it has written to its disk, against what the kernel has counted.
#include "outbox/outbox_test_rig.h"

#include "base/err.h"
#include "base/log.h"

#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- days

static void days_are_counted_and_old_ones_forgotten(void **state) {
    PsDiskUse use = {0};
    assert_true(ps_disk_use_of_week(&use, 100) == 0);
    for (int64_t day = 100; day < 120; day++) {
        ps_disk_use_add(&use, day, (uint64_t)day);
        ps_disk_use_add(&use, day, 1000);
    }
    assert_true(use.since == 100);
    assert_true(use.total == 20 * 1000 + (100 + 119) * 10);
    assert_true(ps_disk_use_of_day(&use, 119) == 1119);
    assert_true(ps_disk_use_of_day(&use, 112) == 1112); // the seventh before
    assert_true(ps_disk_use_of_day(&use, 111) == 0);
    assert_true(ps_disk_use_of_week(&use, 119) == 7 * 1000 + (113 + 119) * 7 / 2);
    ps_disk_use_add(&use, 50, 5); // the clock was set back
    assert_true(use.since == 50 && ps_disk_use_of_day(&use, 119) == 1119);
    assert_true(ps_disk_use_of_day(&use, 50) == 0);
}

// ---- bytes

static uint64_t written_by_this_process(void) {
    FILE *file = fopen("/proc/self/io", "re");
    assert_non_null(file);
    unsigned long long bytes = 0;
    char line[128];
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "wchar: ", 7) == 0) {
            bytes = strtoull(line + 7, NULL, 10);
        }
    }
    fclose(file);
    return bytes;
}

static bool is_stored(Bench *bench) {
    return ps_outbox_stats(bench->outbox).rows_stored == 3000;
}

// Payloads of a kilobyte, more than the log holds: the log, its way into the database, and pages
// for the second time are all in it.
static void the_numbers_are_those_of_the_kernel(void **state) {
    Bench bench;
    bench_init(&bench, 0);
    uint64_t before = written_by_this_process();
    uint64_t said_before = ps_outbox_stats(bench.outbox).disk_bytes;
    char payload[1000];
    memset(payload, 'x', sizeof payload - 1);
    payload[sizeof payload - 1] = '\0';
    for (int64_t i = 0; i < 3000; i++) {
        accept_one(&bench, RIG_DATA, i, payload);
        if (i % 300 == 0) {
            run_until_ms(&bench, never, 5);
        }
    }
    assert_true(run_until_ms(&bench, is_stored, 20000));
    uint64_t really = written_by_this_process() - before;
    uint64_t said = ps_outbox_stats(bench.outbox).disk_bytes - said_before;
    assert_true(said > (uint64_t)3000 * 2000); // to the log and from there to the database
    assert_true(said <= really);
    assert_true(really - said < 20000); // what threads write to wake each other
    bench_deinit(&bench);
}

static int64_t ask_file(const Bench *bench, const char *text) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/outbox.db", bench->folder);
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, text, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return value;
}

static void the_numbers_outlive_a_restart(void **state) {
    Bench bench;
    bench_init(&bench, 0);
    accept_numbers(&bench, 0, 500);
    bench_reopen(&bench);
    uint64_t first = ps_outbox_stats(bench.outbox).disk.total;
    assert_true(first > 20000);
    int64_t today = ps_wall_now().ns / (86400 * PS_NS_PER_S);
    PsDiskUse use = ps_outbox_stats(bench.outbox).disk;
    // The test may run over midnight.
    assert_true(ps_disk_use_of_day(&use, today) + ps_disk_use_of_day(&use, today - 1) == first);
    assert_true(today - use.since <= 1);
    expect_numbers(&bench, 0, 500);
    bench_reopen(&bench);
    uint64_t second = ps_outbox_stats(bench.outbox).disk.total;
    assert_true(second > first);
    // A life in which nothing is written adds nothing, not even for the number itself.
    bench_reopen(&bench);
    assert_true(ps_outbox_stats(bench.outbox).disk.total == second);
    bench_close(&bench);
    assert_true((uint64_t)ask_file(&bench, "SELECT bytes FROM disk WHERE day = -1") == second);
    assert_int_equal(ask_file(&bench, "SELECT count(*) FROM disk WHERE day >= 0") <= 2, 1);
    bench_open(&bench);
    bench_deinit(&bench);
}

int main(void) {
    ps_log_set_fd(-1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_are_counted_and_old_ones_forgotten),
        cmocka_unit_test(the_numbers_are_those_of_the_kernel),
        cmocka_unit_test(the_numbers_outlive_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
