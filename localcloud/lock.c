// The folder's lock file. Does not wait.
#include "localcloud/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

PsErr ps_lock_take(const char *dir, int *ret_fd, PsDiag *diag) {
    char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s/lock", dir);
    PS_ASSERT(len > 0 && (size_t)len < sizeof path); // ps_folder_open made sure of room
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
        *ret_fd = fd;
        return PS_OK;
    }
    int error = errno;
    if (fd >= 0) {
        close(fd);
    }
    return ps_fail(error == EWOULDBLOCK ? PS_ERR_BUSY : PS_ERR_IO, diag, dir, NULL, "%s",
                   error == EWOULDBLOCK ? "another penstock-cloud runs here; stop it first"
                                        : strerror(error));
}
