// What came of a change, for people. Blocking.
#include "cli/apply.h"

#include <stdio.h>
#include <string.h>

void cli_apply_show_difference(const json_t *difference) {
    size_t index;
    json_t *change;
    json_array_foreach(json_object_get(difference, "changes"), index, change) {
        printf("  %s\n", cli_text(change, "text"));
    }
    if (cli_integer(difference, "left_out") > 0) {
        printf("  ... and %lld changes more\n", cli_integer(difference, "left_out"));
    }
}

static void show_finding(const json_t *finding) {
    bool warning = strcmp(cli_text(finding, "severity"), "warning") == 0;
    printf("%s: %s", cli_text(finding, "file"), warning ? "warning: " : "");
    const char *const keys[] = {"object", "field", "text"};
    const char *between = "";
    for (size_t i = 0; i < PS_COUNT(keys); i++) {
        const char *text = cli_text(finding, keys[i]);
        if (text[0] != '\0') {
            printf("%s%s", between, text);
            between = ": ";
        }
    }
    printf("\n");
}

static void show_findings(const json_t *answer) {
    size_t index;
    json_t *finding;
    json_array_foreach(json_object_get(answer, "findings"), index, finding) {
        show_finding(finding);
    }
    if (cli_integer(answer, "findings_not_listed") > 0) {
        printf("... and %lld findings more\n", cli_integer(answer, "findings_not_listed"));
    }
}

static void show_restarted(const json_t *answer) {
    size_t index;
    json_t *line;
    const json_t *lines = json_object_get(answer, "restarted");
    if (!json_is_true(json_object_get(answer, "switched"))) {
        printf("It takes effect when penstockd is started the next time.\n");
    } else {
        printf(json_array_size(lines) > 0 ? "Began anew:\n" : "Nothing began anew.\n");
    }
    json_array_foreach(lines, index, line) {
        printf("  %s\n", json_string_value(line));
    }
}

static void show_probation(const json_t *probation) {
    if (!json_is_object(probation)) {
        return;
    }
    bool healthy = strcmp(cli_text(probation, "stays_if"), "healthy") == 0;
    printf("In %.0f s revision %lld runs again, unless %s.\n", cli_number(probation, "left_s"),
           cli_integer(probation, "back"),
           healthy ? "nothing is worse then than before, or you run: penstock confirm"
                   : "you run: penstock confirm");
}

static int show_applied(const json_t *answer) {
    const json_t *revision = json_object_get(answer, "revision");
    const json_t *difference = json_object_get(answer, "difference");
    printf("Revision %lld is applied: %s\n", cli_integer(revision, "number"),
           cli_text(difference, "summary"));
    cli_apply_show_difference(difference);
    show_restarted(answer);
    show_probation(json_object_get(answer, "probation"));
    return CLI_DONE;
}

int cli_apply_show(const json_t *answer) {
    const char *result = cli_text(answer, "result");
    const json_t *difference = json_object_get(answer, "difference");
    long long running = cli_integer(answer, "running");
    show_findings(answer);
    if (strcmp(result, "applied") == 0) {
        return show_applied(answer);
    }
    if (strcmp(result, "unchanged") == 0) {
        printf("There is nothing to change: revision %lld is this configuration.\n", running);
        return CLI_DONE;
    }
    if (strcmp(result, "dry_run") == 0) {
        printf("Would be changed from revision %lld: %s\n", running,
               cli_text(difference, "summary"));
        cli_apply_show_difference(difference);
        return CLI_DONE;
    }
    return cli_fail(CLI_USAGE, "%s; revision %lld goes on", cli_text(answer, "text"), running);
}
