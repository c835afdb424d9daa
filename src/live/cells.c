// Cells in an array with a list of free ones, found by variable through a table that is there while
// something is watched. Main thread.
#include "live/cells.h"

#include "base/mem.h"
#include "live/format.h"

#include <stdlib.h>
#include <string.h>

typedef struct Cell {
    uint32_t variable; // of a free one: the next free one
    uint32_t users;
    uint32_t version;
    uint32_t len;
    uint32_t capacity;
    uint8_t quality; // as in the text
    bool touched;
    char *text;
} Cell;

struct PsCells {
    uint32_t variable_count;
    uint32_t *of_variable; // PS_CELL_NONE where nobody watches; NULL before the first cell
    Cell *cells;
    uint32_t room;
    uint32_t first_free;
    uint32_t count;
    uint32_t *touched; // numbers of cells, each once
    uint32_t touched_count;
    uint32_t version;
    PsBuf line; // the text that is being made
};

PsCells *ps_cells_new(uint32_t variable_count) {
    PsCells *cells = ps_alloc(sizeof *cells);
    cells->variable_count = variable_count;
    cells->first_free = PS_CELL_NONE;
    return cells;
}

void ps_cells_free(PsCells *cells) {
    if (cells == NULL) {
        return;
    }
    for (uint32_t i = 0; i < cells->room; i++) {
        free(cells->cells[i].text);
    }
    free(cells->cells);
    free(cells->of_variable);
    free(cells->touched);
    ps_buf_deinit(&cells->line);
    free(cells);
}

static void grow(PsCells *cells) {
    uint32_t room = cells->room > 0 ? cells->room * 2 : 64;
    cells->cells = ps_grow_array(cells->cells, room, sizeof *cells->cells);
    cells->touched = ps_grow_array(cells->touched, room, sizeof *cells->touched);
    for (uint32_t i = room; i-- > cells->room;) {
        cells->cells[i] = (Cell){.variable = cells->first_free};
        cells->first_free = i;
    }
    cells->room = room;
}

static void touch(PsCells *cells, uint32_t number) {
    if (!cells->cells[number].touched) {
        cells->cells[number].touched = true;
        cells->touched[cells->touched_count++] = number;
    }
}

uint32_t ps_cells_take(PsCells *cells, uint32_t variable) {
    PS_ASSERT(variable < cells->variable_count);
    if (cells->of_variable == NULL) {
        cells->of_variable = ps_alloc_array(cells->variable_count, sizeof *cells->of_variable);
        memset(cells->of_variable, 0xff, cells->variable_count * sizeof *cells->of_variable);
    }
    uint32_t number = cells->of_variable[variable];
    if (number == PS_CELL_NONE) {
        if (cells->first_free == PS_CELL_NONE) {
            grow(cells);
        }
        number = cells->first_free;
        Cell *cell = &cells->cells[number];
        cells->first_free = cell->variable;
        cells->of_variable[variable] = number;
        cells->count++;
        cell->variable = variable;
        cell->version = 0;
        cell->len = 0;
        touch(cells, number);
    }
    cells->cells[number].users++;
    return number;
}

// A freed cell keeps its text's memory for the next user, and may still stand among the touched.
void ps_cells_drop(PsCells *cells, uint32_t number) {
    Cell *cell = &cells->cells[number];
    PS_ASSERT(cell->users > 0);
    if (--cell->users > 0) {
        return;
    }
    cells->of_variable[cell->variable] = PS_CELL_NONE;
    cell->variable = cells->first_free;
    cells->first_free = number;
    cells->count--;
}

uint32_t ps_cells_count(const PsCells *cells) {
    return cells->count;
}

uint32_t ps_cells_variable(const PsCells *cells, uint32_t cell) {
    return cells->cells[cell].variable;
}

void ps_cells_touch(PsCells *cells, uint32_t variable) {
    if (cells->count == 0) {
        return;
    }
    uint32_t number = cells->of_variable[variable];
    if (number != PS_CELL_NONE) {
        touch(cells, number);
    }
}

bool ps_cells_touched(const PsCells *cells) {
    return cells->touched_count > 0;
}

void ps_cells_look(PsCells *cells, PsCellRead *read, void *ctx) {
    for (uint32_t i = 0; i < cells->room; i++) {
        const Cell *cell = &cells->cells[i];
        if (cell->users > 0 && read(cell->variable, ctx).quality != (PsQuality)cell->quality) {
            touch(cells, i);
        }
    }
}

static void format(PsBuf *line, const PsCellReading *reading) {
    ps_buf_clear(line);
    ps_live_put_value(line, reading->value);
    ps_buf_put_u8(line, ',');
    ps_live_put_shown(line, reading->value);
    ps_live_put_raw(line, ",\"");
    ps_live_put_raw(line, ps_quality_name(reading->quality));
    ps_live_put_raw(line, "\",");
    ps_live_put_time(line, reading->time);
}

static void refresh(PsCells *cells, Cell *cell, const PsCellReading *reading) {
    PsBuf *line = &cells->line;
    format(line, reading);
    cell->quality = (uint8_t)reading->quality;
    if (cell->version > 0 && cell->len == line->len &&
        memcmp(cell->text, line->data, line->len) == 0) {
        return;
    }
    if (line->len > cell->capacity) {
        cell->capacity = (uint32_t)(line->len + line->len / 4 + 16); // room for a few digits more
        cell->text = ps_grow_array(cell->text, cell->capacity, 1);
    }
    memcpy(cell->text, line->data, line->len);
    cell->len = (uint32_t)line->len;
    cell->version = ++cells->version;
}

void ps_cells_refresh(PsCells *cells, PsCellRead *read, void *ctx) {
    for (uint32_t i = 0; i < cells->touched_count; i++) {
        Cell *cell = &cells->cells[cells->touched[i]];
        cell->touched = false;
        if (cell->users > 0) {
            PsCellReading reading = read(cell->variable, ctx);
            refresh(cells, cell, &reading);
        }
    }
    cells->touched_count = 0;
}

uint32_t ps_cells_version(const PsCells *cells) {
    return cells->version;
}

uint32_t ps_cell_version(const PsCells *cells, uint32_t cell) {
    return cells->cells[cell].version;
}

const char *ps_cell_text(const PsCells *cells, uint32_t cell, size_t *ret_len) {
    *ret_len = cells->cells[cell].len;
    return cells->cells[cell].text;
}
