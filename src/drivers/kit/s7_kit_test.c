// S7 against penstock-sim, through the conformance kit.
#include "drivers/kit/kit.h"
#include "drivers/kit/values.h"
#include "drivers/s7/driver.h"

// Memory of DB2, which starts at 0.
#define CELL(label, kind, address, ...)                                                            \
    {.variable = {.name = label,                                                                   \
                  .data_type = PS_TYPE_##kind,                                                     \
                  .register_type = PS_S7_DB,                                                       \
                  .dbnumber = 2,                                                                   \
                  .register_addr = address,                                                        \
                  .register_bit = PS_UNSET,                                                        \
                  .access = PS_ACCESS_READ_WRITE,                                                  \
                  .float_repr = 2,                                                                 \
                  .size = 8},                                                                      \
     __VA_ARGS__}

static const PsKitVariable rows[] = {
    CELL("word", WORD, 100, .low = PS_KIT_INT(0), .high = PS_KIT_INT(65535)),
    CELL("int", INT, 102, .low = PS_KIT_INT(-32768), .high = PS_KIT_INT(32767)),
    CELL("byte", BYTE, 104, .low = PS_KIT_INT(0), .high = PS_KIT_INT(255)),
    CELL("sint", SINT, 105, .low = PS_KIT_INT(-128), .high = PS_KIT_INT(127)),
    CELL("dword", DWORD, 106, .low = PS_KIT_INT(0), .high = PS_KIT_INT(4294967295)),
    CELL("dint", DINT, 110, .low = PS_KIT_INT(-2147483648LL), .high = PS_KIT_INT(2147483647)),
    CELL("float", FLOAT, 114, .low = PS_KIT_FLOAT(-1.5), .high = PS_KIT_FLOAT(12345.25)),
    CELL("double", DOUBLE, 118, .low = PS_KIT_FLOAT(-0.25), .high = PS_KIT_FLOAT(123456789.75)),
    CELL("long", LONG, 126, .low = PS_KIT_INT(INT64_MIN), .high = PS_KIT_INT(INT64_MAX)),
    CELL("ulong", ULONG, 134, .low = PS_KIT_INT(0), .high = PS_KIT_UINT(UINT64_MAX)),
    CELL("bcd", BCD, 142, .low = PS_KIT_INT(0), .high = PS_KIT_INT(9999)),
    CELL("bcd32", BCD32, 144, .low = PS_KIT_INT(0), .high = PS_KIT_INT(99999999)),
    CELL("text", STRING, 148, .low = PS_KIT_TEXT("a"), .high = PS_KIT_TEXT("PENSTOCK")),
    {.variable = {.name = "recipe",
                  .data_type = PS_TYPE_S7STRING,
                  .register_type = PS_S7_DB,
                  .dbnumber = 2,
                  .register_addr = 0,
                  .register_bit = PS_UNSET,
                  .access = PS_ACCESS_READ_WRITE,
                  .size = 20},
     .low = PS_KIT_TEXT("TEA"),
     .high = PS_KIT_TEXT("SIXTEEN LETTERS!"),
     .beyond = PS_KIT_TEXT("SEVENTEEN LETTERS")},
    {.variable = {.name = "flag",
                  .data_type = PS_TYPE_BOOL,
                  .register_type = PS_S7_FLAGS,
                  .register_addr = 40,
                  .register_bit = 3,
                  .access = PS_ACCESS_READ_WRITE},
     .low = PS_KIT_BOOL(false),
     .high = PS_KIT_BOOL(true)},
    {.variable = {.name = "output bit",
                  .data_type = PS_TYPE_BIT,
                  .register_type = PS_S7_OUTPUTS,
                  .register_addr = 40,
                  .register_bit = 7,
                  .access = PS_ACCESS_READ_WRITE},
     .low = PS_KIT_INT(0),
     .high = PS_KIT_INT(1)},
    {.variable = {.name = "pattern",
                  .data_type = PS_TYPE_WORD,
                  .register_type = PS_S7_DB,
                  .dbnumber = 1,
                  .register_addr = 2998, // of 41500
                  .register_bit = PS_UNSET},
     .value = PS_KIT_INT(1500)},
    {.variable = {.name = "input pattern",
                  .data_type = PS_TYPE_INT,
                  .register_type = PS_S7_DB,
                  .dbnumber = 3,
                  .register_addr = 3000, // of 31501
                  .register_bit = PS_UNSET},
     .value = PS_KIT_INT(1501)},
    {.variable = {.name = "input",
                  .data_type = PS_TYPE_BOOL,
                  .register_type = PS_S7_INPUTS,
                  .register_addr = 0,
                  .register_bit = 1}},
};

static const PsKitRig rig = {
    .name = "S7",
    .driver = &ps_s7_driver,
    .plant = {.side = "s7"},
    .device = {.slot = 1},
    .variables = rows,
    .variable_count = PS_COUNT(rows),
    .absent = {.name = "absent",
               .data_type = PS_TYPE_WORD,
               .register_type = PS_S7_DB,
               .dbnumber = 9,
               .register_addr = 0,
               .register_bit = PS_UNSET,
               .access = PS_ACCESS_READ_WRITE},
    PS_KIT_FAULTS_OF("s7 "),
    .connect_asks = true,
};

int main(void) {
    return ps_kit_run(&rig);
}
