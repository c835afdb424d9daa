//! What plan.c and plan_check.c share. Inside src/exchange only.
#pragma once

#include "base/map.h"
#include "exchange/ds_row.h"
#include "exchange/plan.h"

#define PS_PLAN_NO_ROW UINT32_MAX

/// One object of a list of penstock.json.
typedef struct PsPlanItem {
    json_t *before; ///< as it is; NULL: it is new
    json_t *after;  ///< as the row has it; NULL: no row is taken for it
    uint32_t row;   ///< the last row about it, or PS_PLAN_NO_ROW
} PsPlanItem;

/// One list of penstock.json that files can fill.
typedef struct PsPlanBlock {
    const PsOptionTable *table;
    const char *scope_key;
    size_t object_size;
    PsPlanItem *items;
    uint32_t item_count;
    PsMap names;      ///< of items
    void *objects[2]; ///< scratch for comparing
} PsPlanBlock;

enum {
    PS_PLAN_DEVICES,
    PS_PLAN_VARIABLES,
    PS_PLAN_GROUPS,
    PS_PLAN_ALARMS,
    PS_PLAN_BLOCKS
};

struct PsPlanWork {
    PsArena *arena;
    const char *folder;
    PsVariableCheckFor *check_for;
    json_t *root;
    PsPlanBlock blocks[PS_PLAN_BLOCKS];
    PsDsRow row;
    const PsDsFile **kinds; ///< of each file; NULL: not recognised
    uint32_t file_capacity;
    uint32_t row_capacity;
    uint32_t note_capacity;
};

/// Makes a row one that is not taken (its object is as before) and keeps the reason.
void ps_plan_reject(PsPlan *plan, PsPlanRow *row, const char *column, const char *text);
/// `default` and `warning` exist whether the file has them or not: their type, NULL for all others.
const char *ps_plan_predefined_type(const PsPlanBlock *block, const char *name);
/// The header of the column that fills a key; the key itself when there is none.
const char *ps_plan_column_of(const PsPlan *plan, const PsPlanRow *row, const char *key);
