// The limits of a worker. The kernel filters (seccomp, Landlock) are to be set here as well, last,
// once they exist.
#include "script/worker/confine.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define SOCKET_FD 3
#define FILES_MAX 256

static _Noreturn void refuse(const char *step) {
    perror(step);
    _exit(3);
}

bool ps_confine_follow_parent(pid_t parent) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) {
        refuse("penstock-script: worker: PR_SET_PDEATHSIG");
    }
    return getppid() == parent;
}

static void keep_descriptors(int socket, int errors) {
    // Out of the way of the numbers they are to get.
    int high_socket = fcntl(socket, F_DUPFD_CLOEXEC, 10);
    int high_errors = fcntl(errors, F_DUPFD_CLOEXEC, 10);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (high_socket < 0 || high_errors < 0 || null < 0 || dup2(null, STDIN_FILENO) < 0 ||
        dup2(high_errors, STDOUT_FILENO) < 0 || dup2(high_errors, STDERR_FILENO) < 0 ||
        dup3(high_socket, SOCKET_FD, O_CLOEXEC) < 0 || close_range(SOCKET_FD + 1, ~0U, 0) < 0) {
        refuse("penstock-script: worker: descriptors");
    }
}

// Pages mapped now, from the first field of /proc/self/statm.
static uint64_t mapped_bytes(void) {
    FILE *file = fopen("/proc/self/statm", "re");
    uint64_t pages = 0;
    if (file == NULL || fscanf(file, "%" SCNu64, &pages) != 1) {
        refuse("penstock-script: worker: /proc/self/statm");
    }
    fclose(file);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void limit(int resource, rlim_t value, const char *step) {
    struct rlimit both = {value, value};
    if (setrlimit((__rlimit_resource_t)resource, &both) < 0) {
        refuse(step);
    }
}

int ps_confine(int socket, int errors, uint64_t memory) {
    keep_descriptors(socket, errors);
    // A group of its own: what the script starts ends with it.
    if (setpgid(0, 0) < 0) {
        refuse("penstock-script: worker: setpgid");
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    limit(RLIMIT_CORE, 0, "penstock-script: worker: RLIMIT_CORE");
    limit(RLIMIT_NOFILE, FILES_MAX, "penstock-script: worker: RLIMIT_NOFILE");
    limit(RLIMIT_AS, mapped_bytes() + memory, "penstock-script: worker: RLIMIT_AS");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        refuse("penstock-script: worker: PR_SET_NO_NEW_PRIVS");
    }
    return SOCKET_FD;
}
