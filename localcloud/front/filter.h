//! Topics and topic filters as AWS IoT Core takes them (developer guide, "MQTT topics" and
//! "differences from MQTT"). Pure.
#pragma once

#include "localcloud/front/property.h"

#include <stdbool.h>
#include <stddef.h>

#define PS_SHARE_PREFIX "$share/"

/// A topic to publish to: not empty, no wildcard, UTF-8 without NUL.
bool ps_topic_is_valid(PsBytes topic);
/// A filter (MQTT 5, 4.7): `+` and `#` fill a level, `#` is the last one. `$share/<name>/<filter>`
/// has a name without wildcards of at most `share_name_max` bytes and a filter behind it.
bool ps_filter_is_valid(PsBytes filter, size_t share_name_max);

/// The filter behind `$share/<name>/`, or the whole filter.
PsBytes ps_filter_without_share(PsBytes filter);
/// The part of a Basic Ingest topic `$aws/rules/<rule>/<rest>` behind the rule, which alone counts
/// for length and slashes; otherwise the whole topic.
PsBytes ps_topic_counted(PsBytes topic);
size_t ps_topic_slashes(PsBytes topic);
bool ps_filter_has_wildcard(PsBytes filter);
bool ps_filter_is_shared(PsBytes filter);

/// Does a subscription to `filter` (with or without `$share/<name>/`) take `topic`? Other than in
/// MQTT, `a/#` does not take `a`. Wildcards at the first level take no topic that begins with `$`.
bool ps_filter_matches(PsBytes filter, PsBytes topic);
/// True for the one topic that MQTT's rule takes and AWS's does not: `a` for `a/#`.
bool ps_filter_is_parent_only(PsBytes filter, PsBytes topic);
