//! One Modbus TCP request: its length, and what it touches. Pure.
//!
//! libmodbus builds the answers, but only for requests that passed here: lengths, counts and
//! address ranges are checked before it sees a byte.
#pragma once

#include "base/err.h"
#include "sim/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Bytes before the function code (MODBUS Messaging on TCP/IP 1.0b, section 3.1.3).
#define PS_SIM_MBAP_BYTES 7
/// Longest request on the wire: header and 253 bytes of PDU.
#define PS_SIM_FRAME_BYTES 260

/// What a range of items is used for by one request.
typedef struct PsSimSpan {
    PsSimTable table;
    uint32_t offset;
    uint32_t count; ///< 0: the span is not used
} PsSimSpan;

typedef struct PsSimRequest {
    uint8_t slave;
    uint8_t function;
    uint8_t exception; ///< not 0: refuse with this code (1 function, 2 address, 3 value)
    PsSimSpan read;
    PsSimSpan write;
} PsSimRequest;

/// Whole length of the request that starts with these PS_SIM_MBAP_BYTES bytes, 0 when they are no
/// Modbus TCP header (the connection can only be dropped then).
size_t ps_sim_frame_length(const uint8_t *header);

/// Understands a whole request of `len` bytes. Never fails: what is wrong with it is in
/// `exception`.
PsSimRequest ps_sim_frame_decode(const uint8_t *frame, size_t len);
