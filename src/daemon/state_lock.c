// One gateway for a state folder. Main thread, while starting; blocks on the disk.
#include "daemon/state_lock.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define LOCK_TRIES 40
#define LOCK_PAUSE_NS 50000000L

// A disk that takes nothing is no reason to stand still; the outbox says so and works in memory.
static bool is_disk_away(int error) {
    return error == EROFS || error == EIO || error == ENOSPC || error == EDQUOT;
}

// A gateway that was killed may leave the lock for moments to a process it was just making.
static bool lock_soon(int fd) {
    const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
            return true;
        }
        (void)nanosleep(&pause, NULL); // a signal only makes it shorter
    }
    return false;
}

PsErr ps_state_lock(const char *state, int *ret_fd, PsDiag *diag) {
    PsErr err = ps_dir_make(state, 0700, diag);
    if (err != PS_OK) {
        return ps_dir_is_read_only(state) ? PS_OK : err;
    }
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/lock", state);
    PS_ASSERT(length > 0 && (size_t)length < sizeof path); // ps_dir_make has taken it
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 && is_disk_away(errno)) {
        fd = open(path, O_RDONLY | O_CLOEXEC); // which can be locked all the same
        if (fd < 0) {
            return PS_OK; // and another gateway cannot make one either
        }
    }
    if (fd < 0) {
        return ps_fail(PS_ERR_IO, diag, path, NULL, "cannot be opened: %s; use --state",
                       strerror(errno));
    }
    if (!lock_soon(fd)) {
        close(fd);
        return ps_fail(PS_ERR_BUSY, diag, state, NULL,
                       "another gateway uses this state folder; stop it or use --state");
    }
    *ret_fd = fd;
    return PS_OK;
}
