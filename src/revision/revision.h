//! One revision: a configuration that the gateway ran, and who made it so, when and why.
//! Plain data and its JSON; any thread.
#pragma once

#include "base/err.h"
#include "base/time.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum PsRevisionKind {
    PS_REVISION_START, ///< found in the configuration folder when the gateway started
    PS_REVISION_APPLY,
    PS_REVISION_REVERT,           ///< by a person
    PS_REVISION_AUTOMATIC_REVERT, ///< not confirmed in time, or worse than before
} PsRevisionKind;

/// "start", "apply", "revert", "automatic revert". Never NULL.
const char *ps_revision_kind_name(PsRevisionKind kind);

typedef struct PsRevision {
    uint32_t number; ///< from 1, ascending; 0: none
    uint32_t of;     ///< revert: the number whose configuration this is; else 0
    PsRevisionKind kind;
    PsWall time;
    uint64_t bytes; ///< of its files
    char who[64];
    char why[256];     ///< "" when nobody said
    char summary[512]; ///< what differs from the one before it
} PsRevision;

/// {"number", "time", "kind", "of", "who", "why", "summary", "bytes"}; the caller owns it.
json_t *ps_revision_json(const PsRevision *revision);
/// PS_ERR_CORRUPT when a key is missing or of another type.
PsErr ps_revision_from_json(const json_t *json, PsRevision *ret_revision);
