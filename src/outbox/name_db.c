// Statements for names. Blocks on the disk; used by one thread at a time.
#include "outbox/name_db.h"

#include "outbox/db_private.h"

// First all that change give up their names, since two may have changed places: a name is unique.
static const char *const steps[] = {
    "UPDATE name SET text = char(1) || number WHERE number = ?1",
    "INSERT INTO name(number, text) VALUES(?1, ?2) "
    "ON CONFLICT(number) DO UPDATE SET text = excluded.text",
};

static PsErr run_step(PsDb *db, const char *text, const PsDbName *name) {
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db->handle, text, -1, &statement, NULL);
    if (code == SQLITE_OK) {
        sqlite3_bind_int64(statement, 1, name->number);
        sqlite3_bind_text(statement, 2, name->text, -1, SQLITE_STATIC); // where it has one
        code = sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    return ps_db_err(code);
}

PsErr ps_name_db_write(PsDb *db, const PsDbName *names, size_t count) {
    PsErr err = PS_OK;
    for (size_t step = 0; step < PS_COUNT(steps); step++) {
        for (size_t i = 0; err == PS_OK && i < count; i++) {
            err = run_step(db, steps[step], &names[i]);
        }
    }
    return err;
}
