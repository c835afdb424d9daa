//! What the calls about changes of the configuration ask for; the daemon answers. Main thread.
#pragma once

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Longest uploaded candidate.
#define PS_API_UPLOAD_MAX ((size_t)64 * 1024 * 1024)

/// A change somebody wants. Texts are borrowed for the call.
typedef struct PsApiChange {
    const char *who;
    const char *why;  ///< "" when nobody said
    bool revert;      ///< to revision `of`, or the one before when that is 0
    uint32_t of;      ///< number
    uint64_t upload;  ///< of the candidate; 0: the configuration folder as it is
    uint32_t base;    ///< the revision the writer started from; 0: whatever runs
    bool dry_run;     ///< only say what would change
    double confirm_s; ///< 0: for good; else it goes unless confirmed within this time
    double healthy_s; ///< 0: for good; else it goes at the end of this time if something is worse
} PsApiChange;

/// Once, from the loop. `answer` is taken over; NULL with an error.
typedef void PsApiChangeDone(PsErr result, const PsDiag *diag, json_t *answer, void *ctx);

/// What the daemon offers; every call that fails gives a diagnosis, and then calls no `done`.
typedef struct PsApiChanges {
    void *ctx; ///< of all of them
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
