// Another configuration while messages wait, are in flight, lie in the database and were set aside:
// nothing is lost, doubled or out of order, each stays with its definition.
#include "outbox/outbox_test_rig.h"
#include "outbox/test_vfs.h"

#include "base/err.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

// The setup of the next configuration; in the bench, for the next opening, too.
static void apply(Bench *bench, const char *const *names, size_t count, const char *from,
                  const char *to) {
    bench->setup.names = names;
    bench->setup.name_count = count;
    bench->setup.rules = NULL;
    PsOutboxRename rename = {from, to};
    ps_outbox_apply(bench->outbox, &bench->setup, &rename, from != NULL ? 1 : 0);
    assert_true(ps_outbox_check(bench->outbox));
}

static void expect_book(const Bench *bench, const char *name, uint64_t accepted, uint64_t waiting) {
    const PsLedger *book = bench_book(bench, name);
    assert_non_null(book);
    assert_true(book->accepted == accepted && book->waiting == waiting);
}

static bool is_written(Bench *bench) {
    PsOutboxStats stats = ps_outbox_stats(bench->outbox);
    return stats.transactions > 0 && stats.memory_rows <= 1000;
}

static bool is_sound(Bench *bench) {
    return !ps_outbox_stats(bench->outbox).store_failing;
}

// ---- one at a time

static void a_renamed_one_keeps_what_it_has(void **state) {
    static const char *const renamed[] = {"more", "values", "alarms"};
    Bench bench;
    bench_init(&bench, 1);
    bench_put_letter(&bench, RIG_DATA);
    accept_numbers(&bench, 0, 3000);
    assert_true(run_until_ms(&bench, is_written, 5000)); // most of it in the database only
    const PsOutboxRow *sent = next_within(&bench);
    uint64_t id = sent->id;
    apply(&bench, renamed, 3, "data", "values");
    assert_string_equal(ps_outbox_ledger(bench.outbox, 1)->name, "values");
    assert_int_equal(sent->message, 1);
    assert_null(bench_book(&bench, "data"));
    ps_outbox_acknowledged(bench.outbox, id);
    accept_one(&bench, 1, 3000 * 1000, "3000");
    expect_numbers(&bench, 1, 1500);
    bench_reopen(&bench);
    assert_null(bench_book(&bench, "data"));
    expect_book(&bench, "values", 3002, 1500);
    assert_int_equal(ps_outbox_ledger(bench.outbox, 1)->dead, 1);
    expect_numbers(&bench, 1501, 1500);
    bench_deinit(&bench);
}

static void one_that_vanishes_is_delivered_and_found_again(void **state) {
    static const char *const without[] = {"alarms", "new"};
    static const char *const with[] = {"new", "data"};
    Bench bench;
    bench_init(&bench, 0);
    accept_numbers(&bench, 0, 20);
    apply(&bench, without, 2, NULL, NULL);
    expect_book(&bench, "data", 20, 20);
    accept_one(&bench, 1, 100 * 1000, "100"); // of a definition the database does not know yet
    expect_numbers(&bench, 0, 10);
    bench_reopen(&bench);
    expect_book(&bench, "data", 20, 10);
    expect_book(&bench, "new", 1, 1);
    apply(&bench, with, 2, NULL, NULL);
    assert_string_equal(ps_outbox_ledger(bench.outbox, 1)->name, "data");
    expect_book(&bench, "data", 20, 10);
    expect_numbers(&bench, 10, 10);
    expect_numbers(&bench, 100, 1);
    bench_deinit(&bench);
}

static void a_name_that_is_known_is_not_taken_away(void **state) {
    static const char *const without[] = {"alarms", "more"};
    static const char *const renamed[] = {"data", "alarms"};
    Bench bench;
    bench_init(&bench, 1);
    accept_numbers(&bench, 0, 3);
    apply(&bench, without, 2, NULL, NULL);
    accept_one(&bench, 1, 10 * 1000, "10");
    apply(&bench, renamed, 2, "more", "data");
    assert_string_equal(ps_outbox_ledger(bench.outbox, 0)->name, "data");
    expect_book(&bench, "data", 3, 3);
    expect_book(&bench, "more", 1, 1);
    expect_numbers(&bench, 0, 3);
    expect_numbers(&bench, 10, 1);
    bench_deinit(&bench);
}

// The former name goes to another one at once, before the database knows any of it.
static void a_former_name_can_be_given_again(void **state) {
    static const char *const renamed[] = {"values", "alarms"};
    static const char *const again[] = {"data", "values"};
    for (int settled = 0; settled <= 1; settled++) {
        Bench bench;
        bench_init(&bench, 1);
        accept_numbers(&bench, 0, 5);
        bench_reopen(&bench);
        apply(&bench, renamed, 2, "data", "values");
        if (settled != 0) {
            run_until_ms(&bench, never, 50);
        }
        apply(&bench, again, 2, NULL, NULL);
        accept_one(&bench, 0, 100 * 1000, "100");
        expect_book(&bench, "values", 5, 5);
        expect_book(&bench, "data", 1, 1);
        bench_reopen(&bench);
        expect_book(&bench, "values", 5, 5);
        expect_book(&bench, "data", 1, 1);
        expect_numbers(&bench, 0, 5);
        expect_numbers(&bench, 100, 1);
        bench_deinit(&bench);
    }
}

static void two_can_change_places(void **state) {
    static const char *const names[] = {"data", "more"};
    Bench bench;
    bench_init(&bench, 1);
    accept_numbers(&bench, 0, 5);
    accept_one(&bench, RIG_MORE, 100 * 1000, "100");
    bench_reopen(&bench);
    bench.setup.names = names;
    bench.setup.name_count = 2;
    bench.setup.rules = NULL;
    const PsOutboxRename both[] = {{"data", "more"}, {"more", "data"}};
    ps_outbox_apply(bench.outbox, &bench.setup, both, 2);
    for (int round = 0; round < 2; round++) {
        expect_book(&bench, "more", 5, 5);
        expect_book(&bench, "data", 1, 1);
        bench_reopen(&bench);
    }
    bench_deinit(&bench);
}

// The database holds a backlog and cannot be opened; meanwhile its definition gets another name.
static void a_rename_waits_for_the_database(void **state) {
    static const char *const renamed[] = {"values", "extra"};
    Bench bench;
    bench_init(&bench, 1);
    accept_numbers(&bench, 0, 1500);
    bench_close(&bench);
    test_vfs_arm(TEST_FAULT_OPEN, 1, true);
    bench_open(&bench);
    accept_numbers(&bench, 1500, 5);
    apply(&bench, renamed, 2, "data", "values");
    accept_one(&bench, 1, 2000 * 1000, "2000");
    accept_one(&bench, 0, 1505 * 1000, "1505");
    bench_put_letter(&bench, 1);
    (void)test_vfs_clear();
    assert_true(run_until_ms(&bench, is_sound, 15000));
    for (int round = 0; round < 2; round++) {
        assert_null(bench_book(&bench, "data"));
        expect_book(&bench, "values", 1506, 1506);
        expect_book(&bench, "extra", 2, 1);
        bench_reopen(&bench);
    }
    expect_numbers(&bench, 0, 1506);
    expect_numbers(&bench, 2000, 1);
    bench_deinit(&bench);
}

// The disk refuses the very transaction that has the new name.
static void a_refused_rename_is_tried_again(void **state) {
    static const char *const renamed[] = {"values", "alarms"};
    Bench bench;
    bench_init(&bench, 1);
    accept_numbers(&bench, 0, 5);
    bench_reopen(&bench);
    test_vfs_arm(TEST_FAULT_WRITE, 1, true);
    apply(&bench, renamed, 2, "data", "values");
    bench_put_letter(&bench, 0);
    run_until_ms(&bench, never, 600);
    assert_false(is_sound(&bench));
    apply(&bench, (const char *const[]){"alarms", "values"}, 2, NULL, NULL);
    (void)test_vfs_clear();
    assert_true(run_until_ms(&bench, is_sound, 15000)); // without any further message
    bench.setup.names = renamed;
    bench_reopen(&bench);
    expect_book(&bench, "values", 6, 5);
    assert_int_equal(ps_outbox_ledger(bench.outbox, 0)->dead, 1);
    bench_deinit(&bench);
}

static void limits_and_rules_apply_at_once(void **state) {
    Bench bench;
    bench_init(&bench, 1);
    accept_numbers(&bench, 0, 10);
    bench_put_letter(&bench, RIG_DATA);
    bench_put_letter(&bench, RIG_DATA);
    bench.setup.catch_recording = 4;
    bench.setup.dead_max = 1;
    bench.setup.limits.payload_bytes = 20;
    bench.rules[RIG_DATA].gap_topic = "plant/gaps";
    bench.rules[RIG_DATA].pack_bytes = 100;
    ps_outbox_apply(bench.outbox, &bench.setup, NULL, 0);
    const PsLedger *book = ps_outbox_ledger(bench.outbox, RIG_DATA);
    assert_true(book->waiting == 4 && book->dropped[PS_DROP_RETENTION] == 6 && book->dead == 1);
    PsOutboxMessage large = {.topic = "t", .payload = "more than twenty bytes", .len = 22};
    assert_int_equal(ps_outbox_accept(bench.outbox, &large, NULL), PS_ERR_TOO_BIG);
    const PsOutboxRow *row = next_within(&bench);
    assert_string_equal(row->topic, "plant/gaps"); // tells what was refused since
    const char *topic = row->topic;
    uint64_t id = row->id;
    bench.rules[RIG_DATA].gap_topic = NULL;
    ps_outbox_apply(bench.outbox, &bench.setup, NULL, 0);
    assert_string_equal(topic, "plant/gaps"); // the link may have it still
    ps_outbox_link_lost(bench.outbox);
    ps_outbox_acknowledged(bench.outbox, id);
    assert_int_equal(next_within(&bench)->packed, 4); // and nobody is told any more
    bench_deinit(&bench);
}

// What was dropped stays to be told while no definition has a topic for it, also over a start.
static void a_gap_without_a_topic_waits(void **state) {
    Bench bench;
    bench_init(&bench, 1);
    bench.setup.catch_recording = 1;
    bench.rules[RIG_DATA].gap_topic = "plant/gaps";
    bench.rules[RIG_MORE].gap_topic = "plant/gaps";
    bench_reopen(&bench);
    accept_numbers(&bench, 0, 3);
    bench.rules[RIG_DATA].gap_topic = NULL;
    bench_reopen(&bench);
    const PsOutboxRow *row = next_within(&bench);
    assert_string_equal(row->topic, "plant/data");
    bench.rules[RIG_DATA].gap_topic = "plant/others";
    ps_outbox_apply(bench.outbox, &bench.setup, NULL, 0);
    row = next_within(&bench);
    assert_string_equal(row->topic, "plant/others");
    assert_non_null(memmem(row->payload, row->len, "\"count\": 2", 10));
    bench_deinit(&bench);
}

// ---- a sudden end

static const char *const later_names[] = {"alarms", "values", "extra"};

#define BEFORE 1200 // more than memory holds

// Ends without a word at some moment around the change.
static void child_works(Bench *bench, unsigned seed) {
    bench_open(bench);
    accept_numbers(bench, 0, BEFORE);
    while (ps_outbox_stats(bench->outbox).rows_stored < BEFORE) {
        uv_run(&bench->loop, UV_RUN_ONCE);
    }
    bench->setup.names = later_names;
    bench->setup.rules = NULL;
    PsOutboxRename rename = {"data", "values"};
    ps_outbox_apply(bench->outbox, &bench->setup, &rename, 1);
    accept_one(bench, 1, BEFORE * 1000, "1200");
    accept_one(bench, 2, (BEFORE + 1) * 1000, "1201");
    for (unsigned turns = seed % 4; turns > 0; turns--) {
        uv_run(&bench->loop, UV_RUN_NOWAIT);
        usleep(rand_r(&seed) % 1500);
    }
    _exit(0);
}

static void a_sudden_end_leaves_the_old_or_the_new(void **state) {
    int with_new = 0;
    for (unsigned seed = 1; seed <= 40; seed++) {
        Bench bench = {.setup = {.catch_recording = 100000,
                                 .warning_recording = 100,
                                 .dead_max = 10,
                                 .dead_max_bytes = 10000}};
        bench_folder(&bench);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            child_works(&bench, seed);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        bench.setup.names = later_names;
        bench.setup.name_count = 3;
        bench_open(&bench);
        assert_true(ps_outbox_check(bench.outbox));
        const PsLedger *old_book = bench_book(&bench, "data");
        uint64_t in_new = bench_book(&bench, "values")->accepted;
        uint64_t others = bench_book(&bench, "extra")->accepted;
        if (old_book != NULL) { // before the change
            assert_true(old_book->accepted == BEFORE && in_new == 0 && others == 0);
            expect_numbers(&bench, 0, BEFORE);
        } else {
            assert_true(in_new >= BEFORE);
            expect_numbers(&bench, 0, (int64_t)(in_new + others));
            with_new++;
        }
        assert_null(next_within(&bench));
        bench_deinit(&bench);
    }
    print_message("%d of 40 had the new names\n", with_new);
}

int main(void) {
    ps_log_set_fd(-1);
    test_vfs_install();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_renamed_one_keeps_what_it_has),
        cmocka_unit_test(one_that_vanishes_is_delivered_and_found_again),
        cmocka_unit_test(a_name_that_is_known_is_not_taken_away),
        cmocka_unit_test(a_former_name_can_be_given_again),
        cmocka_unit_test(two_can_change_places),
        cmocka_unit_test(a_rename_waits_for_the_database),
        cmocka_unit_test(a_refused_rename_is_tried_again),
        cmocka_unit_test(limits_and_rules_apply_at_once),
        cmocka_unit_test(a_gap_without_a_topic_waits),
        cmocka_unit_test(a_sudden_end_leaves_the_old_or_the_new),
    };
    return cmocka_run_group_tests_name("apply", tests, NULL, NULL);
}
