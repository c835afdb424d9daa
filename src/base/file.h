//! Whole files: read with a limit, write so that a crash leaves the old one or the new one.
//! These calls block; not for the main loop once it runs.
#pragma once

#include "base/buf.h"

#include <sys/types.h>

/// Appends the file's bytes to `buf`. PS_ERR_NOT_FOUND, PS_ERR_DENIED, PS_ERR_TOO_BIG (more than
/// `limit`), PS_ERR_INVALID (a pipe, socket or device, which could keep the reader waiting),
/// PS_ERR_IO: the buffer's content is as before. `diag` (may be NULL) names the path and
/// what to do.
PsErr ps_file_read(const char *path, size_t limit, PsBuf *buf, PsDiag *diag);

/// Writes through a temporary name, fsync, rename, fsync of the folder. `mode` is exact (the
/// umask does not widen or narrow it): 0600 for anything secret.
PsErr ps_file_write(const char *path, const void *bytes, size_t len, mode_t mode, PsDiag *diag);

/// ps_file_write over a file that is there: it keeps its mode and its owner, and a symbolic link
/// stays one. PS_ERR_DENIED also when the owner cannot be kept.
PsErr ps_file_replace(const char *path, const void *bytes, size_t len, PsDiag *diag);

/// The two halves of ps_file_replace, for several files that are to change nearly at once. First
/// the bytes of each are made durable beside it, with its mode and owner (`mode` for a new file):
/// whatever can run out runs out here. Then each takes its name.
PsErr ps_file_stage(const char *path, const void *bytes, size_t len, mode_t mode, PsDiag *diag);
PsErr ps_file_commit(const char *path, PsDiag *diag);
/// Removes what was staged, if anything was.
void ps_file_unstage(const char *path);
#define PS_FILE_STAGED ".penstock-new" ///< behind the path: what it is called meanwhile

/// The `attempt`th name (from 1 on) under which a former file or folder is kept beside the new one:
/// `path`.before-WHAT-TIME, in the local zone. PS_ERR_TOO_BIG, or PS_ERR_EXISTS when so many of the
/// same second are taken that something else is wrong.
PsErr ps_file_name_former(const char *path, const char *what, int attempt, char *ret_path,
                          size_t size, PsDiag *diag);

/// Makes the file when missing and takes every access from others, whatever the umask and the
/// folder's mode are. Whoever opens it next finds out when that was not possible.
void ps_file_keep_private(const char *path);

/// Moves a damaged database and the files SQLite puts beside it out of the way; `ret_path` is where
/// the database is kept now: `path`.damaged-TIME.
void ps_file_set_aside(const char *path, char *ret_path, size_t size);

/// mkdir -p for the last two levels: makes `path` and its parent when missing.
PsErr ps_dir_make(const char *path, mode_t mode, PsDiag *diag);

/// True when the disk of the folder, or of the one it would be made in, is mounted read-only.
bool ps_dir_is_read_only(const char *path);
