//! A disk that fails on command, for tests: SQLite's own file layer with a fault at the n-th
//! operation of a kind. Any thread.
#pragma once

#include <stdbool.h>

typedef enum TestFault {
    TEST_FAULT_READ,     ///< SQLITE_IOERR_READ
    TEST_FAULT_MEMORY,   ///< a read without memory
    TEST_FAULT_WRITE,    ///< SQLITE_IOERR_WRITE, nothing written
    TEST_FAULT_FULL,     ///< SQLITE_FULL, nothing written
    TEST_FAULT_TORN,     ///< half of it written, then SQLITE_IOERR_WRITE
    TEST_FAULT_READONLY, ///< SQLITE_READONLY on writing
    TEST_FAULT_SYNC,     ///< SQLITE_IOERR_FSYNC
    TEST_FAULT_OPEN,     ///< SQLITE_CANTOPEN
    TEST_FAULT_COUNT,
} TestFault;

const char *test_vfs_fault_name(TestFault fault);

/// Makes it SQLite's default from now on. It never syncs for real.
void test_vfs_install(void);
/// The n-th operation (from 1) of the fault's kind fails, and when it is `lasting` all behind it.
void test_vfs_arm(TestFault fault, long n, bool lasting);
/// Syncs do not return while it is on.
void test_vfs_hold(bool on);
/// No more faults. Returns how many operations of the kind there were since arming.
long test_vfs_clear(void);
