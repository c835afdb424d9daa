//! The places of penstock-sim that the kit reads and writes by Modbus, the same for TCP and RTU.
#pragma once

#include "drivers/kit/kit.h"
#include "drivers/kit/values.h"

// Memory, which starts at 0; far enough from what moves.
#define PS_KIT_MODBUS_CELL(label, kind, address, ...)                                              \
    {.variable = {.name = label,                                                                   \
                  .data_type = PS_TYPE_##kind,                                                     \
                  .register_addr = address,                                                        \
                  .register_bit = PS_UNSET,                                                        \
                  .access = PS_ACCESS_READ_WRITE,                                                  \
                  .float_repr = 2,                                                                 \
                  .size = 8},                                                                      \
     __VA_ARGS__}

static const PsKitVariable ps_kit_modbus_rows[] = {
    PS_KIT_MODBUS_CELL("word", WORD, 40201, .low = PS_KIT_INT(0), .high = PS_KIT_INT(65535)),
    PS_KIT_MODBUS_CELL("int", INT, 40202, .low = PS_KIT_INT(-32768), .high = PS_KIT_INT(32767)),
    PS_KIT_MODBUS_CELL("dword", DWORD, 40203, .low = PS_KIT_INT(0), .high = PS_KIT_INT(4294967295)),
    PS_KIT_MODBUS_CELL("dint", DINT, 40205, .low = PS_KIT_INT(-2147483648LL),
                       .high = PS_KIT_INT(2147483647)),
    PS_KIT_MODBUS_CELL("float", FLOAT, 40207, .low = PS_KIT_FLOAT(-1.5),
                       .high = PS_KIT_FLOAT(12345.25)),
    PS_KIT_MODBUS_CELL("double", DOUBLE, 40209, .low = PS_KIT_FLOAT(-0.25),
                       .high = PS_KIT_FLOAT(123456789.75)),
    PS_KIT_MODBUS_CELL("long", LONG, 40213, .low = PS_KIT_INT(INT64_MIN),
                       .high = PS_KIT_INT(INT64_MAX)),
    PS_KIT_MODBUS_CELL("ulong", ULONG, 40217, .low = PS_KIT_INT(0),
                       .high = PS_KIT_UINT(UINT64_MAX)),
    PS_KIT_MODBUS_CELL("bcd", BCD, 40221, .low = PS_KIT_INT(0), .high = PS_KIT_INT(9999)),
    PS_KIT_MODBUS_CELL("bcd32", BCD32, 40222, .low = PS_KIT_INT(0), .high = PS_KIT_INT(99999999)),
    PS_KIT_MODBUS_CELL("text", STRING, 40224, .low = PS_KIT_TEXT("a"),
                       .high = PS_KIT_TEXT("PENSTOCK")),
    PS_KIT_MODBUS_CELL("coil", BOOL, 201, .low = PS_KIT_BOOL(false), .high = PS_KIT_BOOL(true)),
    PS_KIT_MODBUS_CELL("coil bit", BIT, 203, .low = PS_KIT_INT(0), .high = PS_KIT_INT(1)),
    {.variable = {.name = "pattern",
                  .data_type = PS_TYPE_WORD,
                  .register_addr = 41500,
                  .register_bit = PS_UNSET},
     .value = PS_KIT_INT(1500)},
    {.variable = {.name = "input pattern",
                  .data_type = PS_TYPE_INT,
                  .register_addr = 31501,
                  .register_bit = PS_UNSET},
     .value = PS_KIT_INT(1501)},
    {.variable = {.name = "discrete",
                  .data_type = PS_TYPE_BOOL,
                  .register_addr = 10001,
                  .register_bit = PS_UNSET}},
    {.variable = {.name = "model",
                  .data_type = PS_TYPE_STRING,
                  .register_addr = 40031,
                  .register_bit = PS_UNSET,
                  .size = 16},
     .value = PS_KIT_TEXT("PENSTOCK-SIM")},
    {.variable = {.name = "status bit",
                  .data_type = PS_TYPE_BIT,
                  .register_addr = 40007,
                  .register_bit = 15},
     .value = PS_KIT_INT(1)},
};

#define PS_KIT_MODBUS_ABSENT                                                                       \
    {.name = "absent",                                                                             \
     .data_type = PS_TYPE_WORD,                                                                    \
     .register_addr = 40232,                                                                       \
     .register_bit = PS_UNSET,                                                                     \
     .access = PS_ACCESS_READ_WRITE}
#define PS_KIT_MODBUS_HOLE "exception 2 40232-40232"
