// Statements for the record of the clock, and correcting stamps. Blocks on the disk; one thread.
// They are needed a few times in a boot, so none is kept compiled.
#include "outbox/era_db.h"

#include "outbox/db_private.h"
#include "outbox/sum_db.h"

#include <stdio.h>
#include <string.h>

#define PLAUSIBLE "1704067200000000000" // as base/clock.c

// Runs one statement with numbers for ?1, ?2 and so on.
static PsErr run_with(PsDb *db, const char *text, const int64_t *numbers, int count) {
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db->handle, text, -1, &statement, NULL);
    for (int i = 0; code == SQLITE_OK && i < count; i++) {
        code = sqlite3_bind_int64(statement, i + 1, numbers[i]);
    }
    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    return ps_db_err(code);
}

static PsErr load_record(sqlite3_stmt *statement, void *ctx) {
    PsEraRecord *record = ctx;
    const char *boot = (const char *)sqlite3_column_text(statement, 0);
    snprintf(record->boot, sizeof record->boot, "%s", boot != NULL ? boot : "");
    record->clock = (PsClockEra){.started = {sqlite3_column_int64(statement, 1)},
                                 .offset_ns = sqlite3_column_int64(statement, 2),
                                 .settled = sqlite3_column_int(statement, 3) != 0};
    record->first_message = (uint64_t)sqlite3_column_int64(statement, 4);
    record->first_letter = (uint64_t)sqlite3_column_int64(statement, 5);
    return PS_OK;
}

PsErr ps_era_db_load(PsDb *db, PsEraRecord *ret_record) {
    *ret_record = (PsEraRecord){0};
    return ps_db_for_each(
        db, "SELECT boot, started, offset, settled, first_message, first_letter FROM era",
        load_record, ret_record);
}

PsErr ps_era_db_write(PsDb *db, const PsEraRecord *record) {
    PsErr err = ps_db_execute(db, "DELETE FROM era");
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db->handle, "INSERT INTO era VALUES(?1, ?2, ?3, ?4, ?5, ?6)", -1,
                                  &statement, NULL);
    if (err == PS_OK && code == SQLITE_OK) {
        sqlite3_bind_text(statement, 1, record->boot, -1, SQLITE_STATIC);
        sqlite3_bind_int64(statement, 2, record->clock.started.ns);
        sqlite3_bind_int64(statement, 3, record->clock.offset_ns);
        sqlite3_bind_int(statement, 4, record->clock.settled ? 1 : 0);
        sqlite3_bind_int64(statement, 5, (sqlite3_int64)record->first_message);
        sqlite3_bind_int64(statement, 6, (sqlite3_int64)record->first_letter);
        code = sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    return err != PS_OK ? err : ps_db_err(code);
}

// Earlier boots that never saw a right clock stay in their order, and before this boot.
static PsErr push_down(PsDb *db, PsEraShift *shift) {
    int64_t latest = INT64_MIN;
    PsErr err = ps_db_number(db,
                             "SELECT coalesce(max(collected), -9223372036854775807) FROM message "
                             "WHERE collected < " PLAUSIBLE,
                             &latest);
    int64_t started = shift->record.clock.started.ns;
    if (err != PS_OK || latest < started) {
        return err;
    }
    shift->pushed_ns = latest - started + PS_NS_PER_S;
    int64_t numbers[] = {shift->pushed_ns, (int64_t)shift->record.first_message};
    return run_with(db,
                    "UPDATE message SET collected = collected - ?1, " PS_SUM_MOVED(
                        PS_MESSAGE_SUM, "- ?1") " WHERE id < ?2 AND collected < " PLAUSIBLE,
                    numbers, 2);
}

static PsErr move(PsDb *db, const PsEraShift *shift, const char *text, uint64_t first, uint64_t end,
                  uint64_t *ret_count) {
    int64_t numbers[] = {shift->moved_ns, (int64_t)first, (int64_t)end, shift->from.ns,
                         shift->before.ns};
    PsErr err = run_with(db, text, numbers, 5);
    *ret_count = err == PS_OK ? (uint64_t)sqlite3_changes(db->handle) : 0;
    return err;
}

#define MOVED(sum)                                                                                 \
    "SET collected = collected + ?1, " PS_SUM_MOVED(                                               \
        sum, "+ ?1") " WHERE id >= ?2 AND id < ?3 AND collected BETWEEN ?4 AND ?5"

PsErr ps_era_db_shift(PsDb *db, PsEraShift *shift) {
    PsErr err = ps_db_run(db, PS_DB_BEGIN);
    if (err != PS_OK) {
        return err;
    }
    if (shift->push_down) {
        err = push_down(db, shift);
    }
    if (err == PS_OK && shift->move) {
        err = move(db, shift, "UPDATE message " MOVED(PS_MESSAGE_SUM), shift->record.first_message,
                   shift->end_message, &shift->messages);
    }
    if (err == PS_OK && shift->move) {
        err = move(db, shift, "UPDATE dead " MOVED(PS_LETTER_SUM), shift->record.first_letter,
                   shift->end_letter, &shift->letters);
    }
    if (err == PS_OK) {
        err = ps_era_db_write(db, &shift->record);
    }
    if (err == PS_OK) {
        err = ps_db_run(db, PS_DB_COMMIT);
    }
    if (err != PS_OK) {
        (void)ps_db_run(db, PS_DB_ROLLBACK);
    }
    return err;
}
