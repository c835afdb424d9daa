//! The CSV files of Device Supervisor as tables: which columns a file has and what each means in
//! penstock.json. A new column is one record in ds1.c or ds2.c. Constant data; any thread.
#pragma once

#include "exchange/csv.h"
#include "model/tables.h"

typedef struct PsDsRow PsDsRow;
typedef struct PsDsColumn PsDsColumn;

/// Puts a cell into the row where it is more than the value of one key.
typedef void PsDsTake(PsDsRow *row, const PsDsColumn *column, const char *cell);

struct PsDsColumn {
    const char *header; ///< as Device Supervisor writes it
    const char *also;   ///< a second name it has, or NULL
    const char *key;    ///< the key of penstock.json; NULL: it has none
    PsDsTake *take;     ///< NULL: the cell is the key's value; without a key it is passed over
    const char *note;   ///< without a key: what a cell asks for that Penstock does not have
    const char *idle;   ///< cells that ask for nothing besides the empty one: "0;none"
};

typedef struct PsDsFile {
    const char *title; ///< "variables (var.csv of Device Supervisor 1.x)"
    const char *const
        *marks; ///< a file with all these columns is one of this kind; NULL at the end
    const PsOptionTable *table;
    size_t object_size;    ///< of the struct that the table describes
    const char *scope_key; ///< names are unique only within this key's value; NULL: everywhere
    const PsDsColumn *columns;
    size_t column_count;
    void (*finish)(PsDsRow *row); ///< what depends on several cells; may be NULL
} PsDsFile;

extern const PsDsFile ps_ds1_devices;
extern const PsDsFile ps_ds1_variables;
extern const PsDsFile ps_ds1_groups;
extern const PsDsFile ps_ds1_alarms;
extern const PsDsFile ps_ds2_measures;
extern const PsDsFile ps_ds2_groups;
extern const PsDsFile ps_ds2_alarms;

#define PS_DS_NO_COLUMN UINT32_MAX

/// What the columns of one file are.
typedef struct PsDsHeader {
    const PsDsFile *file;
    uint32_t count;                       ///< columns the file has
    uint32_t columns[PS_CSV_COLUMNS_MAX]; ///< index into file->columns, or PS_DS_NO_COLUMN
} PsDsHeader;

/// Recognises a file by the names in its first row: any order, any case; blanks, underscores and
/// hyphens do not count. PS_ERR_NOT_FOUND: none of the files. PS_ERR_EXISTS: a column is there
/// twice.
PsErr ps_ds_header_read(const PsCsvRow *row, PsDsHeader *ret_header, PsDiag *diag);
