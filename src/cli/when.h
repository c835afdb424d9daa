//! Moments and lengths of time as people type them. Pure, but for the local time zone.
#pragma once

#include "base/time.h"

#include <stdbool.h>

/// "90s", "30m", "2h", "7d" in seconds, at most ten years; false for anything else.
bool cli_length_parse(const char *text, long long *ret_seconds);

/// "2026-01-31", "2026-01-31 17:30", "2026-01-31 17:30:05" (a T may stand for the blank) in the
/// local zone, or a length: so long before `now`. `ends` gives the end of the day, minute or second
/// that is named, so that a range includes it. False for anything else.
bool cli_when_parse(const char *text, PsWall now, bool ends, PsWall *ret_time);
