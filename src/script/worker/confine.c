// The limits of a worker, one after the other: what later steps forbid, earlier ones still need.
// Runs in the fresh fork, before user code; waits for nothing.
#include "script/worker/confine.h"

#include "script/worker/call_filter.h"
#include "script/worker/landlock.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SOCKET_FD 3
#define FILES_MAX 256
// Of -1000 to 1000: when memory runs out, the kernel ends scripts before the gateway.
#define OUT_OF_MEMORY_SCORE "800"

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

// What the gateway was started with may be less already, and is not to be raised.
static void limit(int resource, rlim_t value, const char *step) {
    struct rlimit both = {0};
    bool known = getrlimit((__rlimit_resource_t)resource, &both) == 0;
    both.rlim_max = known && both.rlim_max < value ? both.rlim_max : value;
    both.rlim_cur = both.rlim_max;
    if (setrlimit((__rlimit_resource_t)resource, &both) < 0) {
        refuse(step);
    }
}

// What is mapped now counts as nothing: the interpreter that all workers share, and the terabytes
// of address space that AddressSanitizer sets aside in its builds.
static void limit_sizes(const PsWireFork *order) {
    limit(RLIMIT_CORE, 0, "penstock-script: worker: RLIMIT_CORE");
    limit(RLIMIT_NOFILE, FILES_MAX, "penstock-script: worker: RLIMIT_NOFILE");
    limit(RLIMIT_FSIZE, order->scratch_limit, "penstock-script: worker: RLIMIT_FSIZE");
    limit(RLIMIT_MSGQUEUE, 0, "penstock-script: worker: RLIMIT_MSGQUEUE");
    limit(RLIMIT_AS, mapped_bytes() + order->memory_limit, "penstock-script: worker: RLIMIT_AS");
}

static void restore_signals(void) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGXFSZ, SIG_IGN); // a file that gets too large is an OSError
}

// Not a promise of its own (some systems mount /proc read-only), so it may fail.
static void offer_to_out_of_memory_killer(void) {
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t written = write(fd, OUT_OF_MEMORY_SCORE, sizeof OUT_OF_MEMORY_SCORE - 1);
        (void)written;
        close(fd);
    }
}

// Of root, too, nothing is left but the name.
static void drop_privileges(void) {
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};
    if (syscall(SYS_capset, &head, none) < 0) {
        refuse("penstock-script: worker: capset");
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        refuse("penstock-script: worker: PR_SET_NO_NEW_PRIVS");
    }
}

PsWireHolds ps_confine_possible(void) {
    return (PsWireHolds){.landlock = (uint8_t)ps_landlock_version(),
                         .call_filter = ps_call_filter_possible()};
}

int ps_confine(int socket, int errors, const PsConfinement *confinement) {
    const PsWireFork *order = &confinement->order;
    keep_descriptors(socket, errors);
    // A group of its own: whatever it may start ends with it.
    if (setpgid(0, 0) < 0) {
        refuse("penstock-script: worker: setpgid");
    }
    restore_signals();
    limit_sizes(order);
    offer_to_out_of_memory_killer();
    drop_privileges();
    bool network = order->network != 0;
    int landlock = confinement->holds.landlock;
    if (landlock > 0 &&
        !ps_landlock_set(landlock, confinement->import_path, confinement->scratch, network)) {
        refuse("penstock-script: worker: Landlock");
    }
    if (confinement->holds.call_filter != 0 && !ps_call_filter_set(network)) {
        refuse("penstock-script: worker: seccomp");
    }
    return SOCKET_FD;
}
