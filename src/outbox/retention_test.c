// Making room: by number, by size, by free space, by thinning out, on a person's order; and the
// books under random life.
#include "outbox/outbox_test_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t dropped(const Bench *bench, size_t message, PsDropReason reason) {
    return ps_outbox_ledger(bench->outbox, message)->dropped[reason];
}

static uint64_t waiting(const Bench *bench, size_t message) {
    return ps_outbox_ledger(bench->outbox, message)->waiting;
}

static void settle(Bench *bench) {
    run_until_ms(bench, never, 700); // longer than rows are held back from the disk
}

// ---- by size

static void accept_large(Bench *bench, size_t message, int64_t first, int64_t count, size_t len) {
    char *payload = malloc(len + 1);
    memset(payload, 'x', len);
    payload[len] = '\0';
    for (int64_t i = first; i < first + count; i++) {
        accept_one(bench, message, i * 1000, payload);
    }
    free(payload);
}

static void size_is_limited_and_alarms_do_not_go_for_values(void **state) {
    Bench bench;
    bench_init(&bench, 1);
    bench.setup.max_bytes = 1000000;
    bench_reopen(&bench);
    accept_large(&bench, RIG_ALARMS, 0, 30, 10000); // the oldest of all
    accept_large(&bench, RIG_DATA, 100, 200, 10000);
    settle(&bench);
    assert_true(waiting(&bench, RIG_ALARMS) == 30);
    uint64_t kept = waiting(&bench, RIG_DATA);
    assert_in_range(kept, 60, 70); // the rest of a million bytes
    assert_true(dropped(&bench, RIG_DATA, PS_DROP_SIZE) == 200 - kept);
    bench_reopen(&bench);
    assert_true(waiting(&bench, RIG_DATA) == kept);
    accept_large(&bench, RIG_ALARMS, 30, 100, 10000); // now only they are left
    settle(&bench);
    assert_true(waiting(&bench, RIG_DATA) == 0);
    assert_in_range(waiting(&bench, RIG_ALARMS), 95, 100);
    assert_true(ps_outbox_check(bench.outbox));
    bench_deinit(&bench);
}

static void the_outbox_does_not_grow_on_a_full_disk(void **state) {
    Bench bench;
    bench_init(&bench, 1);
    bench.setup.keep_free_bytes = UINT64_MAX / 2; // no disk has so much
    bench_reopen(&bench);
    accept_large(&bench, RIG_DATA, 0, 100, 10000);
    settle(&bench);
    assert_true(waiting(&bench, RIG_DATA) == 100); // a little is always kept
    accept_large(&bench, RIG_DATA, 100, 900, 10000);
    settle(&bench);
    assert_in_range(waiting(&bench, RIG_DATA), 400, 430); // 4 MiB
    assert_true(dropped(&bench, RIG_DATA, PS_DROP_SPACE) == 1000 - waiting(&bench, RIG_DATA));
    assert_true(ps_outbox_check(bench.outbox));
    bench_deinit(&bench);
}

// ---- whose message goes

static bool is_down_to_its_limit(Bench *bench) {
    return waiting(bench, RIG_MORE) + waiting(bench, RIG_DATA) <= bench->setup.catch_recording;
}

static void a_flood_does_not_displace_the_others(void **state) {
    Bench bench;
    bench_init(&bench, 1);
    bench.setup.catch_recording = 1500;
    bench_reopen(&bench);
    for (int64_t i = 0; i < 1200;
         i += 2) { // every second of the first rows, more than memory holds
        accept_one(&bench, RIG_MORE, i * 1000, "modest");
        accept_numbers(&bench, i + 1, 1);
    }
    settle(&bench);
    for (int64_t i = 1200; i < 9000; i += 100) {
        accept_numbers(&bench, i, 100);
        run_until_ms(&bench, never, 1);
    }
    settle(&bench);
    assert_true(run_until_ms(&bench, is_down_to_its_limit, 20000));
    assert_true(waiting(&bench, RIG_MORE) == 600);
    assert_true(dropped(&bench, RIG_MORE, PS_DROP_RETENTION) == 0);
    assert_true(waiting(&bench, RIG_DATA) == 900);
    assert_true(ps_outbox_check(bench.outbox));
    bench_reopen(&bench);
    int64_t newest = -1;
    for (int i = 0; i < 1500; i++) {
        const PsOutboxRow *row = next_within(&bench);
        assert_non_null(row);
        newest = row->message == RIG_DATA ? row->collected.ns / 1000 : newest;
        ps_outbox_acknowledged(bench.outbox, row->id);
    }
    assert_true(newest == 8999);
    assert_null(next_within(&bench));
    bench_deinit(&bench);
}

// ---- thinning out

// Takes everything out; distances between rows must not shrink with age, the newest are all there.
static void expect_coarser_with_age(Bench *bench, int64_t newest, int64_t whole) {
    int64_t before = -1;
    int64_t distance = newest;
    int64_t run = 0;
    const PsOutboxRow *row;
    while ((row = next_within(bench)) != NULL) {
        int64_t number = row->collected.ns / 1000;
        assert_true(number > before);
        if (before >= 0) {
            assert_true(number - before <= distance);
            distance = number - before;
            run = number - before == 1 ? run + 1 : 0;
        }
        before = number;
        ps_outbox_acknowledged(bench->outbox, row->id);
    }
    assert_true(before == newest);
    assert_true(run >= whole);
}

static void few_rows_are_thinned_in_memory(void **state) {
    Bench bench;
    bench_init(&bench, 1);
    bench.setup.catch_recording = 64;
    bench.rules[RIG_DATA].thin_out = true;
    bench_reopen(&bench);
    for (int64_t i = 0; i < 300; i++) {
        accept_numbers(&bench, i, 1);
        assert_true(waiting(&bench, RIG_DATA) <= 64);
    }
    uint64_t kept = waiting(&bench, RIG_DATA);
    assert_true(dropped(&bench, RIG_DATA, PS_DROP_THINNED) == 300 - kept);
    assert_true(dropped(&bench, RIG_DATA, PS_DROP_RETENTION) == 0);
    assert_true(kept >= 48);
    expect_books(&bench, 300, 0, kept);
    expect_coarser_with_age(&bench, 299, 20);
    bench_deinit(&bench);
}

static bool has_made_room(Bench *bench) {
    return waiting(bench, RIG_DATA) <= bench->setup.catch_recording;
}

static void many_rows_are_thinned_in_the_database(void **state) {
    Bench bench;
    bench_init(&bench, 1);
    bench.setup.catch_recording = 4000;
    bench.rules[RIG_DATA].thin_out = true;
    bench_reopen(&bench);
    for (int64_t i = 0; i < 12000; i += 200) {
        accept_numbers(&bench, i, 200);
        run_until_ms(&bench, never, 5);
        if (i == 6000) {
            bench_reopen(&bench);
        }
    }
    settle(&bench);
    assert_true(run_until_ms(&bench, has_made_room, 20000));
    uint64_t kept = waiting(&bench, RIG_DATA);
    assert_in_range(kept, 2900, 4000);
    assert_true(dropped(&bench, RIG_DATA, PS_DROP_THINNED) == 12000 - kept);
    expect_books(&bench, 12000, 0, kept);
    bench_reopen(&bench);
    expect_books(&bench, 12000, 0, kept);
    expect_coarser_with_age(&bench, 11999, 1000);
    bench_deinit(&bench);
}

// ---- on a person's order

typedef struct Cleared {
    bool called;
    PsErr result;
    uint64_t count;
} Cleared;

static Cleared cleared;

static void on_cleared(PsErr result, uint64_t count, void *ctx) {
    *(Cleared *)ctx = (Cleared){.called = true, .result = result, .count = count};
}

static bool is_cleared(Bench *bench) {
    return cleared.called;
}

static void a_queue_can_be_cleared(void **state) {
    Bench bench;
    bench_init(&bench, 1);
    accept_numbers(&bench, 0, 3000);
    accept_one(&bench, RIG_MORE, 5, "stays");
    settle(&bench);
    const PsOutboxRow *sent = next_within(&bench);
    accept_numbers(&bench, 3000, 100); // spilled, not stored yet
    cleared = (Cleared){0};
    ps_outbox_clear(bench.outbox, RIG_DATA, on_cleared, &cleared);
    assert_true(run_until_ms(&bench, is_cleared, 5000));
    assert_int_equal(cleared.result, PS_OK);
    assert_true(cleared.count == 3099);
    expect_books(&bench, 3100, 0, 1);
    ps_outbox_acknowledged(bench.outbox, sent->id);
    assert_true(dropped(&bench, RIG_DATA, PS_DROP_CLEARED) == 3099);
    bench_reopen(&bench);
    expect_books(&bench, 3100, 1, 0);
    assert_true(waiting(&bench, RIG_MORE) == 1);
    assert_int_equal(next_within(&bench)->message, RIG_MORE);
    cleared = (Cleared){0};
    ps_outbox_clear(bench.outbox, RIG_DATA, on_cleared, &cleared); // nothing is left
    assert_true(cleared.called && cleared.count == 0);
    bench_deinit(&bench);
}

// ---- random life

typedef struct Life {
    Bench bench;
    unsigned seed;
    int64_t clock;
    uint64_t accepted[RIG_NAMES];
    uint64_t in_flight[64];
    size_t in_flight_count;
} Life;

static unsigned roll(Life *life, unsigned sides) {
    return (unsigned)rand_r(&life->seed) % sides;
}

static void accept_some(Life *life) {
    for (unsigned i = roll(life, 300); i > 0; i--) {
        size_t message = roll(life, RIG_NAMES);
        life->clock += (int64_t)roll(life, 3) * 1000;
        int64_t late = roll(life, 10) == 0 ? 500000 : 0; // a replayed letter
        accept_one(&life->bench, message, life->clock - late, roll(life, 2) == 0 ? "[1,2]" : "{}");
        life->accepted[message]++;
    }
}

static void send_some(Life *life) {
    for (unsigned i = roll(life, 40); i > 0 && life->in_flight_count < 64; i--) {
        const PsOutboxRow *row = ps_outbox_next(life->bench.outbox, roll(life, 4) == 0);
        if (row == NULL) {
            return;
        }
        life->in_flight[life->in_flight_count++] = row->id;
    }
}

static void acknowledge_some(Life *life) {
    for (unsigned i = roll(life, 40); i > 0 && life->in_flight_count > 0; i--) {
        size_t at = roll(life, (unsigned)life->in_flight_count);
        ps_outbox_acknowledged(life->bench.outbox, life->in_flight[at]);
        life->in_flight[at] = life->in_flight[--life->in_flight_count];
    }
}

static void lose_link(Life *life) {
    ps_outbox_link_lost(life->bench.outbox);
    life->in_flight_count = 0;
    if (roll(life, 2) == 0) {
        ps_outbox_link_up(life->bench.outbox);
    }
}

static void wait_a_little(Life *life) {
    run_until_ms(&life->bench, never, roll(life, 8) == 0 ? 600 : 2);
}

static void restart(Life *life) {
    if (roll(life, 4) == 0) {
        life->in_flight_count = 0;
        bench_reopen(&life->bench);
    }
}

static void set_one_aside(Life *life) {
    if (life->in_flight_count > 0 && roll(life, 3) == 0) {
        (void)ps_outbox_quarantine(life->bench.outbox, life->in_flight[0], "random");
    }
}

static void clear_one(Life *life) {
    if (roll(life, 10) == 0) {
        ps_outbox_clear(life->bench.outbox, roll(life, RIG_NAMES), on_cleared, &cleared);
    }
}

static void expect_sound(Life *life) {
    assert_true(ps_outbox_check(life->bench.outbox));
    for (size_t i = 0; i < RIG_NAMES; i++) {
        assert_true(ps_outbox_ledger(life->bench.outbox, i)->accepted == life->accepted[i]);
    }
}

// Rows in flight are left alone.
static bool is_within_limits(Bench *bench) {
    PsOutboxStats stats = ps_outbox_stats(bench->outbox);
    return stats.waiting <=
           bench->setup.catch_recording + bench->setup.warning_recording + stats.in_flight;
}

static void books_add_up_whatever_happens(void **state) {
    static void (*const steps[])(Life *) = {accept_some,      accept_some, accept_some,   send_some,
                                            acknowledge_some, lose_link,   wait_a_little, restart,
                                            set_one_aside,    clear_one};
    for (unsigned seed = 1; seed <= 4; seed++) {
        Life life = {.seed = seed};
        bench_init(&life.bench, seed % 2 == 0 ? 1 : 0);
        life.bench.setup.catch_recording = seed % 3 == 0 ? 100 : 2500;
        life.bench.rules[RIG_DATA].thin_out = true;
        life.bench.rules[RIG_MORE].pack_bytes = 100;
        life.bench.rules[RIG_MORE].live_first = true;
        bench_reopen(&life.bench);
        for (int step = 0; step < 300; step++) {
            steps[roll(&life, PS_COUNT(steps))](&life);
            expect_sound(&life);
        }
        assert_true(run_until_ms(&life.bench, is_within_limits, 20000));
        bench_deinit(&life.bench);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(size_is_limited_and_alarms_do_not_go_for_values),
        cmocka_unit_test(the_outbox_does_not_grow_on_a_full_disk),
        cmocka_unit_test(a_flood_does_not_displace_the_others),
        cmocka_unit_test(few_rows_are_thinned_in_memory),
        cmocka_unit_test(many_rows_are_thinned_in_the_database),
        cmocka_unit_test(a_queue_can_be_cleared),
        cmocka_unit_test(books_add_up_whatever_happens),
    };
    return cmocka_run_group_tests_name("retention", tests, NULL, NULL);
}
