// A plan as JSON. Pure; any thread.
#include "exchange/plan_json.h"

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

json_t *ps_plan_json(const PsPlan *plan) {
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
    return json_pack("{s:o, s:o, s:o, s:o}", "files", files, "rows", rows, "notes", notes,
                     "findings", ps_findings_json(&plan->rest));
}

const char *ps_plan_hindrance(const PsPlan *plan, bool skip_bad, bool *ret_mistaken) {
    const char *mistake = NULL;
    if (plan->failed_files > 0) {
        mistake = "a file cannot be read; correct it first";
    } else if (plan->config == NULL) {
        mistake = "penstock.json itself has mistakes, which no row brings; correct them first";
    } else if (plan->counts[PS_ROW_NOT_TAKEN] > 0 && !skip_bad) {
        mistake = "rows are not taken; correct them, or import the others with --skip-bad";
    }
    if (ret_mistaken != NULL) {
        *ret_mistaken = mistake != NULL;
    }
    if (mistake == NULL && plan->counts[PS_ROW_ADDED] + plan->counts[PS_ROW_CHANGED] == 0) {
        return "there is nothing to change";
    }
    return mistake;
}
