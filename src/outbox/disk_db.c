// Keeping the disk use without writing more for it. One thread, which blocks on the disk.
//
// A kill or power cut forgets what was written since the numbers were last saved: a quarter of an
// hour at most. So does an orderly stop with its own last pages.
#include "outbox/disk_db.h"

#include "outbox/db_private.h"

#define SAVE_EVERY_NS (900 * PS_NS_PER_S)
#define DAY_NS (86400 * PS_NS_PER_S)
// Places of the table that are no days.
#define TOTAL (-1)
#define SINCE (-2)

static PsErr load_row(sqlite3_stmt *statement, void *ctx) {
    PsDiskUse *use = ctx;
    int64_t day = sqlite3_column_int64(statement, 0);
    int64_t value = sqlite3_column_int64(statement, 1);
    if (day == SINCE) {
        use->since = value;
    } else if (day == TOTAL) {
        use->total = value > 0 ? (uint64_t)value : 0;
    } else if (value > 0) { // days come before the total, which is the true one
        ps_disk_use_add(use, day, (uint64_t)value);
    }
    return PS_OK;
}

PsErr ps_disk_db_load(PsDb *db) {
    PsDiskUse use = {0};
    PsErr err = ps_db_for_each(db, "SELECT day, bytes FROM disk ORDER BY day DESC", load_row, &use);
    if (err == PS_OK) {
        db->disk = use;
        db->disk_saved_at = ps_mono_now();
    }
    return err;
}

void ps_disk_db_count(PsDb *db) {
    int64_t day = ps_wall_now().ns / DAY_NS;
    uint64_t bytes = db->written_bytes - db->counted_bytes;
    db->counted_bytes = db->written_bytes;
    ps_disk_use_add(&db->disk, day, bytes);
    ps_disk_use_add(&db->disk_unsaved, day, bytes);
}

static PsErr add(PsDb *db, int64_t place, uint64_t value) {
    sqlite3_stmt *statement = db->statements[PS_DB_DISK_ADD];
    sqlite3_bind_int64(statement, 1, place);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64)value);
    return ps_db_run(db, PS_DB_DISK_ADD);
}

PsErr ps_disk_db_save(PsDb *db, bool now) {
    const PsDiskUse *use = &db->disk_unsaved;
    bool due = ps_mono_diff_ns(ps_mono_now(), db->disk_saved_at) >= SAVE_EVERY_NS;
    if (use->total == 0 || (!due && !now)) {
        return PS_OK;
    }
    PsErr err = add(db, TOTAL, use->total);
    for (int i = 0; err == PS_OK && i < PS_DISK_DAYS; i++) {
        err = use->days[i].bytes > 0 ? add(db, use->days[i].day, use->days[i].bytes) : PS_OK;
    }
    sqlite3_stmt *statement = db->statements[PS_DB_DISK_SINCE];
    if (err == PS_OK) {
        sqlite3_bind_int64(statement, 1, SINCE);
        sqlite3_bind_int64(statement, 2, use->since);
        err = ps_db_run(db, PS_DB_DISK_SINCE);
    }
    if (err == PS_OK) {
        sqlite3_bind_int64(db->statements[PS_DB_DISK_FORGET], 1,
                           ps_wall_now().ns / DAY_NS - PS_DISK_DAYS);
        err = ps_db_run(db, PS_DB_DISK_FORGET);
    }
    db->disk_saving = err == PS_OK;
    return err;
}

void ps_disk_db_saved(PsDb *db) {
    if (db->disk_saving) {
        db->disk_unsaved = (PsDiskUse){0};
        db->disk_saved_at = ps_mono_now();
        db->disk_saving = false;
    }
}
