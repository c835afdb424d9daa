// Bytes of stored rows that change on the disk: whatever it is, it is noticed, counted and never
// goes out, and nothing else is held up.
#include "outbox/outbox_test_rig.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/log.h"
#include "outbox/contents.h"
#include "outbox/dead.h"

#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define MANY 3000
#define FIRST_BAD 1200 // behind what is fetched first
#define GAP "plant/gaps"

static void path_of(const Bench *bench, char out[PATH_MAX]) {
    snprintf(out, PATH_MAX, "%s/outbox.db", bench->folder);
}

static void run_sql(const Bench *bench, const char *text) {
    char path[PATH_MAX];
    path_of(bench, path);
    sqlite3 *handle = NULL;
    assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
    char *why = NULL;
    if (sqlite3_exec(handle, text, NULL, NULL, &why) != SQLITE_OK) {
        fail_msg("%s: %s", text, why);
    }
    assert_true(sqlite3_total_changes(handle) > 0);
    sqlite3_close(handle);
}

// Flips a bit of the byte behind each place where `mark` stands; how many.
static size_t flip_behind(const Bench *bench, const char *mark) {
    char path[PATH_MAX];
    path_of(bench, path);
    PS_AUTO_FD int fd = open(path, O_RDWR | O_CLOEXEC);
    struct stat info;
    assert_true(fd >= 0 && fstat(fd, &info) == 0);
    size_t size = (size_t)info.st_size;
    uint8_t *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(bytes != MAP_FAILED);
    size_t count = 0;
    uint8_t *at = bytes;
    while ((at = memmem(at, size - (size_t)(at - bytes), mark, strlen(mark))) != NULL) {
        at += strlen(mark);
        *at ^= 4;
        count++;
    }
    munmap(bytes, size);
    return count;
}

static uint64_t damaged(const Bench *bench, size_t message) {
    return ps_outbox_ledger(bench->outbox, message)->dropped[PS_DROP_DAMAGED];
}

static void bench_with_gaps(Bench *bench) {
    bench_init(bench, 0);
    bench->rules[RIG_DATA].gap_topic = GAP;
    bench_reopen(bench);
}

static bool is_stored(Bench *bench) {
    PsOutboxStats stats = ps_outbox_stats(bench->outbox);
    return stats.rows_stored >= stats.waiting;
}

static void expect_gap(Bench *bench, const char *words) {
    const PsOutboxRow *row = next_within(bench);
    assert_non_null(row);
    assert_string_equal(row->topic, GAP);
    PS_AUTO_BUF PsBuf text = {0};
    ps_buf_put(&text, row->payload, row->len);
    ps_buf_put_u8(&text, 0);
    if (strstr((const char *)text.data, words) == NULL) {
        fail_msg("%s is not in %s", words, (const char *)text.data);
    }
    ps_outbox_acknowledged(bench->outbox, row->id);
}

// ---- messages

// Message 4 of ten was changed. The others arrive.
static void expect_all_but_one(Bench *bench) {
    assert_int_equal(ps_outbox_stats(bench->outbox).waiting, 9);
    expect_books(bench, 10, 0, 9);
    assert_int_equal(damaged(bench, RIG_DATA), 1);
    expect_gap(bench, "\"reason\": \"damaged\", \"count\": 1");
    expect_numbers(bench, 0, 4);
    expect_numbers(bench, 5, 5);
    assert_null(next_within(bench));
    bench_reopen(bench);
    expect_books(bench, 10, 9, 0);
    assert_int_equal(damaged(bench, RIG_DATA), 1);
}

static const char *const message_changes[] = {
    "class = 1",
    "collected = collected + 1",
    "collected = 9223372036854775807",
    "name = 2",
    "name = 3",
    "topic = 'plant/dataX'",
    "topic = CAST(x'706c' || x'00' AS TEXT)",
    "qos = 0",
    "payload = x'35'",
    "payload = x''",
    "sum = sum + 1",
    "sum = 'text'",
    "id = 77",
    "id = 4611686018427387000",
};

static void every_field_of_a_message_is_held_up(void **state) {
    for (size_t i = 0; i < PS_COUNT(message_changes); i++) {
        Bench bench;
        bench_with_gaps(&bench);
        accept_numbers(&bench, 0, 10);
        bench_close(&bench);
        char text[200];
        snprintf(text, sizeof text, "UPDATE message SET %s WHERE collected = 4000",
                 message_changes[i]);
        run_sql(&bench, text);
        bench_open(&bench);
        expect_all_but_one(&bench);
        bench_deinit(&bench);
    }
}

// The same where the file is so damaged, too, that it must be recovered.
static void recovery_leaves_changed_rows_out_and_counts_them(void **state) {
    for (size_t i = 0; i < PS_COUNT(message_changes); i++) {
        Bench bench;
        bench_with_gaps(&bench);
        accept_numbers(&bench, 0, 10);
        bench_close(&bench);
        char text[200];
        snprintf(text, sizeof text, "UPDATE message SET %s WHERE collected = 4000",
                 message_changes[i]);
        run_sql(&bench, text);
        assert_int_equal(flip_behind(&bench, "SQLite format"), 1);
        bench_open(&bench);
        // A sum that is no number is no record of ours, and what made it is not known.
        if (strstr(message_changes[i], "'text'") == NULL) {
            expect_all_but_one(&bench);
        } else {
            expect_books(&bench, 9, 0, 9);
        }
        bench_deinit(&bench);
    }
}

static void accept_marked(Bench *bench, int64_t bad_until) {
    char payload[1500];
    for (int64_t i = 0; i < MANY; i++) {
        bool bad = i >= FIRST_BAD && i < bad_until;
        memset(payload, 'x', sizeof payload - 1);
        payload[sizeof payload - 1] = '\0';
        int len = snprintf(payload, sizeof payload, "[%lld, \"%s", (long long)i,
                           bad ? "<bad>x" : "<fit>x");
        payload[len] = 'x';
        memcpy(payload + sizeof payload - 3, "\"]", 3);
        accept_one(bench, RIG_DATA, i * 1000, payload);
    }
}

// How many arrive.
static size_t drain(Bench *bench, int64_t bad_until) {
    size_t count = 0;
    const PsOutboxRow *row;
    while ((row = next_within(bench)) != NULL) {
        if (strcmp(row->topic, GAP) != 0) {
            assert_null(memmem(row->payload, row->len, "<bad>", 5));
            assert_true(row->collected.ns < FIRST_BAD * 1000 ||
                        row->collected.ns >= bad_until * 1000);
            count += row->packed;
        }
        ps_outbox_acknowledged(bench->outbox, row->id);
    }
    return count;
}

static void changes_at_work_hold_nothing_up(void **state) {
    static const int64_t untils[] = {FIRST_BAD + 1, FIRST_BAD + 7, FIRST_BAD + 1200, MANY};
    for (size_t i = 0; i < 2 * PS_COUNT(untils); i++) {
        int64_t until = untils[i / 2];
        size_t bad = (size_t)(until - FIRST_BAD);
        Bench bench;
        bench_with_gaps(&bench);
        accept_marked(&bench, until);
        assert_true(run_until_ms(&bench, is_stored, 10000));
        bench.rules[RIG_DATA].pack_bytes = i % 2 == 0 ? 0 : 100000;
        bench_reopen(&bench); // all of it in the database file
        assert_non_null(next_within(&bench));
        ps_outbox_link_lost(bench.outbox);
        assert_int_equal(flip_behind(&bench, "<bad>"), bad);
        assert_int_equal(drain(&bench, until), MANY - bad);
        expect_books(&bench, MANY, MANY - bad, 0);
        assert_int_equal(damaged(&bench, RIG_DATA), bad);
        assert_false(ps_outbox_stats(bench.outbox).store_failing);
        bench_reopen(&bench);
        expect_books(&bench, MANY, MANY - bad, 0);
        bench_deinit(&bench);
    }
}

// Of rows that are gone with their pages nobody knows the time.
static void rows_of_lost_pages_are_told_without_times(void **state) {
    Bench bench;
    bench_with_gaps(&bench);
    accept_marked(&bench, FIRST_BAD);
    assert_true(run_until_ms(&bench, is_stored, 10000));
    bench_reopen(&bench);
    char path[PATH_MAX];
    path_of(&bench, path);
    PS_AUTO_FD int fd = open(path, O_WRONLY | O_CLOEXEC);
    static const char rubbish[40960] = "no page";
    assert_true(fd >= 0 && pwrite(fd, rubbish, sizeof rubbish, 4096 * 700L) == sizeof rubbish);
    size_t lost = MANY - drain(&bench, FIRST_BAD);
    assert_true(lost > 0 && damaged(&bench, RIG_DATA) == lost);
    expect_books(&bench, MANY, MANY - lost, 0);
    ps_outbox_link_lost(bench.outbox); // or the record would wait for more to tell
    char words[80];
    snprintf(words, sizeof words, "\"reason\": \"damaged\", \"count\": %zu}", lost);
    expect_gap(&bench, words);
    bench_deinit(&bench);
}

static void what_is_to_be_told_nowhere_is_not_told(void **state) {
    Bench bench;
    bench_with_gaps(&bench);
    accept_numbers(&bench, 0, 10);
    bench_close(&bench);
    run_sql(&bench, "UPDATE message SET qos = 2 WHERE collected = 4000");
    bench_open(&bench);
    bench.rules[RIG_DATA].gap_topic = NULL;
    bench.rules[RIG_MORE].gap_topic = GAP;
    bench_reopen(&bench);
    expect_numbers(&bench, 0, 4);
    expect_numbers(&bench, 5, 5);
    assert_null(ps_outbox_next(bench.outbox, false));
    bench_deinit(&bench);
}

// ---- when stamps are corrected

static void a_corrected_stamp_hides_no_change(void **state) {
    Bench bench;
    bench_init(&bench, 0);
    accept_numbers(&bench, 0, 10);
    bench_close(&bench);
    run_sql(&bench, "UPDATE message SET payload = x'35' WHERE collected = 4000");
    char path[PATH_MAX];
    path_of(&bench, path);
    PsDb *db = NULL;
    PsContents contents = {0};
    PsDiag diag = {0};
    assert_int_equal(ps_contents_open(path, false, (PsHeldRows){0}, &db, &contents, &diag), PS_OK);
    PsEraShift shift = {
        .move = true, .before = {100000}, .moved_ns = 5000, .end_message = 100, .end_letter = 100};
    assert_int_equal(ps_era_db_shift(db, &shift), PS_OK);
    assert_true(shift.messages == 10);
    PsDamagedRows found = {0};
    assert_int_equal(ps_sum_db_find(db, &found), PS_OK);
    assert_int_equal(found.count, 1);
    assert_true(found.items[0].collected.ns == 9000);
    ps_damaged_rows_deinit(&found);
    ps_contents_deinit(&contents);
    ps_db_close(db);
    bench_open(&bench);
    bench_deinit(&bench);
}

// ---- dead letters

typedef struct Answer {
    bool came;
    PsErr result;
    size_t count;
    int64_t first;
} Answer;

static void on_letters(PsErr result, const PsDeadLetter *letters, size_t count, void *ctx) {
    Answer *answer = ctx;
    *answer = (Answer){true, result, count, count > 0 ? letters[0].collected.ns : 0};
    for (size_t i = 0; i < count; i++) {
        assert_null(memmem(letters[i].input, letters[i].input_len, "<bad>", 5));
    }
}

static Answer fetch(Bench *bench, size_t limit) {
    Answer answer = {0};
    PsDeadQuery query = {
        .message = PS_DEAD_ANY, .after_collected = {-1}, .limit = limit, .whole = true};
    ps_outbox_dead_fetch(bench->outbox, &query, on_letters, &answer);
    for (int tries = 0; tries < 500 && !answer.came; tries++) {
        run_until_ms(bench, never, 10);
    }
    assert_true(answer.came);
    return answer;
}

static void put_letters(Bench *bench, int64_t bad, int64_t count, size_t len) {
    char input[4000];
    memset(input, 'x', sizeof input);
    for (int64_t i = 0; i < count; i++) {
        int head = snprintf(input, sizeof input, "%s", i < bad ? "<bad>x" : "<fit>x");
        input[head] = 'x';
        PsDeadLetter letter = {.message = RIG_DATA,
                               .collected = {i * 1000},
                               .form = 7,
                               .qos = 1,
                               .reason = "boom",
                               .input = input,
                               .input_len = len,
                               .schema = "schema <of>A",
                               .schema_len = 12};
        assert_int_equal(ps_outbox_dead_put(bench->outbox, &letter), PS_OK);
    }
}

static void expect_letters(Bench *bench, uint64_t dead, uint64_t bad) {
    const PsLedger *book = ps_outbox_ledger(bench->outbox, RIG_DATA);
    assert_true(ps_ledger_adds_up(book));
    assert_true(book->accepted == dead + bad && book->dead == dead);
    assert_true(book->dropped[PS_DROP_DAMAGED] == bad);
}

static void every_field_of_a_letter_is_held_up(void **state) {
    static const char *const changes[] = {"id = 77",   "collected = 4001", "form = 8", "qos = 0",
                                          "input = '", "schema = 5",       "sum = 5"};
    for (size_t i = 0; i < 2 * PS_COUNT(changes); i++) {
        const char *change = changes[i / 2];
        Bench bench;
        bench_with_gaps(&bench);
        put_letters(&bench, 0, 10, 40);
        bench_close(&bench);
        char text[200];
        snprintf(text, sizeof text, "UPDATE dead SET %s WHERE collected = 4000",
                 change[strlen(change) - 1] == '\'' ? "input = x'41'" : change);
        run_sql(&bench, text);
        if (i % 2 != 0) {
            assert_int_equal(flip_behind(&bench, "SQLite format"), 1);
        }
        bench_open(&bench);
        expect_letters(&bench, 9, 1);
        expect_gap(&bench, "\"reason\": \"damaged\", \"count\": 1");
        assert_int_equal(fetch(&bench, 100).count, 9);
        bench_reopen(&bench);
        expect_letters(&bench, 9, 1);
        bench_deinit(&bench);
    }
}

// More than SQLite keeps in memory, and more changed ones than are fetched at once.
static void letters_that_change_at_work_hide_no_others(void **state) {
    Bench bench;
    bench_with_gaps(&bench);
    put_letters(&bench, 80, 240, 3500);
    bench_reopen(&bench);
    assert_int_equal(flip_behind(&bench, "<bad>"), 80);
    Answer answer = fetch(&bench, 32);
    assert_int_equal(answer.result, PS_OK);
    assert_int_equal(answer.count, 32 - 80 % 32);
    assert_true(answer.first == 80 * 1000);
    expect_letters(&bench, 160, 80);
    bench_reopen(&bench);
    expect_letters(&bench, 160, 80);
    bench_deinit(&bench);
}

static void changed_names_of_an_input_are_noticed(void **state) {
    Bench bench;
    bench_with_gaps(&bench);
    put_letters(&bench, 0, 3, 40);
    bench_close(&bench);
    run_sql(&bench, "UPDATE dead_schema SET bytes = CAST('schema <of>B' AS BLOB)");
    bench_open(&bench);
    expect_letters(&bench, 3, 0); // seen when they are looked at
    Answer answer = fetch(&bench, 32);
    assert_int_equal(answer.result, PS_OK);
    assert_int_equal(answer.count, 0);
    expect_letters(&bench, 0, 3);
    expect_gap(&bench, "\"reason\": \"damaged\", \"count\": 3");
    put_letters(&bench, 0, 1, 40); // and the names are right again
    assert_int_equal(fetch(&bench, 32).count, 1);
    bench_deinit(&bench);
}

static void letters_that_went_for_newer_ones_are_told(void **state) {
    Bench bench;
    bench_with_gaps(&bench);
    bench.setup.dead_max = 6;
    bench_reopen(&bench);
    put_letters(&bench, 0, 10, 40);
    expect_gap(&bench, "\"reason\": \"dead_retention\", \"count\": 4, \"first\": 0.0");
    bench_deinit(&bench);
}

// ---- older files

static void rows_of_version_4_are_taken_over(void **state) {
    for (int broken = 0; broken < 2; broken++) {
        Bench bench;
        bench_init(&bench, 0);
        accept_numbers(&bench, 0, 5);
        put_letters(&bench, 0, 2, 40);
        bench_close(&bench);
        run_sql(&bench, "UPDATE dead SET sum = 1; ALTER TABLE message DROP COLUMN sum;"
                        "ALTER TABLE dead DROP COLUMN sum; PRAGMA user_version = 4;"
                        "PRAGMA application_id = 0x50530004");
        if (broken != 0) {
            assert_int_equal(flip_behind(&bench, "SQLite format"), 1);
        }
        bench_open(&bench);
        expect_books(&bench, 7, 0, 5);
        accept_numbers(&bench, 5, 5);
        bench_close(&bench);
        run_sql(&bench, "UPDATE message SET payload = x'39' WHERE collected = 8000");
        bench_open(&bench);
        assert_int_equal(damaged(&bench, RIG_DATA), 1);
        assert_int_equal(fetch(&bench, 32).count, 2);
        expect_numbers(&bench, 0, 8);
        expect_numbers(&bench, 9, 1);
        bench_deinit(&bench);
    }
}

int main(void) {
    ps_log_set_fd(-1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_of_a_message_is_held_up),
        cmocka_unit_test(recovery_leaves_changed_rows_out_and_counts_them),
        cmocka_unit_test(changes_at_work_hold_nothing_up),
        cmocka_unit_test(rows_of_lost_pages_are_told_without_times),
        cmocka_unit_test(what_is_to_be_told_nowhere_is_not_told),
        cmocka_unit_test(a_corrected_stamp_hides_no_change),
        cmocka_unit_test(every_field_of_a_letter_is_held_up),
        cmocka_unit_test(letters_that_change_at_work_hide_no_others),
        cmocka_unit_test(changed_names_of_an_input_are_noticed),
        cmocka_unit_test(letters_that_went_for_newer_ones_are_told),
        cmocka_unit_test(rows_of_version_4_are_taken_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
