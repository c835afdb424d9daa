// Prepares the new folder from a backup, checks it and compares it with the old one. Blocks on the
// disk.
#include "backup/restore.h"

#include "backup/seal.h"
#include "base/cleanup.h"
#include "base/map.h"
#include "base/mem.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DEPTH_MAX 16
#define OLD_FILES_MAX 100000

#define AUTO_SECRET PS_CLEANUP(ps_seal_wipe)

static const char *const change_names[] = {
    [PS_CHANGE_ADDED] = "added",     [PS_CHANGE_CHANGED] = "changed", [PS_CHANGE_SAME] = "same",
    [PS_CHANGE_REMOVED] = "removed", [PS_CHANGE_KEPT] = "kept",       [PS_CHANGE_ABSENT] = "absent",
};

const char *ps_change_name(PsChange change) {
    return change_names[change];
}

static void put_row(PsRestore *restore, PsChange change, const char *name) {
    restore->rows = ps_grow_array(restore->rows, restore->count + 1, sizeof *restore->rows);
    restore->rows[restore->count++] = (PsChangeRow){.change = change, .name = ps_strdup(name)};
    restore->counts[change]++;
}

static PsErr put_file(PsRestore *restore, const PsArchiveFile *file, PsDiag *diag) {
    AUTO_SECRET PsBuf old = {0};
    PsChange change = PS_CHANGE_CHANGED;
    // One byte more than the new one has is enough to see that it differs.
    PsErr err = ps_install_read_old(&restore->install, file->name, file->bytes.len + 1, &old, NULL);
    if (err == PS_ERR_NOT_FOUND) {
        change = PS_CHANGE_ADDED;
    } else if (err == PS_OK && old.len == file->bytes.len &&
               (old.len == 0 || memcmp(old.data, file->bytes.data, old.len) == 0)) {
        change = PS_CHANGE_SAME;
    }
    put_row(restore, change, file->name);
    return ps_install_put(&restore->install, file->name, file->secret, file->bytes.data,
                          file->bytes.len, diag);
}

// A secret that the archive lacks: the folder's own one, else an empty file for the check alone.
static PsErr put_own_secret(PsRestore *restore, const char *name, PsDiag *diag) {
    AUTO_SECRET PsBuf own = {0};
    PsErr err = ps_install_read_old(&restore->install, name, PS_ARCHIVE_BYTES_MAX, &own, diag);
    if (err != PS_OK && err != PS_ERR_NOT_FOUND) {
        return err;
    }
    put_row(restore, err == PS_OK ? PS_CHANGE_KEPT : PS_CHANGE_ABSENT, name);
    return ps_install_put(&restore->install, name, true, own.data, own.len, diag);
}

static PsErr put_all(PsRestore *restore, const PsArchive *archive, PsDiag *diag) {
    PsErr err = PS_OK;
    for (size_t i = 0; i < archive->file_count && err == PS_OK; i++) {
        err = put_file(restore, &archive->files[i], diag);
    }
    return err;
}

static PsErr put_own_secrets(PsRestore *restore, const PsArchive *archive, PsDiag *diag) {
    PsErr err = PS_OK;
    for (size_t i = 0; i < archive->gap_count && err == PS_OK; i++) {
        const PsArchiveGap *gap = &archive->gaps[i];
        bool lacking = strcmp(gap->why, PS_GAP_SECRET) == 0 || strcmp(gap->why, PS_GAP_SEALED) == 0;
        if (lacking && ps_archive_find(archive, gap->name) == NULL) {
            err = put_own_secret(restore, gap->name, diag);
        }
    }
    return err;
}

// The configuration is sound, and nothing stands in the new folder that it does not name.
static PsErr check(const PsRestore *restore, PsVariableCheckFor *check_for, PsBackupCheck *also,
                   PsFindings *findings, PsDiag *diag) {
    PsConfig *config = NULL;
    PsErr err = ps_config_load(restore->install.staging, check_for, findings, &config);
    if (err == PS_OK && also != NULL) {
        err = also(config, findings, diag);
    }
    if (err == PS_ERR_INVALID) {
        ps_diag_set(diag, "archive", NULL,
                    "holds a configuration that this gateway refuses; correct what is listed, or "
                    "restore another backup");
    }
    for (size_t i = 0; i < restore->count && err == PS_OK; i++) {
        if (!ps_config_set_has(config, restore->rows[i].name)) {
            err = ps_fail(PS_ERR_CORRUPT, diag, "archive", NULL,
                          "holds %.200s, which its configuration does not name; do not trust it",
                          restore->rows[i].name);
        }
    }
    ps_config_free(config);
    return err;
}

// ---- what goes

typedef struct Walk {
    PsRestore *restore;
    PsMap staying;
    size_t seen;
} Walk;

// Every file of the old folder that the new one does not have, in no order.
static void find_removed(Walk *walk, const char *below, int depth) {
    char path[PATH_MAX];
    const char *folder = walk->restore->install.folder;
    snprintf(path, sizeof path, "%s%s%s", folder, below[0] != '\0' ? "/" : "", below);
    DIR *dir = depth < DEPTH_MAX ? opendir(path) : NULL;
    if (dir == NULL) {
        return;
    }
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        char name[PATH_MAX];
        char found[PATH_MAX];
        struct stat status;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            ++walk->seen > OLD_FILES_MAX ||
            (size_t)snprintf(name, sizeof name, "%s%s%s", below, below[0] != '\0' ? "/" : "",
                             entry->d_name) >= sizeof name ||
            (size_t)snprintf(found, sizeof found, "%s/%s", folder, name) >= sizeof found ||
            lstat(found, &status) != 0) {
            continue;
        }
        if (S_ISDIR(status.st_mode)) {
            find_removed(walk, name, depth + 1);
        } else if (ps_map_find(&walk->staying, NULL, name) == PS_MAP_NONE) {
            put_row(walk->restore, PS_CHANGE_REMOVED, name);
        }
    }
    closedir(dir);
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const PsChangeRow *)a)->name, ((const PsChangeRow *)b)->name);
}

static void compare(PsRestore *restore) {
    Walk walk = {.restore = restore};
    for (size_t i = 0; i < restore->count; i++) {
        (void)ps_map_put(&walk.staying, NULL, restore->rows[i].name, 0);
    }
    find_removed(&walk, "", 0);
    ps_map_deinit(&walk.staying);
    qsort(restore->rows, restore->count, sizeof *restore->rows, by_name);
}

PsErr ps_restore_prepare(const PsArchive *archive, const char *folder,
                         PsVariableCheckFor *check_for, PsBackupCheck *also, PsFindings *findings,
                         PsRestore *ret_restore, PsDiag *diag) {
    PsRestore *restore = ret_restore;
    PsErr err = ps_install_begin(folder, &restore->install, diag);
    err = err == PS_OK ? put_all(restore, archive, diag) : err;
    err = err == PS_OK ? put_own_secrets(restore, archive, diag) : err;
    err = err == PS_OK ? check(restore, check_for, also, findings, diag) : err;
    if (err != PS_OK) {
        return err;
    }
    for (size_t i = 0; i < restore->count; i++) {
        if (restore->rows[i].change == PS_CHANGE_ABSENT) {
            ps_install_drop(&restore->install, restore->rows[i].name);
        }
    }
    compare(restore);
    return PS_OK;
}

bool ps_restore_changes(const PsRestore *restore) {
    return restore->counts[PS_CHANGE_ADDED] + restore->counts[PS_CHANGE_CHANGED] +
               restore->counts[PS_CHANGE_REMOVED] >
           0;
}

PsErr ps_restore_finish(PsRestore *restore, char *ret_former, size_t size, PsDiag *diag) {
    return ps_install_finish(&restore->install, ret_former, size, diag);
}

void ps_restore_deinit(PsRestore *restore) {
    ps_install_deinit(&restore->install);
    for (size_t i = 0; i < restore->count; i++) {
        free(restore->rows[i].name);
    }
    free(restore->rows);
    *restore = (PsRestore){0};
}
