//! The values that somebody watches, each formatted once per change, however many watch it. Main
//! thread; in the steady state nothing is allocated. Reads no clock and no table itself.
#pragma once

#include "base/buf.h"
#include "tags/value.h"

#define PS_CELL_NONE UINT32_MAX

typedef struct PsCells PsCells;

/// What a variable shows at the moment.
typedef struct PsCellReading {
    PsValue value; ///< borrowed
    PsQuality quality;
    PsWall time; ///< when the value was read
} PsCellReading;

typedef PsCellReading PsCellRead(uint32_t variable, void *ctx);

/// Of variables 0 to `variable_count` - 1; memory is taken for those that are watched.
PsCells *ps_cells_new(uint32_t variable_count);
/// Accepts NULL.
void ps_cells_free(PsCells *cells);

/// One more watches the variable: the number of its cell.
uint32_t ps_cells_take(PsCells *cells, uint32_t variable);
/// One less.
void ps_cells_drop(PsCells *cells, uint32_t cell);
/// How many variables are watched.
uint32_t ps_cells_count(const PsCells *cells);
uint32_t ps_cells_variable(const PsCells *cells, uint32_t cell);

/// Something of the variable may be another. Cheap for what nobody watches.
void ps_cells_touch(PsCells *cells, uint32_t variable);
/// Has anything been touched that was not refreshed?
bool ps_cells_touched(const PsCells *cells);
/// Touches the cells that show another quality than `read` gives: values grow old without an event.
void ps_cells_look(PsCells *cells, PsCellRead *read, void *ctx);
/// Formats what was touched.
void ps_cells_refresh(PsCells *cells, PsCellRead *read, void *ctx);

/// Counts every cell that shows something else than before.
uint32_t ps_cells_version(const PsCells *cells);
/// The count at the cell's newest change; 0 before it was refreshed for the first time.
uint32_t ps_cell_version(const PsCells *cells, uint32_t cell);
/// `VALUE,"TEXT","QUALITY",TIME` as JSON. Borrowed until the next refresh.
const char *ps_cell_text(const PsCells *cells, uint32_t cell, size_t *ret_len);
