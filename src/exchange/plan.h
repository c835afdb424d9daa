//! What an import would do: for each row of each file whether its object is added, changed,
//! unchanged or not taken, and the configuration that comes of it. Nothing is written here.
//! Reads the scripts and certificates that the configuration names, otherwise pure; one thread.
#pragma once

#include "exchange/csv.h"
#include "model/config.h"

typedef enum PsRowState {
    PS_ROW_ADDED,
    PS_ROW_CHANGED,
    PS_ROW_UNCHANGED,
    PS_ROW_NOT_TAKEN,
    PS_ROW_STATES,
} PsRowState;

/// "added", "changed", "unchanged", "not taken".
const char *ps_row_state_name(PsRowState state);

typedef struct PsPlanChange {
    const char *key;    ///< of penstock.json
    const char *before; ///< as it stands in the file; "" = nothing
    const char *after;
} PsPlanChange;

/// Why a row is not taken.
typedef struct PsPlanProblem {
    const char *column; ///< header; "" when it is about the whole row
    const char *text;
} PsPlanProblem;

typedef struct PsPlanRow {
    uint32_t file; ///< index into files
    uint32_t line;
    PsRowState state;
    const char *scope; ///< device of a variable, else ""
    const char *name;
    PsPlanChange *changes; ///< of PS_ROW_CHANGED
    uint32_t change_count;
    PsPlanProblem *problems; ///< of PS_ROW_NOT_TAKEN
    uint32_t problem_count;
    uint32_t block; ///< internal
    uint32_t item;  ///< internal
} PsPlanRow;

/// Something that rows ask for and that does not come over although the rows are taken; or, with
/// no rows, a column that is not known.
typedef struct PsPlanNote {
    uint32_t file;
    const char *column;
    const char *text;
    uint32_t first_line; ///< the first row it is about; 0: the column as such
    uint32_t count;      ///< how many rows
} PsPlanNote;

typedef struct PsPlanFile {
    const char *name;    ///< as given to ps_plan_add
    const char *title;   ///< what it was recognised as; "" when it was not
    const char *block;   ///< of penstock.json: "vars"
    const char *kind;    ///< what one row is called: "var"
    bool decoded;        ///< it was Windows-1252
    const char *failure; ///< the whole file cannot be read: where and why; NULL when it can
    size_t counts[PS_ROW_STATES];
} PsPlanFile;

typedef struct PsPlanWork PsPlanWork;

/// Read it after ps_plan_finish. Everything in it lives until ps_plan_free.
typedef struct PsPlan {
    PsPlanFile *files;
    uint32_t file_count;
    PsPlanRow *rows; ///< in the order of files and lines
    uint32_t row_count;
    PsPlanNote *notes;
    uint32_t note_count;
    size_t counts[PS_ROW_STATES]; ///< of all files
    uint32_t failed_files;
    PsFindings rest;  ///< mistakes of the new configuration that are of no row
    PsConfig *config; ///< the new configuration with every row that is taken; NULL: not sound
    PsPlanWork *work; ///< internal
} PsPlan;

/// Begins from penstock.json as it is; `json` NULL: there is none yet. PS_ERR_INVALID with findings
/// when its lists cannot be read.
PsErr ps_plan_new(const char *folder, const void *json, size_t len, PsVariableCheckFor *check_for,
                  PsFindings *findings, PsPlan **ret_plan);
/// Takes in a file. What is wrong with it is in the plan.
void ps_plan_add(PsPlan *plan, const char *name, const void *csv, size_t len);
/// Checks the new configuration as a start would, whatever the order of the files. A row that a
/// finding is about is not taken, and the rest is checked again until nothing more is found.
void ps_plan_finish(PsPlan *plan);
/// Accepts NULL.
void ps_plan_free(PsPlan *plan);
