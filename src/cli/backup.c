// `penstock backup FILE`: everything a gateway is configured by, in one file. Works on the folder;
// the gateway need not run. Blocking.
#include "backup/archive.h"

#include "backup/seal.h"
#include "backup/set.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/time.h"
#include "cli/archive_arguments.h"
#include "cli/cli_findings.h"
#include "cli/passphrase.h"
#include "drivers/driver.h"
#include "version.h"

#include <stdio.h>
#include <string.h>

#define CALL "penstock backup FILE [--config DIR] [--with-secrets [--passphrase-file FILE]]"

typedef struct Arguments {
    CliArchiveArguments common;
    bool with_secrets;
} Arguments;

static bool take_arguments(Arguments *taken, int count, char **words) {
    const CliSwitch switches[] = {{"--with-secrets", &taken->with_secrets}};
    return cli_archive_arguments(&taken->common, switches, PS_COUNT(switches), count, words) &&
           (taken->with_secrets || taken->common.passphrase_file == NULL);
}

static PsErr make(const Arguments *arguments, PsArchive *archive, PsFindings *findings, PsBuf *out,
                  PsDiag *diag) {
    PS_CLEANUP(ps_seal_wipe) PsBuf passphrase = {0};
    snprintf(archive->gateway, sizeof archive->gateway, "%s", PENSTOCK_VERSION);
    archive->created_s = ps_wall_now().ns / PS_NS_PER_S;
    PsErr err = ps_config_set_read(arguments->common.folder, ps_driver_check_for,
                                   cli_compile_scripts, findings, archive, diag);
    if (err == PS_OK && arguments->with_secrets && ps_archive_secrets(archive) > 0) {
        err = cli_passphrase_take(&cli_backup_passphrase, arguments->common.passphrase_file, true,
                                  &passphrase, diag);
    }
    if (err == PS_OK) {
        err = ps_archive_write(archive, (const char *)passphrase.data, out, diag);
    }
    if (err == PS_OK && out->len > PS_ARCHIVE_BYTES_MAX) {
        err = ps_fail(PS_ERR_TOO_BIG, diag, "archive", NULL,
                      "would be larger than %zu bytes, which could not be restored",
                      PS_ARCHIVE_BYTES_MAX);
    }
    return err == PS_OK ? ps_file_write(arguments->common.file, out->data, out->len, 0600, diag)
                        : err;
}

// What a person reads about a gap.
static const char *words_for(const char *why) {
    return strcmp(why, PS_GAP_OUTSIDE) == 0
               ? "lies outside the configuration folder; copy it yourself"
               : "is not there";
}

static void show(const Arguments *arguments, const PsArchive *archive, size_t bytes) {
    for (size_t i = 0; i < archive->file_count; i++) {
        const PsArchiveFile *file = &archive->files[i];
        const char *how = !file->secret             ? ""
                          : arguments->with_secrets ? "  (encrypted)"
                                                    : "  left out: secret; --with-secrets takes it";
        printf("  %s%s\n", file->name, how);
    }
    for (size_t i = 0; i < archive->gap_count; i++) {
        printf("  %s  left out: %s\n", archive->gaps[i].name, words_for(archive->gaps[i].why));
    }
    printf("%s is written, %zu bytes.\n", arguments->common.file, bytes);
}

static void show_json(const Arguments *arguments, const PsArchive *archive, size_t bytes) {
    json_t *files = json_array();
    json_t *left_out = json_array();
    for (size_t i = 0; i < archive->file_count; i++) {
        const PsArchiveFile *file = &archive->files[i];
        if (file->secret && !arguments->with_secrets) {
            json_array_append_new(
                left_out, json_pack("{s:s, s:s}", "name", file->name, "why", PS_GAP_SECRET));
        } else {
            json_array_append_new(
                files, json_pack("{s:s, s:b}", "name", file->name, "encrypted", (int)file->secret));
        }
    }
    for (size_t i = 0; i < archive->gap_count; i++) {
        json_array_append_new(left_out, json_pack("{s:s, s:s}", "name", archive->gaps[i].name,
                                                  "why", archive->gaps[i].why));
    }
    json_t *answer = json_pack("{s:s, s:I, s:o, s:o}", "written", arguments->common.file, "bytes",
                               (json_int_t)bytes, "files", files, "left_out", left_out);
    cli_print_json(answer);
    json_decref(answer);
}

int cli_backup(const CliOptions *options, int count, char **words) {
    Arguments arguments = {.common.folder = CLI_DEFAULT_CONFIG};
    if (!take_arguments(&arguments, count, words)) {
        return cli_fail(CLI_USAGE, "backup needs a file: " CALL);
    }
    PS_CLEANUP(ps_archive_deinit) PsArchive archive = {0};
    PS_CLEANUP(ps_findings_deinit) PsFindings findings = {0};
    PS_AUTO_BUF PsBuf out = {0};
    PsDiag diag = {0};
    PsErr err = make(&arguments, &archive, &findings, &out, &diag);
    if (err != PS_OK) {
        return cli_fail_findings(options, err, &findings, &diag);
    }
    if (options->json) {
        show_json(&arguments, &archive, out.len);
    } else {
        show(&arguments, &archive, out.len);
    }
    return CLI_DONE;
}
