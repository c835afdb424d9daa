//! MQTT 3.1.1 and 5 packets as bytes: taken apart and put together, for both directions. Pure: no
//! I/O, no clock, no log, and no opinion of AWS, which is in the client_*.c files.
//!
//! Written from the OASIS standards "MQTT Version 3.1.1" and "MQTT Version 5.0"; nothing is shared
//! with the gateway's MQTT, so that the two cannot share a misunderstanding.
#pragma once

#include "base/buf.h"
#include "localcloud/front/property.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PS_MQTT_3 4 ///< protocol level of MQTT 3.1.1
#define PS_MQTT_5 5

typedef enum PsPacketType {
    PS_PACKET_CONNECT = 1,
    PS_PACKET_CONNACK,
    PS_PACKET_PUBLISH,
    PS_PACKET_PUBACK,
    PS_PACKET_PUBREC,
    PS_PACKET_PUBREL,
    PS_PACKET_PUBCOMP,
    PS_PACKET_SUBSCRIBE,
    PS_PACKET_SUBACK,
    PS_PACKET_UNSUBSCRIBE,
    PS_PACKET_UNSUBACK,
    PS_PACKET_PINGREQ,
    PS_PACKET_PINGRESP,
    PS_PACKET_DISCONNECT,
    PS_PACKET_AUTH,
} PsPacketType;

/// "PUBLISH". Never NULL.
const char *ps_packet_name(PsPacketType type);

/// Reason codes of MQTT 5, as far as this cloud uses them (MQTT 5, 2.4).
typedef enum PsReason {
    PS_REASON_SUCCESS = 0x00,
    PS_REASON_WITH_WILL = 0x04,
    PS_REASON_NO_SUBSCRIBERS = 0x10,
    PS_REASON_NO_SUBSCRIPTION = 0x11,
    PS_REASON_UNSPECIFIED = 0x80,
    PS_REASON_MALFORMED = 0x81,
    PS_REASON_PROTOCOL = 0x82,
    PS_REASON_VERSION = 0x84,
    PS_REASON_CLIENT_ID = 0x85,
    PS_REASON_NOT_AUTHORIZED = 0x87,
    PS_REASON_SHUTTING_DOWN = 0x8B,
    PS_REASON_KEEP_ALIVE = 0x8D,
    PS_REASON_TAKEN_OVER = 0x8E,
    PS_REASON_FILTER = 0x8F,
    PS_REASON_TOPIC = 0x90,
    PS_REASON_ID_IN_USE = 0x91,
    PS_REASON_RECEIVE_MAX = 0x93,
    PS_REASON_TOPIC_ALIAS = 0x94,
    PS_REASON_TOO_LARGE = 0x95,
    PS_REASON_QUOTA = 0x97,
    PS_REASON_ADMINISTRATIVE = 0x98,
    PS_REASON_PAYLOAD_FORMAT = 0x99,
    PS_REASON_QOS = 0x9B,
    PS_REASON_SUBSCRIPTION_IDS = 0xA1,
} PsReason;

/// Why a packet is not one: the code an MQTT 5 peer may be told, and static words for a person.
typedef struct PsPacketFault {
    PsReason reason;
    const char *text;
} PsPacketFault;

// ---- Frames

/// Is there a whole packet at the start of `data`? PS_OK and its length; PS_ERR_BUSY: more bytes
/// are needed; PS_ERR_PROTOCOL: no packet starts like this (`ret_fault` says why); PS_ERR_TOO_BIG:
/// it will be longer than `most` bytes.
PsErr ps_packet_frame(const uint8_t *data, size_t len, size_t most, size_t *ret_len,
                      PsPacketFault *ret_fault);

/// Bytes of one direction, until they are whole packets. Zero-initialised is empty.
typedef struct PsPacketQueue {
    PsBuf bytes;
    size_t at; ///< start of what has not been taken
} PsPacketQueue;

void ps_packet_queue_deinit(PsPacketQueue *queue);
void ps_packet_queue_put(PsPacketQueue *queue, const uint8_t *data, size_t len);
/// The next whole packet, borrowed until the next call. Otherwise as ps_packet_frame.
PsErr ps_packet_queue_next(PsPacketQueue *queue, size_t most, PsBytes *ret_packet,
                           PsPacketFault *ret_fault);
/// Bytes that have not been taken.
size_t ps_packet_queue_len(const PsPacketQueue *queue);

// ---- Taking apart

typedef struct PsPacketWill {
    PsBytes topic;
    PsBytes payload;
    PsProps props;
    uint8_t qos;
    bool retain;
} PsPacketWill;

typedef struct PsPacketConnect {
    PsBytes client_id; ///< may be empty
    PsPacketWill will; ///< when has_will
    uint16_t keep_alive;
    bool clean; ///< Clean Session (3.1.1), Clean Start (5)
    bool has_will;
    bool has_user_name;
    bool has_password;
} PsPacketConnect;

typedef struct PsPacketPublish {
    PsBytes topic; ///< empty only with a topic alias
    PsBytes payload;
    uint8_t qos;
    bool retain;
    bool dup;
} PsPacketPublish;

/// One packet; all bytes are borrowed from what was parsed.
typedef struct PsPacket {
    PsPacketType type;
    uint8_t version;
    uint8_t reason;     ///< CONNACK, PUBACK and its like, DISCONNECT, AUTH; 0 when absent
    uint16_t packet_id; ///< 0: the packet has none
    bool session_present;
    PsBytes raw;   ///< the whole packet
    PsProps props; ///< empty for 3.1.1
    PsBytes list;  ///< filters of (UN)SUBSCRIBE, codes of (UN)SUBACK: see the cursor
    size_t count;  ///< entries of `list`
    union {
        PsPacketConnect connect;
        PsPacketPublish publish;
    };
} PsPacket;

/// Takes one whole packet apart. `version` is that of the connection; a CONNECT brings its own.
/// PS_ERR_PROTOCOL: malformed, `ret_fault` says how. PS_ERR_UNSUPPORTED: a CONNECT of a protocol
/// that is neither 3.1.1 nor 5. What a text or a number means is not judged here: topics and
/// filters are UTF-8 without NUL, no more.
PsErr ps_packet_parse(PsBytes raw, uint8_t version, PsPacket *ret_packet, PsPacketFault *ret_fault);

/// Walks the filters of a parsed SUBSCRIBE or UNSUBSCRIBE.
typedef struct PsFilterCursor {
    PsReader reader;
    bool with_options;
} PsFilterCursor;

PsFilterCursor ps_filter_cursor(const PsPacket *packet);
/// False after the last one. `ret_options` is the options byte of SUBSCRIBE: bits 0 and 1 QoS, for
/// MQTT 5 also 2 No Local, 3 Retain As Published, 4 and 5 Retain Handling.
bool ps_filter_cursor_next(PsFilterCursor *cursor, PsBytes *ret_filter, uint8_t *ret_options);

#define PS_SUBSCRIBE_QOS 0x03
#define PS_SUBSCRIBE_NO_LOCAL 0x04
#define PS_SUBSCRIBE_RETAIN_AS_PUBLISHED 0x08

// ---- Putting together: each call appends one whole packet. `props` are encoded properties
// (property.h), without their length; ignored for 3.1.1.

typedef struct PsConnectOrder {
    uint8_t version;
    PsBytes client_id;
    uint16_t keep_alive;
    bool clean;
    PsBytes props;
    const PsPacketWill *will; ///< NULL: none
    PsBytes will_props;
} PsConnectOrder;

void ps_packet_put_connect(PsBuf *out, const PsConnectOrder *order);
void ps_packet_put_connack(PsBuf *out, uint8_t version, bool session_present, uint8_t code,
                           PsBytes props);

typedef struct PsPublishOrder {
    uint8_t version;
    uint8_t qos;
    bool retain;
    uint16_t packet_id; ///< for QoS 1
    PsBytes topic;
    PsBytes props;
    PsBytes payload;
} PsPublishOrder;

void ps_packet_put_publish(PsBuf *out, const PsPublishOrder *order);
/// PUBACK: for MQTT 5 with its reason, and `text` as reason string when not NULL.
void ps_packet_put_puback(PsBuf *out, uint8_t version, uint16_t packet_id, uint8_t reason,
                          const char *text);
void ps_packet_put_codes(PsBuf *out, PsPacketType type, uint8_t version, uint16_t packet_id,
                         const uint8_t *codes, size_t count);
/// PINGREQ, PINGRESP.
void ps_packet_put_empty(PsBuf *out, PsPacketType type);
/// A server of 3.1.1 has no such packet to send; a client has.
void ps_packet_put_disconnect(PsBuf *out, uint8_t version, uint8_t reason, PsBytes props);

/// SUBSCRIBE and UNSUBSCRIBE are begun, filled and ended.
typedef struct PsFilterOrder {
    PsBuf body;
    PsPacketType type;
    uint8_t version;
} PsFilterOrder;

void ps_filter_order_begin(PsFilterOrder *order, PsPacketType type, uint8_t version,
                           uint16_t packet_id, PsBytes props);
void ps_filter_order_put(PsFilterOrder *order, PsBytes filter, uint8_t options);
/// Appends the packet to `out` and empties the order.
void ps_filter_order_end(PsFilterOrder *order, PsBuf *out);
