// Dead letters with the real database: order, books, bounds, restart, an older database, SIGKILL, a
// failing disk.
#include "outbox/dead.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_MS 10000

static const char *const names[] = {"data", "orders"};

typedef struct Seen {
    uint64_t id;
    size_t message;
    int64_t collected;
    int form;
    int qos;
    char reason[200];
    char input[64];
    char schema[64];
    size_t input_len;
} Seen;

typedef struct Bench {
    char folder[64];
    char path[96];
    uv_loop_t loop;
    uv_timer_t timer;
    bool timed_out;
    PsOutbox *outbox;
    PsOutboxSetup setup;
    Seen seen[400];
    size_t seen_count;
    size_t answers;
    PsErr result;
} Bench;

static void on_timer(uv_timer_t *timer) {
    ((Bench *)timer->data)->timed_out = true;
}

static void bench_open(Bench *bench) {
    uv_loop_init(&bench->loop);
    uv_timer_init(&bench->loop, &bench->timer);
    bench->timer.data = bench;
    bench->setup.loop = &bench->loop;
    bench->setup.folder = bench->folder;
    bench->setup.names = names;
    bench->setup.name_count = PS_COUNT(names);
    PsDiag diag = {0};
    if (ps_outbox_open(&bench->setup, &bench->outbox, &diag) != PS_OK) {
        print_error("%s\n", diag.text);
        fail();
    }
}

static Bench *bench_new_folder(int max_loss_s) {
    Bench *bench = ps_alloc(sizeof *bench);
    bench->setup = (PsOutboxSetup){.max_loss_s = max_loss_s,
                                   .catch_recording = 100000,
                                   .warning_recording = 2000,
                                   .dead_max = 1000,
                                   .dead_max_bytes = 1000000};
    snprintf(bench->folder, sizeof bench->folder, "/tmp/ps-dead-test-XXXXXX");
    assert_non_null(mkdtemp(bench->folder));
    snprintf(bench->path, sizeof bench->path, "%s/outbox.db", bench->folder);
    return bench;
}

static Bench *bench_new(int max_loss_s) {
    Bench *bench = bench_new_folder(max_loss_s);
    bench_open(bench);
    return bench;
}

static void bench_close(Bench *bench) {
    ps_outbox_close(bench->outbox);
    uv_close((uv_handle_t *)&bench->timer, NULL);
    uv_run(&bench->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&bench->loop), 0);
}

static void bench_reopen(Bench *bench) {
    bench_close(bench);
    bench_open(bench);
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *where) {
    return remove(path);
}

static void bench_free(Bench *bench) {
    bench_close(bench);
    assert_int_equal(nftw(bench->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
    free(bench);
}

typedef bool Condition(Bench *bench);

static void run_until(Bench *bench, Condition *reached) {
    bench->timed_out = false;
    // Repeating: UV_RUN_ONCE runs timers before it waits, and would then wait for ever.
    uv_timer_start(&bench->timer, on_timer, PATIENCE_MS, 10);
    while (!reached(bench) && !bench->timed_out) {
        uv_run(&bench->loop, UV_RUN_ONCE);
    }
    uv_timer_stop(&bench->timer);
    assert_true(reached(bench));
}

static void put_letter(Bench *bench, size_t message, int64_t collected, const char *schema) {
    char input[64];
    snprintf(input, sizeof input, "input %lld", (long long)collected);
    PsDeadLetter letter = {.message = message,
                           .collected = {collected},
                           .died = ps_wall_now(),
                           .form = 7,
                           .qos = 1,
                           .reason = "boom\nline 3",
                           .input = input,
                           .input_len = strlen(input),
                           .schema = schema,
                           .schema_len = schema != NULL ? strlen(schema) : 0};
    assert_int_equal(ps_outbox_dead_put(bench->outbox, &letter), PS_OK);
}

static void on_fetched(PsErr result, const PsDeadLetter *letters, size_t count, void *ctx) {
    Bench *bench = ctx;
    bench->answers++;
    bench->result = result;
    bench->seen_count = 0;
    for (size_t i = 0; i < count && i < PS_COUNT(bench->seen); i++) {
        Seen *seen = &bench->seen[bench->seen_count++];
        *seen = (Seen){letters[i].id, letters[i].message, letters[i].collected.ns, letters[i].form,
                       letters[i].qos};
        seen->input_len = letters[i].input_len;
        snprintf(seen->reason, sizeof seen->reason, "%s", letters[i].reason);
        if (letters[i].input != NULL) {
            snprintf(seen->input, sizeof seen->input, "%.*s", (int)letters[i].input_len,
                     (const char *)letters[i].input);
        }
        if (letters[i].schema != NULL) {
            snprintf(seen->schema, sizeof seen->schema, "%.*s", (int)letters[i].schema_len,
                     (const char *)letters[i].schema);
        }
    }
}

static bool is_answered(Bench *bench) {
    return bench->answers > 0;
}

static size_t fetch(Bench *bench, PsDeadQuery query) {
    bench->answers = 0;
    query.limit = query.limit > 0 ? query.limit : PS_DEAD_FETCH_MAX;
    ps_outbox_dead_fetch(bench->outbox, &query, on_fetched, bench);
    run_until(bench, is_answered);
    assert_int_equal(bench->result, PS_OK);
    return bench->seen_count;
}

static void expect_books(Bench *bench, size_t message, uint64_t accepted, uint64_t dead) {
    const PsLedger *book = ps_outbox_ledger(bench->outbox, message);
    assert_true(ps_ledger_adds_up(book));
    assert_int_equal(book->accepted, accepted);
    assert_int_equal(book->dead, dead);
}

static int64_t ask_file(const Bench *bench, const char *text) {
    sqlite3 *handle = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open(bench->path, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(handle, text, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(handle);
    return value;
}

// ---- life of a letter

static void comes_back_whole_and_in_order_after_a_restart(void **state) {
    Bench *bench = bench_new(1);
    put_letter(bench, 0, 3000, "names A");
    put_letter(bench, 1, 2000, NULL);
    put_letter(bench, 0, 1000, "names A");
    put_letter(bench, 0, 4000, "names B");
    expect_books(bench, 0, 3, 3);
    bench_reopen(bench);
    expect_books(bench, 0, 3, 3);
    expect_books(bench, 1, 1, 1);
    assert_int_equal(fetch(bench, (PsDeadQuery){.message = 0, .whole = true}), 3);
    const Seen *first = &bench->seen[0];
    assert_true(first->collected == 1000 && first->id == 3 && first->message == 0);
    assert_true(first->form == 7 && first->qos == 1);
    assert_string_equal(first->reason, "boom\nline 3");
    assert_string_equal(first->input, "input 1000");
    assert_string_equal(first->schema, "names A");
    assert_string_equal(bench->seen[1].schema, "names A");
    assert_string_equal(bench->seen[2].schema, "names B");
    assert_int_equal(fetch(bench, (PsDeadQuery){.message = PS_DEAD_ANY, .limit = 2}), 2);
    assert_string_equal(bench->seen[0].reason, "boom");
    assert_string_equal(bench->seen[0].input, "");
    assert_int_equal(bench->seen[0].input_len, strlen("input 1000"));
    PsDeadQuery rest = {PS_DEAD_ANY, 0, {bench->seen[1].collected}, bench->seen[1].id, 0, false};
    assert_int_equal(fetch(bench, rest), 2);
    assert_true(bench->seen[0].collected == 3000 && bench->seen[1].collected == 4000);
    assert_int_equal(fetch(bench, (PsDeadQuery){.message = PS_DEAD_ANY, .id = 2}), 1);
    assert_true(bench->seen[0].message == 1 && bench->seen[0].collected == 2000);
    bench_free(bench);
}

static void fails_again_and_is_resolved(void **state) {
    Bench *bench = bench_new(1);
    put_letter(bench, 0, 1000, "names A");
    put_letter(bench, 0, 2000, "names B");
    ps_outbox_dead_failed(bench->outbox, 1, "another reason");
    assert_int_equal(fetch(bench, (PsDeadQuery){.message = 0}), 2);
    assert_string_equal(bench->seen[0].reason, "another reason");
    ps_outbox_dead_resolved(bench->outbox, 2);
    assert_false(ps_outbox_dead_is_kept(bench->outbox, 2));
    ps_outbox_dead_resolved(bench->outbox, 2);
    ps_outbox_dead_failed(bench->outbox, 99, "nobody");
    expect_books(bench, 0, 1, 1);
    bench_reopen(bench);
    expect_books(bench, 0, 1, 1);
    assert_int_equal(fetch(bench, (PsDeadQuery){.message = 0}), 1);
    assert_string_equal(bench->seen[0].reason, "another reason");
    bench_close(bench);
    assert_int_equal(ask_file(bench, "SELECT count(*) FROM dead_schema"), 1);
    bench_open(bench);
    bench_free(bench);
}

static void an_answer_under_way_is_cancelled_at_the_end(void **state) {
    Bench *bench = bench_new(1);
    put_letter(bench, 0, 1000, NULL);
    PsDeadQuery query = {.message = 0, .limit = 1};
    ps_outbox_dead_fetch(bench->outbox, &query, on_fetched, bench);
    ps_outbox_dead_fetch(bench->outbox, &query, on_fetched, bench);
    bench_reopen(bench);
    assert_int_equal(bench->answers, 2);
    assert_int_equal(bench->result, PS_ERR_CANCELLED);
    bench_free(bench);
}

// ---- bounds

static void the_oldest_go_when_there_are_too_many(void **state) {
    Bench *bench = bench_new_folder(1);
    bench->setup.dead_max = 10;
    bench_open(bench);
    char log_path[] = "/tmp/ps-dead-log-XXXXXX";
    int log_fd = mkstemp(log_path);
    ps_log_set_fd(log_fd);
    for (int64_t i = 1; i <= 25; i++) {
        put_letter(bench, i == 1, i * 1000, NULL);
    }
    ps_log_set_fd(-1);
    char text[2000] = "";
    assert_true(pread(log_fd, text, sizeof text - 1, 0) > 0);
    const char *line = strstr(text, "DEAD-RETENTION");
    assert_non_null(line);
    assert_null(strstr(line + 1, "DEAD-RETENTION"));
    close(log_fd);
    unlink(log_path);
    expect_books(bench, 0, 24, 10);
    expect_books(bench, 1, 1, 0);
    bench_reopen(bench);
    expect_books(bench, 0, 24, 10);
    assert_int_equal(ps_outbox_ledger(bench->outbox, 0)->dropped[PS_DROP_DEAD], 14);
    assert_int_equal(ps_outbox_ledger(bench->outbox, 1)->dropped[PS_DROP_DEAD], 1);
    assert_int_equal(fetch(bench, (PsDeadQuery){.message = PS_DEAD_ANY}), 10);
    assert_true(bench->seen[0].collected == 16000);
    bench_free(bench);
}

static void bytes_are_bounded_too(void **state) {
    Bench *bench = bench_new_folder(1);
    bench->setup.dead_max_bytes = 1000;
    bench_open(bench);
    for (int64_t i = 1; i <= 20; i++) {
        put_letter(bench, 0, i, NULL);
    }
    uint64_t kept = ps_outbox_ledger(bench->outbox, 0)->dead;
    assert_true(kept >= 9 && kept <= 13);
    char large[2000] = "";
    PsDeadLetter letter = {.reason = "", .input = large, .input_len = sizeof large};
    assert_int_equal(ps_outbox_dead_put(bench->outbox, &letter), PS_ERR_TOO_BIG);
    expect_books(bench, 0, 21, kept);
    bench_reopen(bench);
    expect_books(bench, 0, 21, kept);
    bench_free(bench);
}

// ---- files that are not as they should be

static void a_database_of_version_1_is_taken_over(void **state) {
    Bench *bench = bench_new_folder(1);
    sqlite3 *handle = NULL;
    assert_int_equal(sqlite3_open(bench->path, &handle), SQLITE_OK);
    static const char old[] =
        "CREATE TABLE name(number INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE,"
        " delivered INTEGER NOT NULL DEFAULT 0, dead INTEGER NOT NULL DEFAULT 0);"
        "CREATE TABLE dropped(name INTEGER NOT NULL, reason TEXT NOT NULL, count INTEGER NOT NULL,"
        " PRIMARY KEY(name, reason)) WITHOUT ROWID;"
        "CREATE TABLE message(id INTEGER PRIMARY KEY, class INTEGER NOT NULL,"
        " collected INTEGER NOT NULL, name INTEGER NOT NULL, topic TEXT NOT NULL,"
        " qos INTEGER NOT NULL, payload BLOB NOT NULL);"
        "CREATE INDEX message_order ON message(class, collected, id);"
        "INSERT INTO name(number, text, delivered) VALUES(1, 'data', 5);"
        "INSERT INTO dropped VALUES(1, 'retention', 2);"
        "INSERT INTO message VALUES(8, 0, 1000, 1, 't', 1, 'payload');"
        "PRAGMA user_version = 1;";
    assert_int_equal(sqlite3_exec(handle, old, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(handle);
    bench_open(bench);
    expect_books(bench, 0, 8, 0);
    put_letter(bench, 0, 2000, "names A");
    bench_reopen(bench);
    expect_books(bench, 0, 9, 1);
    assert_int_equal(fetch(bench, (PsDeadQuery){.message = 0}), 1);
    assert_int_equal(ps_outbox_ledger(bench->outbox, 0)->waiting, 1);
    bench_free(bench);
}

static void a_damaged_file_is_set_aside(void **state) {
    Bench *bench = bench_new(1);
    put_letter(bench, 0, 1000, NULL);
    bench_close(bench);
    int fd = open(bench->path, O_WRONLY | O_CLOEXEC);
    char rubbish[8192];
    memset(rubbish, 0xa5, sizeof rubbish);
    assert_true(fd >= 0 && pwrite(fd, rubbish, sizeof rubbish, 4096) == sizeof rubbish);
    close(fd);
    bench_open(bench);
    expect_books(bench, 0, 0, 0);
    put_letter(bench, 0, 1000, NULL);
    bench_reopen(bench);
    expect_books(bench, 0, 1, 1);
    bench_free(bench);
}

static bool is_failing(Bench *bench) {
    return ps_outbox_stats(bench->outbox).store_failing;
}

static bool is_sound(Bench *bench) {
    return !is_failing(bench);
}

// A file size limit stands for a full disk.
static void letters_wait_in_memory_while_the_disk_refuses(void **state) {
    Bench *bench = bench_new(0);
    put_letter(bench, 0, 1000, "names A");
    assert_int_equal(fetch(bench, (PsDeadQuery){.message = 0}), 1);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction old;
    struct rlimit limit;
    sigaction(SIGXFSZ, &ignore, &old);
    getrlimit(RLIMIT_FSIZE, &limit);
    struct rlimit small = {.rlim_cur = 1, .rlim_max = limit.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    put_letter(bench, 0, 2000, "names A");
    ps_outbox_dead_failed(bench->outbox, 1, "later");
    run_until(bench, is_failing);
    size_t seen = fetch(bench, (PsDeadQuery){.message = 0}); // what the disk has can still be seen
    setrlimit(RLIMIT_FSIZE, &limit);
    sigaction(SIGXFSZ, &old, NULL);
    assert_int_equal(seen, 1);
    expect_books(bench, 0, 2, 2);
    put_letter(bench, 0, 3000, "names A");
    run_until(bench, is_sound);
    assert_int_equal(fetch(bench, (PsDeadQuery){.message = 0}), 3);
    assert_string_equal(bench->seen[0].reason, "later");
    bench_free(bench);
}

// ---- SIGKILL

#define LETTERS 300

// Runs every letter again: its message is accepted, then the letter goes. Tells each through the
// pipe, so that the parent can choose a moment.
static void child_works(Bench *bench, int out) {
    bench_open(bench);
    for (int64_t i = 1; i <= LETTERS; i++) {
        char text[32];
        snprintf(text, sizeof text, "%lld", (long long)i);
        PsOutboxMessage message = {
            .collected = {i * 1000}, .topic = "t", .qos = 1, .payload = text, .len = strlen(text)};
        PsDiag diag;
        if (ps_outbox_accept(bench->outbox, &message, &diag) != PS_OK) {
            _exit(1);
        }
        ps_outbox_dead_resolved(bench->outbox, (uint64_t)i);
        bench->timed_out = false;
        uv_timer_start(&bench->timer, on_timer, 3, 0); // the disk gets its turns in between
        while (!bench->timed_out) {
            uv_run(&bench->loop, UV_RUN_ONCE);
        }
        if (write(out, &i, sizeof i) != (ssize_t)sizeof i) {
            _exit(1);
        }
    }
    _exit(0);
}

// Every letter is still dead, or its message waits; one that is both will be sent twice.
static void check_after_kill(Bench *bench) {
    bench_open(bench);
    bool kept[LETTERS + 1] = {false};
    assert_true(ps_ledger_adds_up(ps_outbox_ledger(bench->outbox, 0)));
    size_t dead = fetch(bench, (PsDeadQuery){.message = 0});
    assert_int_equal(dead, ps_outbox_ledger(bench->outbox, 0)->dead);
    for (size_t i = 0; i < dead; i++) {
        kept[bench->seen[i].id] = true;
    }
    const PsOutboxRow *row;
    while ((row = ps_outbox_next(bench->outbox, false)) != NULL) {
        kept[row->collected.ns / 1000] = true;
    }
    for (size_t i = 1; i <= LETTERS; i++) {
        assert_true(kept[i]);
    }
}

static void a_replay_loses_nothing_by_sigkill(void **state) {
    unsigned seed = 11;
    for (int round = 0; round < 5; round++) {
        Bench *bench = bench_new(1);
        for (int64_t i = 1; i <= LETTERS; i++) {
            put_letter(bench, 0, i * 1000, "names");
        }
        bench_close(bench);
        int ends[2];
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            child_works(bench, ends[1]);
        }
        close(ends[1]);
        seed = seed * 1103515245U + 12345U;
        size_t enough = 20 + (seed >> 16) % (LETTERS - 40); // the moment: after so many
        int64_t told = 0;
        while ((size_t)told < enough && read(ends[0], &told, sizeof told) == sizeof told) {
        }
        kill(child, SIGKILL);
        close(ends[0]);
        waitpid(child, NULL, 0);
        assert_true((size_t)told >= enough);
        check_after_kill(bench);
        bench_free(bench);
    }
}

int main(void) {
    ps_log_set_fd(-1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back_whole_and_in_order_after_a_restart),
        cmocka_unit_test(fails_again_and_is_resolved),
        cmocka_unit_test(an_answer_under_way_is_cancelled_at_the_end),
        cmocka_unit_test(the_oldest_go_when_there_are_too_many),
        cmocka_unit_test(bytes_are_bounded_too),
        cmocka_unit_test(a_database_of_version_1_is_taken_over),
        cmocka_unit_test(a_damaged_file_is_set_aside),
        cmocka_unit_test(letters_wait_in_memory_while_the_disk_refuses),
        cmocka_unit_test(a_replay_loses_nothing_by_sigkill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
