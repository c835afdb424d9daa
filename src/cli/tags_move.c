// `penstock tags move --group NAME`: variables to another group, many at once, in penstock.json.
// Works on the folder; the gateway need not run. Blocking.
#include "base/file.h"
#include "base/text.h"
#include "cli/cli_findings.h"
#include "cli/config_file.h"
#include "drivers/driver.h"
#include "model/regroup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALL                                                                                       \
    "penstock tags move --group NAME [--device D] [--from G] [--config DIR] [--dry-run] "          \
    "[--apply] "                                                                                   \
    "[NAME...]"
#define SHOWN_MAX 40

typedef struct Move {
    const char *folder;
    PsRegroup asked;
    bool dry_run;
    bool apply; // what was written
    PsConfig *config;
    PsRegroupPlan plan;
} Move;

// What became of it.
typedef struct End {
    bool written;
    const char *path;
    const char *backup;
    const char *reason; // why nothing was written
} End;

// The names stay in `arguments`; false when something is wrong.
static bool take_arguments(Move *move, int count, char **arguments) {
    const struct {
        const char *option;
        const char **value;
    } options[] = {{"--group", &move->asked.group},
                   {"--device", &move->asked.device},
                   {"--from", &move->asked.from},
                   {"--config", &move->folder}};
    move->asked.names = (const char *const *)arguments;
    for (int i = 0; i < count; i++) {
        bool taken = false;
        for (size_t o = 0; o < PS_COUNT(options) && i + 1 < count; o++) {
            if (!taken && strcmp(arguments[i], options[o].option) == 0) {
                *options[o].value = arguments[++i];
                taken = true;
            }
        }
        if (!taken && strcmp(arguments[i], "--dry-run") == 0) {
            move->dry_run = true;
        } else if (!taken && strcmp(arguments[i], "--apply") == 0) {
            move->apply = true;
        } else if (!taken && arguments[i][0] == '-') {
            return false;
        } else if (!taken) {
            arguments[move->asked.name_count++] = arguments[i];
        }
    }
    bool chosen =
        move->asked.device != NULL || move->asked.from != NULL || move->asked.name_count > 0;
    return move->asked.group != NULL && chosen;
}

static void show(const Move *move) {
    uint32_t shown = 0;
    printf("%u variable%s to group '%s'", move->plan.count, move->plan.count == 1 ? "" : "s",
           move->asked.group);
    if (move->plan.already > 0) {
        printf(", %u there already", move->plan.already);
    }
    printf("\n");
    for (uint32_t i = 0; i < move->config->variable_count && shown < SHOWN_MAX; i++) {
        const PsVariable *variable = &move->config->variables[i];
        if (move->plan.moves[i]) {
            char line[512]; // names may hold anything
            ps_text_format(line, sizeof line, "  '%s' of '%s': %s -> %s", variable->name,
                           variable->device_name, variable->group_name, move->asked.group);
            printf("%s\n", line);
            shown++;
        }
    }
    if (move->plan.count > shown) {
        printf("  ... and %u more; --json lists all\n", move->plan.count - shown);
    }
}

// Before the move, while each variable still has the group it comes from.
static json_t *moved_rows(const Move *move) {
    json_t *rows = json_array();
    for (uint32_t i = 0; i < move->config->variable_count; i++) {
        const PsVariable *variable = &move->config->variables[i];
        if (move->plan.moves[i]) {
            json_array_append_new(rows,
                                  json_pack("{s:s, s:s, s:s}", "device", variable->device_name,
                                            "name", variable->name, "from", variable->group_name));
        }
    }
    return rows;
}

// Takes the rows over.
static void show_end(const Move *move, const End *end, json_t *rows) {
    if (rows != NULL) {
        json_t *answer =
            json_pack("{s:s, s:o, s:i, s:b, s:s, s:s, s:s}", "group", move->asked.group, "moved",
                      rows, "already", (int)move->plan.already, "written", (int)end->written,
                      "path", end->path, "backup", end->backup, "reason", end->reason);
        cli_print_json(answer);
        json_decref(answer);
    } else if (end->written) {
        printf("%s is written; the one before is %s.\n%s", end->path, end->backup,
               move->apply ? "" : "Run: penstock apply\n");
    } else {
        printf("Nothing is written: %s.\n", end->reason);
    }
}

static int finish(Move *move, const CliConfigFile *file, const CliOptions *options) {
    char backup[PATH_MAX] = "";
    PsDiag diag = {0};
    char text[sizeof diag] = "";
    PsErr err = PS_OK;
    End end = {.path = file->path,
               .backup = backup,
               .reason = move->plan.count == 0 ? "there is nothing to move"
                         : move->dry_run       ? "this was a dry run"
                                               : text};
    json_t *rows = options->json ? moved_rows(move) : NULL;
    if (!options->json) {
        show(move);
    }
    if (end.reason == text) {
        ps_regroup_apply(move->config, &move->plan);
        err = cli_config_write(move->config, file, "move", backup, sizeof backup, &diag);
        end.written = err == PS_OK;
        ps_diag_format(&diag, text, sizeof text);
    }
    show_end(move, &end, rows);
    if (end.written && move->apply) {
        return cli_apply(options, 0, NULL);
    }
    return err == PS_OK ? CLI_DONE : CLI_FAILED;
}

static int fail(const PsDiag *diag, int status) {
    char text[sizeof *diag];
    ps_diag_format(diag, text, sizeof text);
    return cli_fail(status, "%s", text);
}

static int run(Move *move, CliConfigFile *file, const CliOptions *options) {
    PsDiag diag = {0};
    if (cli_config_read(file, move->folder, &diag) != PS_OK) {
        return fail(&diag, CLI_FAILED);
    }
    PsFindings findings = {0};
    PsErr err = ps_config_parse(move->folder, file->old.data, file->old.len, ps_driver_check_for,
                                &findings, &move->config);
    if (err != PS_OK) {
        char line[1024];
        ps_finding_format(&findings.items[0], line, sizeof line);
        ps_findings_deinit(&findings);
        return cli_fail(CLI_USAGE, "%s (penstock check %s lists all)", line, move->folder);
    }
    ps_findings_deinit(&findings);
    err = ps_regroup_plan(move->config, &move->asked, &move->plan, &diag);
    return err == PS_OK ? finish(move, file, options) : fail(&diag, CLI_USAGE);
}

int cli_tags_move(const CliOptions *options, int count, char **arguments) {
    Move move = {.folder = CLI_DEFAULT_CONFIG};
    CliConfigFile file = {0};
    if (!take_arguments(&move, count, arguments)) {
        return cli_fail(CLI_USAGE, "tags move needs a group and says what moves: " CALL);
    }
    int status = run(&move, &file, options);
    free(move.plan.moves);
    ps_config_free(move.config);
    ps_buf_deinit(&file.old);
    return status;
}
