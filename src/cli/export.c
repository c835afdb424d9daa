// `penstock export KIND`: a configuration as Device Supervisor's CSV. Blocking.
#include "exchange/export.h"

#include "base/file.h"
#include "cli/cli_findings.h"
#include "drivers/driver.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CALL "penstock export devices|variables|groups|alarms [--config DIR] [--output FILE]"

typedef struct Arguments {
    const char *kind;
    const char *folder;
    const char *output; // NULL: standard output
} Arguments;

static bool take_arguments(Arguments *taken, int count, char **arguments) {
    for (int i = 0; i < count; i++) {
        if (strcmp(arguments[i], "--config") == 0 && i + 1 < count) {
            taken->folder = arguments[++i];
        } else if (strcmp(arguments[i], "--output") == 0 && i + 1 < count) {
            taken->output = arguments[++i];
        } else if (arguments[i][0] == '-' || taken->kind != NULL) {
            return false;
        } else {
            taken->kind = arguments[i];
        }
    }
    return taken->kind != NULL;
}

static int put_out(const PsBuf *text, const char *output) {
    PsDiag diag = {0};
    if (output != NULL) {
        char line[sizeof diag];
        PsErr err = ps_file_write(output, text->data, text->len, 0644, &diag);
        ps_diag_format(&diag, line, sizeof line);
        return err == PS_OK ? CLI_DONE : cli_fail(CLI_FAILED, "%s", line);
    }
    if (fwrite(text->data, 1, text->len, stdout) != text->len || fflush(stdout) != 0) {
        return cli_fail(CLI_FAILED, "cannot write: %s", strerror(errno));
    }
    return CLI_DONE;
}

// What Device Supervisor's files have no place for must not go unnoticed.
static void tell_not_taken(const PsConfig *config, const char *kind) {
    uint32_t count = config->alarm_count - ps_config_warning_count(config);
    if (count > 0 && (strcmp(kind, "alarms") == 0 || strcmp(kind, "devices") == 0)) {
        fprintf(stderr,
                "penstock: not taken: %u communication alarm%s (comm_alarm of devices); the CSV "
                "files of Device Supervisor have none\n",
                count, count > 1 ? "s" : "");
    }
}

int cli_export(const CliOptions *options, int count, char **arguments) {
    Arguments taken = {.folder = CLI_DEFAULT_CONFIG};
    if (!take_arguments(&taken, count, arguments)) {
        return cli_fail(CLI_USAGE, "export needs a kind: " CALL);
    }
    if (options->json) {
        return cli_fail(CLI_USAGE, "export writes CSV; penstock.json is the JSON: " CALL);
    }
    PsFindings findings = {0};
    PsConfig *config = NULL;
    PS_AUTO_BUF PsBuf text = {0};
    int status = CLI_USAGE;
    if (ps_config_load(taken.folder, ps_driver_check_for, &findings, &config) != PS_OK) {
        char line[1024];
        ps_finding_format(&findings.items[0], line, sizeof line);
        status = cli_fail(CLI_USAGE, "%s (penstock check %s lists all)", line, taken.folder);
    } else if (ps_export(config, taken.kind, NULL, &text) != PS_OK) {
        status = cli_fail(CLI_USAGE, "'%s' cannot be exported: " CALL, taken.kind);
    } else {
        status = put_out(&text, taken.output);
        tell_not_taken(config, taken.kind);
    }
    ps_findings_deinit(&findings);
    ps_config_free(config);
    return status;
}
