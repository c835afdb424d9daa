// Recognises a file of Device Supervisor by its header. Pure; any thread.
#include "exchange/ds_file.h"

#include "base/text.h"

#include <ctype.h>
#include <string.h>

// The order matters: the first file whose marks are all there.
static const PsDsFile *const files[] = {
    &ps_ds1_alarms,  &ps_ds2_alarms, &ps_ds2_measures, &ps_ds1_variables,
    &ps_ds1_devices, &ps_ds1_groups, &ps_ds2_groups,
};

static const char *next_that_counts(const char *text) {
    return text + strspn(text, " _-\t");
}

static bool same_name(const char *a, const char *b) {
    for (;;) {
        a = next_that_counts(a);
        b = next_that_counts(b);
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b)) {
            return false;
        }
        if (*a == '\0') {
            return true;
        }
        a++;
        b++;
    }
}

static bool has_column(const PsCsvRow *row, const char *name) {
    for (uint32_t i = 0; i < row->count; i++) {
        if (same_name(row->fields[i], name)) {
            return true;
        }
    }
    return false;
}

static const PsDsFile *find_file(const PsCsvRow *row) {
    for (size_t i = 0; i < PS_COUNT(files); i++) {
        const char *const *mark = files[i]->marks;
        while (*mark != NULL && has_column(row, *mark)) {
            mark++;
        }
        if (*mark == NULL) {
            return files[i];
        }
    }
    return NULL;
}

static uint32_t find_column(const PsDsFile *file, const char *name) {
    for (uint32_t i = 0; i < file->column_count; i++) {
        const PsDsColumn *column = &file->columns[i];
        if (same_name(column->header, name) ||
            (column->also != NULL && same_name(column->also, name))) {
            return i;
        }
    }
    return PS_DS_NO_COLUMN;
}

static bool is_taken(const PsDsHeader *header, uint32_t column) {
    for (uint32_t i = 0; i < header->count; i++) {
        if (header->columns[i] == column) {
            return true;
        }
    }
    return false;
}

PsErr ps_ds_header_read(const PsCsvRow *row, PsDsHeader *ret_header, PsDiag *diag) {
    PsDsHeader header = {.file = find_file(row)};
    if (header.file == NULL) {
        return ps_fail(PS_ERR_NOT_FOUND, diag, NULL, "line 1",
                       "the columns ('%.60s'%s) are those of no file that is known; the first row "
                       "must name them as Device Supervisor does, for example: Var Name, Device, "
                       "Register Addr, Data Type",
                       row->fields[0], row->count > 1 ? ", ..." : "");
    }
    for (uint32_t i = 0; i < row->count; i++) {
        uint32_t column = find_column(header.file, row->fields[i]);
        if (column != PS_DS_NO_COLUMN && is_taken(&header, column)) {
            return ps_fail(PS_ERR_EXISTS, diag, NULL, "line 1",
                           "column '%.60s' is there twice; remove one", row->fields[i]);
        }
        header.columns[header.count++] = column;
    }
    *ret_header = header;
    return PS_OK;
}
