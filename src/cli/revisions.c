// `penstock revisions [N]`: what ran when, by whom and why, and what one changed. Blocking.
#include "base/text.h"
#include "base/time.h"
#include "cli/apply.h"

#include <stdio.h>
#include <string.h>

static void format_time(const json_t *row, char out[static PS_STAMP_SIZE]) {
    cli_stamp(row, "time", out);
    out[strcspn(out, ",")] = '\0'; // to the second
}

static void show_row(const json_t *row, long long running) {
    char when[PS_STAMP_SIZE];
    char kind[48];
    format_time(row, when);
    snprintf(kind, sizeof kind, "%s", cli_text(row, "kind"));
    if (cli_integer(row, "of") > 0) {
        snprintf(kind, sizeof kind, "%s to %lld", cli_text(row, "kind"), cli_integer(row, "of"));
    }
    const char *why = cli_text(row, "why");
    printf("%c%5lld  %-19s  %-22s %-12s %s%s%s%s\n",
           cli_integer(row, "number") == running ? '*' : ' ', cli_integer(row, "number"), when,
           kind, cli_text(row, "who"), cli_text(row, "summary"), why[0] != '\0' ? " (" : "", why,
           why[0] != '\0' ? ")" : "");
}

static void show_list(const json_t *answer) {
    size_t index;
    json_t *row;
    printf("%6s  %-19s  %-22s %-12s %s\n", "NUMBER", "TIME", "KIND", "WHO", "WHAT (WHY)");
    json_array_foreach(json_object_get(answer, "revisions"), index, row) {
        show_row(row, cli_integer(answer, "running"));
    }
    if (cli_text(answer, "problem")[0] != '\0') {
        printf("%s\n", cli_text(answer, "problem"));
    }
    const json_t *progress = json_object_get(answer, "progress");
    if (json_is_true(json_object_get(progress, "busy"))) {
        printf("%s is making a change: %s\n", cli_text(progress, "who"),
               cli_text(progress, "step"));
    }
    const json_t *probation = json_object_get(progress, "probation");
    if (json_is_object(probation)) {
        printf(
            "Revision %lld is tried out for %.0f s more; then it stays if %s, else revision %lld "
            "runs again.\n",
            cli_integer(probation, "number"), cli_number(probation, "left_s"),
            cli_text(probation, "stays_if"), cli_integer(probation, "back"));
    }
}

static void show_one(const json_t *row) {
    char when[PS_STAMP_SIZE];
    format_time(row, when);
    printf("Revision %lld, %s, %s by %s%s%s\n", cli_integer(row, "number"), when,
           cli_text(row, "kind"), cli_text(row, "who"), cli_text(row, "why")[0] != '\0' ? ": " : "",
           cli_text(row, "why"));
    printf("%s\n", cli_text(row, "summary"));
    cli_apply_show_difference(json_object_get(row, "difference"));
}

int cli_revisions(const CliOptions *options, int count, char **words) {
    long long number = 0;
    if (count > 1 || (count == 1 && !ps_text_to_int(words[0], 1, UINT32_MAX, &number))) {
        return cli_fail(CLI_USAGE, "penstock revisions [N], with the number of one");
    }
    json_t *answer = cli_call_once(
        options, number == 0 ? json_pack("{s:s}", "call", "GET /revisions")
                             : json_pack("{s:s, s:I}", "call", "GET /revisions/{number}", "number",
                                         (json_int_t)number));
    if (answer == NULL) {
        return CLI_FAILED;
    }
    if (options->json) {
        cli_print_json(answer);
    } else if (number == 0) {
        show_list(answer);
    } else {
        show_one(answer);
    }
    json_decref(answer);
    return CLI_DONE;
}
