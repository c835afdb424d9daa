//! CSV files as spreadsheets and Device Supervisor write them (RFC 4180 and what is met in the
//! wild): reading with the place of each mistake, and writing. Bytes in, bytes out; pure.
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define PS_CSV_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define PS_CSV_ROWS_MAX 200000U
#define PS_CSV_COLUMNS_MAX 256U
#define PS_CSV_FIELD_MAX                                                                           \
    32768U ///< bytes of one field; a spreadsheet's cell holds 32,767 characters

/// One row: `count` fields, UTF-8, blanks kept, quotes resolved.
typedef struct PsCsvRow {
    const char **fields;
    uint32_t count;
    uint32_t line; ///< where it begins, from 1; rows may run over several lines
} PsCsvRow;

/// A read file. Zero-initialised is empty and valid. Texts live until ps_csv_deinit.
typedef struct PsCsv {
    PsArena *arena;
    char separator; ///< , ; or tab
    bool decoded;   ///< it was Windows-1252, not UTF-8
    PsCsvRow *rows; ///< the first one is the header; rows without any text are left out
    uint32_t row_count;
} PsCsv;

/// Takes a byte order mark, CRLF, LF or CR, and a line "sep=;" before the header. The separator is
/// the one that the first row has most of. Bytes that are not UTF-8 are read as Windows-1252.
/// PS_ERR_INVALID and PS_ERR_TOO_BIG: `diag` has the place ("line 3, column 14", in characters) as
/// its field and what to do as its text; nothing is returned then.
PsErr ps_csv_parse(const void *bytes, size_t len, PsCsv *ret_csv, PsDiag *diag);
void ps_csv_deinit(PsCsv *csv);

/// Appends a row: fields in quotes where they need them, lines end with CRLF.
void ps_csv_write_row(const char *const *fields, size_t count, PsBuf *out);
/// Appends the byte order mark that makes spreadsheets read UTF-8.
void ps_csv_write_mark(PsBuf *out);
