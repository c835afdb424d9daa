//! The checksum that every message and dead letter has in the database: SQLite keeps none, and a
//! byte that changes on the disk would go out as if it had been sent so. CRC-32C over the row's
//! number and all its columns, but for when and why a letter failed at last, which change. Blocks
//! on the disk; one thread at a time.
//!
//! A row that an older version has written has none (NULL) and counts as sound.
#pragma once

#include "outbox/db.h"

// Expressions for a row with this collection time and name.
#define PS_MESSAGE_SUM(collected, name)                                                            \
    "row_sum(id, class, " collected ", " name ", topic, qos, payload)"
#define PS_LETTER_SUM(collected, name)                                                             \
    "row_sum(id, " name ", " collected ", form, qos, schema, input)"
/// The new sum where the stamp moves; what is damaged stays so.
#define PS_SUM_MOVED(sum, by)                                                                      \
    "sum = CASE WHEN sum = " sum("collected", "name") " THEN " sum("collected " by,                \
                                                                   "name") " ELSE sum END"

/// The sum of a row that is to be stored under this name, as the expression has it: a call of
/// SQLite for each row would cost more than the sum.
int32_t ps_message_sum(const PsOutboxRow *row, int64_t number, size_t topic_len);

/// Gives the database the function row_sum(...).
PsErr ps_sum_db_prepare(PsDb *db);

/// A message whose bytes changed.
typedef struct PsDamagedRow {
    uint64_t id;
    PsOutboxClass class;
    int64_t stored_number; ///< of the name, as the row has it
    int64_t number;        ///< and as it was, where the row is sound with that one
    PsWall collected;
    uint64_t bytes; ///< topic and payload
} PsDamagedRow;

typedef struct PsDamagedRows {
    PsDamagedRow *items;
    size_t count;
    size_t capacity;
} PsDamagedRows;

void ps_damaged_rows_deinit(PsDamagedRows *rows);
/// Finds out whose it was and adds it.
PsErr ps_damaged_rows_add(PsDb *db, PsDamagedRows *rows, PsDamagedRow row);
/// Looks at every message of the database.
PsErr ps_sum_db_find(PsDb *db, PsDamagedRows *rows);
