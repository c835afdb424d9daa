// The outbox goes on while its database cannot be used, and when it is damaged at work.
#include "outbox/outbox_test_rig.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "outbox/dead.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define ROWS 3000
#define PAGE 4096

static size_t count_asides(const Bench *bench) {
    size_t count = 0;
    DIR *entries = opendir(bench->folder);
    assert_non_null(entries);
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        const char *ending = strrchr(entry->d_name, '-');
        bool log = ending != NULL && strcmp(ending, "-wal") == 0;
        count += !log && strncmp(entry->d_name, "outbox.db.damaged-", 18) == 0 ? 1 : 0;
    }
    closedir(entries);
    return count;
}

static void accept_large(Bench *bench, int64_t first, int64_t count) {
    char payload[1500];
    for (int64_t i = first; i < first + count; i++) {
        memset(payload, 'x', sizeof payload - 1);
        payload[sizeof payload - 1] = '\0';
        int len = snprintf(payload, sizeof payload, "%lld", (long long)i);
        payload[len] = ' ';
        accept_one(bench, 0, i * 1000, payload);
    }
}

static bool is_stored(Bench *bench) {
    return ps_outbox_stats(bench->outbox).rows_stored >= ROWS;
}

static bool is_failing(Bench *bench) {
    return ps_outbox_stats(bench->outbox).store_failing;
}

static bool is_sound(Bench *bench) {
    return !is_failing(bench);
}

static size_t spoil(const Bench *bench, const char *name, size_t every) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", bench->folder, name);
    PS_AUTO_FD int fd = open(path, O_WRONLY | O_CLOEXEC);
    struct stat info;
    assert_true(fd >= 0 && fstat(fd, &info) == 0);
    char page[PAGE];
    memset(page, 0xee, sizeof page);
    size_t spoiled = 0;
    for (off_t at = 20 * PAGE; at + PAGE <= info.st_size; at += (off_t)every * PAGE) {
        assert_true(pwrite(fd, page, sizeof page, at) == PAGE);
        spoiled++;
    }
    return spoiled;
}

// Takes everything that waits; how much that was. In order, nothing twice.
static size_t drain(Bench *bench, int64_t *last) {
    size_t count = 0;
    const PsOutboxRow *row;
    while ((row = next_within(bench)) != NULL) {
        if (row->message == 0) {
            assert_true(row->collected.ns > *last);
            *last = row->collected.ns;
        }
        count++;
        ps_outbox_acknowledged(bench->outbox, row->id);
    }
    return count;
}

static void damage_at_work_is_recovered_without_an_end(void **state) {
    Bench bench;
    bench_init(&bench, 1);
    accept_large(&bench, 0, ROWS);
    assert_true(run_until_ms(&bench, is_stored, 10000));
    // Out and in again, so that nothing of it stands in the log.
    bench_reopen(&bench);
    accept_one(&bench, 1, 1, "an alarm");
    size_t spoiled = spoil(&bench, "outbox.db", 25);
    assert_true(spoiled > 20);
    int64_t last = -1;
    size_t came = drain(&bench, &last);
    assert_int_equal(count_asides(&bench), 1);
    assert_true(is_sound(&bench));
    const PsLedger *book = ps_outbox_ledger(bench.outbox, 0);
    assert_true(ps_ledger_adds_up(book) && book->accepted == ROWS && book->waiting == 0);
    assert_true(book->delivered + book->dropped[PS_DROP_DAMAGED] == ROWS);
    assert_true(book->dropped[PS_DROP_DAMAGED] > 0);
    assert_true(book->dropped[PS_DROP_DAMAGED] <= 4 * spoiled); // those on the spoiled pages
    assert_true(came == book->delivered + 1);                   // and the alarm
    accept_large(&bench, ROWS, 10);
    bench_reopen(&bench);
    book = ps_outbox_ledger(bench.outbox, 0);
    assert_true(ps_ledger_adds_up(book) && book->accepted == ROWS + 10 && book->waiting == 10);
    assert_int_equal(drain(&bench, &last), 10);
    assert_int_equal(count_asides(&bench), 1);
    bench_deinit(&bench);
}

// Rows in memory and in flight were stored, and are stored again; what is acknowledged while the
// database is away does not come back.
static void what_memory_holds_outlives_damage(void **state) {
    Bench bench;
    bench_init(&bench, 1);
    accept_numbers(&bench, 0, 500);
    assert_true(run_until_ms(&bench, never, 900) == false);
    assert_int_equal(ps_outbox_stats(bench.outbox).rows_stored, 500);
    bench_reopen(&bench); // fetched again
    uint64_t ids[100];
    for (size_t i = 0; i < PS_COUNT(ids); i++) {
        const PsOutboxRow *row = next_within(&bench);
        assert_non_null(row);
        ids[i] = row->id;
    }
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/outbox.db", bench.folder);
    assert_int_equal(truncate(path, 0), 0);
    accept_numbers(&bench, 500, 500);
    for (size_t i = 0; i < 50; i++) {
        ps_outbox_acknowledged(bench.outbox, ids[i]);
    }
    assert_false(run_until_ms(&bench, never, 1500));
    assert_true(is_sound(&bench));
    expect_books(&bench, 1000, 50, 950);
    bench_reopen(&bench);
    expect_books(&bench, 1000, 50, 950);
    expect_numbers(&bench, 50, 950);
    bench_deinit(&bench);
}

int main(void) {
    ps_log_set_fd(-1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damage_at_work_is_recovered_without_an_end),
        cmocka_unit_test(what_memory_holds_outlives_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
