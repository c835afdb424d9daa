//! A table of the database as a member of the exported JSON: its columns, and what an entry must
//! be. Main thread, local database.
#pragma once

#include "localcloud/registry/account.h"

#define PS_STATE_COLUMNS 14
#define PS_STATE_NO_CHECK PS_NAME_KINDS

typedef enum PsStateType {
    PS_STATE_TEXT,
    PS_STATE_TEXT_OR_NULL,
    PS_STATE_NUMBER,
    PS_STATE_NUMBER_OR_NULL,
    PS_STATE_JSON, ///< text in the table, a value in the export
    PS_STATE_JSON_OR_NULL,
    PS_STATE_WORD, ///< a number from 0 in the table, a word of `words` in the export
} PsStateType;

typedef struct PsStateColumn {
    const char *member; ///< NULL: the end
    const char *column;
    PsStateType type;
    PsNameKind check;
    const char *const *words; ///< of PS_STATE_WORD, up to NULL
} PsStateColumn;

typedef struct PsStateTable {
    const char *member;
    const char *table;
    const char *order;
    /// What the columns alone do not say; `row` has passed them. NULL: nothing.
    PsApiCode (*check)(PsRegistry *registry, json_t *row, PsApiFault *fault);
    PsStateColumn columns[PS_STATE_COLUMNS];
} PsStateTable;

/// A text of an entry, "" when there is none.
const char *ps_state_text(json_t *row, const char *member);
/// Every row, in order: a new array.
json_t *ps_state_table_take(PsRegistry *registry, const PsStateTable *table);
void ps_state_table_clear(PsRegistry *registry, const PsStateTable *table);
/// Adds the entries of `list`. PS_API_INVALID_REQUEST names the entry and the member.
PsApiCode ps_state_table_put(PsRegistry *registry, const PsStateTable *table, const json_t *list,
                             PsApiFault *fault);
