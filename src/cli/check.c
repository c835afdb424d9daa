// `penstock check DIR`: every finding of a configuration folder, its scripts included, one a line.
// Blocking.
#include "cli/cli_findings.h"

#include "base/log.h"
#include "drivers/driver.h"
#include "model/config.h"
#include "script/compile.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

void cli_print_findings(const PsFindings *findings) {
    for (size_t i = 0; i < findings->count; i++) {
        char line[1024];
        ps_finding_format(&findings->items[i], line, sizeof line);
        printf("%s\n", line);
    }
    if (findings->dropped > 0) {
        printf("... and %zu findings more\n", findings->dropped);
    }
}

int cli_fail_findings(const CliOptions *options, PsErr err, const PsFindings *findings,
                      const PsDiag *diag) {
    char text[sizeof *diag];
    ps_diag_format(diag, text, sizeof text);
    if (options->json) {
        json_t *answer = json_pack("{s:o, s:s, s:s}", "findings", ps_findings_json(findings),
                                   "error", ps_err_name(err), "text", text);
        cli_print_json(answer);
        json_decref(answer);
    } else {
        cli_print_findings(findings);
    }
    return cli_fail(findings->errors > 0 ? CLI_USAGE : CLI_FAILED, "%s", text);
}

void cli_print_findings_json(const PsFindings *findings) {
    json_t *answer = json_pack("{s:o, s:I}", "findings", ps_findings_json(findings), "not_listed",
                               (json_int_t)findings->dropped);
    cli_print_json(answer);
    json_decref(answer);
}

PsErr cli_compile_scripts(const PsConfig *config, PsFindings *findings, PsDiag *diag) {
    char folder[PATH_MAX];
    char program[PATH_MAX + 32];
    cli_program_folder(folder, sizeof folder);
    snprintf(program, sizeof program, "%s/penstock-script", folder);
    return ps_script_compile(program, config, findings, diag);
}

PsErr cli_load_checked(const char *folder, PsFindings *findings, PsConfig **ret_config,
                       PsDiag *diag) {
    PsErr err = ps_config_load(folder, ps_driver_check_for, findings, ret_config);
    return err == PS_OK ? cli_compile_scripts(*ret_config, findings, diag) : err;
}

int cli_checked_status(PsErr err, const PsDiag *diag) {
    if (err == PS_OK || err == PS_ERR_INVALID) {
        return err == PS_OK ? CLI_DONE : CLI_USAGE;
    }
    char text[sizeof *diag];
    ps_diag_format(diag, text, sizeof text);
    return cli_fail(CLI_FAILED, "%s", text);
}

int cli_check(const CliOptions *options, int count, char **arguments) {
    for (int i = 0; i < count; i++) {
        if (strcmp(arguments[i], "--live") == 0) {
            return cli_check_live(options, count, arguments);
        }
    }
    if (count != 1) {
        return cli_fail(
            CLI_USAGE,
            "check needs one folder: penstock check DIR, or penstock check --live [DIR]");
    }
    PsFindings findings = {0};
    PsConfig *config = NULL;
    PsDiag diag = {0};
    PsErr err = cli_load_checked(arguments[0], &findings, &config, &diag);
    if (options->json) {
        cli_print_findings_json(&findings);
    } else {
        cli_print_findings(&findings);
    }
    if (err == PS_OK && !options->json) {
        printf(
            "%s: sound: %u devices, %u variables, %u groups, %u alarms, %u publish, %u subscribe\n",
            arguments[0], config->device_count, config->variable_count, config->group_count,
            config->alarm_count, config->publish_count, config->subscribe_count);
    }
    ps_findings_deinit(&findings);
    ps_config_free(config);
    return cli_checked_status(err, &diag);
}
