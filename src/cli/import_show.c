// Shows what an import does, for people and for programs. Blocking.
#include "cli/import.h"

#include "base/text.h"
#include "cli/cli_findings.h"
#include "exchange/plan_json.h"

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

void cli_import_show_json(const PsPlan *plan, const CliImportEnd *end) {
    json_t *answer = ps_plan_json(plan);
    json_object_set_new(answer, "written", json_boolean(end->written));
    json_object_set_new(answer, "config", json_string(end->path));
    json_object_set_new(answer, "backup", json_string(end->backup));
    json_object_set_new(answer, "reason", json_string(end->reason));
    json_object_set_new(answer, "apply_needed", json_boolean(end->written && !end->applies));
    cli_print_json(answer);
    json_decref(answer);
}
