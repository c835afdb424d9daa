// The outbox on a disk that is small enough to be filled by it: it goes on when messages can go,
// and the disk is not full for ever. A tmpfs in a mount namespace of this test's own.
#include "outbox/outbox_test_rig.h"

#include "base/err.h"
#include "base/log.h"

#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define DISK "3m"
#define MOST_ROWS 20000

static void write_text(const char *path, const char *text) {
    FILE *file = fopen(path, "we");
    if (file != NULL) {
        (void)fputs(text, file);
        (void)fclose(file);
    }
}

// Root of a user namespace of its own, where the caller is nobody.
static bool may_mount(void) {
    char map[40];
    snprintf(map, sizeof map, "0 %u 1", (unsigned)geteuid());
    if (geteuid() == 0) {
        return unshare(CLONE_NEWNS) == 0 &&
               mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
    }
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
        return false;
    }
    write_text("/proc/self/uid_map", map);
    return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static bool can;

static void bench_on_a_small_disk(Bench *bench, int max_loss_s) {
    bench_init(bench, max_loss_s);
    bench_close(bench);
    assert_int_equal(
        mount("test", bench->folder, "tmpfs", MS_NOSUID | MS_NODEV, "size=" DISK ",mode=0700"), 0);
    bench_open(bench);
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *where) {
    return remove(path);
}

static void bench_end(Bench *bench) {
    bench_close(bench);
    assert_int_equal(umount2(bench->folder, MNT_DETACH), 0);
    assert_int_equal(nftw(bench->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static bool is_failing(Bench *bench) {
    return ps_outbox_stats(bench->outbox).store_failing;
}

static bool is_sound(Bench *bench) {
    return !is_failing(bench);
}

static bool is_stored(Bench *bench) {
    PsOutboxStats stats = ps_outbox_stats(bench->outbox);
    return stats.store_failing || stats.rows_stored >= stats.waiting;
}

static void accept_row(Bench *bench, int64_t number, size_t len) {
    char *payload = malloc(len + 1);
    memset(payload, 'x', len);
    payload[len] = '\0';
    accept_one(bench, RIG_DATA, number * 1000, payload);
    free(payload);
}

// Until the disk takes no more; how many were accepted.
static int64_t fill(Bench *bench, size_t len) {
    int64_t count = 0;
    while (!is_failing(bench) && count < MOST_ROWS) {
        for (int i = 0; i < 20; i++) {
            accept_row(bench, count++, len);
        }
        run_until_ms(bench, never, 10);
    }
    assert_true(is_failing(bench));
    return count;
}

// All of it goes out in order.
static void drain(Bench *bench, int64_t first, int64_t end) {
    for (int64_t i = first; i < end; i++) {
        const PsOutboxRow *row = next_within(bench);
        assert_non_null(row);
        assert_true(row->collected.ns == i * 1000);
        ps_outbox_acknowledged(bench->outbox, row->id);
    }
    assert_null(next_within(bench));
}

static uint64_t stored_wanted;

static bool has_stored(Bench *bench) {
    return is_sound(bench) && ps_outbox_stats(bench->outbox).rows_stored >= stored_wanted;
}

static void expect_to_work(Bench *bench, int64_t from) {
    stored_wanted = ps_outbox_stats(bench->outbox).rows_stored + 200;
    for (int64_t i = 0; i < 200; i++) {
        accept_row(bench, from + i, 1000);
    }
    assert_true(run_until_ms(bench, has_stored, 20000));
    assert_true(ps_outbox_check(bench->outbox));
    bench_reopen(bench);
    assert_int_equal(ps_outbox_stats(bench->outbox).waiting, 200);
    drain(bench, from, from + 200);
}

static const size_t lengths[] = {300, 20000};

static void a_full_disk_is_emptied_by_what_goes(void **state) {
    if (!can) {
        skip();
    }
    for (size_t i = 0; i < PS_COUNT(lengths); i++) {
        Bench bench;
        bench_on_a_small_disk(&bench, 1);
        int64_t count = fill(&bench, lengths[i]);
        drain(&bench, 0, count);
        expect_to_work(&bench, count);
        bench_end(&bench);
    }
}

// With max_loss_s 0 everything that the disk took is there after the end.
static void a_full_disk_is_opened_again(void **state) {
    if (!can) {
        skip();
    }
    for (size_t i = 0; i < PS_COUNT(lengths); i++) {
        Bench bench;
        bench_on_a_small_disk(&bench, 0);
        int64_t count = 0;
        while (!is_failing(&bench)) {
            accept_row(&bench, count++, lengths[i]);
            assert_true(run_until_ms(&bench, is_stored, 10000));
        }
        uint64_t stored = ps_outbox_stats(bench.outbox).rows_stored;
        bench_reopen(&bench);
        int64_t kept = (int64_t)ps_outbox_stats(bench.outbox).waiting;
        assert_true(kept >= (int64_t)stored);
        drain(&bench, 0, kept);
        expect_to_work(&bench, count);
        bench_end(&bench);
    }
}

// What the outbox shall leave free is more than the disk has: the oldest go.
static void a_small_disk_keeps_the_newest(void **state) {
    if (!can) {
        skip();
    }
    Bench bench;
    bench_on_a_small_disk(&bench, 1);
    bench.setup.keep_free_bytes = 64000000;
    bench_reopen(&bench);
    for (int64_t i = 0; i < 8000; i++) {
        accept_row(&bench, i, 1000);
        if (i % 50 == 0) {
            run_until_ms(&bench, never, 5);
        }
    }
    const PsLedger *book = ps_outbox_ledger(bench.outbox, RIG_DATA);
    assert_true(book->dropped[PS_DROP_SPACE] > 6000 && book->waiting > 500);
    assert_true(book->dropped[PS_DROP_SPACE] + book->waiting == 8000);
    drain(&bench, 8000 - (int64_t)book->waiting, 8000);
    expect_to_work(&bench, 8000);
    bench_end(&bench);
}

int main(void) {
    ps_log_set_fd(getenv("PS_LOG") != NULL ? 2 : -1);
    can = may_mount();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_disk_is_emptied_by_what_goes),
        cmocka_unit_test(a_full_disk_is_opened_again),
        cmocka_unit_test(a_small_disk_keeps_the_newest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
