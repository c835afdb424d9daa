// `penstock import FILE.csv...`: Device Supervisor's files into penstock.json, all or nothing.
// Works on the folder; the gateway need not run. Blocking.
#include "cli/import.h"

#include "base/file.h"
#include "cli/cli_findings.h"
#include "cli/config_file.h"
#include "drivers/driver.h"
#include "exchange/plan_json.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct Import {
    const char *folder;
    bool dry_run;
    bool skip_bad;
    bool apply; // what was written
    int file_count;
    char **files;
    CliConfigFile config; // penstock.json as it is
} Import;

// The files stay in `arguments`; false when an option is wrong.
static bool take_arguments(Import *import, int count, char **arguments) {
    import->files = arguments;
    for (int i = 0; i < count; i++) {
        const char *argument = arguments[i];
        if (strcmp(argument, "--dry-run") == 0) {
            import->dry_run = true;
        } else if (strcmp(argument, "--skip-bad") == 0) {
            import->skip_bad = true;
        } else if (strcmp(argument, "--apply") == 0) {
            import->apply = true;
        } else if (strcmp(argument, "--config") == 0 && i + 1 < count) {
            import->folder = arguments[++i];
        } else if (argument[0] == '-') {
            return false;
        } else {
            import->files[import->file_count++] = arguments[i];
        }
    }
    return import->file_count > 0;
}

static PsErr read_old(Import *import, PsDiag *diag) {
    PsErr err = cli_config_read(&import->config, import->folder, diag);
    return import->config.is_new ? PS_OK : err;
}

static PsErr read_files(const Import *import, PsPlan *plan, PsDiag *diag) {
    for (int i = 0; i < import->file_count; i++) {
        PS_AUTO_BUF PsBuf text = {0};
        PsErr err = ps_file_read(import->files[i], PS_CSV_BYTES_MAX, &text, diag);
        if (err != PS_OK) {
            return err;
        }
        const char *slash = strrchr(import->files[i], '/');
        ps_plan_add(plan, slash != NULL ? slash + 1 : import->files[i], text.data, text.len);
    }
    return PS_OK;
}

// Why nothing is to be written, or NULL when it is. `ret_status` is what the command ends with.
static const char *hindrance(const Import *import, const PsPlan *plan, int *ret_status) {
    bool mistaken = false;
    const char *reason = ps_plan_hindrance(plan, import->skip_bad, &mistaken);
    *ret_status = mistaken ? CLI_USAGE : CLI_DONE;
    return reason == NULL && import->dry_run ? "this was a dry run" : reason;
}

static void show_end(const PsPlan *plan, const CliImportEnd *end, bool json) {
    if (json) {
        cli_import_show_json(plan, end);
        return;
    }
    if (!end->written) {
        printf("Nothing is written: %s.\n", end->reason);
        return;
    }
    printf("%s is written", end->path);
    if (end->backup[0] != '\0') {
        printf("; the one before is %s", end->backup);
    }
    printf(".\n%s", end->applies ? "" : "Run: penstock apply\n");
}

static int finish(const CliOptions *options, const Import *import, const PsPlan *plan) {
    char backup[PATH_MAX] = "";
    PsDiag diag = {0};
    char text[sizeof diag] = "";
    int status = CLI_DONE;
    const char *reason = hindrance(import, plan, &status);
    if (!options->json) {
        cli_import_show(plan);
    }
    bool written = false;
    if (reason == NULL) {
        PsErr err =
            cli_config_write(plan->config, &import->config, "import", backup, sizeof backup, &diag);
        written = err == PS_OK;
        ps_diag_format(&diag, text, sizeof text);
        reason = text;
        status = written ? CLI_DONE : CLI_FAILED;
    }
    CliImportEnd end = {.written = written,
                        .path = import->config.path,
                        .backup = backup,
                        .reason = reason,
                        .applies = import->apply};
    show_end(plan, &end, options->json);
    return written && import->apply ? cli_apply(options, 0, NULL) : status;
}

// What kept the import from being planned.
static int fail(const PsFindings *findings, const PsDiag *diag, bool json) {
    if (findings->count > 0 && json) {
        json_t *answer =
            json_pack("{s:o, s:b}", "findings", ps_findings_json(findings), "written", false);
        cli_print_json(answer);
        json_decref(answer);
    } else if (findings->count > 0) {
        cli_print_findings(findings);
    }
    if (findings->count > 0) {
        return CLI_USAGE;
    }
    char text[sizeof *diag];
    ps_diag_format(diag, text, sizeof text);
    return cli_fail(CLI_FAILED, "%s", text);
}

int cli_import(const CliOptions *options, int count, char **arguments) {
    Import import = {.folder = CLI_DEFAULT_CONFIG};
    if (!take_arguments(&import, count, arguments)) {
        return cli_fail(CLI_USAGE, "import needs files: penstock import FILE.csv... "
                                   "[--config DIR] [--dry-run] [--skip-bad] [--apply]");
    }
    PsFindings findings = {0};
    PsPlan *plan = NULL;
    PsDiag diag = {0};
    int status = CLI_FAILED;
    if (read_old(&import, &diag) != PS_OK ||
        ps_plan_new(import.folder, import.config.is_new ? NULL : import.config.old.data,
                    import.config.old.len, ps_driver_check_for, &findings, &plan) != PS_OK ||
        read_files(&import, plan, &diag) != PS_OK) {
        status = fail(&findings, &diag, options->json);
    } else {
        ps_plan_finish(plan);
        status = finish(options, &import, plan);
    }
    ps_plan_free(plan);
    ps_findings_deinit(&findings);
    ps_buf_deinit(&import.config.old);
    return status;
}
