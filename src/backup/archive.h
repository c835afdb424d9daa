//! A backup as bytes: a tar.gz that holds manifest.json, then config/penstock.json and the files it
//! names, and, when it was made with a passphrase, secrets.cms: one more tar with keys and
//! passwords, sealed (backup/seal.h). docs/backup.md describes the format. Nothing here touches a
//! file. One thread.
#pragma once

#include "base/buf.h"

#include <stdint.h>

/// Format that is written; the newest one that is read.
#define PS_ARCHIVE_VERSION 1
/// Largest archive, packed and unpacked: a configuration of the largest size and its scripts.
#define PS_ARCHIVE_BYTES_MAX ((size_t)128 * 1024 * 1024)
#define PS_ARCHIVE_UNPACKED_MAX ((size_t)384 * 1024 * 1024)
/// Most files of one archive.
#define PS_ARCHIVE_FILES_MAX 10000

typedef struct PsArchiveFile {
    char *name;  ///< below the configuration folder: "scripts/upload.py"
    bool secret; ///< belongs into the sealed part
    PsBuf bytes;
} PsArchiveFile;

/// Something the configuration uses and the open part of the archive does not have.
typedef struct PsArchiveGap {
    char *name; ///< below the folder, else the whole path
    char *why;  ///< one of PS_GAP_...
} PsArchiveGap;

#define PS_GAP_SECRET "secret"   ///< made without the secrets
#define PS_GAP_SEALED "sealed"   ///< stands in the sealed part only
#define PS_GAP_OUTSIDE "outside" ///< lies outside the configuration folder
#define PS_GAP_MISSING "missing" ///< was not there

/// Zero-initialised is empty and valid.
typedef struct PsArchive {
    PsArchiveFile *files;
    size_t file_count;
    PsArchiveGap *gaps;
    size_t gap_count;
    char gateway[64];  ///< version of the gateway that made it
    int64_t created_s; ///< since 1970
    PsBuf sealed;      ///< read but not opened yet; empty: there are no secrets
    char digest[65];   ///< of what is not secret, which the sealed part confirms
} PsArchive;

void ps_archive_deinit(PsArchive *archive);
/// Takes the bytes over and leaves `bytes` empty.
void ps_archive_put(PsArchive *archive, const char *name, bool secret, PsBuf *bytes);
void ps_archive_put_gap(PsArchive *archive, const char *name, const char *why);
/// Borrowed, or NULL.
PsArchiveFile *ps_archive_find(const PsArchive *archive, const char *name);
const PsArchiveGap *ps_archive_find_gap(const PsArchive *archive, const char *name);
/// How many files are secret.
size_t ps_archive_secrets(const PsArchive *archive);

/// Appends the archive. `passphrase` NULL leaves the secret files out and says so in the manifest.
/// Errors of ps_tar_put and ps_seal.
PsErr ps_archive_write(const PsArchive *archive, const char *passphrase, PsBuf *out, PsDiag *diag);

/// Reads and verifies everything that is seen without the passphrase: packing, names, sizes, check
/// sums, that each file is in the manifest and nothing is besides. PS_ERR_INVALID: no backup;
/// PS_ERR_UNSUPPORTED: of a newer format; PS_ERR_CORRUPT, PS_ERR_TOO_BIG. `ret_archive` is
/// zero-initialised by the caller and untouched on failure.
PsErr ps_archive_read(const void *bytes, size_t len, PsArchive *ret_archive, PsDiag *diag);

/// Opens the sealed part: its files join the others, `sealed` is empty then. Confirms that nothing
/// beside it was exchanged. PS_ERR_DENIED: wrong passphrase; PS_ERR_CORRUPT.
PsErr ps_archive_open(PsArchive *archive, const char *passphrase, PsDiag *diag);
