//! EtherNet/IP's outer frame: a header of 24 bytes, and inside it the message of CIP as items of
//! the common packet format. Pure; any thread.
//!
//! Source: CIP Volume 2 (EtherNet/IP Adaptation), chapters 2-3 to 2-6. All numbers little endian.
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define PS_EIP_HEADER_LEN 24U
/// Header, interface and time, and the two items before the message.
#define PS_EIP_UNCONNECTED_PREFIX 40U
#define PS_EIP_CONNECTED_PREFIX 46U
/// Longest message of CIP that is sent: a large connection's (CIP Volume 1, 3-5.5.1.1
/// allows more, Logix controllers 4002), and some to spare.
#define PS_EIP_MESSAGE_MAX 4096U
#define PS_EIP_FRAME_MAX (PS_EIP_CONNECTED_PREFIX + PS_EIP_MESSAGE_MAX)
/// Longest frame that is taken: some controllers answer with more than the connection's size.
#define PS_EIP_RECEIVE_MAX (PS_EIP_HEADER_LEN + UINT16_MAX)

typedef enum PsEipCommand {
    PS_EIP_NOP = 0x00,
    PS_EIP_LIST_SERVICES = 0x04,
    PS_EIP_LIST_IDENTITY = 0x63,
    PS_EIP_LIST_INTERFACES = 0x64,
    PS_EIP_REGISTER_SESSION = 0x65,
    PS_EIP_UNREGISTER_SESSION = 0x66,
    PS_EIP_SEND_RR_DATA = 0x6F,
    PS_EIP_SEND_UNIT_DATA = 0x70,
} PsEipCommand;

typedef struct PsEipHeader {
    uint16_t command;
    uint16_t len; ///< of what follows the header
    uint32_t session;
    uint32_t status;
    uint64_t context; ///< the sender's own, given back by the receiver
    uint32_t options;
} PsEipHeader;

void ps_eip_header_put(uint8_t *out, const PsEipHeader *header);
/// False: these bytes begin no frame of EtherNet/IP (fewer than 24, or a command that is none).
bool ps_eip_header_get(const uint8_t *bytes, size_t len, PsEipHeader *ret_header);

/// What is wrong, in words, for a header's status that is not 0. Never NULL.
const char *ps_eip_encap_words(uint32_t status);

/// A whole RegisterSession or UnRegisterSession frame; how many bytes.
size_t ps_eip_register_put(uint8_t *out, uint64_t context);
size_t ps_eip_unregister_put(uint8_t *out, uint32_t session);

/// Writes what stands before a message of `len` bytes that is sent outside of connections:
/// PS_EIP_UNCONNECTED_PREFIX bytes.
void ps_eip_unconnected_put(uint8_t *out, uint32_t session, uint64_t context, uint16_t len);
/// The same inside a connection: PS_EIP_CONNECTED_PREFIX bytes.
void ps_eip_connected_put(uint8_t *out, uint32_t session, uint64_t context, uint32_t connection,
                          uint16_t sequence, uint16_t len);

/// The message inside a SendRRData or SendUnitData answer.
typedef struct PsEipPayload {
    bool connected;
    uint32_t connection;    ///< of a connected one: its id
    uint16_t sequence;      ///< likewise
    const uint8_t *message; ///< borrowed
    size_t len;
} PsEipPayload;

/// `body` is what follows the header. False when it is not well formed.
bool ps_eip_payload_get(const uint8_t *body, size_t len, PsEipPayload *ret_payload);
