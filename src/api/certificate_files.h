//! The certificates and keys of a gateway on the disk: CONFIG/certs/, and those that the
//! configuration names elsewhere. Blocks; a worker thread. Inside src/api only.
#pragma once

#include "api/pem.h"
#include "model/config.h"

#include <jansson.h>

#define PS_CERTIFICATES_FOLDER "certs" ///< below the configuration folder
#define PS_CERTIFICATE_FILES_MAX 500

/// One file.
typedef struct PsCertificateFile {
    char path[280]; ///< below the configuration folder, or absolute
    bool sound;     ///< `pem` says what it is
    PsPem pem;
    char problem[384]; ///< why not
} PsCertificateFile;

typedef struct PsCertificateFiles {
    PsCertificateFile *files;
    size_t count;
    bool more; ///< there are more than PS_CERTIFICATE_FILES_MAX
} PsCertificateFiles;

/// Reads all of them.
void ps_certificate_files_read(const PsConfig *config, PsCertificateFiles *ret_files);
void ps_certificate_files_deinit(PsCertificateFiles *files);

/// {"path", "kind", "subject", "issuer", "not_before", "not_after", "days_left", "fingerprint",
/// "key_type", "certificates", "fits": [paths], "used_by": [...], "problem"}; of a key only path,
/// kind, key_type, fits, used_by and problem. `kind` "other" when it is neither. The caller owns
/// it.
json_t *ps_certificate_file_json(const PsCertificateFiles *files, const PsConfig *config,
                                 const PsCertificateFile *file);

/// ["cloud: cert", ...]: where the configuration names the file. The caller owns it.
json_t *ps_certificate_users(const PsConfig *config, const char *path);

/// A name of a file, without folder: letters, digits, dot, hyphen, underscore.
bool ps_certificate_name_ok(const char *name);
/// Writes it, 0600, the old or the new one whole. The folder is made when it is missing.
PsErr ps_certificate_file_write(const char *folder, const char *name, const void *text, size_t len,
                                PsDiag *diag);
/// PS_ERR_NOT_FOUND, PS_ERR_DENIED, PS_ERR_IO.
PsErr ps_certificate_file_remove(const char *folder, const char *name, PsDiag *diag);
