// The failing disk: passes everything on to SQLite's default file layer but the operations that
// are to fail. Any thread.
#include "outbox/test_vfs.h"

#include "base/err.h"
#include "outbox/vfs.h"

#include <stdatomic.h>
#include <time.h>

static const char *const fault_names[TEST_FAULT_COUNT] = {
    [TEST_FAULT_READ] = "read", [TEST_FAULT_MEMORY] = "memory", [TEST_FAULT_WRITE] = "write",
    [TEST_FAULT_FULL] = "full", [TEST_FAULT_TORN] = "torn",     [TEST_FAULT_READONLY] = "read-only",
    [TEST_FAULT_SYNC] = "sync", [TEST_FAULT_OPEN] = "open",
};

static PsVfs vfs;
static _Atomic TestFault armed = TEST_FAULT_COUNT;
static atomic_long at;
static atomic_bool lasts;
static atomic_long count;
static atomic_bool held;

const char *test_vfs_fault_name(TestFault fault) {
    return fault_names[fault];
}

static bool fails(TestFault fault) {
    if (atomic_load(&armed) != fault) {
        return false;
    }
    long n = atomic_fetch_add(&count, 1) + 1;
    return n == atomic_load(&at) || (n > atomic_load(&at) && atomic_load(&lasts));
}

// The fault of a write, or SQLITE_OK.
static int fail_write(int *len) {
    if (fails(TEST_FAULT_WRITE)) {
        return SQLITE_IOERR_WRITE;
    }
    if (fails(TEST_FAULT_FULL)) {
        return SQLITE_FULL;
    }
    if (fails(TEST_FAULT_READONLY)) {
        return SQLITE_READONLY;
    }
    if (fails(TEST_FAULT_TORN)) {
        *len /= 2;
        return SQLITE_IOERR_WRITE;
    }
    return SQLITE_OK;
}

static void wait_while_held(void) {
    while (atomic_load(&held)) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

static int on_operation(PsVfsOp op, int *len, void *ctx) {
    switch (op) {
    case PS_VFS_OPEN:
        return fails(TEST_FAULT_OPEN) ? SQLITE_CANTOPEN : SQLITE_OK;
    case PS_VFS_READ:
        return fails(TEST_FAULT_READ)     ? SQLITE_IOERR_READ
               : fails(TEST_FAULT_MEMORY) ? SQLITE_IOERR_NOMEM
                                          : SQLITE_OK;
    case PS_VFS_WRITE:
        return fail_write(len);
    case PS_VFS_SYNC:
        wait_while_held();
        return fails(TEST_FAULT_SYNC) ? SQLITE_IOERR_FSYNC : PS_VFS_LEAVE_OUT;
    }
    return SQLITE_OK;
}

void test_vfs_install(void) {
    int code = ps_vfs_init(&vfs, on_operation, NULL);
    PS_ASSERT(code == SQLITE_OK);
    code = sqlite3_vfs_register(&vfs.base, 1);
    PS_ASSERT(code == SQLITE_OK);
}

void test_vfs_arm(TestFault fault, long n, bool lasting) {
    atomic_store(&count, 0);
    atomic_store(&at, n);
    atomic_store(&lasts, lasting);
    atomic_store(&armed, fault);
}

void test_vfs_hold(bool on) {
    atomic_store(&held, on);
}

long test_vfs_clear(void) {
    atomic_store(&armed, TEST_FAULT_COUNT);
    return atomic_load(&count);
}
