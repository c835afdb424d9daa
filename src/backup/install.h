//! Installs a whole configuration folder at once: it is written beside the one that is there, then
//! the two change places in one step of the file system. A crash at any moment leaves the old
//! folder or the new one, whole. Blocks. One thread.
#pragma once

#include "base/buf.h"

#include <limits.h>
#include <stdbool.h>

typedef struct PsInstall {
    char folder[PATH_MAX - 64]; ///< the configuration folder, without symbolic links
    char staging[PATH_MAX];     ///< the new one beside it; "" when there is none
} PsInstall;

/// Makes an empty folder beside `folder`, which only its owner can look into until it is complete.
/// Errors say what stands in the way: no such parent, no permission.
PsErr ps_install_begin(const char *folder, PsInstall *ret_install, PsDiag *diag);

/// Writes a file of the new folder, synced. It takes owner and mode of the file it replaces, else
/// the folder's owner; a secret one has mode 0600 in any case. `name` is clean (backup/tar.h).
PsErr ps_install_put(const PsInstall *install, const char *name, bool secret, const void *bytes,
                     size_t len, PsDiag *diag);
/// Takes a file of the new folder away again.
void ps_install_drop(const PsInstall *install, const char *name);

/// Reads a file of the folder that is to be replaced. PS_ERR_NOT_FOUND when there is none.
PsErr ps_install_read_old(const PsInstall *install, const char *name, size_t limit, PsBuf *bytes,
                          PsDiag *diag);

/// Puts the new folder in its place. `ret_former` is where the old one is kept; "" when there was
/// none. On failure the old one stands as before.
PsErr ps_install_finish(PsInstall *install, char *ret_former, size_t size, PsDiag *diag);

/// Removes the new folder unless it was installed.
void ps_install_deinit(PsInstall *install);
