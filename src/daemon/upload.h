//! A candidate that comes over the command socket in pieces: one at a time, the next may begin when
//! the one before was fetched, or left alone for a minute. Main thread.
#pragma once

#include "api/changes.h"
#include "base/buf.h"
#include "base/time.h"

/// Zero-initialised is empty and valid.
typedef struct PsUploads {
    PsBuf text;
    uint64_t id; ///< of the present one; 0: none
    uint64_t last;
    char who[64];
    PsMono heard;
} PsUploads;

void ps_uploads_deinit(PsUploads *uploads);
/// As PsApiChanges.upload. PS_ERR_BUSY, PS_ERR_TOO_BIG, PS_ERR_NOT_FOUND.
PsErr ps_uploads_add(PsUploads *uploads, uint64_t id, const char *who, const char *text, size_t len,
                     PsMono now, uint64_t *ret_id, PsDiag *diag);
/// Moves the whole out. PS_ERR_NOT_FOUND when it is not the present one of this user.
PsErr ps_uploads_take(PsUploads *uploads, uint64_t id, const char *who, PsBuf *ret_text,
                      PsDiag *diag);
