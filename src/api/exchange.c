// Device Supervisor's CSV files out of the running configuration and into it. Main thread; the work
// on worker threads.
#include "api/edits.h"
#include "api/handlers_config.h"
#include "api/work.h"
#include "base/mem.h"
#include "base/text.h"
#include "drivers/driver.h"
#include "exchange/export.h"
#include "exchange/plan_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES_MAX 20
#define PROBLEMS_MAX 1000

// --- out ----------------------------------------------------------------------------------------

typedef struct Export {
    PsApiHeld held;
    char *kind;
    char *device; // NULL: all
    PsBuf text;
    PsErr err;
} Export;

static void write_export(void *ctx) {
    Export *export = ctx;
    export->err = ps_export(export->held.config, export->kind, export->device, &export->text);
}

static void on_exported(PsApiCall *call, void *ctx) {
    Export *export = ctx;
    char header[96];
    if (export->err == PS_OK) {
        snprintf(header, sizeof header, "attachment; filename=\"%.40s.csv\"", export->kind);
        ps_api_call_put_header(call, "Content-Disposition", header);
        ps_api_call_reply_bytes(call, "text/csv; charset=utf-8", export->text.data,
                                export->text.len);
    } else {
        PsDiag diag = {0};
        PsErr err = ps_fail(export->err, &diag, export->kind, "kind",
                            "must be devices, variables, groups or alarms");
        ps_api_call_fail(call, err, &diag);
    }
    ps_api_let_go(&export->held);
    ps_buf_deinit(&export->text);
    free(export->kind);
    free(export->device);
    free(export);
}

// Parameters: `kind`, `device` (of variables and alarms).
void ps_api_export(PsApiCall *call) {
    Export *export = ps_alloc(sizeof *export);
    const char *device = ps_api_call_text(call, "device");
    export->held = ps_api_hold(call);
    export->kind = ps_strdup(ps_api_call_text(call, "kind"));
    export->device = device != NULL ? ps_strdup(device) : NULL;
    ps_api_work(call, write_export, on_exported, export);
}

// --- in -----------------------------------------------------------------------------------------

typedef struct Import {
    PsApiCall *call;
    char *folder;
    json_t *files; // of the call
    bool skip_bad;
    bool dry_run;
    char *plan;         // JSON text of what is answered; NULL: it came not so far
    json_t *problems;   // of rows that are not taken, as findings
    const char *reason; // why nothing is written; NULL when it is
} Import;

static void note_problems(Import *import, const PsPlan *plan) {
    import->problems = json_array();
    for (uint32_t i = 0; i < plan->row_count; i++) {
        const PsPlanRow *row = &plan->rows[i];
        for (uint32_t k = 0; k < row->problem_count; k++) {
            char object[128];
            ps_text_format(object, sizeof object, "%.80s: line %u", plan->files[row->file].name,
                           row->line);
            if (json_array_size(import->problems) < PROBLEMS_MAX) {
                json_array_append_new(import->problems,
                                      json_pack("{s:s, s:s, s:s, s:s}", "severity", "error",
                                                "object", object, "field", row->problems[k].column,
                                                "text", row->problems[k].text));
            }
        }
    }
}

// On a worker thread.
static PsErr rewrite(const void *json, size_t len, PsBuf *out, PsFindings *findings, PsDiag *diag,
                     void *ctx) {
    Import *import = ctx;
    PsPlan *plan = NULL;
    PsErr err = ps_plan_new(import->folder, json, len, ps_driver_check_for, findings, &plan);
    if (err != PS_OK) {
        return err;
    }
    size_t index;
    json_t *file;
    json_array_foreach(import->files, index, file) {
        const json_t *text = json_object_get(file, "text");
        ps_plan_add(plan, json_string_value(json_object_get(file, "name")), json_string_value(text),
                    json_string_length(text));
    }
    ps_plan_finish(plan);
    bool mistaken = false;
    import->reason = ps_plan_hindrance(plan, import->skip_bad, &mistaken);
    json_t *json_of_plan = ps_plan_json(plan);
    import->plan =
        json_dumps(json_of_plan, JSON_COMPACT); // it may be large: not on the main thread
    json_decref(json_of_plan);
    note_problems(import, plan);
    if (import->reason == NULL) {
        ps_config_write(plan->config, out);
    } else {
        ps_buf_put(out, json, len);
    }
    ps_plan_free(plan);
    return mistaken ? ps_fail(PS_ERR_INVALID, diag, "import", NULL, "%s", import->reason) : PS_OK;
}

static void free_import(Import *import) {
    json_decref(import->files);
    free(import->plan);
    json_decref(import->problems);
    free(import->folder);
    free(import);
}

static bool is_refused(const json_t *answer) {
    const char *outcome = json_string_value(json_object_get(answer, "result"));
    return outcome != NULL && strcmp(outcome, "refused") == 0;
}

// The plan, and beside it what came of it as a change: result, revision, difference, restarted.
static void reply_plan(Import *import, json_t *answer) {
    const char *outcome = json_string_value(json_object_get(answer, "result"));
    bool written = outcome != NULL && strcmp(outcome, "applied") == 0;
    const char *reason = import->reason != NULL ? import->reason
                         : import->dry_run      ? "this was a dry run"
                                                : "";
    json_t *rest = answer != NULL ? answer : json_object();
    (void)json_object_del(rest, "findings"); // the plan's are there
    json_object_set_new(rest, "written", json_boolean(written));
    json_object_set_new(rest, "reason", json_string(reason));
    char *text = json_dumps(rest, JSON_COMPACT);
    PS_AUTO_BUF PsBuf joined = {0};
    PS_ASSERT(text != NULL);
    ps_buf_put(&joined, import->plan, strlen(import->plan) - 1); // without its last brace
    ps_buf_printf(&joined, ",");
    ps_buf_put(&joined, text + 1, strlen(text) - 1);
    free(text);
    json_decref(rest);
    ps_api_call_reply_bytes(import->call, "application/json", joined.data, joined.len);
}

static void on_imported(PsErr result, const PsDiag *diag, json_t *answer, void *ctx) {
    Import *import = ctx;
    bool planned = import->plan != NULL;
    if (result == PS_OK && planned && !is_refused(answer)) {
        reply_plan(import, answer);
    } else if (result == PS_OK) {
        ps_api_edit_done(result, diag, answer, import->call);
    } else if (planned && import->dry_run && import->reason != NULL) {
        reply_plan(import, NULL);
    } else if (planned && json_array_size(import->problems) > 0 && result == PS_ERR_INVALID) {
        ps_api_call_fail_findings(import->call, result, diag, json_incref(import->problems));
    } else {
        ps_api_call_fail(import->call, result, diag);
    }
    free_import(import);
}

static PsErr check_files(const json_t *files, PsDiag *diag) {
    size_t index;
    json_t *file;
    if (json_array_size(files) == 0 || json_array_size(files) > FILES_MAX) {
        return ps_fail(PS_ERR_INVALID, diag, "import", "files", "must be a list of 1 to %d files",
                       FILES_MAX);
    }
    json_array_foreach(files, index, file) {
        const json_t *text = json_object_get(file, "text");
        if (!json_is_string(json_object_get(file, "name")) || !json_is_string(text)) {
            return ps_fail(PS_ERR_INVALID, diag, "import", "files",
                           "must be objects {\"name\": \"var.csv\", \"text\": \"...\"}");
        }
        if (json_string_length(text) > PS_CSV_BYTES_MAX) {
            return ps_fail(PS_ERR_TOO_BIG, diag, json_string_value(json_object_get(file, "name")),
                           "text", "has more than %zu bytes", (size_t)PS_CSV_BYTES_MAX);
        }
    }
    return PS_OK;
}

// Body: `files`, `skip_bad`, `why`, `base`, `dry_run`.
void ps_api_import(PsApiCall *call) {
    json_t *files = json_object_get(ps_api_call_arguments(call), "files");
    PsDiag diag = {0};
    PsErr err = check_files(files, &diag);
    if (err != PS_OK) {
        ps_api_call_fail(call, err, &diag);
        return;
    }
    Import *import = ps_alloc(sizeof *import);
    *import = (Import){.call = call,
                       .folder = ps_strdup(ps_api_call_sources(call)->config->folder),
                       .files = json_incref(files),
                       .skip_bad = ps_api_call_flag(call, "skip_bad"),
                       .dry_run = ps_api_call_flag(call, "dry_run")};
    ps_api_ask_change(call, (PsApiChange){.rewrite = rewrite, .rewrite_ctx = import}, on_imported,
                      import);
}
