//! MQTT topic names and filters: well-formed, within AWS IoT's limits, matching. Pure.
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/// AWS IoT: 256 bytes of UTF-8, at most 7 slashes (AWS IoT Core quotas). `$aws/rules/<rule>/`
/// (Basic Ingest) counts for neither.
#define PS_AWS_TOPIC_BYTES 256
#define PS_AWS_TOPIC_SLASHES 7
/// The largest payload of one publish (AWS IoT Core quotas).
#define PS_AWS_PAYLOAD_BYTES ((size_t)128 * 1024)

/// A topic to publish to (MQTT 3.1.1, 4.7): not empty, no wildcard, UTF-8 without control and
/// non-characters (1.5.3), at most 65,535 bytes; with `aws` also AWS IoT's limits. `diag` (may be
/// NULL) gets text only.
PsErr ps_topic_check_name(const char *topic, bool aws, PsDiag *diag);
/// A filter to subscribe to: `+` and `#` only as whole levels, `#` only last.
PsErr ps_topic_check_filter(const char *filter, bool aws, PsDiag *diag);
/// Does the filter take the topic? Topics that begin with `$` are not taken by a leading wildcard.
bool ps_topic_matches(const char *filter, const char *topic);
