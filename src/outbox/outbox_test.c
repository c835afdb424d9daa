// The outbox with its real database: order, ledger, restart, retention, SIGKILL, a failing disk.
#include "outbox/outbox_test_rig.h"

#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

// ---- order and ledger

static void hands_out_in_order_and_keeps_books(void **state) {
    Bench bench;
    bench_init(&bench, 1);
    accept_one(&bench, 0, 3000, "3");
    accept_one(&bench, 0, 1000, "1");
    accept_one(&bench, 1, 2000, "2");
    const PsOutboxRow *first = ps_outbox_next(bench.outbox, false);
    const PsOutboxRow *second = ps_outbox_next(bench.outbox, false);
    assert_true(first->collected.ns == 2000 && second->collected.ns == 1000);
    assert_int_equal(first->message, 1); // an alarm overtakes
    ps_outbox_acknowledged(bench.outbox, first->id);
    ps_outbox_link_lost(bench.outbox);
    const PsOutboxRow *again = ps_outbox_next(bench.outbox, false);
    assert_true(again->collected.ns == 1000);
    ps_outbox_put_back(bench.outbox, again->id);
    expect_numbers(&bench, 1, 1);
    expect_numbers(&bench, 3, 1);
    assert_null(ps_outbox_next(bench.outbox, false));
    ps_outbox_acknowledged(bench.outbox, 12345);
    expect_books(&bench, 2, 2, 0);
    bench_deinit(&bench);
}

static off_t size_of(const Bench *bench, const char *name) {
    char path[PATH_MAX];
    struct stat info;
    snprintf(path, sizeof path, "%s/%s", bench->folder, name);
    return stat(path, &info) == 0 ? info.st_size : -1;
}

static void healthy_operation_writes_nothing(void **state) {
    Bench bench;
    bench_init(&bench, 1);
    run_until_ms(&bench, never, 20);
    uint64_t before = ps_outbox_stats(bench.outbox).disk_bytes;
    off_t wal = size_of(&bench, "outbox.db-wal");
    for (int64_t i = 0; i < 300; i++) {
        accept_numbers(&bench, i, 1);
        expect_numbers(&bench, i, 1);
        run_until_ms(&bench, never, 5); // 1.5 s in all: longer than the window
    }
    PsOutboxStats stats = ps_outbox_stats(bench.outbox);
    assert_true(stats.transactions == 0 && stats.rows_stored == 0);
    assert_true(stats.disk_bytes == before);
    assert_true(size_of(&bench, "outbox.db-wal") == wal);
    expect_books(&bench, 300, 300, 0);
    bench_reopen(&bench);
    expect_books(&bench, 300, 300, 0);
    bench_deinit(&bench);
}

static bool has_stored_ten(Bench *bench) {
    return ps_outbox_stats(bench->outbox).rows_stored == 10;
}

static void unacknowledged_rows_are_stored_within_the_window(void **state) {
    Bench bench;
    bench_init(&bench, 1);
    accept_numbers(&bench, 0, 10);
    PsMono begin = ps_mono_now();
    assert_non_null(ps_outbox_next(bench.outbox, false)); // may be sent at once
    assert_true(run_until_ms(&bench, has_stored_ten, 5000));
    assert_true(ps_mono_diff_ns(ps_mono_now(), begin) < 1 * PS_NS_PER_S);
    bench_deinit(&bench);
}

static void a_backlog_is_committed_in_groups(void **state) {
    Bench bench;
    bench_init(&bench, 1);
    for (int64_t i = 0; i < 200; i++) {
        accept_numbers(&bench, i, 1);
        run_until_ms(&bench, never, 10);
    }
    PsOutboxStats stats = ps_outbox_stats(bench.outbox);
    assert_true(stats.rows_stored > 50);
    assert_true(stats.transactions * 5 < stats.rows_stored);
    bench_deinit(&bench);
}

static bool is_ready(Bench *bench) {
    return bench->ready > 0;
}

static void without_loss_rows_are_stored_first(void **state) {
    Bench bench;
    bench_init(&bench, 0);
    uint64_t nothing = ps_outbox_mark(bench.outbox);
    accept_numbers(&bench, 0, 10);
    uint64_t all = ps_outbox_mark(bench.outbox);
    assert_null(ps_outbox_next(bench.outbox, false));
    assert_true(ps_outbox_is_settled(bench.outbox, nothing));
    while (!has_stored_ten(&bench)) {
        assert_false(ps_outbox_is_settled(bench.outbox, all)); // fresh, or with the store
        assert_false(is_ready(&bench));
        uv_run(&bench.loop, UV_RUN_ONCE);
    }
    assert_true(is_ready(&bench) && ps_outbox_is_settled(bench.outbox, all));
    assert_true(ps_outbox_stats(bench.outbox).transactions == 1); // one commit for all
    expect_numbers(&bench, 0, 10);
    bench_deinit(&bench);
}

static void note_cleared(PsErr result, uint64_t count, void *ctx) {
    assert_int_equal(result, PS_OK);
    *(uint64_t *)ctx = count;
}

// A script waits for it, and the store has nothing to do: nothing else would call.
static void what_is_dropped_before_it_is_stored_is_settled(void **state) {
    Bench bench;
    bench_init(&bench, 0);
    accept_numbers(&bench, 0, 1);
    uint64_t mark = ps_outbox_mark(bench.outbox);
    assert_false(ps_outbox_is_settled(bench.outbox, mark));
    uint64_t cleared = 0;
    ps_outbox_clear(bench.outbox, RIG_DATA, note_cleared, &cleared);
    assert_int_equal(cleared, 1);
    assert_true(ps_outbox_is_settled(bench.outbox, mark));
    assert_false(is_ready(&bench)); // not from within
    assert_true(run_until_ms(&bench, is_ready, 5000));
    bench_deinit(&bench);
}

// ---- restart, backlog

static void a_large_backlog_survives_restarts_in_bounded_memory(void **state) {
    Bench bench;
    bench_init(&bench, 1);
    accept_numbers(&bench, 0, 2500);
    run_until_ms(&bench, never, 50);
    accept_numbers(&bench, 2500, 2500);
    run_until_ms(&bench, never, 800);
    PsOutboxStats stats = ps_outbox_stats(bench.outbox);
    assert_true(stats.waiting == 5000);
    assert_true(stats.memory_rows <= 1000);
    expect_numbers(&bench, 0, 700);
    for (int i = 0; i < 10; i++) {
        assert_non_null(next_within(&bench)); // in flight when it ends
    }
    bench_reopen(&bench);
    expect_books(&bench, 5000, 700, 4300);
    expect_numbers(&bench, 700, 1300);
    accept_numbers(&bench, 5000, 1000);
    expect_numbers(&bench, 2000, 4000);
    expect_books(&bench, 6000, 6000, 0);
    bench_reopen(&bench);
    expect_books(&bench, 6000, 6000, 0);
    assert_null(next_within(&bench));
    bench_deinit(&bench);
}

static void the_oldest_go_when_full(void **state) {
    Bench bench;
    bench_init(&bench, 1);
    bench.setup.catch_recording = 1500;
    bench_reopen(&bench);
    accept_numbers(&bench, 0, 4000);
    run_until_ms(&bench, never, 700);
    accept_numbers(&bench, 4000, 100);
    run_until_ms(&bench, never, 700);
    assert_true(ps_outbox_stats(bench.outbox).waiting == 1500);
    const PsLedger *book = ps_outbox_ledger(bench.outbox, 0);
    assert_true(book->dropped[PS_DROP_RETENTION] == 2600);
    expect_books(&bench, 4100, 0, 1500);
    bench_reopen(&bench);
    expect_books(&bench, 4100, 0, 1500);
    expect_numbers(&bench, 2600, 1500);
    assert_null(next_within(&bench));
    bench_deinit(&bench);
}

static void rows_of_removed_definitions_are_still_sent(void **state) {
    Bench bench;
    bench_init(&bench, 1);
    accept_numbers(&bench, 0, 3);
    bench_close(&bench);
    static const char *const others[] = {"new"};
    uv_loop_init(&bench.loop);
    uv_timer_init(&bench.loop, &bench.timer);
    bench.timer.data = &bench;
    bench.setup.names = others;
    bench.setup.name_count = 1;
    bench.setup.rules = NULL;
    PsDiag diag = {0};
    assert_int_equal(ps_outbox_open(&bench.setup, &bench.outbox, &diag), PS_OK);
    assert_int_equal(ps_outbox_ledger_count(bench.outbox), 4);
    const PsOutboxRow *row = next_within(&bench);
    assert_non_null(row);
    size_t message = row->message;
    ps_outbox_acknowledged(bench.outbox, row->id);
    const PsLedger *book = ps_outbox_ledger(bench.outbox, message);
    assert_string_equal(book->name, "data");
    assert_true(book->delivered == 1 && book->waiting == 2);
    assert_true(ps_ledger_adds_up(book));
    bench_deinit(&bench);
}

// ---- refusals

static void refuses_at_the_entrance_with_a_reason(void **state) {
    Bench bench;
    bench_init(&bench, 1);
    PS_AUTO_FREE char *large = calloc(1, 131073);
    PsOutboxMessage message = {
        .topic = "a/b", .qos = 1, .payload = large, .len = 131073, .collected = {1}};
    PsDiag diag = {0};
    assert_int_equal(ps_outbox_accept(bench.outbox, &message, &diag), PS_ERR_TOO_BIG);
    assert_non_null(strstr(diag.text, "131072"));
    message.len = 131072;
    assert_int_equal(ps_outbox_accept(bench.outbox, &message, &diag), PS_OK);
    const char *const bad[] = {"", "a/+", "a/#", "a/b/c/d/e/f/g/h/i", "\xff", "a\x01"};
    for (size_t i = 0; i < PS_COUNT(bad); i++) {
        message.topic = bad[i];
        assert_int_equal(ps_outbox_accept(bench.outbox, &message, &diag), PS_ERR_INVALID);
    }
    message.topic = "$aws/rules/store/a/b/c/d/e/f/g/h";
    assert_int_equal(ps_outbox_accept(bench.outbox, &message, &diag), PS_OK);
    const PsLedger *book = ps_outbox_ledger(bench.outbox, 0);
    assert_true(book->dropped[PS_DROP_TOO_LARGE] == 1 && book->dropped[PS_DROP_BAD_TOPIC] == 6);
    expect_books(&bench, 9, 0, 2);
    bench_reopen(&bench);
    expect_books(&bench, 9, 0, 2);
    bench_deinit(&bench);
}

// ---- files that are not as they should be

static void sets_a_damaged_file_aside(void **state) {
    Bench bench;
    bench_init(&bench, 1);
    accept_numbers(&bench, 0, 3);
    bench_close(&bench);
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/outbox.db", bench.folder);
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_true(fd >= 0 &&
                write(fd, "this is no database, and it is long enough to be read", 53) == 53);
    close(fd);
    bench_open(&bench);
    accept_numbers(&bench, 0, 3);
    expect_numbers(&bench, 0, 3);
    expect_books(&bench, 3, 3, 0);
    bench_deinit(&bench);
}

static void a_second_user_of_the_folder_is_refused(void **state) {
    Bench bench;
    bench_init(&bench, 1);
    PsOutbox *second = NULL;
    PsDiag diag = {0};
    assert_int_equal(ps_outbox_open(&bench.setup, &second, &diag), PS_ERR_BUSY);
    assert_non_null(strstr(diag.text, "another penstockd"));
    bench_deinit(&bench);
}

static bool is_failing(Bench *bench) {
    return ps_outbox_stats(bench->outbox).store_failing;
}

static bool is_sound(Bench *bench) {
    return !is_failing(bench) && ps_outbox_stats(bench->outbox).rows_stored >= 40;
}

// A file size limit stands for a full disk.
static void goes_on_while_the_disk_refuses(void **state) {
    Bench bench;
    bench_init(&bench, 0);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction old;
    struct rlimit limit;
    sigaction(SIGXFSZ, &ignore, &old);
    getrlimit(RLIMIT_FSIZE, &limit);
    struct rlimit small = {.rlim_cur = 1, .rlim_max = limit.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    accept_numbers(&bench, 0, 50);
    bool failed = run_until_ms(&bench, is_failing, 5000);
    setrlimit(RLIMIT_FSIZE, &limit);
    sigaction(SIGXFSZ, &old, NULL);
    assert_true(failed);
    assert_true(ps_outbox_is_settled(bench.outbox, ps_outbox_mark(bench.outbox)));
    expect_numbers(&bench, 0, 10); // better from memory than not at all
    assert_true(run_until_ms(&bench, is_sound, 5000));
    bench_reopen(&bench);
    expect_books(&bench, 50, 10, 40);
    expect_numbers(&bench, 10, 40);
    bench_deinit(&bench);
}

// ---- SIGKILL

// The child accepts without end at max_loss_s 0. It tells through the pipe which rows it was handed
// (so they are committed) before it does anything else with them, and then acknowledges every
// second one, telling that first, too.
static void child_works(Bench *bench, int out) {
    bench->setup.max_loss_s = 0;
    bench_open(bench);
    for (int64_t number = 0;;) {
        if (ps_outbox_stats(bench->outbox).waiting < 500) {
            accept_numbers(bench, number++, 1);
        }
        uv_run(&bench->loop, UV_RUN_NOWAIT);
        const PsOutboxRow *row;
        while ((row = ps_outbox_next(bench->outbox, false)) != NULL) {
            int64_t told = row->collected.ns / 1000;
            told = told % 2 == 0 ? told : -told;
            if (write(out, &told, sizeof told) != (ssize_t)sizeof told) {
                _exit(1);
            }
            if (told >= 0) {
                ps_outbox_acknowledged(bench->outbox, row->id);
            }
        }
    }
}

static void check_after_kill(Bench *bench, const int64_t *told, size_t count) {
    bench_open(bench);
    const PsLedger *book = ps_outbox_ledger(bench->outbox, 0);
    assert_true(ps_ledger_adds_up(book));
    assert_true(book->waiting == ps_outbox_stats(bench->outbox).waiting);
    assert_true(book->accepted >= count);
    size_t odd = 0;
    for (size_t i = 0; i < count; i++) {
        odd += told[i] < 0 ? 1 : 0;
    }
    size_t found = 0;
    int64_t last = -1;
    size_t waiting = book->waiting;
    for (size_t i = 0; i < waiting; i++) {
        const PsOutboxRow *row = next_within(bench);
        assert_non_null(row);
        assert_true(row->collected.ns > last); // in order, nothing twice
        last = row->collected.ns;
        found += (last / 1000) % 2 != 0 && (size_t)(last / 1000) < count ? 1 : 0;
        ps_outbox_acknowledged(bench->outbox, row->id);
    }
    assert_true(found == odd); // every row that was handed out and not acknowledged
}

static void nothing_committed_is_lost_by_sigkill(void **state) {
    unsigned seed = 7;
    for (int round = 0; round < 8; round++) {
        Bench bench = {.setup = {.catch_recording = 100000, .warning_recording = 2000}};
        bench_folder(&bench);
        int ends[2];
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            child_works(&bench, ends[1]);
        }
        close(ends[1]);
        seed = seed * 1103515245U + 12345U;
        size_t enough = 50 + (seed >> 16) % 700; // the moment: after so many rows
        PS_AUTO_FREE int64_t *told = ps_alloc_array(65536, sizeof(int64_t));
        size_t count = 0;
        bool killed = false;
        while (count < 65536 && read(ends[0], &told[count], sizeof *told) == sizeof *told) {
            count++;
            if (count >= enough && !killed) {
                kill(child, SIGKILL);
                killed = true;
            }
        }
        close(ends[0]);
        waitpid(child, NULL, 0);
        assert_true(killed);
        check_after_kill(&bench, told, count);
        bench_deinit(&bench);
    }
}

// The loop does not run meanwhile, so nothing gets stored: as when a script publishes without end.
static void a_flood_of_one_definition_leaves_room_for_the_others(void **state) {
    Bench bench;
    bench_init(&bench, 0);
    PsOutboxMessage flood = {
        .message = 0, .collected = {1}, .topic = "t", .qos = 1, .payload = "x", .len = 1};
    PsDiag diag = {0};
    PsErr err = PS_OK;
    size_t taken = 0;
    for (; err == PS_OK && taken < 100000; taken++) {
        err = ps_outbox_accept(bench.outbox, &flood, &diag);
    }
    assert_int_equal(err, PS_ERR_FULL);
    assert_non_null(strstr(diag.text, "faster than the disk takes them"));
    for (int64_t i = 0; i < 1000; i++) {
        accept_one(&bench, 1, i, "y");
    }
    assert_int_equal(ps_outbox_accept(bench.outbox, &flood, &diag), PS_ERR_FULL);
    bench_reopen(&bench); // which also waits for the disk
    assert_int_equal(ps_outbox_ledger(bench.outbox, 0)->waiting, taken - 1);
    assert_int_equal(ps_outbox_ledger(bench.outbox, 1)->waiting, 1000);
    flood.collected.ns = 2;
    assert_int_equal(ps_outbox_accept(bench.outbox, &flood, &diag), PS_OK);
    bench_deinit(&bench);
}

int main(void) {
    ps_log_set_fd(-1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hands_out_in_order_and_keeps_books),
        cmocka_unit_test(healthy_operation_writes_nothing),
        cmocka_unit_test(unacknowledged_rows_are_stored_within_the_window),
        cmocka_unit_test(a_backlog_is_committed_in_groups),
        cmocka_unit_test(without_loss_rows_are_stored_first),
        cmocka_unit_test(what_is_dropped_before_it_is_stored_is_settled),
        cmocka_unit_test(a_large_backlog_survives_restarts_in_bounded_memory),
        cmocka_unit_test(the_oldest_go_when_full),
        cmocka_unit_test(rows_of_removed_definitions_are_still_sent),
        cmocka_unit_test(refuses_at_the_entrance_with_a_reason),
        cmocka_unit_test(sets_a_damaged_file_aside),
        cmocka_unit_test(a_second_user_of_the_folder_is_refused),
        cmocka_unit_test(goes_on_while_the_disk_refuses),
        cmocka_unit_test(a_flood_of_one_definition_leaves_room_for_the_others),
        cmocka_unit_test(nothing_committed_is_lost_by_sigkill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
