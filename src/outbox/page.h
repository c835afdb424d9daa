//! Rows out of single pages of an SQLite database, without SQLite: what is left when a file is too
//! damaged for it. Pure: bytes in, records out; any bytes are allowed. The layout is that of
//! https://www.sqlite.org/fileformat2.html, sections 1.6 (b-tree pages) and 2.1 (records), for
//! pages of 4096 bytes without reserved space, which the outbox has.
#pragma once

#include "base/buf.h"

#define PS_PAGE_BYTES ((size_t)4096)
#define PS_RECORD_FIELDS 12 ///< records with more are not of the outbox

typedef enum PsFieldKind {
    PS_FIELD_NULL,
    PS_FIELD_INT,
    PS_FIELD_REAL, ///< never used by the outbox; its value is not read
    PS_FIELD_TEXT,
    PS_FIELD_BLOB,
} PsFieldKind;

typedef struct PsField {
    PsFieldKind kind;
    int64_t number;
    const uint8_t *bytes; ///< text (without NUL) or blob
    size_t len;
} PsField;

/// A row of a table, or an entry of an index (then `rowid` is 0).
typedef struct PsRecord {
    bool in_index;
    int64_t rowid;
    PsField fields[PS_RECORD_FIELDS];
    size_t count;
} PsRecord;

/// Where further pages come from: the bytes are good until the next call; NULL when there is no
/// such page or it cannot be read.
typedef struct PsPageSource {
    const uint8_t *(*page)(uint32_t number, void *ctx);
    void *ctx;
    uint32_t count; ///< pages in the file
} PsPageSource;

/// Borrowed until it returns.
typedef void PsRecordFound(const PsRecord *record, void *ctx);

/// Calls `found` for each record of page `number` that can be read, when it is a page that holds
/// records. Returns how many cells could not be read.
size_t ps_page_records(const uint8_t page[PS_PAGE_BYTES], uint32_t number,
                       const PsPageSource *source, PsRecordFound *found, void *ctx);
