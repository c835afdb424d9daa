//! The files of the audit log: one JSON object a line in audit.jsonl, former ones in audit.jsonl.1
//! (the newest) and so on. These calls block; one at a time, worker threads. Inside src/access
//! only.
#pragma once

#include "access/access.h"
#include "base/buf.h"

#include <limits.h>
#include <stdatomic.h>

#define PS_AUDIT_FILE "audit.jsonl"
#define PS_AUDIT_FILE_BYTES ((size_t)2 * 1024 * 1024) ///< then it becomes a former one
#define PS_AUDIT_FILES 5                              ///< with the one that is written
#define PS_AUDIT_LINE_MAX ((size_t)4096)

typedef struct PsAuditFile {
    char path[PATH_MAX - 16];
    size_t file_bytes; ///< PS_AUDIT_FILE_BYTES; smaller in tests
    int files;
} PsAuditFile;

/// Ends a line that a power cut has left open, and gives the newest id there is, 0 for none.
/// PS_ERR_IO, PS_ERR_DENIED.
PsErr ps_audit_file_open(PsAuditFile *file, const char *folder, int64_t *ret_id, PsDiag *diag);
/// Appends whole lines and makes them durable; makes a former file of one that is full before.
/// Nothing, or all of it: what a full disk took in part is cut off again.
PsErr ps_audit_file_put(const PsAuditFile *file, const void *lines, size_t len, PsDiag *diag);
/// See ps_access_audit_find. The caller owns the answer. Lines that are none are left out.
PsErr ps_audit_file_find(const PsAuditFile *file, const PsAuditQuery *query, json_t **ret_answer,
                         PsDiag *diag);
