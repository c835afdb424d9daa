//! The audit log: who did what, from where, with which result. Thread of the loop; the file is
//! written on a worker thread, in the order of the puts. Inside src/access only.
//!
//! At most PS_AUDIT_WAITING_MAX lines wait for the disk. Further ones are lost: that is said in the
//! log, and their number is written as a line of its own when the disk takes lines again.
#pragma once

#include "access/audit_file.h"

#define PS_AUDIT_WAITING_MAX 2000
#define PS_AUDIT_QUERIES_MAX 8

typedef struct PsAudit PsAudit;

/// Never fails: a folder that cannot be written is tried again with each line. Blocks.
PsAudit *ps_audit_open(uv_loop_t *loop, const char *folder);
/// What waits is written and queries are answered with PS_ERR_CANCELLED while the loop runs on;
/// then the memory goes. Accepts NULL.
void ps_audit_close(PsAudit *audit);

typedef struct PsAuditLine {
    const char *who; ///< texts may be NULL, are cut, and are made UTF-8
    const char *from;
    const char *what;
    const char *object;
    const char *result;
    const char *detail;
} PsAuditLine;

/// Copies; never waits.
void ps_audit_put(PsAudit *audit, const PsAuditLine *line, PsWall now);
/// See ps_access_audit_find.
void ps_audit_find(PsAudit *audit, const PsAuditQuery *query, PsAccessDone *done, void *ctx);
