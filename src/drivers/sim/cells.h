//! Memory of the simulated device: cells with names, which keep what was written to them; and what
//! a variable makes of a value. Not thread-safe; the session's thread.
#pragma once

#include "base/map.h"
#include "model/config.h"
#include "tags/value.h"

#define PS_SIMULATOR_TEXT_MOST 250 ///< bytes; the largest `size` of a variable

typedef struct PsSimulatorCell {
    PsValue value; ///< a text is in `text`
    char text[PS_SIMULATOR_TEXT_MOST];
} PsSimulatorCell;

/// Zero-initialised is empty and valid.
typedef struct PsSimulatorCells {
    PsSimulatorCell *cells;
    PsMap number_of; ///< by name; names are borrowed
} PsSimulatorCells;

/// Room for so many; all memory is taken here.
void ps_simulator_cells_init(PsSimulatorCells *cells, uint32_t most);
void ps_simulator_cells_deinit(PsSimulatorCells *cells);
/// Once for each name or more often. It has the value it had in `before`, otherwise 0.
void ps_simulator_cells_add(PsSimulatorCells *cells, const char *name,
                            const PsSimulatorCells *before);
/// Text is borrowed until the next put.
PsValue ps_simulator_cells_get(const PsSimulatorCells *cells, const char *name);
/// A text has at most PS_SIMULATOR_TEXT_MOST bytes.
void ps_simulator_cells_put(PsSimulatorCells *cells, const char *name, PsValue value);

/// What a variable of its type makes of a value: the same rules as for writing (tags/coerce.h), so
/// that a wave beyond the type's range is no value, rather than a wrong one. A number becomes a
/// text in `text` where the type is one; texts are cut to the variable's size.
PsQuality ps_simulator_value(const PsVariable *variable, PsValue raw,
                             char text[PS_SIMULATOR_TEXT_MOST], PsValue *ret_value);
