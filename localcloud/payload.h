//! A message as text for a terminal or a program. Pure.
#pragma once

#include "base/buf.h"
#include "base/time.h"
#include "localcloud/client.h"

#include <stdbool.h>

typedef enum PsPayloadFormat {
    PS_PAYLOAD_LINE,   ///< HH:MM:SS.mmm  topic  payload, on one line
    PS_PAYLOAD_PRETTY, ///< the same, JSON on several indented lines
    PS_PAYLOAD_JSON,   ///< one JSON object a line: time, direction, topic, qos, payload
} PsPayloadFormat;

/// Appends the message with its newline. `sent` marks messages of the console's own. Control
/// bytes are escaped, so that a message cannot play tricks on the terminal; bytes that are not
/// UTF-8 are shown as hex. Numbers in JSON keep the digits they came with.
void ps_payload_put(PsBuf *out, PsPayloadFormat format, PsWall time, bool sent,
                    const PsCloudMessage *message);
