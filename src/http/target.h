//! The request target: path and query as they were sent, taken apart and percent-decoded. Pure;
//! bytes from outside, see tests/fuzz/fuzz_cloud_request.c.
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/// Longest target that is read. A topic has 256 bytes, three for each when encoded.
#define PS_TARGET_MAX 8192
#define PS_TARGET_SEGMENTS 20
#define PS_TARGET_QUERY 24

typedef struct PsTargetPair {
    const char *name;
    const char *value; ///< "" for a name without '='
} PsTargetPair;

/// All texts are inside `text`, decoded, UTF-8, without NUL.
typedef struct PsTarget {
    char text[PS_TARGET_MAX + 1];
    const char *segments[PS_TARGET_SEGMENTS]; ///< of the path, in order, decoded one by one
    size_t segment_count;
    PsTargetPair query[PS_TARGET_QUERY];
    size_t query_count;
} PsTarget;

/// PS_ERR_TOO_BIG (longer than PS_TARGET_MAX, more segments or pairs than fit), PS_ERR_INVALID (no
/// slash in front, a '%' without two hex digits, %00, not UTF-8).
PsErr ps_target_read(const char *raw, PsTarget *target);

/// Does the path fit "/things/{thingName}/shadow"? "{topic+}" as the last part takes the rest with
/// its slashes. Parameters go to `ret_parameters` (`most` of them) in their order. `joined` must be
/// PS_TARGET_MAX + 1 bytes for the rest; it may be changed also when nothing fits.
bool ps_target_fits(const PsTarget *target, const char *path, const char **ret_parameters,
                    size_t most, char *joined);
