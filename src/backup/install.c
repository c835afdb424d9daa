// The new folder, its files and the exchange. Blocks on the disk.
#include "backup/install.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDERS_OPEN_MAX 8

static PsErr fail_at(const char *path, PsDiag *diag, const char *doing) {
    int number = errno;
    PsErr err = number == EACCES || number == EPERM    ? PS_ERR_DENIED
                : number == ENOSPC || number == EDQUOT ? PS_ERR_FULL
                                                       : PS_ERR_IO;
    return ps_fail(err, diag, path, NULL, "cannot %s: %s", doing, strerror(number));
}

static void sync_folder(const char *path) {
    PS_AUTO_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd); // some file systems refuse this on folders; the rename stands anyway
    }
}

static void sync_parent(const char *path) {
    char copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", path);
    sync_folder(dirname(copy));
}

// The folder without symbolic links, also when it is not there yet.
static bool resolve(const char *folder, char *out, size_t size) {
    char real[PATH_MAX];
    char copy[PATH_MAX];
    char name[NAME_MAX + 1];
    if (realpath(folder, real) != NULL) {
        return (size_t)snprintf(out, size, "%s", real) < size;
    }
    if (errno != ENOENT || strlen(folder) >= sizeof copy) {
        return false;
    }
    snprintf(copy, sizeof copy, "%s", folder);
    const char *last = basename(copy);
    if (strlen(last) > NAME_MAX || strcmp(last, ".") == 0 || strcmp(last, "..") == 0) {
        errno = ENAMETOOLONG;
        return false;
    }
    snprintf(name, sizeof name, "%s", last);
    snprintf(copy, sizeof copy, "%s", folder);
    if (realpath(dirname(copy), real) == NULL) {
        return false;
    }
    errno = ENAMETOOLONG;
    return (size_t)snprintf(out, size, "%s/%s", strcmp(real, "/") == 0 ? "" : real, name) < size;
}

PsErr ps_install_begin(const char *folder, PsInstall *ret_install, PsDiag *diag) {
    PsInstall install = {0};
    struct stat status;
    if (!resolve(folder, install.folder, sizeof install.folder)) {
        return fail_at(folder, diag, "find the folder it is in");
    }
    if (stat(install.folder, &status) == 0 && !S_ISDIR(status.st_mode)) {
        return ps_fail(PS_ERR_INVALID, diag, folder, NULL, "is not a folder; name another");
    }
    snprintf(install.staging, sizeof install.staging, "%s.restoring-XXXXXX", install.folder);
    if (mkdtemp(install.staging) == NULL) {
        return fail_at(install.staging, diag,
                       "make the new folder beside the old one; run it as the owner of the folder "
                       "above");
    }
    sync_parent(install.staging);
    *ret_install = install;
    return PS_OK;
}

// "FOLDER/NAME"; a name that does not fit gives a path that is not there.
static void join(const char *folder, const char *name, char *out, size_t size) {
    if ((size_t)snprintf(out, size, "%s/%s", folder, name) >= size) {
        out[0] = '\0';
    }
}

// Owner and mode of what stood there under this name, else the owner of the folder.
static PsErr dress(const PsInstall *install, const char *name, mode_t mode, bool keep_mode,
                   PsDiag *diag) {
    char path[PATH_MAX];
    char old[PATH_MAX];
    struct stat like;
    join(install->staging, name, path, sizeof path);
    join(install->folder, name, old, sizeof old);
    bool known = stat(old, &like) == 0;
    if (known && keep_mode) {
        mode = like.st_mode & 0777;
    }
    if (!known && stat(install->folder, &like) != 0) {
        like = (struct stat){.st_uid = geteuid(), .st_gid = getegid()};
    }
    bool own = like.st_uid == geteuid() && like.st_gid == getegid();
    if ((!own && chown(path, like.st_uid, like.st_gid) != 0) || chmod(path, mode) != 0) {
        return fail_at(path, diag, "give it the owner of the old one; run it as root");
    }
    return PS_OK;
}

static PsErr make_folders(const PsInstall *install, const char *name, PsDiag *diag) {
    char part[PATH_MAX];
    char path[PATH_MAX];
    for (const char *slash = strchr(name, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        snprintf(part, sizeof part, "%.*s", (int)(slash - name), name);
        join(install->staging, part, path, sizeof path);
        if (mkdir(path, 0700) == 0) {
            PsErr err = dress(install, part, 0755, true, diag);
            if (err != PS_OK) {
                return err;
            }
            sync_parent(path);
        } else if (errno != EEXIST) {
            return fail_at(path, diag, "make the folder");
        }
    }
    return PS_OK;
}

PsErr ps_install_put(const PsInstall *install, const char *name, bool secret, const void *bytes,
                     size_t len, PsDiag *diag) {
    char path[PATH_MAX];
    join(install->staging, name, path, sizeof path);
    PsErr err = make_folders(install, name, diag);
    err = err == PS_OK ? ps_file_write(path, bytes, len, 0600, diag) : err;
    return err == PS_OK ? dress(install, name, secret ? 0600 : 0644, !secret, diag) : err;
}

void ps_install_drop(const PsInstall *install, const char *name) {
    char path[PATH_MAX];
    join(install->staging, name, path, sizeof path);
    (void)unlink(path);
}

PsErr ps_install_read_old(const PsInstall *install, const char *name, size_t limit, PsBuf *bytes,
                          PsDiag *diag) {
    char path[PATH_MAX];
    join(install->folder, name, path, sizeof path);
    return ps_file_read(path, limit, bytes, diag);
}

// A name for the old folder that is not taken.
static PsErr name_former(const PsInstall *install, char *out, size_t size, PsDiag *diag) {
    struct stat status;
    for (int attempt = 1;; attempt++) {
        PsErr err = ps_file_name_former(install->folder, "restore", attempt, out, size, diag);
        if (err != PS_OK || (lstat(out, &status) != 0 && errno == ENOENT)) {
            return err;
        }
    }
}

static PsErr fail_exchange(const PsInstall *install, PsDiag *diag) {
    if (errno == EBUSY) {
        return ps_fail(PS_ERR_BUSY, diag, install->folder, NULL,
                       "is a mount point, which cannot be exchanged at once; restore into a folder "
                       "below it with --config, and start penstockd with that folder");
    }
    if (errno == EINVAL || errno == ENOSYS || errno == EXDEV) {
        return ps_fail(PS_ERR_UNSUPPORTED, diag, install->folder, NULL,
                       "is on a file system that cannot exchange two folders at once; restore into "
                       "a new folder with --config, then start penstockd with that folder");
    }
    return fail_at(install->folder, diag, "put the new folder in its place");
}

PsErr ps_install_finish(PsInstall *install, char *ret_former, size_t size, PsDiag *diag) {
    char former[PATH_MAX] = "";
    struct stat status;
    bool exists = stat(install->folder, &status) == 0;
    PsErr err = dress(install, ".", 0755, true, diag);
    err = err == PS_OK && exists ? name_former(install, former, sizeof former, diag) : err;
    if (err != PS_OK) {
        return err;
    }
    sync_folder(install->staging);
    // An empty folder gives way to a rename; any other one changes places with the new one.
    if (rename(install->staging, install->folder) == 0) {
        former[0] = '\0';
    } else if (renameat2(AT_FDCWD, install->staging, AT_FDCWD, install->folder, RENAME_EXCHANGE) !=
               0) {
        return fail_exchange(install, diag);
    } else if (rename(install->staging, former) != 0) {
        snprintf(former, sizeof former, "%s", install->staging);
    }
    install->staging[0] = '\0';
    sync_parent(install->folder);
    snprintf(ret_former, size, "%s", former);
    return PS_OK;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *at) {
    (void)remove(path);
    return 0;
}

void ps_install_deinit(PsInstall *install) {
    if (install->staging[0] != '\0') {
        (void)nftw(install->staging, remove_one, FOLDERS_OPEN_MAX, FTW_DEPTH | FTW_PHYS);
        install->staging[0] = '\0';
    }
}
