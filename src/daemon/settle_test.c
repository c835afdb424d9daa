// Who waits for the disk is told when it has answered, when it refuses, and when there is nothing
// left to write. A real outbox on a disk that fails on command; the host is a list of tickets. Loop
// thread.
#include "daemon/settle.h"

#include "base/log.h"
#include "outbox/outbox_test_rig.h"
#include "outbox/test_vfs.h"

#define TICKETS 8

static uint64_t told[TICKETS];
static size_t told_count;

// In the place of the real one, which is in a library and so gives way.
void ps_script_host_settled(PsScriptHost *host, uint64_t ticket) {
    assert_true(told_count < TICKETS);
    told[told_count++] = ticket;
}

typedef struct Desk {
    Bench bench; // first: conditions get it and mean the desk
    PsSettle *settle;
} Desk;

static void on_ready(void *ctx) {
    Desk *desk = ctx;
    ps_settle_tell(desk->settle, desk->bench.outbox, NULL);
}

static void desk_init(Desk *desk, int max_loss_s) {
    test_vfs_hold(false);
    (void)test_vfs_clear();
    told_count = 0;
    desk->settle = ps_settle_new();
    bench_init(&desk->bench, max_loss_s);
    desk->bench.watch = on_ready;
}

static void desk_deinit(Desk *desk) {
    bench_deinit(&desk->bench);
    ps_settle_free(desk->settle);
}

// A script saves number n and waits.
static bool save(Desk *desk, int64_t n) {
    accept_numbers(&desk->bench, n, 1);
    return ps_settle_wait(desk->settle, desk->bench.outbox, (uint64_t)n);
}

static bool is_one_told(Bench *bench) {
    return told_count >= 1;
}

static bool are_three_told(Bench *bench) {
    return told_count >= 3;
}

static bool is_failing(Bench *bench) {
    return ps_outbox_stats(bench->outbox).store_failing;
}

static bool is_well(Bench *bench) {
    return !is_failing(bench);
}

static void expect_told(uint64_t first, size_t count) {
    assert_int_equal(told_count, count);
    for (size_t i = 0; i < count; i++) {
        assert_true(told[i] == first + i);
    }
}

static void nobody_waits_for_what_is_safe(void **state) {
    Desk desk;
    desk_init(&desk, 0);
    assert_false(ps_settle_wait(desk.settle, desk.bench.outbox, 1));
    desk_deinit(&desk);
    desk_init(&desk, 1);
    assert_false(save(&desk, 1)); // nor for what is not promised
    desk_deinit(&desk);
}

static void who_came_first_is_told_first(void **state) {
    Desk desk;
    desk_init(&desk, 0);
    test_vfs_hold(true);
    assert_true(save(&desk, 1));
    run_until_ms(&desk.bench, is_one_told, 50); // the first is with the store
    assert_true(save(&desk, 2) && save(&desk, 3));
    expect_told(1, 0);
    test_vfs_hold(false);
    assert_true(run_until_ms(&desk.bench, are_three_told, 5000));
    expect_told(1, 3);
    desk_deinit(&desk);
}

// Scripts do not stand still because the disk is full: that is told at another place.
static void a_disk_that_refuses_lets_everybody_go(void **state) {
    Desk desk;
    desk_init(&desk, 0);
    test_vfs_arm(TEST_FAULT_FULL, 1, true);
    assert_true(save(&desk, 1) && save(&desk, 2) && save(&desk, 3));
    assert_true(run_until_ms(&desk.bench, are_three_told, 5000));
    assert_true(is_failing(&desk.bench));
    assert_false(save(&desk, 4));
    (void)test_vfs_clear();
    assert_true(run_until_ms(&desk.bench, is_well, 5000));
    told_count = 0;
    assert_true(save(&desk, 5));
    assert_true(run_until_ms(&desk.bench, is_one_told, 5000));
    expect_told(5, 1);
    desk_deinit(&desk);
}

static void ignore(PsErr result, uint64_t count, void *ctx) {
}

static void what_is_cleared_is_not_waited_for(void **state) {
    Desk desk;
    desk_init(&desk, 0);
    assert_true(save(&desk, 1));
    ps_outbox_clear(desk.bench.outbox, RIG_DATA, ignore, NULL);
    assert_true(run_until_ms(&desk.bench, is_one_told, 5000));
    desk_deinit(&desk);
}

int main(void) {
    ps_log_set_fd(-1);
    test_vfs_install();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_waits_for_what_is_safe),
        cmocka_unit_test(who_came_first_is_told_first),
        cmocka_unit_test(a_disk_that_refuses_lets_everybody_go),
        cmocka_unit_test(what_is_cleared_is_not_waited_for),
    };
    return cmocka_run_group_tests_name("settle", tests, NULL, NULL);
}
