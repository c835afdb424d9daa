//! Exception codes in words. Modbus Application Protocol V1.1b3, section 7. Pure; any thread.
#pragma once

#define PS_MODBUS_ILLEGAL_FUNCTION 1
#define PS_MODBUS_ILLEGAL_ADDRESS 2
#define PS_MODBUS_ILLEGAL_VALUE 3 // some devices say this about addresses and counts
#define PS_MODBUS_GATEWAY_PATH 10
#define PS_MODBUS_GATEWAY_TARGET 11

/// What the device says. Never NULL.
const char *ps_modbus_exception_words(int code);
/// What a person does about it. Never NULL.
const char *ps_modbus_exception_cure(int code);
