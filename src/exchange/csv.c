// Reads CSV text field by field, and writes it. Pure; any thread.
#include "exchange/csv.h"

#include "base/mem.h"
#include "exchange/csv_text.h"

#include <stdlib.h>
#include <string.h>

static const char separators[] = ",;\t"; // the first one wins a tie

typedef struct Reader {
    const uint8_t *text; // NUL-terminated; no NUL inside
    size_t at;
    size_t line_at; // up to where `line` has been counted
    uint32_t line;
    char separator;
    PsArena *arena;
    PsBuf field;
    const char *fields[PS_CSV_COLUMNS_MAX];
    uint32_t count;
    PsDiag *diag;
} Reader;

static bool ends_line(uint8_t byte) {
    return byte == '\n' || byte == '\r' || byte == '\0';
}

// Over one line end: CRLF, LF or CR.
static void skip_line_end(Reader *reader) {
    if (reader->text[reader->at] == '\r' && reader->text[reader->at + 1] == '\n') {
        reader->at++;
    }
    reader->at += reader->text[reader->at] != '\0' ? 1 : 0;
}

// The line number of where the reader stands.
static uint32_t line_here(Reader *reader) {
    for (; reader->line_at < reader->at; reader->line_at++) {
        const uint8_t *byte = &reader->text[reader->line_at];
        reader->line += byte[0] == '\n' || (byte[0] == '\r' && byte[1] != '\n') ? 1 : 0;
    }
    return reader->line;
}

static char find_separator(const uint8_t *text) {
    size_t counts[sizeof separators] = {0};
    bool quoted = false;
    for (const uint8_t *at = text; *at != '\0' && (quoted || !ends_line(*at)); at++) {
        quoted = quoted != (*at == '"');
        const char *found = quoted ? NULL : strchr(separators, *at);
        if (found != NULL) {
            counts[found - separators]++;
        }
    }
    size_t best = 0;
    for (size_t i = 1; separators[i] != '\0'; i++) {
        best = counts[i] > counts[best] ? i : best;
    }
    return separators[best];
}

// "sep=;" on a line of its own says the separator to spreadsheets.
static bool take_hint(Reader *reader) {
    const char *text = (const char *)reader->text;
    if (strncmp(text, "sep=", 4) != 0 || text[4] == '\0' || strchr(separators, text[4]) == NULL ||
        !ends_line((uint8_t)text[5])) {
        return false;
    }
    reader->separator = text[4];
    reader->at = 5;
    skip_line_end(reader);
    return true;
}

static PsErr read_quoted(Reader *reader) {
    size_t opened = reader->at++;
    for (;;) {
        const uint8_t *from = reader->text + reader->at;
        size_t len = strcspn((const char *)from, "\"");
        ps_buf_put(&reader->field, from, len);
        reader->at += len;
        if (reader->text[reader->at] == '\0') {
            ps_csv_fail_at(reader->text, opened, reader->diag,
                           "the quote that opens here is never closed; close it, or double it "
                           "when it is part of the text");
            return PS_ERR_INVALID;
        }
        reader->at++;
        if (reader->text[reader->at] != '"') {
            return PS_OK;
        }
        ps_buf_put_u8(&reader->field, '"');
        reader->at++;
    }
}

static PsErr read_plain(Reader *reader) {
    const char stops[] = {reader->separator, '\r', '\n', '"', '\0'};
    const uint8_t *from = reader->text + reader->at;
    size_t len = strcspn((const char *)from, stops);
    ps_buf_put(&reader->field, from, len);
    reader->at += len;
    if (reader->text[reader->at] == '"') {
        ps_csv_fail_at(reader->text, reader->at, reader->diag,
                       "a quote inside a field that does not begin with one; put the whole field "
                       "in quotes and double this one");
        return PS_ERR_INVALID;
    }
    return PS_OK;
}

// One field and what ends it; the separator is passed over, a line end is not.
static PsErr read_field(Reader *reader) {
    size_t begin = reader->at;
    if (reader->count == PS_CSV_COLUMNS_MAX) {
        ps_csv_fail_at(reader->text, begin, reader->diag,
                       "more than %u columns; is this the right file?", PS_CSV_COLUMNS_MAX);
        return PS_ERR_TOO_BIG;
    }
    ps_buf_clear(&reader->field);
    PsErr err = reader->text[begin] == '"' ? read_quoted(reader) : read_plain(reader);
    if (err != PS_OK) {
        return err;
    }
    if (reader->field.len > PS_CSV_FIELD_MAX) {
        ps_csv_fail_at(reader->text, begin, reader->diag,
                       "a field of more than %u bytes; shorten it", PS_CSV_FIELD_MAX);
        return PS_ERR_TOO_BIG;
    }
    uint8_t next = reader->text[reader->at];
    if (next != (uint8_t)reader->separator && !ends_line(next)) {
        ps_csv_fail_at(reader->text, reader->at, reader->diag,
                       "text behind a closing quote; double the quotes that are part of the text");
        return PS_ERR_INVALID;
    }
    reader->fields[reader->count++] =
        reader->field.len > 0
            ? ps_arena_strndup(reader->arena, (const char *)reader->field.data, reader->field.len)
            : "";
    return PS_OK;
}

static PsErr read_row(Reader *reader, PsCsvRow *ret_row, bool *ret_empty) {
    PsCsvRow row = {.line = line_here(reader)};
    reader->count = 0;
    bool empty = true;
    for (;;) {
        PsErr err = read_field(reader);
        if (err != PS_OK) {
            return err;
        }
        empty = empty && reader->fields[reader->count - 1][0] == '\0';
        if (ends_line(reader->text[reader->at])) {
            break;
        }
        reader->at++; // the separator
    }
    skip_line_end(reader);
    if (!empty) {
        row.count = reader->count;
        row.fields = ps_arena_take(reader->arena, row.count * sizeof *row.fields);
        memcpy(row.fields, reader->fields, row.count * sizeof *row.fields);
        *ret_row = row;
    }
    *ret_empty = empty;
    return PS_OK;
}

static PsErr read_rows(Reader *reader, PsCsv *csv) {
    uint32_t capacity = 0;
    while (reader->text[reader->at] != '\0') {
        if (csv->row_count == capacity) {
            capacity = capacity > 0 ? capacity * 2 : 64;
            csv->rows = ps_grow_array(csv->rows, capacity, sizeof *csv->rows);
        }
        if (csv->row_count > PS_CSV_ROWS_MAX) {
            ps_csv_fail_at(reader->text, reader->at, reader->diag,
                           "more than %u rows; split the file", PS_CSV_ROWS_MAX);
            return PS_ERR_TOO_BIG;
        }
        bool empty = false;
        PsErr err = read_row(reader, &csv->rows[csv->row_count], &empty);
        if (err != PS_OK) {
            return err;
        }
        csv->row_count += empty ? 0 : 1;
    }
    if (csv->row_count == 0) {
        return ps_fail(PS_ERR_INVALID, reader->diag, NULL, "line 1, column 1",
                       "the file has no text; its first row names the columns");
    }
    return PS_OK;
}

PsErr ps_csv_parse(const void *bytes, size_t len, PsCsv *ret_csv, PsDiag *diag) {
    if (len > PS_CSV_BYTES_MAX) {
        return ps_fail(PS_ERR_TOO_BIG, diag, NULL, "line 1, column 1",
                       "the file has more than %zu bytes; split it", PS_CSV_BYTES_MAX);
    }
    PsCsv csv = {.arena = ps_arena_new()};
    PS_AUTO_BUF PsBuf text = {0};
    Reader reader = {.arena = csv.arena, .line = 1, .diag = diag};
    PsErr err = ps_csv_text(bytes, len, &text, &csv.decoded, diag);
    if (err == PS_OK) {
        reader.text = text.data;
        if (!take_hint(&reader)) {
            reader.separator = find_separator(reader.text);
        }
        csv.separator = reader.separator;
        err = read_rows(&reader, &csv);
    }
    ps_buf_deinit(&reader.field);
    if (err != PS_OK) {
        ps_csv_deinit(&csv);
        return err;
    }
    *ret_csv = csv;
    return PS_OK;
}

void ps_csv_deinit(PsCsv *csv) {
    ps_arena_free(csv->arena);
    free(csv->rows);
    *csv = (PsCsv){0};
}

static void write_field(const char *field, PsBuf *out) {
    // Blanks at the ends are text, but some readers take them off when nothing protects them; a
    // first line that begins with sep= would be taken for the separator's.
    size_t len = strlen(field);
    bool blank = len > 0 && (field[0] == ' ' || field[len - 1] == ' ');
    bool hint = strncmp(field, "sep=", 4) == 0;
    if (!blank && !hint && field[strcspn(field, "\",;\t\r\n")] == '\0') {
        ps_buf_put(out, field, len);
        return;
    }
    ps_buf_put_u8(out, '"');
    for (const char *at = field; *at != '\0'; at++) {
        if (*at == '"') {
            ps_buf_put_u8(out, '"');
        }
        ps_buf_put_u8(out, (uint8_t)*at);
    }
    ps_buf_put_u8(out, '"');
}

void ps_csv_write_row(const char *const *fields, size_t count, PsBuf *out) {
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            ps_buf_put_u8(out, ',');
        }
        write_field(fields[i], out);
    }
    ps_buf_put(out, "\r\n", 2);
}

void ps_csv_write_mark(PsBuf *out) {
    ps_buf_put(out, "\xef\xbb\xbf", 3);
}
