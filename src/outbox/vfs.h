//! A layer between SQLite and its files that sees every operation, and may refuse it. Used by one
//! database at a time; its thread.
#pragma once

#include <sqlite3.h>

typedef enum PsVfsOp {
    PS_VFS_OPEN,
    PS_VFS_READ,
    PS_VFS_WRITE,
    PS_VFS_SYNC,
} PsVfsOp;

/// Told instead of an error: the operation is left out and counts as done.
#define PS_VFS_LEAVE_OUT (-1)

/// Called before the operation. Anything but SQLITE_OK is its result; a write whose `len` was made
/// shorter is still done so far.
typedef int PsVfsHook(PsVfsOp op, int *len, void *ctx);

typedef struct PsVfs {
    sqlite3_vfs base;
    sqlite3_vfs *real; ///< SQLite's default when it was made
    PsVfsHook *hook;
    void *ctx;
    char name[40];
} PsVfs;

/// Registers it under a name of its own (`name`, for sqlite3_open_v2). Stays where it is until
/// ps_vfs_deinit, which comes after the last file is closed. Gives SQLite's result.
int ps_vfs_init(PsVfs *vfs, PsVfsHook *hook, void *ctx);
/// Accepts a zeroed one.
void ps_vfs_deinit(PsVfs *vfs);
