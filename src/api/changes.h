//! What the calls about changes of the configuration ask for; the daemon answers. Main thread.
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "model/findings.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Longest uploaded candidate.
#define PS_API_UPLOAD_MAX ((size_t)64 * 1024 * 1024)

/// Makes the new penstock.json out of the running one. On a worker thread; what it is wrong with is
/// among `findings`, or in `diag`.
typedef PsErr PsApiRewrite(const void *json, size_t len, PsBuf *out, PsFindings *findings,
                           PsDiag *diag, void *ctx);

/// A change somebody wants. Texts are borrowed for the call.
typedef struct PsApiChange {
    const char *who;
    const char *why; ///< "" when nobody said
    bool revert;     ///< to revision `of`, or the one before when that is 0
    uint32_t of;     ///< number
    uint64_t upload; ///< of the candidate; 0: none
    json_t *edits;   ///< of the running configuration, as of model/edit.h; taken over. NULL: none
    PsApiRewrite *rewrite; ///< of the running configuration; NULL: none
    void *rewrite_ctx;     ///< until `done`
    uint32_t base;         ///< the revision the writer started from; 0: whatever runs
    bool keep_web;         ///< the writer is no administrator: refused when the block web would be
                           ///< another, or a file of a secret outside the folder would be named
    bool dry_run;          ///< only say what would change
    double confirm_s;      ///< 0: for good; else it goes unless confirmed within this time
    double healthy_s; ///< 0: for good; else it goes at the end of this time if something is worse
} PsApiChange;

/// Once, from the loop. `answer` is taken over; NULL with an error.
typedef void PsApiChangeDone(PsErr result, const PsDiag *diag, json_t *answer, void *ctx);

/// What the daemon offers; every call that fails gives a diagnosis, and then calls no `done`.
typedef struct PsApiChanges {
    void *ctx; ///< of all of them
    /// Without edits, rewrite, upload and revert it is the configuration folder as it is.
    PsErr (*change)(const PsApiChange *change, PsApiChangeDone *done, void *done_ctx, void *ctx,
                    PsDiag *diag);
    /// A piece of a candidate: `upload` 0 for the first, then what it was given.
    PsErr (*upload)(uint64_t upload, const char *who, const char *text, size_t len,
                    uint64_t *ret_upload, void *ctx, PsDiag *diag);
    PsErr (*confirm)(const char *who, PsApiChangeDone *done, void *done_ctx, void *ctx,
                     PsDiag *diag);
    /// A kept revision with its difference.
    PsErr (*revision)(uint32_t number, PsApiChangeDone *done, void *done_ctx, void *ctx,
                      PsDiag *diag);
    json_t *(*revisions)(void *ctx); ///< all that are kept
    json_t *(*progress)(void *ctx);  ///< who does what at the moment
    json_t *(*running)(void *ctx);   ///< which one runs, for `status`
} PsApiChanges;
