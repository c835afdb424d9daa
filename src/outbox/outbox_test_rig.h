//! An outbox with its real database for unit tests: a loop, three message definitions ("data" and
//! "more" of class POINT, "alarms" of class ALARM), numbers as messages, and what is expected of
//! them. Calls of cmocka inside.
#pragma once

#include "outbox/outbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum {
    RIG_DATA,
    RIG_ALARMS,
    RIG_MORE,
    RIG_NAMES,
};

typedef struct Bench {
    char folder[64];
    uv_loop_t loop;
    uv_timer_t timer;
    bool timed_out;
    size_t ready;
    void (*watch)(void *bench); ///< called with each ready, or NULL
    PsOutbox *outbox;
    PsOutboxSetup setup;
    PsOutboxRule rules[RIG_NAMES];
} Bench;

/// Makes the folder only.
void bench_folder(Bench *bench);
/// A fresh folder, an open outbox. The setup and the rules may be changed before bench_reopen,
/// names of its own be put into the setup.
void bench_init(Bench *bench, int max_loss_s);
void bench_open(Bench *bench);
void bench_close(Bench *bench);
void bench_reopen(Bench *bench);
/// Closes and removes the folder.
void bench_deinit(Bench *bench);

typedef bool Condition(Bench *bench);
/// Runs the loop until the condition holds or the time has passed; whether it holds.
bool run_until_ms(Bench *bench, Condition *reached, uint64_t ms);
bool never(Bench *bench);

/// The class follows the message: RIG_ALARMS is of class ALARM.
void accept_one(Bench *bench, size_t message, int64_t collected, const char *payload);
/// RIG_DATA; number n was collected at n * 1000 ns.
void accept_numbers(Bench *bench, int64_t first, int64_t count);
/// The next row, running the loop while the store has to be waited for; NULL when nothing waits.
const PsOutboxRow *next_within(Bench *bench);
/// These numbers come next, in order; each is acknowledged.
void expect_numbers(Bench *bench, int64_t first, int64_t count);
/// Of RIG_DATA; all books add up.
void expect_books(Bench *bench, uint64_t accepted, uint64_t delivered, uint64_t waiting);

/// By the name; NULL when there is none.
const PsLedger *bench_book(const Bench *bench, const char *name);
/// A dead letter of one byte.
void bench_put_letter(Bench *bench, size_t message);
