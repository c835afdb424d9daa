// The original, its damaged copies and what is found in them: see its header. One thread.
#include "outbox/damage_test_rig.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "outbox/dead_db.h"
#include "outbox/fetch_db.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static const char *const names[] = {"data", "alarms"};

Original damage_original;
static char folder[64];
char damage_path[128];
char damage_log_path[160];

// ---- small things

uint32_t damage_random;

size_t damage_random_below(size_t limit) {
    damage_random = damage_random * 1664525U + 1013904223U;
    uint64_t high = damage_random >> 8;
    damage_random = damage_random * 1664525U + 1013904223U;
    return (size_t)((high << 24 | damage_random >> 8) % limit);
}

// Every page that holds a part of a payload has its marker whole: payloads repeat it.
static void make_payload(size_t row, PsBuf *payload) {
    size_t len = row % 50 == 7 ? 9000 : 60 + row % 200;
    while (payload->len < len) {
        ps_buf_printf(payload, "<row %06zu>", row);
    }
}

void damage_write_file(const char *where, const uint8_t *bytes, size_t len) {
    int fd = open(where, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_true(len == 0 || write(fd, bytes, len) == (ssize_t)len);
    close(fd);
}

static int remove_entry(const char *entry, const struct stat *info, int kind, struct FTW *where) {
    return remove(entry);
}

void damage_empty_folder(void) {
    (void)nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    assert_int_equal(mkdir(folder, 0700), 0);
}

size_t damage_count_asides(const char *prefix) {
    size_t count = 0;
    DIR *entries = opendir(folder);
    if (entries == NULL) {
        fail();
        return 0;
    }
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        count += strncmp(entry->d_name, prefix, strlen(prefix)) == 0 ? 1 : 0;
    }
    closedir(entries);
    return count;
}

// ---- the original

static void names_into(PsContents *contents) {
    for (size_t i = 0; i < PS_COUNT(names); i++) {
        ps_ledgers_name(&contents->ledgers, names[i]);
    }
}

PsDb *damage_open_any(PsContents *contents, bool damaged) {
    PsDb *db = NULL;
    PsDiag diag = {0};
    names_into(contents);
    PsErr err = ps_contents_open(damage_path, damaged, (PsHeldRows){0}, &db, contents, &diag);
    if (err != PS_OK) {
        print_error("%s: %s\n", ps_err_name(err), diag.text);
    }
    assert_int_equal(err, PS_OK);
    return db;
}

static PsRow *make_row(size_t row) {
    PS_AUTO_BUF PsBuf payload = {0};
    make_payload(row, &payload);
    PsOutboxRow content = {.id = row + 1,
                           .collected = {(int64_t)row * 1000},
                           .topic = "plant/line/data",
                           .qos = 1,
                           .class = row % 10 == 3 ? PS_OUTBOX_ALARM : PS_OUTBOX_POINT,
                           .payload = payload.data,
                           .len = payload.len};
    PsRow *made = ps_row_new(&content);
    assert_non_null(made);
    return made;
}

static int64_t number_of(size_t row) {
    return row % 10 == 3 ? 2 : 1; // names in the order they were made
}

static void write_rows(PsDb *db, size_t first, size_t count, const uint64_t *deletes,
                       size_t delete_count) {
    PS_AUTO_FREE PsRow **rows = ps_alloc_array(count, sizeof *rows);
    PS_AUTO_FREE int64_t *numbers = ps_alloc_array(count, sizeof *numbers);
    for (size_t i = 0; i < count; i++) {
        rows[i] = make_row(first + i);
        numbers[i] = number_of(first + i);
    }
    PsDbBook book = {.number = 1, .delivered = DELIVERED, .dropped = {[PS_DROP_RETENTION] = 7}};
    PsDbBatch batch = {.rows = rows,
                       .numbers = numbers,
                       .row_count = count,
                       .deletes = (uint64_t *)(uintptr_t)deletes,
                       .delete_count = delete_count,
                       .books = &book,
                       .book_count = 1};
    assert_int_equal(ps_db_write(db, &batch), PS_OK);
    for (size_t i = 0; i < count; i++) {
        ps_row_unref(rows[i]);
    }
}

static void write_letters(PsDb *db) {
    PsDeadOps ops = {0};
    for (uint64_t id = 1; id <= LETTERS; id++) {
        PsDeadLetter letter = {.id = id,
                               .collected = {(int64_t)id},
                               .died = {(int64_t)id},
                               .form = 1,
                               .reason = "KeyError: 'x'",
                               .input = "an input",
                               .input_len = 8};
        PsDeadOp *op = ps_dead_op_new(PS_DEAD_PUT, &letter);
        op->number = 1;
        ps_dead_ops_put(&ops, op);
    }
    PsDbBatch batch = {.dead = ops.first};
    assert_int_equal(ps_db_write(db, &batch), PS_OK);
    ps_dead_ops_clear(&ops);
}

static void read_whole(const char *where, PsBuf *buf) {
    PsDiag diag = {0};
    ps_buf_clear(buf);
    assert_int_equal(ps_file_read(where, (size_t)64 * 1024 * 1024, buf, &diag), PS_OK);
}

int damage_make_original(void **state) {
    snprintf(folder, sizeof folder, "%s/ps-salvage-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(folder));
    snprintf(damage_path, sizeof damage_path, "%s/outbox.db", folder);
    snprintf(damage_log_path, sizeof damage_log_path, "%s-wal", damage_path);
    PsContents contents = {0};
    PsDb *db = damage_open_any(&contents, false);
    for (size_t row = 0; row < BASE_ROWS; row += 100) {
        write_rows(db, row, 100, NULL, 0);
    }
    write_letters(db);
    ps_db_close(db); // which empties the log into the database
    ps_contents_deinit(&contents);
    db = damage_open_any(&contents, false);
    PsBuf log = {0};
    read_whole(damage_log_path, &log);
    damage_original.log_ends[0] = log.len;
    for (size_t i = 0; i < LOG_BATCHES; i++) {
        uint64_t deletes[DELETED];
        for (size_t row = 0; row < DELETED; row++) {
            deletes[row] = row + 1;
        }
        write_rows(db, BASE_ROWS + i * BATCH_ROWS, BATCH_ROWS, deletes, i == 2 ? DELETED : 0);
        read_whole(damage_log_path, &log);
        damage_original.log_ends[i + 1] = log.len;
    }
    read_whole(damage_path, &damage_original.db);
    damage_original.log = log;
    ps_db_abandon(db);
    ps_contents_deinit(&contents);
    return 0;
}

int damage_remove_original(void **state) {
    ps_buf_deinit(&damage_original.db);
    ps_buf_deinit(&damage_original.log);
    (void)nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}

// ---- what comes out

static void touch_rows_of(const uint8_t *bytes, size_t len, Outcome *outcome) {
    static const char mark[] = "<row ";
    for (size_t at = 0; at + 12 <= len; at++) {
        if (memcmp(bytes + at, mark, sizeof mark - 1) == 0) {
            size_t row = (size_t)strtoul((const char *)bytes + at + 5, NULL, 10);
            if (row < ROWS) {
                outcome->may_be_lost[row] = true;
            }
        }
    }
}

void damage_touch_page(size_t page, Outcome *outcome) {
    size_t at = page * PAGE;
    if (at < damage_original.db.len) {
        touch_rows_of(damage_original.db.data + at, PAGE, outcome);
    }
}

void damage_touch_frame(size_t frame, Outcome *outcome) {
    size_t at = LOG_HEAD + frame * FRAME;
    if (at + FRAME <= damage_original.log.len) {
        touch_rows_of(damage_original.log.data + at + 24, PAGE, outcome);
    }
}

static void check_row(const PsRow *row, int64_t number, Outcome *outcome) {
    size_t index = (size_t)(row->pub.collected.ns / 1000);
    // Its id may be another: a broken row may have taken it.
    bool same = index < ROWS && number == number_of(index);
    if (same) {
        PsRow *expected = make_row(index);
        same = expected->bytes == row->bytes && strcmp(expected->pub.topic, row->pub.topic) == 0 &&
               memcmp(expected->pub.payload, row->pub.payload, row->pub.len) == 0 &&
               expected->pub.qos == row->pub.qos && expected->pub.class == row->pub.class;
        ps_row_unref(expected);
    }
    outcome->most_id = row->pub.id > outcome->most_id ? row->pub.id : outcome->most_id;
    if (!same) {
        outcome->strange++;
        return;
    }
    assert_false(outcome->found[index]); // nothing comes twice
    outcome->found[index] = true;
}

static void fetch_all(PsDb *db, PsOutboxClass class, Outcome *outcome) {
    enum {
        LIMIT = 500
    };
    PsRowKey from = {.collected_ns = INT64_MIN};
    PsRowKey last = from;
    bool complete = false;
    while (!complete) {
        PsRow *rows[LIMIT];
        int64_t numbers[LIMIT];
        PsDbFetched fetched = {.rows = rows, .numbers = numbers};
        assert_int_equal(ps_db_fetch(db, class, from, LIMIT, (size_t)1 << 20, &fetched), PS_OK);
        complete = fetched.complete;
        for (size_t i = 0; i < fetched.count; i++) {
            assert_true(ps_row_key_compare(ps_row_key(rows[i]), last) > 0);
            last = ps_row_key(rows[i]);
            check_row(rows[i], numbers[i], outcome);
            ps_row_unref(rows[i]);
        }
        ps_damaged_rows_deinit(&fetched.damaged);
        from = last;
        from.id++;
    }
}

// Opens what is in the folder and looks at everything in it.
void damage_open_and_look(bool damaged, Outcome *outcome) {
    PsContents contents = {0};
    PsDb *db = damage_open_any(&contents, damaged);
    for (int class = 0; class < PS_OUTBOX_CLASS_COUNT; class ++) {
        fetch_all(db, (PsOutboxClass) class, outcome);
    }
    outcome->letters = contents.letter_count;
    outcome->delivered = contents.ledgers.entries[0].book.delivered;
    outcome->next_id = contents.next_id;
    assert_true(outcome->next_id > outcome->most_id);
    // It works: a row more, which is still there the next time.
    PsRow *row = make_row(0);
    row->pub.id = outcome->next_id;
    int64_t number = contents.ledgers.entries[0].number;
    PsDbBatch batch = {.rows = &row, .numbers = &number, .row_count = 1};
    assert_int_equal(ps_db_write(db, &batch), PS_OK);
    ps_row_unref(row);
    ps_db_close(db);
    ps_contents_deinit(&contents);
}

void damage_put_files(const PsBuf *db, const PsBuf *log) {
    damage_empty_folder();
    damage_write_file(damage_path, db->data, db->len);
    if (log != NULL) {
        damage_write_file(damage_log_path, log->data, log->len);
    }
}

// All rows but those that the damage touched; rows that the log deletes may come back only when
// the log was damaged.
void damage_expect_rest(const Outcome *outcome, size_t first_lost, bool log_touched) {
    for (size_t row = 0; row < ROWS; row++) {
        bool deleted = row < DELETED;
        if (!outcome->found[row] && !outcome->may_be_lost[row] && !deleted && row < first_lost) {
            fail_msg("row %zu is lost", row);
        }
        if (outcome->found[row] && deleted && !log_touched && !outcome->may_be_lost[row]) {
            fail_msg("row %zu was deleted and is back", row);
        }
    }
    assert_int_equal(outcome->strange, 0);
}

Outcome *damage_outcome_new(void) {
    return ps_alloc(sizeof(Outcome));
}
