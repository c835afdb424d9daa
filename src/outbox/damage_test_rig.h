//! An outbox of known rows, copies of it with damage, and what comes out of them, for tests.
#pragma once

#include "outbox/contents.h"

#include "base/buf.h"

#define BASE_ROWS 1600 // in the database file, the rest in the write-ahead log
#define LOG_BATCHES 8
#define BATCH_ROWS 50
#define ROWS (BASE_ROWS + LOG_BATCHES * BATCH_ROWS)
#define DELETED 60 // of the first, by the log
#define LETTERS 20
#define DELIVERED 4711
#define MOST_LOSS 100000

#define PAGE 4096
#define FRAME (PAGE + 24)
#define LOG_HEAD 32

/// What all tests damage copies of: the files, and where the log stood after each transaction.
typedef struct Original {
    PsBuf db;
    PsBuf log;
    size_t log_ends[LOG_BATCHES + 1];
} Original;

extern Original damage_original;
extern char damage_path[128];
extern char damage_log_path[160];
extern uint32_t damage_random; ///< state of damage_random_below: set it for each case

int damage_make_original(void **state);
int damage_remove_original(void **state);

size_t damage_random_below(size_t limit);
void damage_write_file(const char *where, const uint8_t *bytes, size_t len);
void damage_empty_folder(void);
/// Files in the folder whose names begin so.
size_t damage_count_asides(const char *prefix);
void damage_put_files(const PsBuf *db, const PsBuf *log);

typedef struct Outcome {
    bool may_be_lost[ROWS]; ///< touched by the damage
    bool found[ROWS];       ///< as it was
    size_t strange;         ///< rows that were never put in
    size_t letters;
    uint64_t delivered;
    uint64_t next_id;
    uint64_t most_id;
} Outcome;

Outcome *damage_outcome_new(void);
void damage_touch_page(size_t page, Outcome *outcome);
void damage_touch_frame(size_t frame, Outcome *outcome);
PsDb *damage_open_any(PsContents *contents, bool damaged);
/// Opens what is in the folder and looks at everything in it.
void damage_open_and_look(bool damaged, Outcome *outcome);
/// All rows but those that the damage touched; rows that the log deletes may come back only when
/// the log was damaged.
void damage_expect_rest(const Outcome *outcome, size_t first_lost, bool log_touched);
