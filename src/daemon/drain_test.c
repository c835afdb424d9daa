// A day's backlog, one message a second, through the real outbox at AWS IoT's pace: on simulated
// time, so that only the number of publishes and of bytes counts.
#include "link/aws.h"
#include "link/pace.h"
#include "outbox/outbox_test_rig.h"

#include <stdio.h>
#include <string.h>

#define DAY_S 86400

static bool has_room(Bench *bench) {
    return ps_outbox_stats(bench->outbox).memory_rows < 5000;
}

static void accept_day(Bench *bench) {
    for (int64_t second = 0; second < DAY_S; second++) {
        char text[256];
        // 200 bytes, as a script with a handful of variables sends them.
        snprintf(
            text, sizeof text,
            "[{\"Device\": \"Temperature_Sensor\", \"timestamp\": %lld.5, \"n\": %lld, \"Data\": {",
            1700000000LL + (long long)second, (long long)second);
        size_t len = strlen(text);
        snprintf(text + len, sizeof text - len, "\"Test\": \"%0*d\"}}]", 200 - (int)len - 13, 0);
        assert_int_equal(strlen(text), 200);
        accept_one(bench, RIG_DATA, second * PS_NS_PER_S, text);
        if (second % 1000 == 0) {
            // A machine that is busy with other things stores more slowly than this loop accepts.
            assert_true(run_until_ms(bench, has_room, 60000));
        }
    }
}

// Everything is acknowledged at once; what is counted is what the pace allows. The simulated
// seconds.
static double drain_s(Bench *bench, size_t *ret_publishes) {
    PsCloud aws = {
        .type = PS_CLOUD_AWS_IOT, .window = 100, .publish_rate = PS_UNSET, .publish_kib = PS_UNSET};
    PsMono begin = {1};
    PsMono now = begin;
    PsPace pace;
    ps_pace_init(&pace, ps_link_pace(&aws), ps_link_window(&aws), now);
    *ret_publishes = 0;
    const PsOutboxRow *row;
    while ((row = next_within(bench)) != NULL) {
        while (!ps_pace_may_send(&pace, 0, now)) {
            now = ps_mono_add_ns(ps_pace_next(&pace, now), PS_NS_PER_MS); // as a timer would
        }
        ps_pace_sent(&pace, row->len);
        (*ret_publishes)++;
        ps_outbox_acknowledged(bench->outbox, row->id);
    }
    assert_true(ps_outbox_ledger(bench->outbox, RIG_DATA)->delivered == DAY_S);
    return (double)ps_mono_diff_ns(now, begin) / PS_NS_PER_S;
}

static void one_by_one_in_under_nineteen_minutes(void **state) {
    Bench bench;
    bench_init(&bench, 1);
    accept_day(&bench);
    size_t publishes;
    double minutes = drain_s(&bench, &publishes) / 60;
    print_message("%zu publishes in %.1f minutes\n", publishes, minutes);
    assert_int_equal(publishes, DAY_S);
    assert_true(minutes < 19);
    bench_deinit(&bench);
}

static void packed_in_under_a_minute(void **state) {
    Bench bench;
    bench_init(&bench, 1);
    bench.rules[RIG_DATA].pack_bytes = (size_t)128 * 1024;
    bench_reopen(&bench);
    accept_day(&bench);
    size_t publishes;
    double seconds = drain_s(&bench, &publishes);
    print_message("%zu publishes in %.1f seconds\n", publishes, seconds);
    assert_true(publishes < 300);
    assert_true(seconds < 60);
    bench_deinit(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_by_one_in_under_nineteen_minutes),
        cmocka_unit_test(packed_in_under_a_minute),
    };
    return cmocka_run_group_tests_name("drain", tests, NULL, NULL);
}
