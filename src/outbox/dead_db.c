// Statements of dead letters, and the list of changes that waits for them. The list is the main
// thread's; the statements block on the disk, on one thread at a time.
#include "outbox/dead_db.h"

#include "base/mem.h"
#include "outbox/db_private.h"
#include "outbox/sum_db.h"

#include <stdlib.h>
#include <string.h>

#define FETCH_BYTES ((size_t)4 * 1024 * 1024)
// What a letter takes on the disk beside its input and reason, roughly.
#define LETTER_OVERHEAD ((size_t)64)

size_t ps_dead_bytes(size_t reason_len, size_t input_len) {
    return reason_len + input_len + LETTER_OVERHEAD;
}

// ---- changes

PsDeadOp *ps_dead_op_new(PsDeadOpKind kind, const PsDeadLetter *letter) {
    size_t reason_len = letter->reason != NULL ? strlen(letter->reason) : 0;
    size_t kept = reason_len < PS_DEAD_REASON_MAX ? reason_len : PS_DEAD_REASON_MAX;
    size_t input_len = letter->input != NULL ? letter->input_len : 0;
    PsDeadOp *op = ps_alloc(sizeof *op + kept + 1 + input_len);
    op->kind = kind;
    op->letter = *letter;
    op->bytes = ps_dead_bytes(kept, input_len);
    if (kept > 0) {
        memcpy(op->data, letter->reason, kept);
    }
    if (input_len > 0) {
        memcpy(op->data + kept + 1, letter->input, input_len);
    }
    op->letter.reason = op->data;
    op->letter.input = op->data + kept + 1;
    return op;
}

void ps_dead_ops_put(PsDeadOps *ops, PsDeadOp *op) {
    op->next = NULL;
    *(ops->last != NULL ? &ops->last->next : &ops->first) = op;
    ops->last = op;
    ops->count++;
    ops->bytes += op->bytes;
}

static PsDeadOp *take_first(PsDeadOps *ops) {
    PsDeadOp *op = ops->first;
    ops->first = op->next;
    ops->last = ops->first != NULL ? ops->last : NULL;
    ops->count--;
    ops->bytes -= op->bytes;
    return op;
}

void ps_dead_ops_take(PsDeadOps *ops, PsMono until, PsDeadOps *taken) {
    while (ops->first != NULL && ops->first->since.ns <= until.ns) {
        ps_dead_ops_put(taken, take_first(ops));
    }
}

void ps_dead_ops_put_back(PsDeadOps *ops, PsDeadOps *before) {
    PsDeadOps later = *ops;
    *ops = *before;
    *before = (PsDeadOps){0};
    while (later.first != NULL) {
        ps_dead_ops_put(ops, take_first(&later));
    }
}

void ps_dead_ops_clear(PsDeadOps *ops) {
    while (ops->first != NULL) {
        free(take_first(ops));
    }
}

// ---- writing

static PsErr put_schema(PsDb *db, const PsDeadSchema *schema) {
    sqlite3_stmt *statement = db->statements[PS_DB_DEAD_SCHEMA];
    sqlite3_bind_int64(statement, 1, schema->hash);
    sqlite3_bind_blob64(statement, 2, schema->bytes, schema->len, SQLITE_STATIC);
    PsErr err = ps_db_run(db, PS_DB_DEAD_SCHEMA);
    sqlite3_clear_bindings(statement);
    return err;
}

static PsErr put_letter(PsDb *db, const PsDeadOp *op) {
    const PsDeadLetter *letter = &op->letter;
    PsErr err = op->schema != NULL ? put_schema(db, op->schema) : PS_OK;
    if (err != PS_OK) {
        return err;
    }
    sqlite3_stmt *statement = db->statements[PS_DB_DEAD_PUT];
    sqlite3_bind_int64(statement, 1, (sqlite3_int64)letter->id);
    sqlite3_bind_int64(statement, 2, op->number);
    sqlite3_bind_int64(statement, 3, letter->collected.ns);
    sqlite3_bind_int64(statement, 4, letter->died.ns);
    sqlite3_bind_int(statement, 5, letter->form);
    sqlite3_bind_int(statement, 6, letter->qos);
    if (op->schema != NULL) {
        sqlite3_bind_int64(statement, 7, op->schema->hash);
    }
    sqlite3_bind_text(statement, 8, letter->reason, -1, SQLITE_STATIC);
    sqlite3_bind_blob64(statement, 9, letter->input, letter->input_len, SQLITE_STATIC);
    err = ps_db_put(db, PS_DB_DEAD_PUT, PS_DB_DEAD_REMOVE, letter->id);
    sqlite3_clear_bindings(statement);
    return err;
}

static PsErr apply(PsDb *db, const PsDeadOp *op) {
    sqlite3_stmt *statement;
    switch (op->kind) {
    case PS_DEAD_PUT:
        return put_letter(db, op);
    case PS_DEAD_FAILED:
        statement = db->statements[PS_DB_DEAD_FAILED];
        sqlite3_bind_int64(statement, 1, (sqlite3_int64)op->letter.id);
        sqlite3_bind_int64(statement, 2, op->letter.died.ns);
        sqlite3_bind_text(statement, 3, op->letter.reason, -1, SQLITE_TRANSIENT);
        return ps_db_run(db, PS_DB_DEAD_FAILED);
    case PS_DEAD_REMOVE:
        sqlite3_bind_int64(db->statements[PS_DB_DEAD_REMOVE], 1, (sqlite3_int64)op->letter.id);
        return ps_db_run(db, PS_DB_DEAD_REMOVE);
    }
    return PS_ERR_INTERNAL;
}

PsErr ps_dead_db_apply(PsDb *db, const PsDeadOp *first) {
    PsErr err = PS_OK;
    for (const PsDeadOp *op = first; err == PS_OK && op != NULL; op = op->next) {
        err = apply(db, op);
    }
    return err;
}

// ---- reading

typedef struct Loading {
    PsDeadLoaded *loaded;
    void *ctx;
} Loading;

static PsErr load_letter(sqlite3_stmt *statement, void *ctx) {
    const Loading *loading = ctx;
    PsDeadStored letter = {.id = (uint64_t)sqlite3_column_int64(statement, 0),
                           .number = sqlite3_column_int64(statement, 1),
                           .collected = {sqlite3_column_int64(statement, 2)},
                           .reason_len = (size_t)sqlite3_column_int64(statement, 3),
                           .input_len = (size_t)sqlite3_column_int64(statement, 4),
                           .damaged = sqlite3_column_int(statement, 5) == 0};
    loading->loaded(&letter, loading->ctx);
    return PS_OK;
}

static PsErr no_row(sqlite3_stmt *statement, void *ctx) {
    return PS_OK;
}

PsErr ps_dead_db_load(PsDb *db, PsDeadLoaded *loaded, void *ctx) {
    Loading loading = {loaded, ctx};
    PsErr err = ps_db_for_each(db,
                               "SELECT id, name, collected, length(CAST(reason AS BLOB)), "
                               "length(input), sum IS NULL OR sum = " PS_LETTER_SUM(
                                   "collected", "name") " FROM dead ORDER BY id",
                               load_letter, &loading);
    return err != PS_OK ? err
                        : ps_db_for_each(db,
                                         "DELETE FROM dead_schema WHERE hash NOT IN (SELECT schema "
                                         "FROM dead WHERE schema IS NOT NULL)",
                                         no_row, NULL);
}

// Columns as in the statements PS_DB_DEAD_LIST and PS_DB_DEAD_WHOLE.
static PsDeadOp *letter_of(sqlite3_stmt *statement) {
    PsDeadLetter letter = {
        .id = (uint64_t)sqlite3_column_int64(statement, 0),
        .collected = {sqlite3_column_int64(statement, 2)},
        .died = {sqlite3_column_int64(statement, 3)},
        .form = sqlite3_column_int(statement, 4),
        .qos = sqlite3_column_int(statement, 5),
        .reason = (const char *)sqlite3_column_text(statement, 6),
        .input_len = (size_t)sqlite3_column_int64(statement, 7),
        .input = sqlite3_column_blob(statement, 8),
    };
    PsDeadOp *op = ps_dead_op_new(PS_DEAD_PUT, &letter);
    op->number = sqlite3_column_int64(statement, 1);
    op->damaged = sqlite3_column_int(statement, 11) == 0;
    if (letter.input == NULL) {
        op->letter.input = NULL;
    }
    return op;
}

static const PsDeadSchema *schema_of(sqlite3_stmt *statement, PsDeadSchema **schemas) {
    int64_t hash = sqlite3_column_int64(statement, 9);
    const void *bytes = sqlite3_column_blob(statement, 10);
    size_t len = (size_t)sqlite3_column_bytes(statement, 10);
    PsDeadSchema *schema = *schemas;
    while (schema != NULL && schema->hash != hash) {
        schema = schema->next;
    }
    if (schema == NULL && bytes != NULL) {
        schema = ps_alloc(sizeof *schema + len);
        schema->hash = hash;
        schema->len = len;
        memcpy(schema->bytes, bytes, len);
        schema->next = *schemas;
        *schemas = schema;
    }
    return schema;
}

PsErr ps_dead_db_fetch(PsDb *db, const PsDeadQuery *query, int64_t name, PsDeadFound *ret_found) {
    sqlite3_stmt *statement = db->statements[query->whole ? PS_DB_DEAD_WHOLE : PS_DB_DEAD_LIST];
    sqlite3_bind_int64(statement, 1, name);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64)query->id);
    sqlite3_bind_int64(statement, 3, query->after_collected.ns);
    sqlite3_bind_int64(statement, 4, (sqlite3_int64)query->after_id);
    sqlite3_bind_int64(statement, 5, (sqlite3_int64)query->limit);
    int code = SQLITE_DONE;
    PsDeadFound found = {0};
    while (found.letters.bytes < FETCH_BYTES && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        PsDeadOp *op = letter_of(statement);
        op->schema = schema_of(statement, &found.schemas);
        if (op->schema != NULL) {
            op->damaged |=
                ps_dead_schema_hash(op->schema->bytes, op->schema->len) != op->schema->hash;
            op->letter.schema = op->schema->bytes;
            op->letter.schema_len = op->schema->len;
        }
        ps_dead_ops_put(&found.letters, op);
    }
    sqlite3_reset(statement);
    PsErr err = ps_db_err(code);
    if (err != PS_OK) {
        ps_dead_found_deinit(&found);
        return err;
    }
    *ret_found = found;
    return PS_OK;
}

int64_t ps_dead_schema_hash(const void *bytes, size_t len) {
    const uint8_t *at = bytes;
    uint64_t hash = UINT64_C(14695981039346656037); // FNV-1a
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ at[i]) * UINT64_C(1099511628211);
    }
    hash = hash != 0 ? hash : 1;
    int64_t key;
    memcpy(&key, &hash, sizeof key);
    return key;
}

void ps_dead_schemas_free(PsDeadSchema *first) {
    while (first != NULL) {
        PsDeadSchema *next = first->next;
        free(first);
        first = next;
    }
}

void ps_dead_found_deinit(PsDeadFound *found) {
    ps_dead_ops_clear(&found->letters);
    ps_dead_schemas_free(found->schemas);
    found->schemas = NULL;
}
