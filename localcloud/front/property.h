//! Properties of MQTT 5 packets (MQTT 5, 2.2.2): checked, looked up, copied, put together. Pure.
#pragma once

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Borrowed bytes; not terminated.
typedef struct PsBytes {
    const uint8_t *data;
    size_t len;
} PsBytes;

static inline PsBytes ps_bytes(const void *data, size_t len) {
    return (PsBytes){data, len};
}

bool ps_bytes_are(PsBytes bytes, const char *text);
bool ps_bytes_begin(PsBytes bytes, const char *text);

/// The numbers are those of the standard.
typedef enum PsProperty {
    PS_PROPERTY_PAYLOAD_FORMAT = 0x01,
    PS_PROPERTY_MESSAGE_EXPIRY = 0x02,
    PS_PROPERTY_CONTENT_TYPE = 0x03,
    PS_PROPERTY_RESPONSE_TOPIC = 0x08,
    PS_PROPERTY_CORRELATION_DATA = 0x09,
    PS_PROPERTY_SUBSCRIPTION_ID = 0x0B,
    PS_PROPERTY_SESSION_EXPIRY = 0x11,
    PS_PROPERTY_ASSIGNED_ID = 0x12,
    PS_PROPERTY_SERVER_KEEP_ALIVE = 0x13,
    PS_PROPERTY_AUTH_METHOD = 0x15,
    PS_PROPERTY_AUTH_DATA = 0x16,
    PS_PROPERTY_REQUEST_PROBLEM = 0x17,
    PS_PROPERTY_WILL_DELAY = 0x18,
    PS_PROPERTY_REQUEST_RESPONSE = 0x19,
    PS_PROPERTY_RESPONSE_INFORMATION = 0x1A,
    PS_PROPERTY_SERVER_REFERENCE = 0x1C,
    PS_PROPERTY_REASON_STRING = 0x1F,
    PS_PROPERTY_RECEIVE_MAXIMUM = 0x21,
    PS_PROPERTY_TOPIC_ALIAS_MAXIMUM = 0x22,
    PS_PROPERTY_TOPIC_ALIAS = 0x23,
    PS_PROPERTY_MAXIMUM_QOS = 0x24,
    PS_PROPERTY_RETAIN_AVAILABLE = 0x25,
    PS_PROPERTY_USER = 0x26,
    PS_PROPERTY_MAXIMUM_PACKET = 0x27,
    PS_PROPERTY_WILDCARD_AVAILABLE = 0x28,
    PS_PROPERTY_SUBSCRIPTION_IDS_AVAILABLE = 0x29,
    PS_PROPERTY_SHARED_AVAILABLE = 0x2A,
    PS_PROPERTY_COUNT = 0x2B,
} PsProperty;

/// Where a property may stand: the packet's type as bit number, and this for the will.
#define PS_PROPERTY_IN_WILL 16

/// The properties of one packet. Zero-initialised is none.
typedef struct PsProps {
    PsBytes raw;      ///< without the length in front
    uint64_t present; ///< bit per PsProperty
} PsProps;

/// Reads length and properties at the reader's place and checks them: known, allowed in `place` (a
/// PsPacketType or PS_PROPERTY_IN_WILL), not twice, values as the standard wants them. Gives NULL,
/// or static words for what is wrong; `*ret_malformed` then says whether the bytes are broken (else
/// the protocol is).
const char *ps_props_read(PsReader *reader, unsigned place, PsProps *ret_props,
                          bool *ret_malformed);

static inline bool ps_props_have(const PsProps *props, PsProperty property) {
    return (props->present >> property & 1) != 0;
}

/// The number, or `otherwise` when it is not there.
uint32_t ps_props_number(const PsProps *props, PsProperty property, uint32_t otherwise);
/// The text or bytes; empty when it is not there.
PsBytes ps_props_text(const PsProps *props, PsProperty property);
/// Appends all but those whose bit is set in `without`.
void ps_props_copy(PsBuf *out, const PsProps *props, uint64_t without);

/// Appends one property with its identifier.
void ps_props_put_number(PsBuf *out, PsProperty property, uint32_t value);
void ps_props_put_text(PsBuf *out, PsProperty property, PsBytes text);
/// A user property.
void ps_props_put_pair(PsBuf *out, PsBytes name, PsBytes value);

// ---- Primitives of MQTT (MQTT 5, 1.5), for packet*.c

/// Big-endian and variable length numbers, and length-prefixed bytes. Getters fail like PsReader's.
uint16_t ps_mqtt_get_u16(PsReader *reader);
uint32_t ps_mqtt_get_varint(PsReader *reader);
PsBytes ps_mqtt_get_bytes(PsReader *reader);
void ps_mqtt_put_u16(PsBuf *out, uint16_t value);
void ps_mqtt_put_varint(PsBuf *out, uint32_t value);
void ps_mqtt_put_bytes(PsBuf *out, PsBytes bytes);
size_t ps_mqtt_varint_len(uint32_t value);
/// UTF-8 without NUL (MQTT 5, 1.5.4).
bool ps_mqtt_is_text(PsBytes bytes);
