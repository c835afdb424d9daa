//! One row of a Device Supervisor file on its way to an object of penstock.json. Inside
//! src/exchange only; pure apart from memory; one thread.
#pragma once

#include "exchange/ds_file.h"
#include "model/config.h"

#include <jansson.h>

#define PS_DS_MARKS(name, ...) static const char *const name[] = {__VA_ARGS__, NULL}

#define PS_DS_ROW_PROBLEMS 8 ///< kept of one row

typedef struct PsDsProblem {
    const char *column; ///< header
    char text[256];
} PsDsProblem;

struct PsDsRow {
    const PsDsFile *file;
    const char *cells[PS_CSV_COLUMNS_MAX]; ///< by column of `file`; NULL: the file lacks it
    bool decimal_comma;
    PsVariableCheckFor *check_for;
    const json_t *before; ///< the object of that name that is there; NULL: none, or not known yet
    json_t *keys;         ///< what the row says, by key; null: the default
    PsDsProblem problems[PS_DS_ROW_PROBLEMS];
    unsigned problem_count;
    struct {
        const char *column;
        const char *text;
    } notes[PS_CSV_COLUMNS_MAX];
    unsigned note_count;
};

/// Fills the cells and, from them, the keys. A cell that cannot be understood becomes a problem.
/// The caller looks up `before`, calls file->finish, and drops `keys`.
void ps_ds_row_convert(PsDsRow *row, const PsDsHeader *header, const PsCsvRow *fields);

/// A cell by its header; "" when it is empty or the file lacks the column.
const char *ps_ds_row_cell(const PsDsRow *row, const char *header);
/// What the row says for a key so far, when that is a text; else "".
const char *ps_ds_row_text(const PsDsRow *row, const char *key);
/// Puts the cell as the value of the column's key, by the key's option.
void ps_ds_row_put_cell(PsDsRow *row, const PsDsColumn *column, const char *cell);
/// Appends a word as penstock.json spells it for this key: "Modbus TCP" gives "ModbusTCP".
void ps_ds_word(const char *key, const char *cell, PsBuf *out);
/// Is the cell one of the words ("a;b"), without regard to case and outer blanks?
bool ps_ds_cell_is(const char *cell, const char *words);

/// An operand of an alarm, which penstock.json has as text with a decimal point.
void ps_ds_take_operand(PsDsRow *row, const PsDsColumn *column, const char *cell);
/// The row's alarm watches a variable and has no address of its own.
void ps_ds_row_drop_address(PsDsRow *row);

/// A cell that is the number of a register, or an S7 address in the notation of its programming
/// software; the latter is for ps_ds_row_finish_register, which has seen all columns.
void ps_ds_take_register(PsDsRow *row, const PsDsColumn *column, const char *cell);
void ps_ds_row_finish_register(PsDsRow *row, const char *header);
/// Files carry values in columns that do not count for the protocol; they are left out.
void ps_ds_row_drop_foreign(PsDsRow *row, int protocol);

void ps_ds_row_problem(PsDsRow *row, const char *column, const char *fmt, ...) PS_PRINTF(3, 4);
/// `text` is a constant: notes are counted by it.
void ps_ds_row_note(PsDsRow *row, const char *column, const char *text);
