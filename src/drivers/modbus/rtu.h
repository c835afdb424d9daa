//! Frames of Modbus RTU and the times of a serial line. Pure; any thread.
//!
//! A frame is slave number, PDU and CRC-16 (Modbus over Serial Line V1.02, sections 2.5.1 and
//! 6.2.2). Nothing in it says where it begins or to which request it belongs, so an answer is what
//! fits its request in slave number, function, length and CRC, wherever it stands among the bytes
//! that have come.
#pragma once

#include "drivers/modbus/adu.h"

#include <stdbool.h>

#define PS_MODBUS_RTU_MAX 256U ///< V1.02 section 2.5.1

/// The request as an RTU frame: its length.
size_t ps_modbus_rtu_encode(const PsModbusAdu *request, uint8_t ret_frame[PS_MODBUS_RTU_MAX]);

/// Bytes of the longest frame that can answer it.
size_t ps_modbus_rtu_answer_max(const PsModbusAdu *request);

/// What stands among the received bytes.
typedef struct PsModbusRtuScan {
    bool found;
    size_t used; ///< bytes from the first on that are done with: frames, and what stood before one
    unsigned late; ///< of these: sound frames that answer another request
    size_t answer_len;
    uint8_t
        answer[PS_MODBUS_ADU_MAX]; ///< when found: the answer as an ADU with the request's header
} PsModbusRtuScan;

/// Looks for the answer to `request` among `len` bytes.
void ps_modbus_rtu_scan(const PsModbusAdu *request, const uint8_t *bytes, size_t len,
                        PsModbusRtuScan *ret_scan);

/// The times of a line. All zero for RTU over TCP: there the converter keeps them.
typedef struct PsModbusTiming {
    int64_t char_ns; ///< one character, with start, parity and stop bits
    int64_t gap_ns;  ///< silence between two frames
} PsModbusTiming;

/// 3.5 characters, above 19200 baud 1.75 ms (V1.02 section 2.5.1.1), and the port's own pause.
PsModbusTiming ps_modbus_timing(const PsSerial *serial);
