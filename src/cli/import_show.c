// Shows what an import does, for people and for programs. Blocking.
#include "cli/import.h"

#include "base/text.h"
#include "cli/cli_findings.h"

#include <stdio.h>

#define SHOWN_MAX 20 // rows of one state of one file

// Text of a file on one line: names and values that are not taken may hold anything.
static void show_text(const char *before, const char *text, const char *after) {
    char line[512];
    ps_text_format(line, sizeof line, "%s", text);
    printf("%s%s%s", before, line, after);
}

static void show_name(const PsPlanFile *file, const PsPlanRow *row) {
    printf("%s%s", row->name[0] == '\0' ? "this " : "", file->kind);
    if (row->name[0] != '\0') {
        show_text(" '", row->name, "'");
    }
    if (row->scope[0] != '\0') {
        show_text(" of '", row->scope, "'");
    }
}

static void show_row(const PsPlanFile *file, const PsPlanRow *row) {
    printf("  %-9s  line %u: ", ps_row_state_name(row->state), row->line);
    show_name(file, row);
    for (uint32_t i = 0; i < row->change_count && row->state == PS_ROW_CHANGED; i++) {
        const PsPlanChange *change = &row->changes[i];
        printf("%s %s", i > 0 ? "," : ":", change->key);
        show_text(" ", change->before[0] != '\0' ? change->before : "(none)", " -> ");
        show_text("", change->after[0] != '\0' ? change->after : "(none)", "");
    }
    for (uint32_t i = 0; i < row->problem_count; i++) {
        printf("%s%s: %s", i > 0 ? "\n                      and " : ": ", row->problems[i].column,
               row->problems[i].text);
    }
    printf("\n");
}

static void show_rows(const PsPlan *plan, uint32_t number, PsRowState state) {
    const PsPlanFile *file = &plan->files[number];
    size_t shown = 0;
    for (uint32_t i = 0; i < plan->row_count && shown < SHOWN_MAX; i++) {
        if (plan->rows[i].file == number && plan->rows[i].state == state) {
            show_row(file, &plan->rows[i]);
            shown++;
        }
    }
    if (file->counts[state] > shown) {
        printf("  %-9s  ... and %zu more; --json lists all\n", ps_row_state_name(state),
               file->counts[state] - shown);
    }
}

static void show_notes(const PsPlan *plan, uint32_t number) {
    for (uint32_t i = 0; i < plan->note_count; i++) {
        const PsPlanNote *note = &plan->notes[i];
        if (note->file == number && note->count == 0) {
            show_text("  note       column '", note->column, "' ");
            printf("%s\n", note->text);
        } else if (note->file == number) {
            printf("  note       line %u", note->first_line);
            if (note->count > 1) {
                printf(" and %u more", note->count - 1);
            }
            printf(": %s: %s\n", note->column, note->text);
        }
    }
}

void cli_import_show(const PsPlan *plan) {
    static const PsRowState shown[] = {PS_ROW_ADDED, PS_ROW_CHANGED, PS_ROW_NOT_TAKEN};
    for (uint32_t i = 0; i < plan->file_count; i++) {
        const PsPlanFile *file = &plan->files[i];
        if (file->failure != NULL) {
            printf("%s: %s\n", file->name, file->failure);
            continue;
        }
        printf("%s: %s%s\n", file->name, file->title,
               file->decoded ? ", read as Windows-1252" : "");
        for (size_t s = 0; s < PS_ROW_STATES; s++) {
            printf("%s%zu %s", s > 0 ? ", " : "  ", file->counts[s],
                   ps_row_state_name((PsRowState)s));
        }
        printf("\n");
        for (size_t s = 0; s < PS_COUNT(shown); s++) {
            show_rows(plan, i, shown[s]);
        }
        show_notes(plan, i);
    }
    cli_print_findings(&plan->rest);
}

static json_t *file_json(const PsPlanFile *file) {
    return json_pack("{s:s, s:s, s:s, s:b, s:I, s:I, s:I, s:I, s:s*}", "name", file->name, "title",
                     file->title, "block", file->block, "windows_1252", file->decoded, "added",
                     (json_int_t)file->counts[PS_ROW_ADDED], "changed",
                     (json_int_t)file->counts[PS_ROW_CHANGED], "unchanged",
                     (json_int_t)file->counts[PS_ROW_UNCHANGED], "not_taken",
                     (json_int_t)file->counts[PS_ROW_NOT_TAKEN], "failure", file->failure);
}

static json_t *row_json(const PsPlan *plan, const PsPlanRow *row) {
    json_t *changes = json_array();
    json_t *problems = json_array();
    for (uint32_t i = 0; i < row->change_count && row->state == PS_ROW_CHANGED; i++) {
        json_array_append_new(changes,
                              json_pack("{s:s, s:s, s:s}", "key", row->changes[i].key, "before",
                                        row->changes[i].before, "after", row->changes[i].after));
    }
    for (uint32_t i = 0; i < row->problem_count; i++) {
        json_array_append_new(problems, json_pack("{s:s, s:s}", "column", row->problems[i].column,
                                                  "text", row->problems[i].text));
    }
    return json_pack("{s:s, s:I, s:s, s:s, s:s, s:o, s:o}", "file", plan->files[row->file].name,
                     "line", (json_int_t)row->line, "state", ps_row_state_name(row->state), "name",
                     row->name, "device", row->scope, "changes", changes, "problems", problems);
}

void cli_import_show_json(const PsPlan *plan, const CliImportEnd *end) {
    json_t *files = json_array();
    json_t *rows = json_array();
    json_t *notes = json_array();
    for (uint32_t i = 0; i < plan->file_count; i++) {
        json_array_append_new(files, file_json(&plan->files[i]));
    }
    for (uint32_t i = 0; i < plan->row_count; i++) {
        json_array_append_new(rows, row_json(plan, &plan->rows[i]));
    }
    for (uint32_t i = 0; i < plan->note_count; i++) {
        const PsPlanNote *note = &plan->notes[i];
        json_array_append_new(
            notes, json_pack("{s:s, s:s, s:s, s:I, s:I}", "file", plan->files[note->file].name,
                             "column", note->column, "text", note->text, "first_line",
                             (json_int_t)note->first_line, "rows", (json_int_t)note->count));
    }
    json_t *answer =
        json_pack("{s:o, s:o, s:o, s:o, s:b, s:s, s:s, s:s, s:b}", "files", files, "rows", rows,
                  "notes", notes, "findings", ps_findings_json(&plan->rest), "written",
                  end->written, "config", end->path, "backup", end->backup, "reason", end->reason,
                  "apply_needed", end->written && !end->applies);
    cli_print_json(answer);
    json_decref(answer);
}
