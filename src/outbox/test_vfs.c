// The failing disk: passes everything on to SQLite's default file layer but the operations that
// are to fail. Any thread.
#include "outbox/test_vfs.h"

#include "base/err.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

typedef struct File {
    sqlite3_file base;
    sqlite3_file *real; // behind this one
} File;

static const char *const fault_names[TEST_FAULT_COUNT] = {
    [TEST_FAULT_READ] = "read", [TEST_FAULT_MEMORY] = "memory", [TEST_FAULT_WRITE] = "write",
    [TEST_FAULT_FULL] = "full", [TEST_FAULT_TORN] = "torn",     [TEST_FAULT_READONLY] = "read-only",
    [TEST_FAULT_SYNC] = "sync", [TEST_FAULT_OPEN] = "open",
};

static sqlite3_vfs *real;
static sqlite3_vfs test;
static _Atomic TestFault armed = TEST_FAULT_COUNT;
static atomic_long at;
static atomic_bool lasts;
static atomic_long count;

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

static sqlite3_file *real_of(sqlite3_file *file) {
    return ((File *)file)->real;
}

// ---- a file

static int vfs_close(sqlite3_file *file) {
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int vfs_read(sqlite3_file *file, void *out, int len, sqlite3_int64 from) {
    if (fails(TEST_FAULT_READ)) {
        return SQLITE_IOERR_READ;
    }
    if (fails(TEST_FAULT_MEMORY)) {
        return SQLITE_IOERR_NOMEM;
    }
    return real_of(file)->pMethods->xRead(real_of(file), out, len, from);
}

static int vfs_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 to) {
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
        (void)real_of(file)->pMethods->xWrite(real_of(file), bytes, len / 2, to);
        return SQLITE_IOERR_WRITE;
    }
    return real_of(file)->pMethods->xWrite(real_of(file), bytes, len, to);
}

static int vfs_truncate(sqlite3_file *file, sqlite3_int64 size) {
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int vfs_sync(sqlite3_file *file, int flags) {
    return fails(TEST_FAULT_SYNC) ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static int vfs_file_size(sqlite3_file *file, sqlite3_int64 *size) {
    return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int vfs_lock(sqlite3_file *file, int lock) {
    return real_of(file)->pMethods->xLock(real_of(file), lock);
}

static int vfs_unlock(sqlite3_file *file, int lock) {
    return real_of(file)->pMethods->xUnlock(real_of(file), lock);
}

static int vfs_check_lock(sqlite3_file *file, int *out) {
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), out);
}

static int vfs_control(sqlite3_file *file, int what, void *argument) {
    return real_of(file)->pMethods->xFileControl(real_of(file), what, argument);
}

static int vfs_sector_size(sqlite3_file *file) {
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int vfs_traits(sqlite3_file *file) {
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

// Version 1 is enough: the outbox needs no shared memory.
static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = vfs_close,
    .xRead = vfs_read,
    .xWrite = vfs_write,
    .xTruncate = vfs_truncate,
    .xSync = vfs_sync,
    .xFileSize = vfs_file_size,
    .xLock = vfs_lock,
    .xUnlock = vfs_unlock,
    .xCheckReservedLock = vfs_check_lock,
    .xFileControl = vfs_control,
    .xSectorSize = vfs_sector_size,
    .xDeviceCharacteristics = vfs_traits,
};

// ---- the layer

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *out, int flags,
                    int *out_flags) {
    File *file = (File *)out;
    file->base.pMethods = NULL;
    if (fails(TEST_FAULT_OPEN)) {
        return SQLITE_CANTOPEN;
    }
    file->real = (sqlite3_file *)(file + 1);
    int code = real->xOpen(real, name, file->real, flags, out_flags);
    if (code == SQLITE_OK) {
        file->base.pMethods = &methods;
    }
    return code;
}

void test_vfs_install(void) {
    real = sqlite3_vfs_find(NULL);
    PS_ASSERT(real != NULL && real != &test);
    test = *real;
    test.pNext = NULL;
    test.zName = "test";
    test.szOsFile = (int)sizeof(File) + real->szOsFile;
    test.xOpen = vfs_open;
    int code = sqlite3_vfs_register(&test, 1);
    PS_ASSERT(code == SQLITE_OK);
}

void test_vfs_arm(TestFault fault, long n, bool lasting) {
    atomic_store(&count, 0);
    atomic_store(&at, n);
    atomic_store(&lasts, lasting);
    atomic_store(&armed, fault);
}

long test_vfs_clear(void) {
    atomic_store(&armed, TEST_FAULT_COUNT);
    return atomic_load(&count);
}
