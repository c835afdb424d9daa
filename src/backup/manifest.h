//! manifest.json of a backup: what is in it, with size and SHA-256, and what is not.
//! Pure; one thread.
#pragma once

#include "backup/archive.h"

#include <jansson.h>

#define PS_MANIFEST_NAME "manifest.json"
#define PS_MANIFEST_BYTES_MAX ((size_t)8 * 1024 * 1024)
#define PS_MANIFEST_FORMAT "penstock-backup"
#define PS_MANIFEST_SECRETS_FORMAT "penstock-backup-secrets"
#define PS_MANIFEST_FOLDER "config/"     ///< before every name of the configuration folder
#define PS_MANIFEST_SEALED "secrets.cms" ///< the sealed part
#define PS_MANIFEST_CONFIRMS "confirms"  ///< key in the sealed manifest: ps_manifest_digest

/// Begins one; the caller owns it. `format` is one of the two above.
json_t *ps_manifest_new(const char *format, const PsArchive *archive);
/// Adds a row to its list of files.
void ps_manifest_put_file(json_t *manifest, const char *name, const void *bytes, size_t len);
/// Its text, with a newline.
void ps_manifest_write(const json_t *manifest, PsBuf *out);

/// Reads and checks the head: a format that is ours and a version that can be read, then the
/// gateway's version and the time into `archive`, and the gaps. The caller owns the result; NULL
/// after filling `diag`, `ret_err` says why.
json_t *ps_manifest_read(const char *format, const void *text, size_t len, PsArchive *archive,
                         PsErr *ret_err, PsDiag *diag);
/// Is this the next file of the list: name, size, SHA-256? `index` counts from 0. PS_ERR_CORRUPT.
PsErr ps_manifest_check_file(const json_t *manifest, size_t index, const char *name,
                             const void *bytes, size_t len, PsDiag *diag);
size_t ps_manifest_count(const json_t *manifest);

/// SHA-256 over the list of files without the sealed part: whoever has it can tell whether one of
/// them was exchanged.
void ps_manifest_digest(const json_t *manifest, char digest[65]);

/// SHA-256 as 64 hexadecimal digits and a NUL.
void ps_sha256_hex(const void *bytes, size_t len, char out[65]);
