// Reads the penstock.json that a command edits, writes the new one, and keeps the one before.
// Blocking.
#include "cli/config_file.h"

#include "base/file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static PsErr copy_as(const char *path, const PsBuf *old, const char *backup, PsDiag *diag) {
    struct stat status;
    if (stat(path, &status) != 0) {
        return ps_fail(PS_ERR_IO, diag, path, NULL, "cannot be looked at: %s", strerror(errno));
    }
    return ps_file_write(backup, old->data, old->len, status.st_mode & 07777, diag);
}

// A second name for the file, which the new one then takes the first from; a copy where the file
// system has no second names.
static PsErr keep_old(const char *path, const PsBuf *old, const char *what, char *backup,
                      size_t size, PsDiag *diag) {
    for (int attempt = 1;; attempt++) {
        PsErr err = ps_file_name_former(path, what, attempt, backup, size, diag);
        if (err != PS_OK || link(path, backup) == 0) {
            return err;
        }
        if (errno != EEXIST) {
            return copy_as(path, old, backup, diag);
        }
    }
}

static PsErr check_unchanged(const char *path, const PsBuf *old, PsDiag *diag) {
    PS_AUTO_BUF PsBuf now = {0};
    PsErr err = ps_file_read(path, PS_CONFIG_BYTES_MAX, &now, diag);
    if (err != PS_OK) {
        return err;
    }
    bool same = now.len == old->len && memcmp(now.data, old->data, now.len) == 0;
    return same ? PS_OK
                : ps_fail(PS_ERR_BUSY, diag, path, NULL,
                          "was changed by somebody else meanwhile; try again");
}

PsErr cli_config_write(const PsConfig *config, const CliConfigFile *file, const char *what,
                       char *backup, size_t backup_size, PsDiag *diag) {
    PS_AUTO_BUF PsBuf text = {0};
    ps_config_write(config, &text);
    backup[0] = '\0';
    if (file->is_new) {
        return ps_file_write(file->path, text.data, text.len, 0644, diag);
    }
    char real[PATH_MAX];
    if (realpath(file->path, real) == NULL) {
        return ps_fail(PS_ERR_IO, diag, file->path, NULL, "cannot be found: %s", strerror(errno));
    }
    PsErr err = check_unchanged(real, &file->old, diag);
    err = err == PS_OK ? keep_old(real, &file->old, what, backup, backup_size, diag) : err;
    if (err != PS_OK) {
        return err;
    }
    err = ps_file_replace(real, text.data, text.len, diag);
    if (err != PS_OK) {
        unlink(backup); // the file itself is still there
        backup[0] = '\0';
    }
    return err;
}

PsErr cli_config_read(CliConfigFile *file, const char *folder, PsDiag *diag) {
    int length = snprintf(file->path, sizeof file->path, "%s/%s", folder, PS_CONFIG_FILE);
    if (length < 0 || (size_t)length >= sizeof file->path) {
        return ps_fail(PS_ERR_TOO_BIG, diag, folder, NULL, "the path is too long");
    }
    PsErr err = ps_file_read(file->path, PS_CONFIG_BYTES_MAX, &file->old, diag);
    if (err == PS_ERR_NOT_FOUND && access(folder, X_OK) == 0) {
        file->is_new = true;
    }
    return err;
}
