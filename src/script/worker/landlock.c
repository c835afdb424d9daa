// Landlock by its raw system calls: Debian 12's headers know two of its versions, its kernels may
// know more. What a version does not know is left out of the ruleset. Runs in the fresh fork.
#include "script/worker/landlock.h"

#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define VERSION_QUERY 1U // LANDLOCK_CREATE_RULESET_VERSION
#define RULE_PATH 1      // LANDLOCK_RULE_PATH_BENEATH

// Linux, include/uapi/linux/landlock.h: LANDLOCK_ACCESS_FS_*
#define WRITE_FILE (UINT64_C(1) << 1)
#define READ_FILE (UINT64_C(1) << 2)
#define READ_DIR (UINT64_C(1) << 3)
#define REMOVE_DIR (UINT64_C(1) << 4)
#define REMOVE_FILE (UINT64_C(1) << 5)
#define MAKE_DIR (UINT64_C(1) << 7)
#define MAKE_REG (UINT64_C(1) << 8)
#define MAKE_SYM (UINT64_C(1) << 12)
#define REFER (UINT64_C(1) << 13)
#define TRUNCATE (UINT64_C(1) << 14)
// LANDLOCK_ACCESS_NET_*
#define BIND_TCP UINT64_C(1)
#define CONNECT_TCP (UINT64_C(1) << 1)
// LANDLOCK_SCOPE_*: abstract Unix sockets, signals
#define SCOPE_ALL UINT64_C(3)

struct ruleset {
    uint64_t files;
    uint64_t net;
    uint64_t scoped;
};

struct path_rule {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

// All that versions 1, 2, ... can hold of files: the last row is for every later one.
static const uint64_t known_files[] = {
    0,
    (UINT64_C(1) << 13) - 1, // Linux 5.13
    (UINT64_C(1) << 14) - 1, // 5.19: REFER
    (UINT64_C(1) << 15) - 1, // 6.2: TRUNCATE
    (UINT64_C(1) << 15) - 1, // 6.7: TCP
    (UINT64_C(1) << 16) - 1, // 6.10: IOCTL_DEV
};
#define VERSION_TCP 4
#define VERSION_SCOPE 6

// What Python, its packages and the C library read. Missing ones are skipped.
static const char *const readable[] = {
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/share",
    "/usr/local/lib",
    "/usr/local/share",
    "/lib",
    "/lib64",
    "/proc/self/exe", // the program itself: symbols for a crash report
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/filesystems",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/uptime",
    "/proc/version",
    "/proc/sys/kernel/hostname",
    "/proc/sys/kernel/osrelease",
    "/proc/sys/kernel/ostype",
    "/proc/sys/kernel/random",
    "/proc/sys/vm/overcommit_memory",
    "/sys/devices/system/cpu",
    "/sys/devices/system/node",
    "/etc/debian_version",
    "/etc/gai.conf",
    "/etc/host.conf",
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/nsswitch.conf",
    "/etc/os-release",
    "/etc/protocols",
    "/etc/resolv.conf",
    "/etc/services",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/timezone",
    "/run/systemd/resolve",
};

static const char *const devices[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random",
                                      "/dev/urandom"};

int ps_landlock_version(void) {
    long version = syscall(__NR_landlock_create_ruleset, NULL, 0, VERSION_QUERY);
    return version > 0 ? (int)version : 0;
}

// A path that is not there grants nothing. `folder_rights` have no meaning for other files.
static bool allow(int ruleset, const char *path, uint64_t file_rights, uint64_t folder_rights) {
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT || errno == EACCES || errno == ENOTDIR;
    }
    struct stat info;
    bool ok = fstat(fd, &info) == 0;
    struct path_rule rule = {.allowed = file_rights, .parent = fd};
    rule.allowed |= ok && S_ISDIR(info.st_mode) ? folder_rights : 0;
    ok = ok && syscall(__NR_landlock_add_rule, ruleset, RULE_PATH, &rule, 0) == 0;
    close(fd);
    return ok;
}

static bool allow_imports(int ruleset, PyObject *import_path) {
    bool ok = true;
    for (Py_ssize_t i = 0; ok && i < PyList_Size(import_path); i++) {
        const char *path = PyUnicode_AsUTF8(PyList_GetItem(import_path, i));
        if (path == NULL) {
            PyErr_Clear();
        } else if (path[0] == '/') {
            ok = allow(ruleset, path, READ_FILE, READ_DIR);
        }
    }
    return ok;
}

static bool allow_all(int ruleset, uint64_t files, PyObject *import_path, const char *scratch) {
    bool ok = allow_imports(ruleset, import_path);
    for (size_t i = 0; ok && i < PS_COUNT(readable); i++) {
        ok = allow(ruleset, readable[i], READ_FILE, READ_DIR);
    }
    for (size_t i = 0; ok && i < PS_COUNT(devices); i++) {
        ok = allow(ruleset, devices[i], READ_FILE | WRITE_FILE, 0);
    }
    uint64_t writing = WRITE_FILE | READ_FILE | TRUNCATE;
    uint64_t making = READ_DIR | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | MAKE_SYM | REFER;
    return ok && (scratch == NULL || allow(ruleset, scratch, writing & files, making & files));
}

bool ps_landlock_set(int version, PyObject *import_path, const char *scratch, bool network) {
    size_t row =
        (size_t)version < PS_COUNT(known_files) ? (size_t)version : PS_COUNT(known_files) - 1;
    struct ruleset held = {.files = known_files[row]};
    if (version >= VERSION_TCP) {
        held.net = network ? BIND_TCP : BIND_TCP | CONNECT_TCP;
    }
    if (version >= VERSION_SCOPE) {
        held.scoped = SCOPE_ALL;
    }
    int ruleset = (int)syscall(__NR_landlock_create_ruleset, &held, sizeof held, 0);
    if (ruleset < 0) {
        return false;
    }
    bool ok = allow_all(ruleset, held.files, import_path, scratch) &&
              syscall(__NR_landlock_restrict_self, ruleset, 0) == 0;
    close(ruleset);
    return ok;
}
