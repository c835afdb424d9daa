// `penstock restore FILE`: a backup back into a configuration folder, all or nothing. Everything is
// verified before anything changes; the gateway need not run. Blocking.
#include "backup/restore.h"

#include "backup/seal.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "cli/archive_arguments.h"
#include "cli/cli_findings.h"
#include "cli/passphrase.h"
#include "drivers/driver.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define CALL                                                                                       \
    "penstock restore FILE [--config DIR] [--dry-run] [--passphrase-file FILE | "                  \
    "--without-secrets]"

typedef struct Arguments {
    CliArchiveArguments common;
    bool without_secrets;
    bool dry_run;
} Arguments;

// How it ended.
typedef struct End {
    bool written;
    char former[PATH_MAX]; // where the old folder is; "" when there was none
} End;

static bool take_arguments(Arguments *taken, int count, char **words) {
    const CliSwitch switches[] = {{"--dry-run", &taken->dry_run},
                                  {"--without-secrets", &taken->without_secrets}};
    return cli_archive_arguments(&taken->common, switches, PS_COUNT(switches), count, words) &&
           !(taken->without_secrets && taken->common.passphrase_file != NULL);
}

static PsErr read_archive(const Arguments *arguments, PsArchive *archive, PsDiag *diag) {
    PS_AUTO_BUF PsBuf bytes = {0};
    PS_CLEANUP(ps_seal_wipe) PsBuf passphrase = {0};
    PsErr err = ps_file_read(arguments->common.file, PS_ARCHIVE_BYTES_MAX, &bytes, diag);
    err = err == PS_OK ? ps_archive_read(bytes.data, bytes.len, archive, diag) : err;
    if (err != PS_OK || archive->sealed.len == 0 || arguments->without_secrets) {
        return err;
    }
    err = cli_passphrase_take(&cli_backup_passphrase, arguments->common.passphrase_file, false,
                              &passphrase, diag);
    return err == PS_OK ? ps_archive_open(archive, (const char *)passphrase.data, diag) : err;
}

static void show_head(const PsArchive *archive) {
    time_t time = archive->created_s;
    struct tm parts;
    char stamp[64] = "an unknown time";
    if (localtime_r(&time, &parts) != NULL) {
        strftime(stamp, sizeof stamp, "%Y-%m-%d %H:%M:%S", &parts);
    }
    printf("Backup of %s by Penstock %s\n", stamp, archive->gateway);
}

static void show_rows(const PsRestore *restore) {
    static const char *const notes[PS_CHANGE_COUNT] = {
        [PS_CHANGE_REMOVED] = "  (not in the backup)",
        [PS_CHANGE_KEPT] = "  (secret, not taken from the backup)",
        [PS_CHANGE_ABSENT] = "  (secret, not taken from the backup: put it there yourself)",
    };
    for (size_t i = 0; i < restore->count; i++) {
        const PsChangeRow *row = &restore->rows[i];
        const char *note = notes[row->change];
        printf("  %-8s %s%s\n", ps_change_name(row->change), row->name, note != NULL ? note : "");
    }
}

static void show_end(const Arguments *arguments, const PsRestore *restore, const End *end) {
    if (!end->written) {
        printf("Nothing is written: %s.\n",
               ps_restore_changes(restore) ? "this was a dry run" : "there is nothing to change");
        return;
    }
    printf("%s is restored", restore->install.folder);
    if (end->former[0] != '\0') {
        printf("; the one before is %s", end->former);
    }
    printf(".\n%sRun: penstock apply, or start penstockd\n",
           restore->counts[PS_CHANGE_ABSENT] > 0 ? "Put what is absent there. " : "");
}

static void show_json(const PsArchive *archive, const PsRestore *restore, const End *end) {
    json_t *rows = json_array();
    for (size_t i = 0; i < restore->count; i++) {
        json_array_append_new(rows, json_pack("{s:s, s:s}", "name", restore->rows[i].name, "change",
                                              ps_change_name(restore->rows[i].change)));
    }
    json_t *answer =
        json_pack("{s:s, s:I, s:o, s:b, s:s, s:s}", "gateway", archive->gateway, "created_s",
                  (json_int_t)archive->created_s, "files", rows, "written", (int)end->written,
                  "folder", restore->install.folder, "former", end->former);
    cli_print_json(answer);
    json_decref(answer);
}

static PsErr run(const Arguments *arguments, PsArchive *archive, PsRestore *restore,
                 PsFindings *findings, bool json, End *end, PsDiag *diag) {
    PsErr err = read_archive(arguments, archive, diag);
    if (err == PS_OK) {
        err = ps_restore_prepare(archive, arguments->common.folder, ps_driver_check_for,
                                 cli_compile_scripts, findings, restore, diag);
    }
    if (err != PS_OK) {
        return err;
    }
    if (!json) {
        show_head(archive);
        show_rows(restore);
    }
    if (!arguments->dry_run && ps_restore_changes(restore)) {
        err = ps_restore_finish(restore, end->former, sizeof end->former, diag);
        end->written = err == PS_OK;
    }
    return err;
}

int cli_restore(const CliOptions *options, int count, char **words) {
    Arguments arguments = {.common.folder = CLI_DEFAULT_CONFIG};
    if (!take_arguments(&arguments, count, words)) {
        return cli_fail(CLI_USAGE, "restore needs a file: " CALL);
    }
    PS_CLEANUP(ps_archive_deinit) PsArchive archive = {0};
    PS_CLEANUP(ps_restore_deinit) PsRestore restore = {0};
    PS_CLEANUP(ps_findings_deinit) PsFindings findings = {0};
    End end = {0};
    PsDiag diag = {0};
    PsErr err = run(&arguments, &archive, &restore, &findings, options->json, &end, &diag);
    if (err != PS_OK) {
        return cli_fail_findings(options, err, &findings, &diag);
    }
    if (options->json) {
        show_json(&archive, &restore, &end);
    } else {
        show_end(&arguments, &restore, &end);
    }
    return CLI_DONE;
}
