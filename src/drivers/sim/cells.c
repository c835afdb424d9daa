// Cells by name, and their values as a variable's type has them. No I/O.
#include "drivers/sim/cells.h"

#include "base/mem.h"
#include "tags/coerce.h"

#include <stdlib.h>
#include <string.h>

void ps_simulator_cells_init(PsSimulatorCells *cells, uint32_t most) {
    *cells = (PsSimulatorCells){.cells = ps_alloc_array((size_t)most + 1, sizeof *cells->cells)};
}

void ps_simulator_cells_deinit(PsSimulatorCells *cells) {
    ps_map_deinit(&cells->number_of);
    free(cells->cells);
    *cells = (PsSimulatorCells){0};
}

void ps_simulator_cells_add(PsSimulatorCells *cells, const char *name,
                            const PsSimulatorCells *before) {
    uint32_t number = (uint32_t)cells->number_of.count;
    if (ps_map_put(&cells->number_of, NULL, name, number)) {
        uint32_t old = ps_map_find(&before->number_of, NULL, name);
        cells->cells[number] =
            old != PS_MAP_NONE ? before->cells[old] : (PsSimulatorCell){.value = ps_value_int(0)};
    }
}

static PsSimulatorCell *find(const PsSimulatorCells *cells, const char *name) {
    uint32_t number = ps_map_find(&cells->number_of, NULL, name);
    PS_ASSERT(number != PS_MAP_NONE);
    return &cells->cells[number];
}

PsValue ps_simulator_cells_get(const PsSimulatorCells *cells, const char *name) {
    const PsSimulatorCell *cell = find(cells, name);
    PsValue value = cell->value;
    if (value.kind == PS_VALUE_TEXT) {
        value.text = cell->text; // the cell may have moved since it was put
    }
    return value;
}

void ps_simulator_cells_put(PsSimulatorCells *cells, const char *name, PsValue value) {
    PsSimulatorCell *cell = find(cells, name);
    cell->value = value;
    if (value.kind == PS_VALUE_TEXT) {
        PS_ASSERT(value.text_len <= PS_SIMULATOR_TEXT_MOST);
        memcpy(cell->text, value.text, value.text_len);
    }
}

PsQuality ps_simulator_value(const PsVariable *variable, PsValue raw,
                             char text[PS_SIMULATOR_TEXT_MOST], PsValue *ret_value) {
    bool own_type = variable->data_type == PS_TYPE_AUTO;
    bool fraction =
        own_type || variable->data_type == PS_TYPE_FLOAT || variable->data_type == PS_TYPE_DOUBLE;
    uint32_t most = ps_variable_text_size(variable);
    if (raw.kind == PS_VALUE_FLOAT) {
        raw.number = ps_round_decimals(raw.number, fraction ? (unsigned)variable->float_repr : 0U);
    }
    if (raw.kind != PS_VALUE_TEXT && most > 0 && !own_type) {
        ps_value_format(raw, text, PS_SIMULATOR_TEXT_MOST);
        raw = ps_value_text(text, (uint32_t)strlen(text));
    }
    if (raw.kind == PS_VALUE_TEXT && raw.text_len > most && most > 0) {
        raw.text_len = most;
    }
    return ps_coerce(variable, raw, ret_value, NULL) == PS_OK ? PS_QUALITY_GOOD
                                                              : PS_QUALITY_UNDECODABLE;
}
