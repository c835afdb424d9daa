// Whole-file reading and crash-safe writing. Blocks; any thread but the running main loop.
#include "base/file.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>

#define SAME_SECOND_MAX 100
#define READ_STEP ((size_t)64 * 1024)

static PsErr fail_errno(int number, PsDiag *diag, const char *path, const char *doing) {
    PsErr err = number == ENOENT                       ? PS_ERR_NOT_FOUND
                : number == EACCES || number == EPERM  ? PS_ERR_DENIED
                : number == ENOSPC || number == EDQUOT ? PS_ERR_FULL
                                                       : PS_ERR_IO;
    return ps_fail(err, diag, path, NULL, "cannot %s: %s", doing, strerror(number));
}

// What the file has and one byte more, by which its end is seen; READ_STEP where that is not known.
static size_t first_step(int fd, size_t limit) {
    struct stat status;
    bool known = fstat(fd, &status) == 0 && status.st_size > 0;
    return known && (uint64_t)status.st_size <= limit ? (size_t)status.st_size + 1 : READ_STEP;
}

// PS_ERR_IO leaves the reason in errno.
static PsErr read_all(int fd, size_t limit, PsBuf *buf) {
    size_t start = buf->len;
    ps_buf_reserve(buf, first_step(fd, limit));
    for (;;) {
        if (buf->capacity - 1 - buf->len == 0) {
            ps_buf_reserve(buf, READ_STEP);
        }
        ssize_t got = read(fd, buf->data + buf->len, buf->capacity - 1 - buf->len);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got == 0 ? PS_OK : PS_ERR_IO;
        }
        buf->len += (size_t)got;
        if (buf->len - start > limit) {
            return PS_ERR_TOO_BIG;
        }
    }
}

// A pipe or a device would keep whoever reads it waiting; opening one must not wait either.
static int open_plain(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0 || S_ISREG(status.st_mode) || S_ISDIR(status.st_mode)) {
        return fd; // reading a folder fails by itself, with words for it
    }
    close(fd);
    errno = EINVAL;
    return -1;
}

PsErr ps_file_read(const char *path, size_t limit, PsBuf *buf, PsDiag *diag) {
    PS_AUTO_FD int fd = open_plain(path);
    if (fd < 0 && errno == EINVAL) {
        return ps_fail(PS_ERR_INVALID, diag, path, NULL, "cannot read: it is not a plain file");
    }
    if (fd < 0) {
        return fail_errno(errno, diag, path, "read");
    }
    size_t start = buf->len;
    PsErr err = read_all(fd, limit, buf);
    int number = errno;
    if (err != PS_OK) {
        buf->len = start; // as before, as if nothing had been read
    }
    buf->data[buf->len] = '\0';
    if (err == PS_ERR_TOO_BIG) {
        return ps_fail(err, diag, path, NULL,
                       "is larger than %zu bytes, the most this file may have", limit);
    }
    return err == PS_OK ? PS_OK : fail_errno(number, diag, path, "read");
}

static PsErr write_all(int fd, const uint8_t *bytes, size_t len) {
    while (len > 0) {
        ssize_t put = write(fd, bytes, len);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            return PS_ERR_IO;
        }
        bytes += put;
        len -= (size_t)put;
    }
    return PS_OK;
}

static void sync_folder_of(const char *path) {
    char copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", path);
    PS_AUTO_FD int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd); // some file systems refuse this on folders; the rename stands anyway
    }
}

// The owner of `like` (NULL: whoever runs this). Giving it back to the same user always works.
static bool give_to(int fd, const struct stat *like) {
    return like == NULL || (like->st_uid == geteuid() && like->st_gid == getegid()) ||
           fchown(fd, like->st_uid, like->st_gid) == 0;
}

// Everything but the name: afterwards the bytes are on the disk as `temporary`.
static PsErr write_beside(const char *temporary, const char *path, const void *bytes, size_t len,
                          mode_t mode, const struct stat *like, PsDiag *diag) {
    PS_AUTO_FD int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        return fail_errno(errno, diag, path, "write");
    }
    if (write_all(fd, bytes, len) != PS_OK || !give_to(fd, like) || fchmod(fd, mode) != 0 ||
        fsync(fd) != 0) {
        int number = errno;
        unlink(temporary);
        return fail_errno(number, diag, path, "write");
    }
    return PS_OK;
}

static PsErr take_name(const char *temporary, const char *path, PsDiag *diag) {
    if (rename(temporary, path) != 0) {
        int number = errno;
        unlink(temporary);
        return fail_errno(number, diag, path, "write");
    }
    sync_folder_of(path);
    return PS_OK;
}

static PsErr write_file(const char *path, const void *bytes, size_t len, mode_t mode,
                        const struct stat *like, PsDiag *diag) {
    char temporary[PATH_MAX];
    int length = snprintf(temporary, sizeof temporary, "%s.new-%d", path, (int)getpid());
    if (length < 0 || (size_t)length >= sizeof temporary) {
        return ps_fail(PS_ERR_TOO_BIG, diag, path, NULL, "the path is too long");
    }
    PsErr err = write_beside(temporary, path, bytes, len, mode, like, diag);
    return err == PS_OK ? take_name(temporary, path, diag) : err;
}

PsErr ps_file_write(const char *path, const void *bytes, size_t len, mode_t mode, PsDiag *diag) {
    return write_file(path, bytes, len, mode, NULL, diag);
}

PsErr ps_file_replace(const char *path, const void *bytes, size_t len, PsDiag *diag) {
    struct stat status;
    char real[PATH_MAX];
    if (realpath(path, real) == NULL || stat(real, &status) != 0) {
        return fail_errno(errno, diag, path, "write");
    }
    return write_file(real, bytes, len, status.st_mode & 07777, &status, diag);
}

typedef struct Staged {
    char path[PATH_MAX]; // where a symbolic link leads
    char temporary[PATH_MAX];
} Staged;

static PsErr find_staged(const char *path, Staged *staged, PsDiag *diag) {
    if (realpath(path, staged->path) == NULL) {
        snprintf(staged->path, sizeof staged->path, "%s", path); // a new one
    }
    int length =
        snprintf(staged->temporary, sizeof staged->temporary, "%s" PS_FILE_STAGED, staged->path);
    return length > 0 && (size_t)length < sizeof staged->temporary
               ? PS_OK
               : ps_fail(PS_ERR_TOO_BIG, diag, path, NULL, "the path is too long");
}

PsErr ps_file_stage(const char *path, const void *bytes, size_t len, mode_t mode, PsDiag *diag) {
    Staged staged;
    PsErr err = find_staged(path, &staged, diag);
    if (err != PS_OK) {
        return err;
    }
    struct stat status;
    bool there = stat(staged.path, &status) == 0;
    return write_beside(staged.temporary, path, bytes, len, there ? status.st_mode & 07777 : mode,
                        there ? &status : NULL, diag);
}

PsErr ps_file_commit(const char *path, PsDiag *diag) {
    Staged staged;
    PsErr err = find_staged(path, &staged, diag);
    return err == PS_OK ? take_name(staged.temporary, staged.path, diag) : err;
}

void ps_file_unstage(const char *path) {
    Staged staged;
    PsErr err = find_staged(path, &staged, NULL);
    if (err == PS_OK) {
        (void)unlink(staged.temporary); // mostly there is none
    }
}

PsErr ps_file_name_former(const char *path, const char *what, int attempt, char *ret_path,
                          size_t size, PsDiag *diag) {
    time_t now = time(NULL);
    struct tm parts;
    char stamp[32] = "";
    char number[16] = "";
    if (localtime_r(&now, &parts) != NULL) {
        strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", &parts);
    }
    if (attempt > 1) {
        snprintf(number, sizeof number, "-%d", attempt);
    }
    int length = snprintf(ret_path, size, "%s.before-%s-%s%s", path, what, stamp, number);
    if (length < 0 || (size_t)length >= size) {
        return ps_fail(PS_ERR_TOO_BIG, diag, path, NULL, "the path is too long");
    }
    return attempt <= SAME_SECOND_MAX
               ? PS_OK
               : ps_fail(PS_ERR_EXISTS, diag, ret_path, NULL, "is there already; remove old ones");
}

void ps_file_keep_private(const char *path) {
    PS_AUTO_FD int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0) {
        (void)fchmod(fd, 0600);
    }
}

void ps_file_set_aside(const char *path, char *ret_path, size_t size) {
    char stamp[32];
    time_t now = time(NULL);
    struct tm parts;
    gmtime_r(&now, &parts);
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &parts);
    snprintf(ret_path, size, "%s.damaged-%s", path, stamp);
    const char *const endings[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < PS_COUNT(endings); i++) {
        char from[PATH_MAX];
        char to[PATH_MAX];
        snprintf(from, sizeof from, "%s%s", path, endings[i]);
        snprintf(to, sizeof to, "%s.damaged-%s%s", path, stamp, endings[i]);
        (void)rename(from, to); // the side files may not exist
    }
}

// EEXIST from mkdir is fine when what exists is a folder.
static bool make_one(const char *path, mode_t mode) {
    if (mkdir(path, mode) == 0) {
        return true;
    }
    struct stat status;
    if (errno != EEXIST || stat(path, &status) != 0) {
        return false;
    }
    errno = ENOTDIR;
    return S_ISDIR(status.st_mode);
}

PsErr ps_dir_make(const char *path, mode_t mode, PsDiag *diag) {
    char parent[PATH_MAX];
    snprintf(parent, sizeof parent, "%s", path);
    if (!make_one(dirname(parent), mode) || !make_one(path, mode)) {
        return fail_errno(errno, diag, path, "make the folder");
    }
    return PS_OK;
}

bool ps_dir_is_read_only(const char *path) {
    char parent[PATH_MAX];
    snprintf(parent, sizeof parent, "%s", path);
    struct statvfs info;
    return (statvfs(path, &info) == 0 || statvfs(dirname(parent), &info) == 0) &&
           (info.f_flag & ST_RDONLY) != 0;
}
