//! How long one slave is waited for, and which answers it still owes. Pure; one owner per object.
//!
//! A slave that has been silent is tried with short limits first, because on a shared line the
//! others wait meanwhile; every fourth try has the whole time, so that a slow one is found as well.
//! What it answered late can then still be on its way. RTU frames do not say to which request they
//! belong, so it is first asked for a number of items none of those answers has: only an answer
//! with that number shows that nothing older is left.
#pragma once

#include "drivers/modbus/adu.h"

#include <stdbool.h>

/// Zero-initialised: never asked.
typedef struct PsModbusPatience {
    int64_t slowest_ns; ///< of the answers, forgotten by and by; 0 before the first
    uint8_t failures;   ///< in a row
    uint8_t owed;       ///< a bit for each answer that may still come; 0: none
} PsModbusPatience;

/// The time limit of the next request.
int64_t ps_modbus_patience_limit(const PsModbusPatience *patience, int64_t timeout_ns);

void ps_modbus_patience_answered(PsModbusPatience *patience, int64_t took_ns);
/// No answer, or a damaged one.
void ps_modbus_patience_failed(PsModbusPatience *patience, const PsModbusAdu *request);

/// A read near the place of `request` whose answer cannot be one of those owed.
PsModbusAdu ps_modbus_patience_probe(PsModbusPatience *patience, const PsModbusAdu *request,
                                     uint16_t transaction);
