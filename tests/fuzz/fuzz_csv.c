// Fuzz target: the CSV reader. Whatever the bytes are, it must refuse them with a place or give
// rows that, written, are read as the same rows.
#include "exchange/csv.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds) {
    if (!holds) {
        abort();
    }
}

static void must_be_same(const PsCsv *a, const PsCsv *b) {
    must(a->row_count == b->row_count);
    for (uint32_t r = 0; r < a->row_count; r++) {
        must(a->rows[r].count == b->rows[r].count);
        for (uint32_t f = 0; f < a->rows[r].count; f++) {
            must(strcmp(a->rows[r].fields[f], b->rows[r].fields[f]) == 0);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    PsCsv csv = {0};
    PsDiag diag = {0};
    if (ps_csv_parse(data, size, &csv, &diag) != PS_OK) {
        must(strncmp(diag.field, "line ", 5) == 0 && diag.text[0] != '\0');
        return 0;
    }
    PsBuf out = {0};
    ps_csv_write_mark(&out);
    for (uint32_t r = 0; r < csv.row_count; r++) {
        ps_csv_write_row(csv.rows[r].fields, csv.rows[r].count, &out);
    }
    PsCsv again = {0};
    must(ps_csv_parse(out.data, out.len, &again, &diag) == PS_OK && again.separator != '\0');
    must_be_same(&csv, &again);
    ps_buf_deinit(&out);
    ps_csv_deinit(&csv);
    ps_csv_deinit(&again);
    return 0;
}
