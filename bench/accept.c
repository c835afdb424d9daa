// Accepting: COUNT messages of BYTES bytes into an outbox with max_loss_s 0 in a folder, until all
// are committed; or, as yardstick, the same rows inserted by bare SQLite into the same tables with
// the same pragmas, BATCH rows a transaction. The outbox's own threads. Prints seconds and
// transactions.
#include "base/mem.h"
#include "outbox/outbox.h"

#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME "drain"
#define BURST 100 // messages that come before the loop turns

typedef struct Bench {
    uv_loop_t loop;
    PsOutbox *outbox;
    const char *folder;
    long count;
    size_t bytes;
    void *payload;
} Bench;

static void on_ready(void *ctx) {
}

static double seconds_since(PsMono start) {
    return (double)ps_mono_diff_ns(ps_mono_now(), start) / PS_NS_PER_S;
}

static void open_outbox(Bench *bench) {
    static const char *const names[] = {NAME};
    uv_loop_init(&bench->loop);
    PsOutboxSetup setup = {.loop = &bench->loop,
                           .folder = bench->folder,
                           .catch_recording = 100000,
                           .warning_recording = 2000,
                           .dead_max = 1000,
                           .dead_max_bytes = 1000000,
                           .names = names,
                           .name_count = 1,
                           .on_ready = on_ready};
    PsDiag diag = {0};
    if (ps_outbox_open(&setup, &bench->outbox, &diag) != PS_OK) {
        fprintf(stderr, "accept: %s\n", diag.text);
        exit(1);
    }
}

static void close_outbox(Bench *bench) {
    ps_outbox_close(bench->outbox);
    uv_run(&bench->loop, UV_RUN_DEFAULT);
    uv_loop_close(&bench->loop);
}

// ---- the outbox

static PsErr accept_one(Bench *bench, long number) {
    PsOutboxMessage message = {.collected = {number * 1000},
                               .topic = NAME,
                               .qos = 1,
                               .payload = bench->payload,
                               .len = bench->bytes};
    PsDiag diag = {0};
    return ps_outbox_accept(bench->outbox, &message, &diag);
}

static void run_outbox(Bench *bench) {
    open_outbox(bench);
    PsMono start = ps_mono_now();
    for (long number = 1; number <= bench->count; number++) {
        // Full: as a script is refused, but here it tries again.
        while (ps_outbox_stats(bench->outbox).waiting - ps_outbox_stats(bench->outbox).rows_stored >
               15000) {
            uv_run(&bench->loop, UV_RUN_ONCE);
        }
        if (accept_one(bench, number) != PS_OK) {
            fprintf(stderr, "accept: refused at %ld\n", number);
            exit(1);
        }
        if (number % BURST == 0) {
            uv_run(&bench->loop, UV_RUN_NOWAIT);
        }
    }
    while (ps_outbox_stats(bench->outbox).rows_stored < (uint64_t)bench->count) {
        uv_run(&bench->loop, UV_RUN_ONCE);
    }
    double seconds = seconds_since(start);
    printf("%.6f %llu\n", seconds, (unsigned long long)ps_outbox_stats(bench->outbox).transactions);
    close_outbox(bench);
}

// ---- bare SQLite

static void must(sqlite3 *db, int code) {
    if (code != SQLITE_OK && code != SQLITE_DONE) {
        fprintf(stderr, "accept: %s\n", sqlite3_errmsg(db));
        exit(1);
    }
}

static void insert(sqlite3 *db, sqlite3_stmt *statement, const Bench *bench, long number) {
    sqlite3_bind_int64(statement, 1, number);
    sqlite3_bind_int(statement, 2, PS_OUTBOX_POINT);
    sqlite3_bind_int64(statement, 3, number * 1000);
    sqlite3_bind_int64(statement, 4, 1);
    sqlite3_bind_text(statement, 5, NAME, -1, SQLITE_STATIC);
    sqlite3_bind_int(statement, 6, 1);
    sqlite3_bind_blob64(statement, 7, bench->payload, bench->bytes, SQLITE_STATIC);
    must(db, sqlite3_step(statement));
    sqlite3_reset(statement);
}

static void run_bare(Bench *bench, long batch) {
    open_outbox(bench); // makes the tables
    close_outbox(bench);
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/outbox.db", bench->folder);
    sqlite3 *db = NULL;
    must(db, sqlite3_open(path, &db));
    must(db, sqlite3_exec(db,
                          "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
                          "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 4194304;"
                          "PRAGMA cache_size = -512; PRAGMA temp_store = MEMORY;",
                          NULL, NULL, NULL));
    sqlite3_stmt *statement = NULL;
    must(db, sqlite3_prepare_v2(db,
                                "INSERT INTO message(id, class, collected, name, topic, qos, "
                                "payload) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                                -1, &statement, NULL));
    PsMono start = ps_mono_now();
    long transactions = 0;
    for (long number = 1; number <= bench->count; transactions++) {
        must(db, sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL));
        for (long end = number + batch; number < end && number <= bench->count; number++) {
            insert(db, statement, bench, number);
        }
        must(db, sqlite3_exec(db, "COMMIT", NULL, NULL, NULL));
    }
    printf("%.6f %ld\n", seconds_since(start), transactions);
    sqlite3_finalize(statement);
    sqlite3_close(db);
}

int main(int argc, char **argv) {
    if (argc != 5 && argc != 4) {
        fprintf(stderr, "usage: accept FOLDER COUNT BYTES [BATCH]\n");
        return 2;
    }
    Bench bench = {.folder = argv[1],
                   .count = strtol(argv[2], NULL, 10),
                   .bytes = (size_t)strtol(argv[3], NULL, 10)};
    bench.payload = ps_alloc(bench.bytes);
    memset(bench.payload, 'x', bench.bytes);
    if (argc == 5) {
        run_bare(&bench, strtol(argv[4], NULL, 10));
    } else {
        run_outbox(&bench);
    }
    free(bench.payload);
    return 0;
}
