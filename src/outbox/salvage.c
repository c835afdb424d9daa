// Sorting the records of a damaged outbox into a fresh one. Blocks on the disk; one thread.
#include "outbox/salvage.h"

#include "base/mem.h"
#include "base/text.h"
#include "outbox/db_file.h"
#include "outbox/db_private.h"
#include "outbox/sum_db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum Target {
    INTO_NAME,
    INTO_KNOWN, // a name as the index has it: without counts
    INTO_DROPPED,
    INTO_GAP,
    INTO_MESSAGE,
    INTO_MESSAGE_SEEN, // an id that an index has
    INTO_DEAD,
    INTO_DEAD_SEEN,
    INTO_SCHEMA,
    INTO_DISK,
    INTO_ERA,
    TARGET_COUNT,
} Target;

// Rows whose id is taken or impossible get one above all others when the rest is in.
static const char prepare_text[] =
    "CREATE TEMP TABLE known(number INTEGER PRIMARY KEY, text TEXT);"
    "CREATE TEMP TABLE message_seen(id INTEGER PRIMARY KEY);"
    "CREATE TEMP TABLE dead_seen(id INTEGER PRIMARY KEY);"
    "CREATE TEMP TABLE message_moved AS SELECT * FROM message WHERE 0;"
    "CREATE TEMP TABLE dead_moved AS SELECT * FROM dead WHERE 0;"
    "CREATE TEMP TABLE message_damaged AS SELECT * FROM message WHERE 0;"
    "CREATE TEMP TABLE dead_damaged AS SELECT * FROM dead WHERE 0;"
    "BEGIN IMMEDIATE;";

#define STORED_MESSAGE_SUM PS_MESSAGE_SUM("collected", "name")
#define STORED_LETTER_SUM PS_LETTER_SUM("collected", "name")

// Memory may hold rows that have the next ordinary ids, so moved rows begin far above. Only rows
// without a checksum, and second rows of one id, come here.
static const char move_text[] =
    "INSERT INTO message(id, class, collected, name, topic, qos, payload, sum)"
    " SELECT %lld + rowid, class, collected, name, topic, qos, payload, NULL FROM message_moved;"
    "INSERT INTO dead(id, name, collected, died, form, qos, schema, reason, input, sum)"
    " SELECT %lld + rowid, name, collected, died, form, qos, schema, reason, input, NULL"
    " FROM dead_moved;"
    "UPDATE message SET sum = " STORED_MESSAGE_SUM " WHERE id > %lld;"
    "UPDATE dead SET sum = " STORED_LETTER_SUM " WHERE id > %lld;";

// What has changed is counted, under the name with which it is sound, if there is one. Of some rows
// another copy is sound.
#define MESSAGE_OWNER                                                                              \
    "SELECT number FROM name WHERE message_damaged.sum = " PS_MESSAGE_SUM("collected", "number")
#define LETTER_OWNER                                                                               \
    "SELECT number FROM name WHERE dead_damaged.sum = " PS_LETTER_SUM("collected", "number")

static const char book_text[] =
    "UPDATE message_damaged SET name = coalesce((" MESSAGE_OWNER "), name);"
    "UPDATE dead_damaged SET name = coalesce((" LETTER_OWNER "), name);"
    "CREATE TEMP TABLE changed AS"
    " SELECT name, collected FROM message_damaged WHERE id NOT IN (SELECT id FROM message)"
    " UNION ALL SELECT name, collected FROM dead_damaged WHERE id NOT IN (SELECT id FROM dead);"
    "INSERT INTO dropped SELECT name, 'damaged', count(*) FROM changed"
    " WHERE name IN (SELECT number FROM name) GROUP BY name"
    " ON CONFLICT DO UPDATE SET count = count + excluded.count;"
    "INSERT INTO gap SELECT name, 'damaged', min(collected), max(collected), count(*) FROM changed"
    " WHERE name IN (SELECT number FROM name) GROUP BY name"
    " ON CONFLICT DO UPDATE SET first = min(first, excluded.first),"
    " last = max(last, excluded.last), count = count + excluded.count;"
    "COMMIT;";

static const char finish_text[] =
    "INSERT OR IGNORE INTO name(number, text) SELECT number, text FROM known;"
    "CREATE TEMP TABLE nameless AS SELECT name FROM message UNION SELECT name FROM dead"
    " EXCEPT SELECT number FROM name;"
    "INSERT OR IGNORE INTO name(number, text) SELECT name, 'recovered-' || name FROM nameless;"
    "INSERT OR IGNORE INTO name(number, text)"
    " SELECT name, 'recovered-' || name || '-' || hex(randomblob(8)) FROM nameless;"
    "DELETE FROM dropped WHERE name NOT IN (SELECT number FROM name);"
    "DELETE FROM gap WHERE name NOT IN (SELECT number FROM name);";

static const char forget_text[] = "DROP TABLE known; DROP TABLE message_seen; DROP TABLE dead_seen;"
                                  "DROP TABLE message_moved; DROP TABLE dead_moved;"
                                  "DROP TABLE message_damaged; DROP TABLE dead_damaged;"
                                  "DROP TABLE changed; DROP TABLE nameless;";

#define BOUND_MESSAGE_SUM "row_sum(?1, ?2, ?3, ?4, ?5, ?6, ?7)"
#define BOUND_LETTER_SUM "row_sum(?1, ?2, ?3, ?5, ?6, ?7, ?9)"

static const char message_text[] =
    "INSERT OR IGNORE INTO message SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 "
    "WHERE ?8 IS NULL OR ?8 = " BOUND_MESSAGE_SUM;
static const char letter_text[] =
    "INSERT OR IGNORE INTO dead SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 "
    "WHERE ?10 IS NULL OR ?10 = " BOUND_LETTER_SUM;

static const char *const texts[TARGET_COUNT] = {
    [INTO_NAME] = "INSERT OR IGNORE INTO name(number, text, delivered) VALUES(?1, ?2, ?3)",
    [INTO_KNOWN] = "INSERT OR IGNORE INTO known VALUES(?2, ?1)",
    [INTO_DROPPED] = "INSERT OR IGNORE INTO dropped VALUES(?1, ?2, ?3)",
    [INTO_GAP] = "INSERT OR IGNORE INTO gap VALUES(?1, ?2, ?3, ?4, ?5)",
    [INTO_MESSAGE] = message_text,
    [INTO_MESSAGE_SEEN] = "INSERT OR IGNORE INTO message_seen VALUES(?3)",
    [INTO_DEAD] = letter_text,
    [INTO_DEAD_SEEN] = "INSERT OR IGNORE INTO dead_seen VALUES(?2)",
    [INTO_SCHEMA] = "INSERT OR IGNORE INTO dead_schema VALUES(?1, ?2)",
    [INTO_ERA] = "INSERT OR IGNORE INTO era VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
    [INTO_DISK] = "INSERT OR IGNORE INTO disk VALUES(?1, ?2)",
};

// For a row whose id is taken: another copy of the same row is left out.
static const char *const moved_texts[TARGET_COUNT] = {
    [INTO_MESSAGE] =
        "INSERT INTO message_moved SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, NULL WHERE (?8 IS NULL OR "
        "?8 = " BOUND_MESSAGE_SUM ") AND NOT EXISTS "
        "(SELECT 1 FROM message WHERE id = ?1 AND collected = ?3 AND payload = ?7)",
    [INTO_DEAD] =
        "INSERT INTO dead_moved SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, NULL WHERE (?10 IS "
        "NULL OR ?10 = " BOUND_LETTER_SUM ") AND NOT EXISTS "
        "(SELECT 1 FROM dead WHERE id = ?1 AND collected = ?3 AND input = ?9)",
};

// For a row that is not as it was stored.
static const char *const damaged_texts[TARGET_COUNT] = {
    [INTO_MESSAGE] = "INSERT INTO message_damaged SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE "
                     "?8 <> " BOUND_MESSAGE_SUM,
    [INTO_DEAD] = "INSERT INTO dead_damaged SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 WHERE "
                  "?10 <> " BOUND_LETTER_SUM,
};

// A table or index by what its records look like: one letter for each field, 'N' null (where the
// row's number stands), 'I' integer, 'T' text, 'B' blob, 'i' integer or null.
typedef struct Shape {
    const char *fields;
    bool in_index;
    Target target;
} Shape;

static const Shape shapes[] = {
    {"NIIITIBi", false, INTO_MESSAGE}, {"NIIIIIiTBi", false, INTO_DEAD},
    {"NIIITIB", false, INTO_MESSAGE},  {"NIIIIIiTB", false, INTO_DEAD}, // before version 5
    {"NTI", false, INTO_NAME},         {"NTII", false, INTO_NAME},      // version 1
    {"NB", false, INTO_SCHEMA},        {"NI", false, INTO_DISK},
    {"ITI", true, INTO_DROPPED},       {"ITIII", true, INTO_GAP},
    {"IIII", true, INTO_MESSAGE_SEEN}, {"III", true, INTO_DEAD_SEEN},
    {"TI", true, INTO_KNOWN},          {"TTTIT", false, TARGET_COUNT}, // the schema itself
    {"TTTIN", false, TARGET_COUNT},    {"TIIIII", true, INTO_ERA},
};

typedef struct Work {
    PsDb *into;
    PsDbFile *file;
    sqlite3_stmt *statements[TARGET_COUNT];
    sqlite3_stmt *moved[TARGET_COUNT];
    sqlite3_stmt *damaged[TARGET_COUNT];
    uint64_t bad_cells;
    uint64_t books;
    PsErr err;
    uint8_t overflow[PS_PAGE_BYTES];
} Work;

// ---- one record

static bool has_field(const PsField *field, char letter) {
    switch (letter) {
    case 'N':
        return field->kind == PS_FIELD_NULL;
    case 'I':
        return field->kind == PS_FIELD_INT;
    case 'i':
        return field->kind == PS_FIELD_INT || field->kind == PS_FIELD_NULL;
    case 'T':
        return field->kind == PS_FIELD_TEXT;
    default:
        return field->kind == PS_FIELD_BLOB;
    }
}

static const Shape *shape_of(const PsRecord *record) {
    for (size_t i = 0; i < PS_COUNT(shapes); i++) {
        const Shape *shape = &shapes[i];
        bool fits = shape->in_index == record->in_index && strlen(shape->fields) == record->count;
        for (size_t field = 0; fits && field < record->count; field++) {
            fits = has_field(&record->fields[field], shape->fields[field]);
        }
        if (fits) {
            return shape;
        }
    }
    return NULL;
}

static bool is_between(const PsField *field, int64_t least, int64_t most) {
    return field->number >= least && field->number <= most;
}

// Values that the outbox could not go on with.
static bool is_sane(Target target, const PsRecord *record) {
    const PsField *fields = record->fields;
    for (size_t i = 0; i < record->count; i++) {
        if (fields[i].kind == PS_FIELD_TEXT && !ps_text_is_utf8(fields[i].bytes, fields[i].len)) {
            return false;
        }
    }
    switch (target) {
    case INTO_MESSAGE:
        return is_between(&fields[1], 0, PS_OUTBOX_CLASS_COUNT - 1) && fields[4].len > 0 &&
               fields[3].number != 0 && is_between(&fields[5], 0, 2);
    case INTO_DEAD:
        return fields[1].number != 0 && is_between(&fields[5], 0, 2);
    case INTO_NAME: // 0 is a name that has no number yet
        return record->rowid != 0 && fields[1].len > 0;
    case INTO_KNOWN:
        return fields[1].number != 0 && fields[0].len > 0;
    case INTO_MESSAGE_SEEN: // its last two fields are both the row's number
        return is_between(&fields[0], 0, PS_OUTBOX_CLASS_COUNT - 1) &&
               fields[2].number == fields[3].number;
    case INTO_DEAD_SEEN:
        return fields[1].number == fields[2].number;
    default:
        return true;
    }
}

static void bind_record(sqlite3_stmt *statement, const PsRecord *record) {
    for (size_t i = 0; i < record->count; i++) {
        const PsField *field = &record->fields[i];
        int place = (int)i + 1;
        if (place > sqlite3_bind_parameter_count(statement)) {
            break;
        }
        if (i == 0 && !record->in_index) {
            sqlite3_bind_int64(statement, place, record->rowid);
        } else if (field->kind == PS_FIELD_INT) {
            sqlite3_bind_int64(statement, place, field->number);
        } else if (field->kind == PS_FIELD_TEXT) {
            sqlite3_bind_text(statement, place, field->len > 0 ? (const char *)field->bytes : "",
                              (int)field->len, SQLITE_STATIC);
        } else if (field->kind == PS_FIELD_BLOB) {
            sqlite3_bind_blob64(statement, place, field->len > 0 ? (const void *)field->bytes : "",
                                field->len, SQLITE_STATIC);
        }
    }
}

static void run(Work *work, sqlite3_stmt *statement, const PsRecord *record) {
    bind_record(statement, record);
    (void)sqlite3_step(statement);
    PsErr err = ps_db_err(sqlite3_reset(statement));
    work->err = work->err != PS_OK ? work->err : err;
    sqlite3_clear_bindings(statement);
}

// Has it changed since it was stored?
static bool put_damaged(Work *work, Target target, const PsRecord *record) {
    if (work->damaged[target] == NULL) {
        return false;
    }
    run(work, work->damaged[target], record);
    return sqlite3_changes(work->into->handle) > 0;
}

static void on_record(const PsRecord *record, void *ctx) {
    Work *work = ctx;
    const Shape *shape = shape_of(record);
    if (work->err != PS_OK || (shape != NULL && shape->target == TARGET_COUNT)) {
        return;
    }
    if (shape == NULL || !is_sane(shape->target, record)) {
        work->bad_cells += shape == NULL || !put_damaged(work, shape->target, record) ? 1 : 0;
        return;
    }
    sqlite3_stmt *moved = work->moved[shape->target];
    bool possible = moved == NULL || (record->rowid > 0 && record->rowid < PS_DB_MOST_ID);
    if (possible) {
        run(work, work->statements[shape->target], record);
        bool taken = sqlite3_changes(work->into->handle) > 0;
        work->books += shape->target == INTO_NAME && taken ? 1 : 0;
        if (moved == NULL || taken) {
            return;
        }
    }
    run(work, moved, record);
    (void)put_damaged(work, shape->target, record);
}

// ---- all of them

static const uint8_t *overflow_page(uint32_t number, void *ctx) {
    Work *work = ctx;
    return ps_db_file_page(work->file, number, work->overflow) ? work->overflow : NULL;
}

static void scan(Work *work, PsSalvage *salvage) {
    uint8_t page[PS_PAGE_BYTES];
    PsPageSource source = {
        .page = overflow_page, .ctx = work, .count = ps_db_file_page_count(work->file)};
    salvage->pages = source.count;
    for (uint32_t number = 1; number <= source.count && work->err == PS_OK; number++) {
        if (!ps_db_file_page(work->file, number, page)) {
            salvage->unread++;
            continue;
        }
        work->bad_cells += ps_page_records(page, number, &source, on_record, work);
    }
}

static PsErr put_moved(PsDb *db) {
    long long base = ps_db_spare_id();
    char text[sizeof move_text + 80];
    snprintf(text, sizeof text, move_text, base, base, base, base);
    return ps_db_execute(db, text);
}

static PsErr prepare(PsDb *db, const char *const *from, sqlite3_stmt **statements) {
    PsErr err = PS_OK;
    for (size_t i = 0; err == PS_OK && i < TARGET_COUNT; i++) {
        if (from[i] != NULL) {
            err = ps_db_err(sqlite3_prepare_v2(db->handle, from[i], -1, &statements[i], NULL));
        }
    }
    return err;
}

static PsErr take_number(sqlite3_stmt *statement, void *ctx) {
    *(uint64_t *)ctx = (uint64_t)sqlite3_column_int64(statement, 0);
    return PS_OK;
}

static PsErr count_all(PsDb *db, const Work *work, PsSalvage *salvage) {
    uint64_t missing = 0;
    uint64_t names = 0;
    const struct {
        const char *text;
        uint64_t *into;
    } counts[] = {
        {"SELECT count(*) FROM message", &salvage->messages},
        {"SELECT count(*) FROM dead", &salvage->letters},
        {"SELECT count(*) FROM nameless", &salvage->renamed},
        {"SELECT count(*) FROM name", &names},
        {"SELECT count(*) FROM changed", &salvage->changed},
        {"SELECT (SELECT count(*) FROM message_seen WHERE id NOT IN (SELECT id FROM message UNION "
         "SELECT id FROM message_damaged)) + (SELECT count(*) FROM dead_seen WHERE id NOT IN "
         "(SELECT id FROM dead UNION SELECT id FROM dead_damaged))",
         &missing},
    };
    PsErr err = PS_OK;
    for (size_t i = 0; err == PS_OK && i < PS_COUNT(counts); i++) {
        err = ps_db_for_each(db, counts[i].text, take_number, counts[i].into);
    }
    salvage->books = work->books;
    salvage->restarted = names - work->books;
    // The same row may be missing in both; which of them is not known.
    salvage->lost = missing > work->bad_cells ? missing : work->bad_cells;
    return err;
}

PsErr ps_salvage(const char *path, PsDb *into, PsSalvage *ret_salvage) {
    Work *work = ps_alloc(sizeof *work);
    PsSalvage salvage = {0};
    work->into = into;
    work->err = ps_db_execute(into, prepare_text);
    if (work->err == PS_OK) {
        work->err = prepare(into, texts, work->statements);
    }
    if (work->err == PS_OK) {
        work->err = prepare(into, moved_texts, work->moved);
    }
    if (work->err == PS_OK) {
        work->err = prepare(into, damaged_texts, work->damaged);
    }
    work->file = ps_db_file_open(path);
    scan(work, &salvage);
    ps_db_file_close(work->file);
    for (size_t i = 0; i < TARGET_COUNT; i++) {
        sqlite3_finalize(work->statements[i]);
        sqlite3_finalize(work->moved[i]);
        sqlite3_finalize(work->damaged[i]);
    }
    PsErr err = work->err == PS_OK ? put_moved(into) : work->err;
    err = err == PS_OK ? ps_db_execute(into, finish_text) : err;
    err = err == PS_OK ? ps_db_execute(into, book_text) : err;
    err = err == PS_OK ? count_all(into, work, &salvage) : err;
    err = err == PS_OK ? ps_db_execute(into, forget_text) : err;
    free(work);
    if (err == PS_OK) {
        *ret_salvage = salvage;
    }
    return err;
}
