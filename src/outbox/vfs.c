// Passing SQLite's file operations on. Any thread; blocks as the files do.
#include "outbox/vfs.h"

#include "base/err.h"

#include <stdio.h>

typedef struct File {
    sqlite3_file base;
    PsVfs *vfs;
    sqlite3_file *real; // behind this one
} File;

static sqlite3_file *real_of(sqlite3_file *file) {
    return ((File *)file)->real;
}

static int ask(sqlite3_file *file, PsVfsOp op, int *len) {
    PsVfs *vfs = ((File *)file)->vfs;
    return vfs->hook(op, len, vfs->ctx);
}

// ---- a file

static int vfs_close(sqlite3_file *file) {
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int vfs_read(sqlite3_file *file, void *out, int len, sqlite3_int64 from) {
    int code = ask(file, PS_VFS_READ, &len);
    return code != SQLITE_OK ? code : real_of(file)->pMethods->xRead(real_of(file), out, len, from);
}

static int vfs_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 to) {
    int wanted = len;
    int code = ask(file, PS_VFS_WRITE, &len);
    if (code == SQLITE_OK || len < wanted) {
        int written = real_of(file)->pMethods->xWrite(real_of(file), bytes, len, to);
        code = code != SQLITE_OK ? code : written;
    }
    return code;
}

static int vfs_truncate(sqlite3_file *file, sqlite3_int64 size) {
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int vfs_sync(sqlite3_file *file, int flags) {
    int len = 0;
    int code = ask(file, PS_VFS_SYNC, &len);
    if (code == SQLITE_OK) {
        code = real_of(file)->pMethods->xSync(real_of(file), flags);
    }
    return code != PS_VFS_LEAVE_OUT ? code : SQLITE_OK;
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

// Version 1 is enough: a database that is locked for one process needs no shared memory.
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

static int vfs_open(sqlite3_vfs *base, const char *name, sqlite3_file *out, int flags,
                    int *out_flags) {
    PsVfs *vfs = (PsVfs *)base->pAppData;
    File *file = (File *)out;
    *file = (File){.vfs = vfs, .real = (sqlite3_file *)(file + 1)};
    int len = 0;
    int code = vfs->hook(PS_VFS_OPEN, &len, vfs->ctx);
    if (code == SQLITE_OK) {
        code = vfs->real->xOpen(vfs->real, name, file->real, flags, out_flags);
    }
    if (code == SQLITE_OK) {
        file->base.pMethods = &methods;
    }
    return code;
}

// The calls that have no file go to the real layer, which gets itself, as it expects.
static int vfs_delete(sqlite3_vfs *base, const char *name, int sync) {
    PsVfs *vfs = (PsVfs *)base->pAppData;
    return vfs->real->xDelete(vfs->real, name, sync);
}

static int vfs_access(sqlite3_vfs *base, const char *name, int flags, int *out) {
    PsVfs *vfs = (PsVfs *)base->pAppData;
    return vfs->real->xAccess(vfs->real, name, flags, out);
}

static int vfs_full_path(sqlite3_vfs *base, const char *name, int size, char *out) {
    PsVfs *vfs = (PsVfs *)base->pAppData;
    return vfs->real->xFullPathname(vfs->real, name, size, out);
}

int ps_vfs_init(PsVfs *vfs, PsVfsHook *hook, void *ctx) {
    sqlite3_vfs *real = sqlite3_vfs_find(NULL);
    if (real == NULL) {
        return SQLITE_ERROR;
    }
    *vfs = (PsVfs){.base = *real, .real = real, .hook = hook, .ctx = ctx};
    snprintf(vfs->name, sizeof vfs->name, "penstock-%p", (void *)vfs);
    vfs->base.pNext = NULL;
    vfs->base.pAppData = vfs;
    vfs->base.zName = vfs->name;
    vfs->base.szOsFile = (int)sizeof(File) + real->szOsFile;
    vfs->base.xOpen = vfs_open;
    vfs->base.xDelete = vfs_delete;
    vfs->base.xAccess = vfs_access;
    vfs->base.xFullPathname = vfs_full_path;
    return sqlite3_vfs_register(&vfs->base, 0);
}

void ps_vfs_deinit(PsVfs *vfs) {
    if (vfs->real != NULL) {
        sqlite3_vfs_unregister(&vfs->base);
        *vfs = (PsVfs){0};
    }
}
