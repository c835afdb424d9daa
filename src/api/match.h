//! Which route a path and a method mean. Pure. Inside src/api only.
#pragma once

#include "api/route.h"
#include "http/target.h"

#include <stdbool.h>

#define PS_API_PATH_PARAMETERS 4
#define PS_API_ALLOW_SIZE 64

typedef struct PsApiMatch {
    const PsApiRoute *route;                    ///< NULL: the path is one, the method is not
    const char *values[PS_API_PATH_PARAMETERS]; ///< of the path's parameters in their order;
                                                ///< inside the target
    char allow[PS_API_ALLOW_SIZE];              ///< methods of the path, "GET, HEAD, PUT"
} PsApiMatch;

/// False when no route has the path. Where several fit, the one with fixed words earlier counts.
/// `local`: the Unix socket, which also has the routes that are not for others.
bool ps_api_match(const PsTarget *target, const char *method, bool local, PsApiMatch *ret_match);
