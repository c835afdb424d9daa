// What goes out: alarms and live rows before the backlog, packed messages, gap records, quarantine.
#include "outbox/outbox_test_rig.h"

#include "outbox/dead.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void expect_payload(const PsOutboxRow *row, const char *payload) {
    assert_non_null(row);
    assert_int_equal(row->len, strlen(payload));
    assert_memory_equal(row->payload, payload, row->len);
}

static const PsOutboxRow *next(Bench *bench) {
    return ps_outbox_next(bench->outbox, false);
}

// ---- order

static void live_rows_go_before_the_backlog(void **state) {
    Bench bench;
    bench_init(&bench, 1);
    bench.rules[RIG_DATA].live_first = true;
    bench_reopen(&bench);
    accept_one(&bench, RIG_DATA, 1, "old 1");
    accept_one(&bench, RIG_DATA, 2, "old 2");
    accept_one(&bench, RIG_MORE, 3, "other, old");
    ps_outbox_link_up(bench.outbox);
    accept_one(&bench, RIG_DATA, 4, "new 1");
    accept_one(&bench, RIG_DATA, 5, "new 2");
    accept_one(&bench, RIG_MORE, 6, "other, new");
    const PsOutboxRow *row = next(&bench);
    expect_payload(row, "new 1");
    ps_outbox_acknowledged(bench.outbox, row->id);
    row = next(&bench);
    expect_payload(row, "new 2"); // in flight when the connection ends
    expect_payload(next(&bench), "old 1");
    ps_outbox_link_lost(bench.outbox);
    ps_outbox_link_up(bench.outbox);
    static const char *const rest[] = {"old 1", "old 2", "other, old", "new 2", "other, new"};
    for (size_t i = 0; i < PS_COUNT(rest); i++) {
        row = next(&bench);
        expect_payload(row, rest[i]);
        ps_outbox_acknowledged(bench.outbox, row->id);
    }
    assert_null(next(&bench));
    expect_books(&bench, 4, 4, 0);
    bench_deinit(&bench);
}

static bool is_all_stored(Bench *bench) {
    return ps_outbox_stats(bench->outbox).rows_stored == ps_outbox_stats(bench->outbox).waiting;
}

// A live row is in the database like any other; a fetch that meets it must not bring it twice.
static void live_rows_are_stored_and_sent_once(void **state) {
    Bench bench;
    bench_init(&bench, 1);
    bench.rules[RIG_MORE].live_first = true;
    bench_reopen(&bench);
    accept_numbers(&bench, 0, 2500);
    assert_true(run_until_ms(&bench, is_all_stored, 5000));
    ps_outbox_link_up(bench.outbox);
    accept_one(&bench, RIG_MORE, 9000000, "live");
    assert_true(run_until_ms(&bench, is_all_stored, 5000));
    bool seen = false;
    for (int i = 0; i < 2501; i++) {
        const PsOutboxRow *row = next_within(&bench);
        assert_non_null(row);
        seen |= row->message == RIG_MORE;
        assert_int_equal(row->message, i == 0 ? RIG_MORE : RIG_DATA);
        ps_outbox_acknowledged(bench.outbox, row->id);
    }
    assert_true(seen);
    assert_null(next_within(&bench));
    assert_true(ps_outbox_check(bench.outbox));
    bench_reopen(&bench);
    expect_books(&bench, 2500, 2500, 0);
    bench_deinit(&bench);
}

// ---- packing

static void init_packed(Bench *bench, size_t bytes) {
    bench_init(bench, 1);
    bench->rules[RIG_DATA].pack_bytes = bytes;
    bench_reopen(bench);
}

static void waiting_rows_go_as_one_list(void **state) {
    Bench bench;
    init_packed(&bench, 1000);
    accept_one(&bench, RIG_DATA, 1, "[{\"a\": 1}, 2]");
    accept_one(&bench, RIG_MORE, 2, "{\"other\": 1}");
    accept_one(&bench, RIG_DATA, 3, "{\"b\": 3}");
    accept_one(&bench, RIG_DATA, 4, " [ ] ");
    accept_one(&bench, RIG_DATA, 5, "5");
    const PsOutboxRow *pack = next(&bench);
    expect_payload(pack, "[{\"a\": 1}, 2,{\"b\": 3},5]");
    assert_string_equal(pack->topic, "plant/data");
    assert_int_equal(pack->qos, 1);
    const PsOutboxRow *other = next(&bench);
    expect_payload(other, "{\"other\": 1}");
    assert_null(next(&bench));
    expect_books(&bench, 4, 0, 4);
    ps_outbox_acknowledged(bench.outbox, pack->id);
    expect_books(&bench, 4, 4, 0);
    ps_outbox_acknowledged(bench.outbox, other->id);
    accept_one(&bench, RIG_DATA, 6, "[6]");
    expect_payload(next(&bench), "[6]"); // alone: as it is
    bench_deinit(&bench);
}

static void a_pack_keeps_its_size_and_order(void **state) {
    Bench bench;
    init_packed(&bench, 20);
    accept_one(&bench, RIG_DATA, 1, "[1111,2222]");
    accept_one(&bench, RIG_DATA, 2, "\"333333\""); // [1111,2222,"333333"] has 20 bytes
    accept_one(&bench, RIG_DATA, 3, "4");
    accept_one(&bench, RIG_DATA, 4, "not JSON");
    accept_one(&bench, RIG_DATA, 5, "[5]");
    accept_one(&bench, RIG_DATA, 6, "\"a payload that is larger than a pack\"");
    accept_one(&bench, RIG_DATA, 7, "7");
    accept_one(&bench, RIG_DATA, 8, "8");
    static const char *const sent[] = {"[1111,2222,\"333333\"]",
                                       "4",
                                       "not JSON",
                                       "[5]",
                                       "\"a payload that is larger than a pack\"",
                                       "[7,8]"};
    for (size_t i = 0; i < PS_COUNT(sent); i++) {
        const PsOutboxRow *row = next(&bench);
        expect_payload(row, sent[i]);
        ps_outbox_acknowledged(bench.outbox, row->id);
    }
    expect_books(&bench, 8, 8, 0);
    bench_deinit(&bench);
}

static void a_pack_comes_apart_with_the_connection(void **state) {
    Bench bench;
    init_packed(&bench, 1000);
    accept_one(&bench, RIG_DATA, 1, "1");
    accept_one(&bench, RIG_DATA, 2, "2");
    const PsOutboxRow *pack = next(&bench);
    expect_payload(pack, "[1,2]");
    uint64_t id = pack->id;
    ps_outbox_link_lost(bench.outbox);
    ps_outbox_acknowledged(bench.outbox, id); // crossed with it
    expect_books(&bench, 2, 0, 2);
    const PsOutboxRow *row = ps_outbox_next(bench.outbox, true);
    expect_payload(row, "1");
    ps_outbox_put_back(bench.outbox, row->id);
    accept_one(&bench, RIG_DATA, 3, "3");
    pack = next(&bench);
    expect_payload(pack, "[1,2,3]");
    ps_outbox_put_back(bench.outbox, pack->id);
    expect_payload(next(&bench), "[1,2,3]"); // in flight at the end
    bench_reopen(&bench);
    expect_books(&bench, 3, 0, 3);
    expect_payload(next_within(&bench), "[1,2,3]");
    bench_deinit(&bench);
}

// ---- gap records

static void init_gaps(Bench *bench, uint64_t rows) {
    bench_init(bench, 1);
    bench->setup.catch_recording = rows;
    bench->rules[RIG_DATA].gap_topic = "plant/gaps";
    bench_reopen(bench);
}

static void expect_gap(const PsOutboxRow *row, const char *json) {
    expect_payload(row, json);
    assert_string_equal(row->topic, "plant/gaps");
    assert_int_equal(row->message, RIG_DATA);
}

static void what_was_dropped_is_told(void **state) {
    Bench bench;
    init_gaps(&bench, 3);
    for (int64_t second = 1; second <= 5; second++) {
        accept_one(&bench, RIG_DATA, second * PS_NS_PER_S, "value");
    }
    bench_reopen(&bench); // it outlives the gateway
    const PsOutboxRow *gap = next(&bench);
    const char *first =
        "{\"gap\": {\"message\": \"data\", \"reason\": \"retention\", \"count\": 2, "
        "\"first\": 1.0, \"last\": 2.0}}";
    expect_gap(gap, first);
    assert_int_equal(next_within(&bench)->message, RIG_DATA);
    ps_outbox_link_lost(bench.outbox); // told again, since nobody knows whether it arrived
    gap = next(&bench);
    expect_gap(gap, first);
    ps_outbox_acknowledged(bench.outbox, gap->id);
    expect_books(&bench, 5, 0, 3);
    bench_reopen(&bench);
    for (int i = 0; i < 3; i++) {
        const PsOutboxRow *row = next_within(&bench);
        expect_payload(row, "value"); // the gap has been told
        ps_outbox_acknowledged(bench.outbox, row->id);
    }
    assert_null(next_within(&bench));
    bench_deinit(&bench);
}

static void nobody_is_told_who_did_not_ask(void **state) {
    Bench bench;
    init_gaps(&bench, 3);
    for (int64_t second = 1; second <= 5; second++) {
        accept_one(&bench, RIG_MORE, second * PS_NS_PER_S, "value");
    }
    expect_payload(next(&bench), "value");
    bench_deinit(&bench);
}

// ---- quarantine

static void on_letters(PsErr result, const PsDeadLetter *letters, size_t count, void *ctx) {
    size_t *found = ctx;
    assert_int_equal(result, PS_OK);
    assert_int_equal(count, 1);
    assert_int_equal(letters->form, PS_DEAD_FORM_MESSAGE);
    assert_int_equal(letters->qos, 1);
    assert_true(letters->collected.ns == 2);
    assert_string_equal(letters->reason, "the server does not like it");
    assert_int_equal(letters->input_len, sizeof "plant/data\0bad" - 1);
    assert_memory_equal(letters->input, "plant/data\0bad", letters->input_len);
    *found = count;
}

static bool has_waited(Bench *bench) {
    return bench->ready > 1;
}

static void a_message_can_be_set_aside(void **state) {
    Bench bench;
    bench_init(&bench, 1);
    accept_one(&bench, RIG_DATA, 1, "good");
    accept_one(&bench, RIG_DATA, 2, "bad");
    accept_one(&bench, RIG_DATA, 3, "good, too");
    expect_payload(next(&bench), "good");
    uint64_t bad = next(&bench)->id;
    ps_outbox_link_lost(bench.outbox);
    assert_true(ps_outbox_quarantine(bench.outbox, bad, "the server does not like it"));
    assert_false(ps_outbox_quarantine(bench.outbox, bad, "the server does not like it"));
    expect_books(&bench, 3, 0, 2);
    assert_true(ps_outbox_ledger(bench.outbox, RIG_DATA)->dead == 1);
    bench_reopen(&bench);
    expect_books(&bench, 3, 0, 2);
    size_t found = 0;
    PsDeadQuery query = {.message = RIG_DATA, .limit = 10, .whole = true};
    query.after_collected.ns = INT64_MIN;
    ps_outbox_dead_fetch(bench.outbox, &query, on_letters, &found);
    (void)run_until_ms(&bench, has_waited, 5000);
    assert_int_equal(found, 1);
    expect_payload(next_within(&bench), "good");
    expect_payload(next_within(&bench), "good, too");
    bench_deinit(&bench);
}

// The third of five is changed while the outbox is closed. As a row of an older version it has no
// checksum, which would speak first.
static void change_stored(Bench *bench, const char *how) {
    for (int64_t i = 1; i <= 5; i++) {
        char text[2] = {(char)('0' + i), '\0'};
        accept_one(bench, RIG_DATA, i, text);
    }
    bench_close(bench);
    char path[160];
    snprintf(path, sizeof path, "%s/outbox.db", bench->folder);
    char text[160];
    snprintf(text, sizeof text, "UPDATE message SET %s, sum = NULL WHERE collected = 3", how);
    sqlite3 *handle = NULL;
    assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_exec(handle, text, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(handle), SQLITE_OK);
    bench_open(bench);
}

static void expect_others(Bench *bench) {
    static const char *const others[] = {"1", "2", "4", "5"};
    for (size_t i = 0; i < PS_COUNT(others); i++) {
        const PsOutboxRow *row = next_within(bench);
        expect_payload(row, others[i]);
        ps_outbox_acknowledged(bench->outbox, row->id);
    }
    assert_null(next_within(bench));
}

// The link would refuse it again and again, and everything behind it would wait for ever.
static void a_stored_message_that_cannot_be_sent_is_set_aside(void **state) {
    static const char *const ways[] = {
        "topic = 'plant/#'",
        "topic = CAST(x'706c616e74ff' AS TEXT)",
        "topic = CAST(x'706c0161' AS TEXT)",
        "topic = CAST(x'00706c61' AS TEXT)",
        "topic = 'a/b/c/d/e/f/g/h/i/j'",
        "qos = 3",
        "payload = zeroblob(200000)",
    };
    for (size_t i = 0; i < PS_COUNT(ways); i++) {
        Bench bench;
        bench_init(&bench, 0);
        change_stored(&bench, ways[i]);
        expect_others(&bench);
        expect_books(&bench, 5, 4, 0);
        assert_true(ps_outbox_ledger(bench.outbox, RIG_DATA)->dead == 1);
        bench_reopen(&bench);
        expect_books(&bench, 5, 4, 0);
        assert_true(ps_outbox_ledger(bench.outbox, RIG_DATA)->dead == 1);
        bench_deinit(&bench);
    }
}

static void without_room_for_it_it_is_dropped(void **state) {
    Bench bench;
    bench_init(&bench, 0);
    bench.setup.dead_max_bytes = 0;
    bench_reopen(&bench);
    change_stored(&bench, "topic = ''");
    expect_others(&bench);
    expect_books(&bench, 5, 4, 0);
    assert_true(ps_outbox_ledger(bench.outbox, RIG_DATA)->dropped[PS_DROP_BAD_TOPIC] == 1);
    bench_reopen(&bench);
    expect_books(&bench, 5, 4, 0);
    bench_deinit(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(live_rows_go_before_the_backlog),
        cmocka_unit_test(live_rows_are_stored_and_sent_once),
        cmocka_unit_test(waiting_rows_go_as_one_list),
        cmocka_unit_test(a_pack_keeps_its_size_and_order),
        cmocka_unit_test(a_pack_comes_apart_with_the_connection),
        cmocka_unit_test(what_was_dropped_is_told),
        cmocka_unit_test(nobody_is_told_who_did_not_ask),
        cmocka_unit_test(a_message_can_be_set_aside),
        cmocka_unit_test(a_stored_message_that_cannot_be_sent_is_set_aside),
        cmocka_unit_test(without_room_for_it_it_is_dropped),
    };
    return cmocka_run_group_tests_name("out", tests, NULL, NULL);
}
