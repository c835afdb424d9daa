// The alarm journal: what is recorded is found again, newest first and page by page, after
// restarts, a killed process, damage and a full disk.
#include "alarm/journal.h"

#include "base/log.h"

#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_MS 10000

typedef struct Bench {
    char folder[64];
    char path[96];
    uv_loop_t loop;
    uv_timer_t timer;
    PsJournal *journal;
    uint64_t keep;
    PsErr result; // of the newest find
    bool answered;
    bool timed_out;
    size_t count;
    uint64_t ids[PS_JOURNAL_FIND_MAX];
    char names[PS_JOURNAL_FIND_MAX][16];
} Bench;

static void bench_open(Bench *bench) {
    uv_loop_init(&bench->loop);
    uv_timer_init(&bench->loop, &bench->timer);
    bench->timer.data = bench;
    PsJournalSetup setup = {
        .loop = &bench->loop, .folder = bench->folder, .keep = bench->keep, .max_loss_s = 1};
    PsDiag diag = {0};
    assert_int_equal(ps_journal_open(&setup, &bench->journal, &diag), PS_OK);
}

static void bench_close(Bench *bench) {
    ps_journal_close(bench->journal);
    uv_close((uv_handle_t *)&bench->timer, NULL);
    uv_run(&bench->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&bench->loop), 0);
}

static int setup(void **state) {
    Bench *bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    bench->keep = 100;
    snprintf(bench->folder, sizeof bench->folder, "/tmp/ps-journal-test-XXXXXX");
    assert_non_null(mkdtemp(bench->folder));
    snprintf(bench->path, sizeof bench->path, "%s/alarms.db", bench->folder);
    *state = bench;
    return 0;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *where) {
    return remove(path);
}

static int teardown(void **state) {
    Bench *bench = *state;
    (void)nftw(bench->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(bench);
    return 0;
}

// Entries first to first + count - 1, named and timed by their number.
static void put(Bench *bench, int first, int count) {
    for (int i = first; i < first + count; i++) {
        char name[16];
        snprintf(name, sizeof name, "Pump%d", i);
        PsJournalEntry entry = {.time = {i * PS_NS_PER_S},
                                .level = 1,
                                .name = name,
                                .group = "warning",
                                .status = PS_JOURNAL_TRIGGERED,
                                .value = "40.5",
                                .unit = "°C",
                                .description = "too warm"};
        ps_journal_put(bench->journal, &entry);
    }
}

static void on_found(PsErr result, PsJournalRow *const *rows, size_t count, void *ctx) {
    Bench *bench = ctx;
    bench->answered = true;
    bench->result = result;
    bench->count = count;
    for (size_t i = 0; i < count; i++) {
        const PsJournalEntry *entry = &rows[i]->entry;
        bench->ids[i] = entry->id;
        snprintf(bench->names[i], sizeof bench->names[i], "%s", entry->name);
        assert_string_equal(entry->group, "warning");
        assert_string_equal(entry->status, "Triggered");
        assert_string_equal(entry->value, "40.5");
        assert_string_equal(entry->unit, "°C");
        assert_string_equal(entry->description, "too warm");
        assert_int_equal(entry->level, 1);
    }
}

static void on_timer(uv_timer_t *timer) {
    ((Bench *)timer->data)->timed_out = true;
}

static size_t find(Bench *bench, PsJournalQuery query) {
    bench->answered = bench->timed_out = false;
    ps_journal_find(bench->journal, &query, on_found, bench);
    uv_timer_start(&bench->timer, on_timer, PATIENCE_MS, 0);
    while (!bench->answered && !bench->timed_out) {
        uv_run(&bench->loop, UV_RUN_ONCE);
    }
    uv_timer_stop(&bench->timer);
    assert_true(bench->answered);
    assert_int_equal(bench->result, PS_OK);
    return bench->count;
}

static size_t find_all(Bench *bench) {
    return find(bench, (PsJournalQuery){0});
}

// Newest first, without a hole.
static void expect_names(const Bench *bench, int newest, int oldest) {
    assert_int_equal(bench->count, newest - oldest + 1);
    for (int i = newest; i >= oldest; i--) {
        char name[16];
        snprintf(name, sizeof name, "Pump%d", i);
        assert_string_equal(bench->names[newest - i], name);
    }
}

static bool log_has(const char *id) {
    static char lines[256 * 1024];
    (void)ps_log_copy(0, lines, sizeof lines);
    return strstr(lines, id) != NULL;
}

static void newest_first_over_restarts(void **state) {
    Bench *bench = *state;
    bench_open(bench);
    assert_int_equal(find_all(bench), 0);
    put(bench, 1, 3);
    find_all(bench); // at once: what was put before is seen
    expect_names(bench, 3, 1);
    put(bench, 4, 2);
    bench_close(bench); // writes what waits
    bench_open(bench);
    put(bench, 6, 1);
    find_all(bench);
    expect_names(bench, 6, 1);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(bench->ids[i], 6 - i);
    }
    bench_close(bench);
    struct stat info;
    assert_int_equal(stat(bench->path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

static void only_what_is_asked_for(void **state) {
    Bench *bench = *state;
    bench_open(bench);
    put(bench, 1, 20);
    assert_int_equal(find(bench, (PsJournalQuery){.name = "pUMP2"}), 2); // 2 and 20
    assert_int_equal(find(bench, (PsJournalQuery){.name = "valve"}), 0);
    find(bench, (PsJournalQuery){.from = {5 * PS_NS_PER_S}, .until = {9 * PS_NS_PER_S}});
    expect_names(bench, 8, 5);
    find(bench, (PsJournalQuery){.before_id = 4});
    expect_names(bench, 3, 1);
    bench_close(bench);
}

static void the_oldest_go(void **state) {
    Bench *bench = *state;
    bench->keep = 1200;
    bench_open(bench);
    for (int i = 0; i < 14; i++) { // in several commits
        put(bench, 100 * i, 100);
        find_all(bench);
    }
    assert_int_equal(bench->count, PS_JOURNAL_FIND_MAX);
    size_t all = bench->count;
    uint64_t oldest = 0;
    while (bench->count > 0) {
        oldest = bench->ids[bench->count - 1];
        all += find(bench, (PsJournalQuery){.before_id = oldest});
    }
    assert_int_equal(all, 1200);
    assert_int_equal(oldest, 201); // numbers begin with 1
    bench_close(bench);
}

static void survives_a_killed_process(void **state) {
    Bench *bench = *state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        bench_open(bench);
        put(bench, 1, 5);
        (void)find_all(bench); // they are on the disk now
        put(bench, 6, 1);      // and this waits
        (void)raise(SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    bench_open(bench);
    find_all(bench);
    expect_names(bench, 5, 1);
    bench_close(bench);
}

static void a_damaged_file_is_set_aside(void **state) {
    Bench *bench = *state;
    FILE *file = fopen(bench->path, "w");
    assert_non_null(file);
    for (int i = 0; i < 4096; i++) {
        fputs("not a database ", file);
    }
    fclose(file);
    bench_open(bench);
    assert_true(log_has("ALARM-JOURNAL-DAMAGED"));
    put(bench, 1, 2);
    find_all(bench);
    expect_names(bench, 2, 1);
    assert_false(ps_journal_is_failing(bench->journal));
    bench_close(bench);
}

static void write_file(const Bench *bench, const char *statements) {
    sqlite3 *handle = NULL;
    assert_int_equal(sqlite3_open(bench->path, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_exec(handle, statements, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(handle);
}

static void a_file_of_version_1(void **state) {
    Bench *bench = *state;
    write_file(
        bench,
        "CREATE TABLE entry(id INTEGER PRIMARY KEY, time INTEGER NOT NULL, level INTEGER NOT NULL,"
        " name TEXT NOT NULL, group_name TEXT NOT NULL, status TEXT NOT NULL, value TEXT NOT NULL,"
        " unit TEXT NOT NULL, description TEXT NOT NULL); PRAGMA user_version = 1;"
        "INSERT INTO entry VALUES(1, 1, 1, 'Pump1', 'warning', 'Triggered', '40.5', '°C',"
        " 'too warm');");
    bench_open(bench);
    put(bench, 2, 1);
    find_all(bench);
    expect_names(bench, 2, 1);
    bench_close(bench);
}

static void on_mark(const char *name, const PsAlarmMark *mark, void *ctx) {
    PsAlarmMark *kept = ctx;
    assert_string_equal(name, "Pump1");
    *kept = *mark;
}

static void a_file_of_version_2(void **state) {
    Bench *bench = *state;
    write_file(
        bench,
        "CREATE TABLE entry(id INTEGER PRIMARY KEY, time INTEGER NOT NULL, level INTEGER NOT NULL,"
        " name TEXT NOT NULL, group_name TEXT NOT NULL, status TEXT NOT NULL, value TEXT NOT NULL,"
        " unit TEXT NOT NULL, description TEXT NOT NULL, who TEXT NOT NULL);"
        "CREATE TABLE mark(name TEXT PRIMARY KEY, acknowledged INTEGER NOT NULL,"
        " acknowledged_by TEXT NOT NULL, shelved_until INTEGER NOT NULL, shelved_by TEXT NOT NULL);"
        "PRAGMA user_version = 2; INSERT INTO mark VALUES('Pump1', 5, 'ann', 0, '');");
    bench_open(bench);
    PsAlarmMark mark = {.told_on = true};
    ps_journal_load_marks(bench->journal, on_mark, &mark);
    assert_int_equal(mark.acknowledged.ns, 5);
    assert_int_equal(mark.on_since.ns, 0);
    assert_false(mark.told_on);
    mark.on_since.ns = 6;
    mark.told_on = true;
    ps_journal_put(bench->journal, &(PsJournalEntry){.name = "Pump1", .marks = true, .mark = mark});
    bench_close(bench);
    bench_open(bench);
    mark = (PsAlarmMark){0};
    ps_journal_load_marks(bench->journal, on_mark, &mark);
    assert_int_equal(mark.on_since.ns, 6);
    assert_true(mark.told_on);
    bench_close(bench);
}

static bool is_well(Bench *bench) {
    bench->timed_out = false;
    uv_timer_start(&bench->timer, on_timer, PATIENCE_MS, 0);
    while (ps_journal_is_failing(bench->journal) && !bench->timed_out) {
        uv_run(&bench->loop, UV_RUN_ONCE);
    }
    uv_timer_stop(&bench->timer);
    return !ps_journal_is_failing(bench->journal);
}

// A file that cannot be opened when the gateway starts, with entries in it that are known later.
static void a_file_that_comes_later(void **state) {
    Bench *bench = *state;
    bench_open(bench);
    put(bench, 1, 3);
    bench_close(bench);
    char away[128];
    snprintf(away, sizeof away, "%s.away", bench->path);
    assert_int_equal(rename(bench->path, away), 0);
    assert_int_equal(mkdir(bench->path, 0700), 0);
    bench_open(bench);
    assert_true(ps_journal_is_failing(bench->journal));
    put(bench, 4, 2);
    find_all(bench); // from memory
    expect_names(bench, 5, 4);
    assert_int_equal(rmdir(bench->path), 0);
    assert_int_equal(rename(away, bench->path), 0);
    assert_true(is_well(bench));
    put(bench, 6, 1);
    find_all(bench);
    expect_names(bench, 6, 1);
    for (size_t i = 0; i + 1 < bench->count; i++) {
        assert_true(bench->ids[i] > bench->ids[i + 1]);
    }
    bench_close(bench);
}

// A file size limit stands for a full disk.
static void a_full_disk(void **state) {
    Bench *bench = *state;
    bench_open(bench);
    put(bench, 1, 2);
    find_all(bench);
    struct rlimit before;
    getrlimit(RLIMIT_FSIZE, &before);
    struct rlimit small = {.rlim_cur = 4096, .rlim_max = before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    put(bench, 3, 1);
    find_all(bench);
    assert_true(ps_journal_is_failing(bench->journal));
    put(bench, 4, 119); // more than are kept in memory
    find_all(bench);
    assert_int_equal(bench->count, 102); // 100 of them, and two from the disk
    assert_string_equal(bench->names[99], "Pump23");
    assert_string_equal(bench->names[100], "Pump2");
    setrlimit(RLIMIT_FSIZE, &before);
    assert_true(is_well(bench));
    assert_true(log_has("20 entries were lost"));
    find_all(bench);
    expect_names(bench, 122, 23);
    bench_close(bench);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
    ps_log_set_fd(-1);
    const struct CMUnitTest tests[] = {
        TEST(newest_first_over_restarts),
        TEST(only_what_is_asked_for),
        TEST(the_oldest_go),
        TEST(survives_a_killed_process),
        TEST(a_damaged_file_is_set_aside),
        TEST(a_file_that_comes_later),
        TEST(a_full_disk),
        TEST(a_file_of_version_1),
        TEST(a_file_of_version_2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
