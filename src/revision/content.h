//! What a configuration consists of on the disk: penstock.json and the scripts it names, byte for
//! byte. Certificates and keys are not part of it: they are named by path and stay where they are.
//! One thread at a time; reading and loading block.
#pragma once

#include "model/config.h"

typedef struct PsContentFile {
    char *path; ///< as in penstock.json: below the configuration folder, or absolute
    PsBuf bytes;
} PsContentFile;

/// Zero-initialised is empty and valid. The first file is penstock.json.
typedef struct PsContent {
    PsContentFile *files;
    size_t count;
} PsContent;

void ps_content_deinit(PsContent *content);
/// Moves the bytes in. `path` is copied.
void ps_content_put(PsContent *content, const char *path, PsBuf *bytes);
/// Borrowed, or NULL.
const PsContentFile *ps_content_find(const PsContent *content, const char *path);
bool ps_content_equal(const PsContent *a, const PsContent *b);

/// Loads and checks `content` as the configuration of `folder`: scripts that it does not have are
/// read from the disk, and `content` has them afterwards. As ps_config_load otherwise.
PsErr ps_content_load(PsContent *content, const char *folder, PsVariableCheckFor *check_for,
                      PsFindings *findings, PsConfig **ret_config);
/// Reads penstock.json of the folder into an empty `content`. A file that cannot be read is a
/// finding, as with ps_config_load.
PsErr ps_content_read(PsContent *content, const char *folder, PsFindings *findings);

/// The path of a file on the disk into `out` (PATH_MAX bytes). PS_ERR_TOO_BIG.
PsErr ps_content_path(const char *folder, const char *path, char *out, PsDiag *diag);

#define PS_AUTO_CONTENT __attribute__((cleanup(ps_content_deinit)))
