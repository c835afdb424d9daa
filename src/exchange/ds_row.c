// From the cells of a row to the keys of an object: numbers, words in their several spellings.
// Pure apart from memory; one thread.
#include "exchange/ds_row.h"

#include "base/text.h"
#include "model/s7_address.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Words of Device Supervisor that penstock.json spells otherwise; case does not count.
static const struct {
    const char *key; // the start of it: condition1, condition2
    const char *words;
    const char *word;
} spellings[] = {
    {"protocol", "Modbus-TCP;Modbus TCP", "ModbusTCP"},
    {"protocol", "Modbus-RTU;Modbus RTU", "ModbusRTU"},
    {"protocol", "ISO on TCP", "ISO-on-TCP"},
    {"protocol", "OPC UA;OPC-UA", "OPCUA"},
    {"protocol", "EtherNetIP;EIP", "EtherNet/IP"},
    {"read_write", "ro;r", "read"},
    {"read_write", "rw;r/w", "read/write"},
    {"read_write", "wo;w", "write"},
    {"mode", "periodic", "realtime"},
    {"data_type", "BCD16", "BCD"},
    {"register_type", "E", "I"},
    {"register_type", "A", "Q"},
    {"identifier_type", "Numeric;Int", "Number"},
    {"security_mode", "Sign & Encrypt;Sign&Encrypt", "SignAndEncrypt"},
    {"condition", "=;==", "Eq"},
    {"condition", "!=;<>", "Neq"},
    {"condition", ">", "Gt"},
    {"condition", ">=;egt", "Gne"},
    {"condition", "<=;elt", "Lne"},
    {"condition", "<", "Lt"},
    {"combine_method", "&&", "And"},
    {"combine_method", "||", "Or"},
};

static const char *skip_blanks(const char *text) {
    return text + strspn(text, " \t");
}

static size_t trimmed_length(const char *text) {
    size_t len = strlen(text);
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t')) {
        len--;
    }
    return len;
}

bool ps_ds_cell_is(const char *cell, const char *words) {
    cell = skip_blanks(cell);
    size_t len = trimmed_length(cell);
    for (const char *at = words;; at++) {
        size_t word = strcspn(at, ";");
        if (word == len && strncasecmp(at, cell, len) == 0) {
            return true;
        }
        at += word;
        if (*at == '\0') {
            return false;
        }
    }
}

void ps_ds_row_problem(PsDsRow *row, const char *column, const char *fmt, ...) {
    if (row->problem_count == PS_DS_ROW_PROBLEMS) {
        return;
    }
    PsDsProblem *problem = &row->problems[row->problem_count++];
    problem->column = column;
    va_list args;
    va_start(args, fmt);
    ps_text_format_list(problem->text, sizeof problem->text, fmt, args);
    va_end(args);
}

void ps_ds_row_note(PsDsRow *row, const char *column, const char *text) {
    if (row->note_count < PS_COUNT(row->notes)) {
        row->notes[row->note_count].column = column;
        row->notes[row->note_count++].text = text;
    }
}

const char *ps_ds_row_cell(const PsDsRow *row, const char *header) {
    for (size_t i = 0; i < row->file->column_count; i++) {
        if (strcmp(row->file->columns[i].header, header) == 0) {
            return row->cells[i] != NULL ? row->cells[i] : "";
        }
    }
    return "";
}

const char *ps_ds_row_text(const PsDsRow *row, const char *key) {
    const char *text = json_string_value(json_object_get(row->keys, key));
    return text != NULL ? text : "";
}

// A number as text for the C library: blanks cut, a decimal comma made a point.
static bool plain_number(const PsDsRow *row, const char *cell, char *out, size_t size) {
    cell = skip_blanks(cell);
    size_t len = trimmed_length(cell);
    if (len == 0 || len >= size || strspn(cell, "+-.,0123456789eE") < len) {
        return false;
    }
    memcpy(out, cell, len);
    out[len] = '\0';
    char *comma = strchr(out, ',');
    if (comma != NULL && row->decimal_comma && strchr(out, '.') == NULL) {
        *comma = '.';
    }
    return strchr(out, ',') == NULL;
}

static json_t *whole_number(const PsDsRow *row, const char *cell) {
    char text[32];
    long long number = 0;
    bool read = plain_number(row, cell, text, sizeof text) &&
                ps_text_to_int(text, -1000000000, 1000000000, &number);
    return read ? json_integer(number) : NULL;
}

static json_t *any_number(const PsDsRow *row, const char *cell) {
    char text[64];
    char *end = NULL;
    double number = plain_number(row, cell, text, sizeof text) ? strtod(text, &end) : NAN;
    return end != NULL && *end == '\0' && isfinite(number) ? json_real(number) : NULL;
}

void ps_ds_word(const char *key, const char *cell, PsBuf *out) {
    for (size_t i = 0; i < PS_COUNT(spellings); i++) {
        const char *start = spellings[i].key;
        if (strncmp(start, key, strlen(start)) == 0 && ps_ds_cell_is(cell, spellings[i].words)) {
            cell = spellings[i].word;
        }
    }
    cell = skip_blanks(cell);
    ps_buf_put(out, cell, trimmed_length(cell));
}

static json_t *word(const char *key, const char *cell) {
    PS_AUTO_BUF PsBuf text = {0};
    ps_ds_word(key, cell, &text);
    return json_stringn((const char *)text.data, text.len);
}

static json_t *truth(const char *cell) {
    bool yes = ps_ds_cell_is(cell, "true;yes;1");
    return yes || ps_ds_cell_is(cell, "false;no;0") ? json_boolean(yes) : NULL;
}

void ps_ds_row_put_cell(PsDsRow *row, const PsDsColumn *column, const char *cell) {
    const PsOption *option = ps_option_find(row->file->table, column->key);
    PS_ASSERT(option != NULL);
    json_t *value = NULL;
    if (option->type == PS_OPTION_TEXT) {
        value = cell[0] != '\0' ? json_string(cell) : json_null();
    } else if (ps_ds_cell_is(cell, "")) {
        value = json_null();
    } else if (option->type == PS_OPTION_WORD) {
        value = word(column->key, cell);
    } else if (option->type == PS_OPTION_BOOL) {
        value = truth(cell);
    } else if (option->type == PS_OPTION_INT) {
        value = whole_number(row, cell);
    } else {
        value = any_number(row, cell);
    }
    if (value != NULL) {
        json_object_set_new(row->keys, column->key, value);
    } else if (option->type == PS_OPTION_BOOL) {
        ps_ds_row_problem(row, column->header, "'%.60s' is neither true nor false", cell);
    } else {
        ps_ds_row_problem(row, column->header, "'%.60s' is not a %snumber; write one like %s", cell,
                          option->type == PS_OPTION_INT ? "whole " : "",
                          option->type == PS_OPTION_INT ? "10" : "0.5");
    }
}

// A spreadsheet that separates by semicolons writes 1,5 for 1.5; operands are texts in
// penstock.json.
void ps_ds_take_operand(PsDsRow *row, const PsDsColumn *column, const char *cell) {
    char text[32];
    char *comma = NULL;
    size_t len = strlen(cell);
    if (row->decimal_comma && len < sizeof text && strspn(cell, "+-0123456789,") == len) {
        memcpy(text, cell, len + 1);
        comma = strchr(text, ',');
    }
    if (comma != NULL && strchr(comma + 1, ',') == NULL) {
        *comma = '.';
        cell = text;
    }
    ps_ds_row_put_cell(row, column, cell);
}

void ps_ds_row_drop_address(PsDsRow *row) {
    static const char *const own[] = {"register_addr", "register_bit",    "data_type",
                                      "register_type", "dbnumber",        "symbol",
                                      "identifier",    "identifier_type", "namespace_index"};
    for (size_t i = 0; i < PS_COUNT(own); i++) {
        json_object_set_new(row->keys, own[i], json_null());
    }
}

// Is it the notation of S7 rather than a number?
static bool is_notation(const char *cell) {
    cell = skip_blanks(cell);
    return *cell == '%' || (*cell >= 'A' && *cell <= 'Z') || (*cell >= 'a' && *cell <= 'z');
}

void ps_ds_take_register(PsDsRow *row, const PsDsColumn *column, const char *cell) {
    if (!is_notation(cell)) {
        ps_ds_row_put_cell(row, column, cell);
    }
}

// What another column says as well must be the same; a 0 says nothing.
static void put_part(PsDsRow *row, const char *header, const char *key, int number) {
    const json_t *given = json_object_get(row->keys, key);
    if (json_integer_value(given) != 0 && json_integer_value(given) != number) {
        ps_ds_row_problem(row, header, "is %lld, but the address says %d; correct one of them",
                          (long long)json_integer_value(given), number);
    }
    json_object_set_new(row->keys, key, json_integer(number));
}

void ps_ds_row_finish_register(PsDsRow *row, const char *header) {
    PsS7Address address;
    PsDiag diag = {0};
    const char *cell = ps_ds_row_cell(row, header);
    if (!is_notation(cell)) {
        return;
    }
    if (ps_s7_address_parse(cell, &address, &diag) != PS_OK) {
        ps_ds_row_problem(row, header, "%s", diag.text);
        return;
    }
    json_object_set_new(row->keys, "register_type", json_string(ps_s7_area_name(address.area)));
    json_object_set_new(row->keys, "register_addr", json_integer(address.byte));
    put_part(row, "Dbnumber", "dbnumber", address.dbnumber);
    if (address.bit != PS_UNSET) {
        put_part(row, "Register Bit", "register_bit", address.bit);
    }
    if (address.data_type != PS_UNSET && ps_ds_row_text(row, "data_type")[0] == '\0') {
        json_object_set_new(row->keys, "data_type",
                            json_string(ps_data_type_name(address.data_type)));
    }
}

void ps_ds_row_drop_foreign(PsDsRow *row, int protocol) {
    const PsOptionTable *table = row->file->table;
    for (size_t i = 0; i < table->count; i++) {
        const PsOption *option = &table->options[i];
        if (!ps_option_is_for(option, protocol) && json_object_get(row->keys, option->key)) {
            json_object_set_new(row->keys, option->key, json_null());
        }
    }
}

static void take_cell(PsDsRow *row, const PsDsColumn *column, const char *cell) {
    if (column->take != NULL) {
        column->take(row, column, cell);
    } else if (column->key != NULL) {
        ps_ds_row_put_cell(row, column, cell);
    } else if (column->note != NULL && !ps_ds_cell_is(cell, "") &&
               (column->idle == NULL || !ps_ds_cell_is(cell, column->idle))) {
        ps_ds_row_note(row, column->header, column->note);
    }
}

// Spreadsheets leave out separators at the end of a row, so missing cells are empty ones. Cells
// beyond the header are a sign of a separator inside a text.
static void spread_cells(PsDsRow *row, const PsDsHeader *header, const PsCsvRow *fields) {
    for (uint32_t i = 0; i < header->count; i++) {
        if (header->columns[i] != PS_DS_NO_COLUMN) {
            row->cells[header->columns[i]] = i < fields->count ? fields->fields[i] : "";
        }
    }
    for (uint32_t i = header->count; i < fields->count; i++) {
        if (fields->fields[i][0] != '\0') {
            ps_ds_row_problem(row, "the whole row",
                              "has %u columns, the first row has %u; put a text that holds a "
                              "separator in quotes",
                              fields->count, header->count);
            return;
        }
    }
}

void ps_ds_row_convert(PsDsRow *row, const PsDsHeader *header, const PsCsvRow *fields) {
    row->file = header->file;
    row->before = NULL;
    row->keys = json_object();
    row->problem_count = 0;
    row->note_count = 0;
    memset(row->cells, 0, header->file->column_count * sizeof *row->cells);
    spread_cells(row, header, fields);
    for (size_t i = 0; i < header->file->column_count; i++) {
        if (row->cells[i] != NULL) {
            take_cell(row, &header->file->columns[i], row->cells[i]);
        }
    }
}
