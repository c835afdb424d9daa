//! The part of tar that a backup needs: plain files with clean relative names, POSIX ustar
//! (IEEE Std 1003.1-1990, "pax" page, ustar interchange format). Pure; one thread.
#pragma once

#include "base/buf.h"

/// Longest name: 155 bytes of folders, a slash, 100 bytes; with the NUL.
#define PS_TAR_NAME_SIZE 257

typedef struct PsTarEntry {
    char name[PS_TAR_NAME_SIZE];
    const uint8_t *bytes; ///< borrowed from what is read
    size_t len;
} PsTarEntry;

/// Is it a name that stays below the folder it is unpacked in, on every system: UTF-8 without
/// control characters or backslashes, not absolute, no empty part, no "." or ".."?
bool ps_tar_name_is_clean(const char *name);

/// Appends one file with mode 0600. PS_ERR_TOO_BIG when the name does not fit, PS_ERR_INVALID when
/// it is not clean; nothing is appended then.
PsErr ps_tar_put(PsBuf *out, const char *name, const void *bytes, size_t len, int64_t time_s,
                 PsDiag *diag);
/// Appends the end mark.
void ps_tar_end(PsBuf *out);

/// The next file. PS_ERR_NOT_FOUND at the end, which is the end mark and then nothing but zeros;
/// PS_ERR_CORRUPT for everything else that ps_tar_put does not write: links, devices, folders,
/// extensions, names that are not clean, checksums that do not hold, bytes that are missing.
PsErr ps_tar_next(PsReader *reader, PsTarEntry *ret_entry, PsDiag *diag);
