//! Messages of CIP: a service asked of an object, its answer, many of them in one packet, and those
//! that open and close connections. Pure; any thread.
//!
//! Sources: CIP Volume 1, 2-4 (message router), 3-5.5 (connection manager), 5-2 (identity object),
//! appendices A (services) and B (status codes); Rockwell 1756-PM020, chapter 1.
#pragma once

#include "base/buf.h"
#include "drivers/eip/path.h"

/// Services, as requests name them; an answer has PS_EIP_ANSWER added.
typedef enum PsEipService {
    PS_EIP_GET_ATTRIBUTES_ALL = 0x01,
    PS_EIP_GET_ATTRIBUTE_LIST = 0x03,
    PS_EIP_MULTIPLE = 0x0A,
    PS_EIP_READ_TAG = 0x4C, ///< of the template object: Read Template
    PS_EIP_WRITE_TAG = 0x4D,
    PS_EIP_MODIFY_TAG = 0x4E,       ///< Read Modify Write Tag
    PS_EIP_FORWARD_CLOSE = 0x4E,    ///< of the connection manager
    PS_EIP_READ_FRAGMENT = 0x52,    ///< Read Tag Fragmented
    PS_EIP_UNCONNECTED_SEND = 0x52, ///< of the connection manager
    PS_EIP_FORWARD_OPEN = 0x54,
    PS_EIP_LIST_INSTANCES = 0x55, ///< Get Instance Attribute List
    PS_EIP_LARGE_FORWARD_OPEN = 0x5B,
} PsEipService;

#define PS_EIP_ANSWER 0x80U

typedef enum PsEipClass {
    PS_EIP_CLASS_IDENTITY = 0x01,
    PS_EIP_CLASS_ROUTER = 0x02,
    PS_EIP_CLASS_CONNECTIONS = 0x06,
    PS_EIP_CLASS_SYMBOL = 0x6B,
    PS_EIP_CLASS_TEMPLATE = 0x6C,
} PsEipClass;

/// General status codes that something is done about.
typedef enum PsEipStatus {
    PS_EIP_OK = 0x00,
    PS_EIP_CONNECTION_FAILURE = 0x01,
    PS_EIP_NO_RESOURCE = 0x02,
    PS_EIP_BAD_PATH = 0x04,
    PS_EIP_NO_DESTINATION = 0x05,
    PS_EIP_PARTIAL = 0x06,
    PS_EIP_NO_SERVICE = 0x08,
    PS_EIP_DENIED = 0x0F,
    PS_EIP_TOO_LARGE = 0x11,
    PS_EIP_NO_OBJECT = 0x16,
    PS_EIP_REQUEST_ROUTE_LARGE = 0x1A,
    PS_EIP_ANSWER_ROUTE_LARGE = 0x1B,
    PS_EIP_EMBEDDED = 0x1E, ///< of a packet: one of its services was refused
    PS_EIP_GENERAL = 0xFF,
} PsEipStatus;

/// Extended status of PS_EIP_CONNECTION_FAILURE, and of PS_EIP_GENERAL.
#define PS_EIP_DUPLICATE 0x0100U
#define PS_EIP_WRONG_SIZE 0x0109U ///< the second word says which it has
#define PS_EIP_ROUTE_LARGE 0x0206U
#define PS_EIP_BEYOND_END 0x2105U

typedef struct PsEipReply {
    uint8_t service; ///< with PS_EIP_ANSWER
    uint8_t status;
    uint16_t extended;   ///< its first word, 0 when there is none
    uint16_t second;     ///< and its second
    const uint8_t *data; ///< borrowed
    size_t len;
} PsEipReply;

/// False when the bytes are no answer.
bool ps_eip_reply_get(const uint8_t *bytes, size_t len, PsEipReply *ret_reply);

/// What a refusal means and what to do about it. Never NULL.
const char *ps_eip_status_words(uint8_t status, uint16_t extended);
/// "the tag does not exist ... (CIP status 0x05)".
void ps_eip_status_format(uint8_t status, uint16_t extended, char *out, size_t size);

/// service, path size, path.
void ps_eip_request_put(PsBuf *out, uint8_t service, const uint8_t *path, uint16_t path_len);
void ps_eip_request_object(PsBuf *out, uint8_t service, uint8_t class_id, uint32_t instance);

/// Multiple Service Packet: head, then each request with its place noted. `ps_eip_multiple_begin`
/// leaves room for `count` offsets; `ps_eip_multiple_next` is called before each request is put.
#define PS_EIP_MULTIPLE_HEAD 8U       ///< bytes of the request before the offsets
#define PS_EIP_MULTIPLE_REPLY_HEAD 6U ///< of the answer likewise
#define PS_EIP_REPLY_HEAD 4U          ///< of each answer: service, status
void ps_eip_multiple_begin(PsBuf *out, uint16_t count);
void ps_eip_multiple_next(PsBuf *out, size_t start, uint16_t number);
/// Answers in the packet; 0 when it is not well formed.
uint16_t ps_eip_multiple_count(const PsEipReply *packet);
/// False when it is not well formed.
bool ps_eip_multiple_get(const PsEipReply *packet, uint16_t number, PsEipReply *ret_reply);

/// Puts `message` into an Unconnected Send over `route`, into `out`; its length, 0: no room.
size_t ps_eip_unconnected_send_put(uint8_t *out, size_t room, const uint8_t *message, size_t len,
                                   const PsEipRoute *route, int64_t timeout_ns);

/// The originator of a connection and what it asks for.
typedef struct PsEipForwardOpen {
    bool large;           ///< Large Forward Open: sizes above 511 bytes
    uint16_t size;        ///< bytes of a message with its sequence count, in either direction
    uint32_t to_us;       ///< the id we receive with
    uint16_t serial;      ///< of the connection
    uint32_t originator;  ///< serial number
    uint32_t interval_us; ///< requested packet interval
    uint8_t multiplier;   ///< the connection lasts 4 << multiplier intervals without a message
    const PsEipRoute *route;
    int64_t timeout_ns;
} PsEipForwardOpen;

/// Nobody's number: the project has none of its own from ODVA.
#define PS_EIP_VENDOR 0x5053U

void ps_eip_forward_open_put(PsBuf *out, const PsEipForwardOpen *open);
/// The id to send with. False when the answer is not well formed or belongs to another.
bool ps_eip_forward_open_get(const PsEipReply *reply, const PsEipForwardOpen *open,
                             uint32_t *ret_to_device);
void ps_eip_forward_close_put(PsBuf *out, const PsEipForwardOpen *open);

typedef struct PsEipIdentity {
    uint16_t vendor;
    uint16_t device_type;
    uint8_t major;
    uint8_t minor;
    char product[64];
} PsEipIdentity;

/// Get Attributes All of the identity object. False when it is not well formed.
bool ps_eip_identity_get(const PsEipReply *reply, PsEipIdentity *ret_identity);
