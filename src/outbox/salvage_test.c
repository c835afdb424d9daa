// Damaged outboxes of every kind: the gateway's part opens all of them, and every message that
// stands on sound pages is recovered.
#include "outbox/damage_test_rig.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

// ---- the tests

static void an_undamaged_one_stays_as_it_is(void **state) {
    PS_AUTO_FREE Outcome *outcome = damage_outcome_new();
    damage_put_files(&damage_original.db, &damage_original.log);
    damage_open_and_look(false, outcome);
    damage_expect_rest(outcome, ROWS, false);
    assert_int_equal(outcome->letters, LETTERS);
    assert_int_equal(outcome->delivered, DELIVERED);
    assert_int_equal(damage_count_asides("outbox.db.damaged-"), 0);
}

static void recovery_of_a_sound_one_finds_everything(void **state) {
    PS_AUTO_FREE Outcome *outcome = damage_outcome_new();
    damage_put_files(&damage_original.db, &damage_original.log);
    damage_open_and_look(true, outcome);
    damage_expect_rest(outcome, ROWS, false);
    assert_int_equal(outcome->letters, LETTERS);
    assert_int_equal(outcome->delivered, DELIVERED);
    assert_int_equal(outcome->next_id, ROWS + 1);
    assert_int_equal(damage_count_asides("outbox.db.damaged-"), 2); // with its log
    assert_int_equal(damage_count_asides("outbox.db.new"), 0);
}

static void flipped_bytes_of_the_database(void **state) {
    for (uint32_t seed = 1; seed <= 250; seed++) {
        damage_random = seed;
        PS_AUTO_FREE Outcome *outcome = damage_outcome_new();
        PS_AUTO_BUF PsBuf db = {0};
        ps_buf_put(&db, damage_original.db.data, damage_original.db.len);
        size_t flips = 1 + damage_random_below(6);
        for (size_t i = 0; i < flips; i++) {
            // Every fourth at the head of a page, where most is to be broken.
            size_t at = damage_random_below(db.len);
            at = seed % 4 == 0 ? at / PAGE * PAGE + damage_random_below(seed % 8 == 0 ? 12 : 110)
                               : at;
            db.data[at] ^= (uint8_t)(1 + damage_random_below(255));
            damage_touch_page(at / PAGE, outcome);
        }
        damage_put_files(&db, seed % 2 == 0 ? &damage_original.log : NULL);
        damage_open_and_look(false, outcome);
        // Without its log the rows of the log are not there, and nothing is deleted.
        damage_expect_rest(outcome, seed % 2 == 0 ? ROWS : BASE_ROWS, seed % 2 != 0);
    }
}

static void every_byte_of_the_head(void **state) {
    for (size_t at = 0; at < 100; at++) {
        PS_AUTO_FREE Outcome *outcome = damage_outcome_new();
        PS_AUTO_BUF PsBuf db = {0};
        ps_buf_put(&db, damage_original.db.data, damage_original.db.len);
        db.data[at] ^= 0x41;
        damage_put_files(&db, at % 2 == 0 ? &damage_original.log : NULL);
        damage_open_and_look(false, outcome);
        damage_expect_rest(outcome, at % 2 == 0 ? ROWS : BASE_ROWS, at % 2 != 0);
        assert_int_equal(outcome->delivered, DELIVERED);
    }
}

static void lost_pages(void **state) {
    size_t pages = damage_original.db.len / PAGE;
    for (size_t page = 0; page < pages; page += 1 + pages / 60) {
        PS_AUTO_FREE Outcome *outcome = damage_outcome_new();
        PS_AUTO_BUF PsBuf db = {0};
        ps_buf_put(&db, damage_original.db.data, damage_original.db.len);
        memset(db.data + page * PAGE, page % 2 == 0 ? 0 : 0xff, PAGE);
        damage_touch_page(page, outcome);
        damage_put_files(&db, NULL);
        damage_open_and_look(false, outcome);
        damage_expect_rest(outcome, BASE_ROWS, true);
    }
}

static void cut_databases(void **state) {
    for (uint32_t seed = 1; seed <= 60; seed++) {
        damage_random = seed;
        PS_AUTO_FREE Outcome *outcome = damage_outcome_new();
        PS_AUTO_BUF PsBuf db = {0};
        size_t len = damage_random_below(damage_original.db.len);
        ps_buf_put(&db, damage_original.db.data, len);
        for (size_t page = len / PAGE; page * PAGE < damage_original.db.len; page++) {
            damage_touch_page(page, outcome);
        }
        damage_put_files(&db, seed % 2 == 0 ? &damage_original.log : NULL);
        damage_open_and_look(false, outcome);
        damage_expect_rest(outcome, seed % 2 == 0 ? ROWS : BASE_ROWS, true);
    }
}

static size_t rows_before(size_t log_len) {
    size_t batch = 0;
    while (batch < LOG_BATCHES && damage_original.log_ends[batch + 1] <= log_len) {
        batch++;
    }
    return BASE_ROWS + batch * BATCH_ROWS;
}

static void cut_logs(void **state) {
    for (uint32_t seed = 1; seed <= 60; seed++) {
        damage_random = seed;
        PS_AUTO_FREE Outcome *outcome = damage_outcome_new();
        PS_AUTO_BUF PsBuf log = {0};
        size_t len = damage_random_below(damage_original.log.len);
        len = seed % 3 == 0 ? LOG_HEAD + (len / FRAME) * FRAME : len;
        ps_buf_put(&log, damage_original.log.data, len);
        damage_put_files(&damage_original.db, &log);
        damage_open_and_look(false, outcome);
        damage_expect_rest(outcome, rows_before(len), true);
        assert_int_equal(damage_count_asides("outbox.db.damaged-"), 0); // what a power cut leaves
    }
}

static void flipped_bytes_of_the_log(void **state) {
    // The newest transaction is promised to nobody; and when the one before has lost its last
    // frame, both look like one that was cut off.
    size_t last = damage_original.log_ends[LOG_BATCHES - 1] - FRAME;
    for (uint32_t seed = 1; seed <= 120; seed++) {
        damage_random = seed;
        PS_AUTO_FREE Outcome *outcome = damage_outcome_new();
        PS_AUTO_BUF PsBuf log = {0};
        ps_buf_put(&log, damage_original.log.data, damage_original.log.len);
        size_t at = damage_random_below(seed % 5 == 0 ? LOG_HEAD : log.len);
        at = seed % 5 == 1 && at >= LOG_HEAD
                 ? LOG_HEAD + (at - LOG_HEAD) / FRAME * FRAME + damage_random_below(24)
                 : at;
        log.data[at] ^= (uint8_t)(1 + damage_random_below(255));
        if (at >= LOG_HEAD) {
            damage_touch_frame((at - LOG_HEAD) / FRAME, outcome);
        }
        damage_put_files(&damage_original.db, &log);
        damage_open_and_look(false, outcome);
        damage_expect_rest(outcome, at < last ? ROWS : rows_before(last), true);
    }
}

static void logs_that_do_not_belong(void **state) {
    PS_AUTO_FREE Outcome *lost = damage_outcome_new();
    damage_put_files(&damage_original.db, NULL); // gone
    damage_open_and_look(false, lost);
    damage_expect_rest(lost, BASE_ROWS, true);
    // One database is gone, its log is there: what stands in the log is recovered.
    PS_AUTO_FREE Outcome *alone = damage_outcome_new();
    PsBuf nothing = {0};
    damage_put_files(&nothing, &damage_original.log);
    damage_open_and_look(false, alone);
    size_t found = 0;
    for (size_t row = BASE_ROWS; row < ROWS; row++) {
        found += alone->found[row] ? 1 : 0;
    }
    assert_int_equal(found, ROWS - BASE_ROWS);
    // Some other file's bytes.
    PS_AUTO_FREE Outcome *foreign = damage_outcome_new();
    damage_put_files(&damage_original.db, &damage_original.db);
    damage_open_and_look(false, foreign);
    damage_expect_rest(foreign, BASE_ROWS, true);
}

static void what_is_no_database(void **state) {
    static const char text[] = "This is a text, and it is long enough that somebody reads it.\n";
    for (int kind = 0; kind < 5; kind++) {
        PS_AUTO_FREE Outcome *outcome = damage_outcome_new();
        damage_empty_folder();
        PS_AUTO_BUF PsBuf noise = {0};
        damage_random = 5;
        while (kind == 2 && noise.len < 40000) {
            ps_buf_put_u8(&noise, (uint8_t)damage_random_below(256));
        }
        if (kind < 3) {
            damage_write_file(damage_path, kind == 1 ? (const uint8_t *)text : noise.data,
                              kind == 1 ? sizeof text : noise.len);
        } else if (kind == 3) {
            assert_int_equal(mkdir(damage_path, 0700), 0);
        } else {
            assert_int_equal(mkfifo(damage_path, 0600), 0);
        }
        damage_open_and_look(false, outcome);
        assert_int_equal(outcome->strange, 0);
        assert_int_equal(damage_count_asides("outbox.db.damaged-"), kind == 0 ? 0 : 1);
    }
}

static void the_newest_three_are_kept(void **state) {
    damage_empty_folder();
    for (int i = 0; i < 6; i++) {
        PS_AUTO_FREE Outcome *outcome = damage_outcome_new();
        char text[16];
        int len = snprintf(text, sizeof text, "damaged %d", i);
        damage_write_file(damage_path, (const uint8_t *)text, (size_t)len);
        damage_open_and_look(false, outcome);
    }
    assert_int_equal(damage_count_asides("outbox.db.damaged-"), 3);
}

// The end came between the two renames.
static void a_recovery_that_was_cut_off_is_finished(void **state) {
    PS_AUTO_FREE Outcome *outcome = damage_outcome_new();
    damage_put_files(&damage_original.db, &damage_original.log);
    char fresh[160];
    snprintf(fresh, sizeof fresh, "%s.new", damage_path);
    assert_int_equal(rename(damage_path, fresh),
                     0); // complete, and the damaged one's log is left over
    damage_open_and_look(false, outcome);
    damage_expect_rest(outcome, BASE_ROWS, true);
    assert_int_equal(damage_count_asides("outbox.db.new"), 0);
    // And before them: what was begun is thrown away.
    PS_AUTO_FREE Outcome *again = damage_outcome_new();
    damage_put_files(&damage_original.db, &damage_original.log);
    damage_write_file(fresh, (const uint8_t *)"half", 4);
    damage_open_and_look(true, again);
    damage_expect_rest(again, ROWS, false);
    assert_int_equal(damage_count_asides("outbox.db.new"), 0);
}

// The page with the names is gone: rows are kept, the index still knows what they were called.
static void lost_names_are_found_in_their_index(void **state) {
    for (int with_index = 1; with_index >= 0; with_index--) {
        PS_AUTO_BUF PsBuf db = {0};
        ps_buf_put(&db, damage_original.db.data, damage_original.db.len);
        memset(db.data + PAGE, 0, with_index ? PAGE : (size_t)2 * PAGE); // tables in their order
        damage_put_files(&db, &damage_original.log);
        // The log has the page of the names again, with the counts: leave it out.
        assert_int_equal(unlink(damage_log_path), 0);
        PsContents contents = {0};
        PsDb *opened = damage_open_any(&contents, false);
        assert_int_equal(contents.ledgers.entries[0].book.delivered, 0);
        uint64_t waiting = contents.ledgers.entries[0].book.waiting;
        assert_int_equal(waiting, with_index ? BASE_ROWS / 10 * 9 : 0);
        if (!with_index) {
            assert_int_equal(contents.ledgers.count, 4);
            assert_int_equal(contents.ledgers.entries[2].book.waiting +
                                 contents.ledgers.entries[3].book.waiting,
                             BASE_ROWS);
        }
        ps_db_close(opened);
        ps_contents_deinit(&contents);
    }
}

int main(void) {
    ps_log_set_fd(-1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_undamaged_one_stays_as_it_is),
        cmocka_unit_test(recovery_of_a_sound_one_finds_everything),
        cmocka_unit_test(flipped_bytes_of_the_database),
        cmocka_unit_test(every_byte_of_the_head),
        cmocka_unit_test(lost_pages),
        cmocka_unit_test(cut_databases),
        cmocka_unit_test(cut_logs),
        cmocka_unit_test(flipped_bytes_of_the_log),
        cmocka_unit_test(logs_that_do_not_belong),
        cmocka_unit_test(what_is_no_database),
        cmocka_unit_test(the_newest_three_are_kept),
        cmocka_unit_test(a_recovery_that_was_cut_off_is_finished),
        cmocka_unit_test(lost_names_are_found_in_their_index),
    };
    return cmocka_run_group_tests(tests, damage_make_original, damage_remove_original);
}
