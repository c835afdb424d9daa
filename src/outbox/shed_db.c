// Statements that make room in the database. Blocks on the disk; used by one thread at a time.
#include "outbox/shed_db.h"

#include "base/mem.h"
#include "outbox/db_private.h"

#include <stdlib.h>

typedef struct Victims {
    sqlite3_int64 *ids;
    size_t count;
    size_t capacity;
} Victims;

static bool is_kept(const PsDbShed *shed, sqlite3_int64 id) {
    size_t i = 0;
    while (i < shed->kept_count && (sqlite3_int64)shed->kept[i] != id) {
        i++;
    }
    return i < shed->kept_count;
}

static void add_victim(PsDbShed *shed, Victims *victims, sqlite3_stmt *statement) {
    if (victims->count == victims->capacity) {
        victims->capacity = victims->capacity > 0 ? victims->capacity * 2 : 256;
        victims->ids = ps_grow_array(victims->ids, victims->capacity, sizeof *victims->ids);
    }
    victims->ids[victims->count++] = sqlite3_column_int64(statement, 0);
    PsWall collected = {sqlite3_column_int64(statement, 1)};
    shed->went.first = shed->went.count == 0 ? collected : shed->went.first;
    shed->went.last = collected;
    shed->went.count++;
    shed->went_bytes += (uint64_t)sqlite3_column_int64(statement, 2);
}

static PsErr choose(PsDb *db, PsDbShed *shed, Victims *victims) {
    sqlite3_stmt *statement = db->statements[PS_DB_SHED_LOOK];
    sqlite3_bind_int(statement, 1, (int)shed->class);
    sqlite3_bind_int64(statement, 2, shed->from.collected_ns);
    sqlite3_bind_int64(statement, 3, (sqlite3_int64)shed->from.id);
    sqlite3_bind_int64(statement, 4, shed->number);
    sqlite3_bind_int64(statement, 5, shed->look < INT64_MAX ? (sqlite3_int64)shed->look : -1);
    bool take = shed->kind == PS_SHED_OLDEST || shed->odd;
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        if (take && !is_kept(shed, sqlite3_column_int64(statement, 0))) {
            add_victim(shed, victims, statement);
        }
        take = shed->kind == PS_SHED_OLDEST || !take;
    }
    sqlite3_reset(statement);
    return ps_db_err(code);
}

static PsErr count_dropped(PsDb *db, const PsDbShed *shed) {
    sqlite3_stmt *statement = db->statements[PS_DB_SHED_COUNT];
    sqlite3_bind_int64(statement, 1, shed->number);
    sqlite3_bind_text(statement, 2, ps_drop_reason_name(shed->reason), -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 3, (sqlite3_int64)shed->went.count);
    return ps_db_run(db, PS_DB_SHED_COUNT);
}

PsErr ps_shed_db_apply(PsDb *db, PsDbShed *shed) {
    Victims victims = {0};
    shed->went = (PsGap){0};
    shed->went_bytes = 0;
    PsErr err = choose(db, shed, &victims);
    for (size_t i = 0; err == PS_OK && i < victims.count; i++) {
        sqlite3_bind_int64(db->statements[PS_DB_DELETE_ROW], 1, victims.ids[i]);
        err = ps_db_run(db, PS_DB_DELETE_ROW);
    }
    if (err == PS_OK && victims.count > 0) {
        err = count_dropped(db, shed);
    }
    free(victims.ids);
    return err;
}
