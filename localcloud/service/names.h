//! Names as AWS's API models allow them. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define PS_THING_NAME_MAX ((size_t)128)
#define PS_SHADOW_NAME_MAX ((size_t)64)
#define PS_JOB_ID_MAX ((size_t)64)
#define PS_TEMPLATE_NAME_MAX ((size_t)36)
#define PS_RULE_NAME_MAX ((size_t)128)

/// 1..128 of [a-zA-Z0-9:_-]; thing groups and thing types too.
bool ps_name_is_thing(const char *name);
/// 1..64 of [a-zA-Z0-9:_-].
bool ps_name_is_shadow(const char *name);
/// 1..64 of [a-zA-Z0-9_-].
bool ps_name_is_job(const char *name);
/// 1..36 of [a-zA-Z0-9_-].
bool ps_name_is_template(const char *name);
/// 1..128 of [a-zA-Z0-9_].
bool ps_name_is_rule(const char *name);

/// The levels of a topic, which is cut in place.
#define PS_LEVELS_MAX 12
typedef struct PsLevels {
    char text[512];
    const char *at[PS_LEVELS_MAX]; ///< the rest are ""
    size_t count;
} PsLevels;

/// False: longer or deeper than any topic of a service.
bool ps_levels_split(PsLevels *levels, const char *topic);
