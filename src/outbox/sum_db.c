// Making and holding up the checksums of rows. Blocks on the disk; one thread at a time.
#include "outbox/sum_db.h"

#include "base/crc32c.h"
#include "base/err.h"
#include "base/mem.h"
#include "outbox/db_private.h"

#include <stdlib.h>
#include <string.h>

// ---- the checksum

#define HEAD_BYTES ((size_t)9)
#define COLUMNS_MAX ((size_t)8)

// The bytes of all columns one after the other, then all kinds, numbers and lengths: so no byte can
// move from one column to the next.
typedef struct Sum {
    uint32_t crc;
    uint8_t heads[COLUMNS_MAX * HEAD_BYTES];
    size_t len;
} Sum;

static void add_head(Sum *sum, int kind, uint64_t number) {
    PS_ASSERT(sum->len < sizeof sum->heads);
    uint8_t *head = sum->heads + sum->len;
    head[0] = (uint8_t)kind;
    for (size_t i = 0; i < 8; i++) {
        head[1 + i] = (uint8_t)(number >> (8 * i));
    }
    sum->len += HEAD_BYTES;
}

static void add_bytes(Sum *sum, int kind, const void *bytes, size_t len) {
    add_head(sum, kind, len);
    sum->crc = ps_crc32c(sum->crc, bytes, len);
}

// Signed, since SQLite stores that in four bytes.
static int32_t result_of(const Sum *sum) {
    uint32_t crc = ps_crc32c(sum->crc, sum->heads, sum->len);
    int32_t result;
    memcpy(&result, &crc, sizeof result);
    return result;
}

static void row_sum(sqlite3_context *context, int count, sqlite3_value **values) {
    Sum sum = {0};
    for (int i = 0; i < count; i++) {
        int kind = sqlite3_value_type(values[i]);
        if (kind == SQLITE_INTEGER) {
            add_head(&sum, kind, (uint64_t)sqlite3_value_int64(values[i]));
        } else {
            const void *bytes = sqlite3_value_blob(values[i]); // of a text: as it stands
            add_bytes(&sum, kind, bytes, (size_t)sqlite3_value_bytes(values[i]));
        }
    }
    sqlite3_result_int(context, result_of(&sum));
}

int32_t ps_message_sum(const PsOutboxRow *row, int64_t number, size_t topic_len) {
    Sum sum = {0};
    add_head(&sum, SQLITE_INTEGER, row->id);
    add_head(&sum, SQLITE_INTEGER, row->class);
    add_head(&sum, SQLITE_INTEGER, (uint64_t)row->collected.ns);
    add_head(&sum, SQLITE_INTEGER, (uint64_t)number);
    add_bytes(&sum, SQLITE_TEXT, row->topic, topic_len);
    add_head(&sum, SQLITE_INTEGER, (uint64_t)row->qos);
    add_bytes(&sum, SQLITE_BLOB, row->payload, row->len);
    return result_of(&sum);
}

PsErr ps_sum_db_prepare(PsDb *db) {
    return ps_db_err(sqlite3_create_function_v2(
        db->handle, "row_sum", -1, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, NULL,
        row_sum, NULL, NULL, NULL));
}

// ---- damaged rows

void ps_damaged_rows_deinit(PsDamagedRows *rows) {
    free(rows->items);
    *rows = (PsDamagedRows){0};
}

PsErr ps_damaged_rows_add(PsDb *db, PsDamagedRows *rows, PsDamagedRow row) {
    sqlite3_stmt *statement = NULL;
    int code =
        sqlite3_prepare_v2(db->handle,
                           "SELECT number FROM name WHERE EXISTS (SELECT 1 FROM message "
                           "WHERE id = ?1 AND sum = " PS_MESSAGE_SUM("collected", "number") ")",
                           -1, &statement, NULL);
    row.number = row.stored_number;
    if (code == SQLITE_OK) {
        sqlite3_bind_int64(statement, 1, (sqlite3_int64)row.id);
        code = sqlite3_step(statement);
        row.number = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : row.number;
    }
    sqlite3_finalize(statement);
    if (rows->count == rows->capacity) {
        rows->capacity = rows->capacity > 0 ? rows->capacity * 2 : 16;
        rows->items = ps_grow_array(rows->items, rows->capacity, sizeof *rows->items);
    }
    rows->items[rows->count++] = row;
    return ps_db_err(code);
}

PsErr ps_sum_db_find(PsDb *db, PsDamagedRows *rows) {
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(
        db->handle,
        "SELECT id, class, name, collected, length(CAST(topic AS BLOB)) + length(payload) "
        "FROM message WHERE sum <> " PS_MESSAGE_SUM("collected", "name"),
        -1, &statement, NULL);
    PsErr err = ps_db_err(code);
    while (err == PS_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        PsDamagedRow row = {.id = (uint64_t)sqlite3_column_int64(statement, 0),
                            .class = (PsOutboxClass)sqlite3_column_int(statement, 1),
                            .stored_number = sqlite3_column_int64(statement, 2),
                            .collected = {sqlite3_column_int64(statement, 3)},
                            .bytes = (uint64_t)sqlite3_column_int64(statement, 4)};
        err = ps_damaged_rows_add(db, rows, row);
    }
    sqlite3_finalize(statement);
    return err != PS_OK ? err : ps_db_err(code);
}
