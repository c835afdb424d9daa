// Numbers of descriptors. Any thread.
#include "base/descriptors.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <unistd.h>

uint64_t ps_descriptors_raise_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return FD_SETSIZE; // every system gives as many
    }
    if (limit.rlim_cur < limit.rlim_max) {
        struct rlimit wanted = {limit.rlim_max, limit.rlim_max};
        limit = setrlimit(RLIMIT_NOFILE, &wanted) == 0 ? wanted : limit;
    }
    return limit.rlim_cur;
}

int ps_descriptor_make_high(int fd) {
    if (fd < 0 || fd >= FD_SETSIZE) {
        return fd;
    }
    int high = fcntl(fd, F_DUPFD_CLOEXEC, FD_SETSIZE);
    if (high < 0) {
        return fd;
    }
    close(fd);
    return high;
}
