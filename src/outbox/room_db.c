// Room on the disk for what must be written come what may. Blocks on the disk; one thread at a
// time.
#include "outbox/room_db.h"

#include "outbox/db_private.h"
#include "outbox/dead_db.h"

#include <stdio.h>
#include <sys/statvfs.h>

#define PAGE_BYTES 4096
#define LOG_MOST_PAGES 1000 // SQLite's own
#define LOG_LEAST_PAGES 32
#define LOG_PART 16 // of the disk
#define RESERVE_MOST_BYTES ((uint64_t)512 * 1024)
#define RESERVE_PART 8
#define PLENTY_BYTES ((uint64_t)2 * 1024 * 1024)
// Pages that a transaction changes besides those that its rows fill, roughly.
#define ALWAYS_BYTES ((uint64_t)16 * PAGE_BYTES)

static bool space_of(PsDb *db, struct statvfs *ret_space) {
    const char *path = sqlite3_db_filename(db->handle, "main");
    return path != NULL && statvfs(path, ret_space) == 0;
}

PsRoom ps_room_db_look(PsDb *db) {
    struct statvfs space;
    if (!space_of(db, &space)) {
        return (PsRoom){UINT64_MAX, UINT64_MAX};
    }
    return (PsRoom){.size_bytes = (uint64_t)space.f_blocks * space.f_frsize,
                    .free_bytes = (uint64_t)space.f_bavail * space.f_frsize};
}

PsErr ps_room_db_prepare(PsDb *db) {
    uint64_t size = ps_room_db_look(db).size_bytes;
    uint64_t pages = size / LOG_PART / PAGE_BYTES;
    pages = pages < LOG_LEAST_PAGES  ? LOG_LEAST_PAGES
            : pages < LOG_MOST_PAGES ? pages
                                     : LOG_MOST_PAGES;
    db->log_bytes = pages * PAGE_BYTES;
    db->reserve_bytes =
        size / RESERVE_PART < RESERVE_MOST_BYTES ? size / RESERVE_PART : RESERVE_MOST_BYTES;
    char text[120];
    snprintf(text, sizeof text,
             "PRAGMA wal_autocheckpoint = %llu; PRAGMA journal_size_limit = %llu",
             (unsigned long long)pages, (unsigned long long)db->log_bytes);
    return ps_db_execute(db, text);
}

static uint64_t file_bytes(PsDb *db, int which) {
    sqlite3_int64 bytes = 0;
    sqlite3_file *file = NULL;
    bool known = sqlite3_file_control(db->handle, "main", which, (void *)&file) == SQLITE_OK &&
                 file != NULL && file->pMethods != NULL &&
                 file->pMethods->xFileSize(file, &bytes) == SQLITE_OK;
    return known && bytes > 0 ? (uint64_t)bytes : 0;
}

// What stands in the log only has no place in the database file yet.
static uint64_t growth_bytes(PsDb *db) {
    int64_t pages = 0;
    uint64_t bytes = file_bytes(db, SQLITE_FCNTL_FILE_POINTER);
    bool known = ps_db_number(db, "PRAGMA page_count", &pages) == PS_OK && bytes > 0;
    uint64_t wanted = (uint64_t)pages * PAGE_BYTES;
    return known && wanted > bytes ? wanted - bytes : 0;
}

static uint64_t new_bytes(const PsDbBatch *batch) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < batch->row_count; i++) {
        bytes += batch->rows[i]->bytes;
    }
    for (const PsDeadOp *op = batch->dead; op != NULL; op = op->next) {
        bytes += op->kind == PS_DEAD_PUT ? op->bytes : 0;
    }
    return bytes;
}

static uint64_t spare_bytes(PsDb *db) {
    int64_t pages = 0;
    bool known = ps_db_number(db, "PRAGMA freelist_count", &pages) == PS_OK && pages > 0;
    return known ? (uint64_t)pages * PAGE_BYTES : 0;
}

// A log of ordinary length keeps its blocks: they may be the only ones that are left. A longer one
// holds what did not fit.
void ps_room_db_release(PsDb *db) {
    bool is_long = file_bytes(db, SQLITE_FCNTL_JOURNAL_POINTER) > db->log_bytes;
    int how = is_long ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_RESTART;
    (void)sqlite3_wal_checkpoint_v2(db->handle, NULL, how, NULL, NULL);
}

PsErr ps_room_db_check(PsDb *db, const PsDbBatch *batch) {
    uint64_t bytes = new_bytes(batch);
    uint64_t written = bytes + bytes / 4 + ALWAYS_BYTES;
    uint64_t room = ps_room_db_look(db).free_bytes;
    if (room / 4 > written + PLENTY_BYTES) {
        return PS_OK;
    }
    // A large transaction goes into the log before its end: it must not take the room that ending
    // the log needs.
    if (growth_bytes(db) > 0) {
        (void)sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
        room = ps_room_db_look(db).free_bytes;
    }
    uint64_t spare = spare_bytes(db);
    uint64_t growth = growth_bytes(db) + (written > spare ? written - spare : 0);
    bool fits = bytes == 0 || growth == 0 || room >= growth + written + db->reserve_bytes;
    if (!fits) {
        ps_room_db_release(db);
    }
    return fits ? PS_OK : PS_ERR_FULL;
}
