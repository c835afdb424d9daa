//! Scope guards: a local declared with one of these frees itself on every way out.
//! The success path hands the object over and sets the local to NULL (or -1).
#pragma once

#include <stdlib.h>
#include <unistd.h>

#define PS_CLEANUP(function) __attribute__((cleanup(function)))

static inline void ps_cleanup_free(void *slot) {
    free(*(void **)slot);
}

static inline void ps_cleanup_fd(int *fd) {
    if (*fd >= 0) {
        close(*fd);
    }
}

#define PS_AUTO_FREE PS_CLEANUP(ps_cleanup_free)
#define PS_AUTO_FD PS_CLEANUP(ps_cleanup_fd)
