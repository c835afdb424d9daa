// A damaged outbox: the database and its write-ahead log are any bytes. Their pages are read as
// recovery reads them; records stay within what they were read from. One thread.
#include "outbox/db_file.h"

#include "base/cleanup.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

typedef struct Seen {
    PsDbFile *file;
    uint8_t overflow[PS_PAGE_BYTES];
    uint64_t sum;
} Seen;

static void look_at(const PsRecord *record, void *ctx) {
    Seen *seen = ctx;
    PS_ASSERT(record->count <= PS_RECORD_FIELDS);
    for (size_t i = 0; i < record->count; i++) {
        const PsField *field = &record->fields[i];
        PS_ASSERT(field->len == 0 || field->bytes != NULL);
        for (size_t at = 0; at < field->len; at++) {
            seen->sum += field->bytes[at];
        }
    }
}

static const uint8_t *overflow_page(uint32_t number, void *ctx) {
    Seen *seen = ctx;
    return ps_db_file_page(seen->file, number, seen->overflow) ? seen->overflow : NULL;
}

static void put(const char *path, const uint8_t *bytes, size_t len) {
    FILE *file = fopen(path, "we");
    PS_ASSERT(file != NULL && fwrite(bytes, 1, len, file) == len && fclose(file) == 0);
}

// Layout of a seed: u8 pages of the database, then the database, then its log.
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
    if (len < 1) {
        return 0;
    }
    size_t db_len = (size_t)bytes[0] * PS_PAGE_BYTES;
    db_len = db_len < len - 1 ? db_len : len - 1;
    char path[PATH_MAX];
    char log[PATH_MAX];
    snprintf(path, sizeof path, "/dev/shm/ps-fuzz-pages-%ld", (long)getpid());
    snprintf(log, sizeof log, "%.200s-wal", path);
    put(path, bytes + 1, db_len);
    put(log, bytes + 1 + db_len, len - 1 - db_len);
    Seen seen = {.file = ps_db_file_open(path)};
    PsPageSource source = {
        .page = overflow_page, .ctx = &seen, .count = ps_db_file_page_count(seen.file)};
    uint8_t page[PS_PAGE_BYTES];
    for (uint32_t number = 1; number <= source.count && number <= 64; number++) {
        if (ps_db_file_page(seen.file, number, page)) {
            (void)ps_page_records(page, number, &source, look_at, &seen);
        }
    }
    ps_db_file_close(seen.file);
    (void)unlink(path);
    (void)unlink(log);
    return 0;
}
