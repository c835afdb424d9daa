// The simulator driver through the conformance kit. Its device is itself: a fault is a place that
// is read along with the others.
#include "drivers/kit/kit.h"
#include "drivers/kit/values.h"
#include "drivers/sim/driver.h"

#define CELL(kind, ...)                                                                            \
    {.variable = {.name = #kind,                                                                   \
                  .data_type = PS_TYPE_##kind,                                                     \
                  .symbol = "cell/" #kind,                                                         \
                  .register_addr = PS_UNSET,                                                       \
                  .access = PS_ACCESS_READ_WRITE,                                                  \
                  .float_repr = 2,                                                                 \
                  .size = 8},                                                                      \
     __VA_ARGS__}

static const PsKitVariable variables[] = {
    CELL(WORD, .low = PS_KIT_INT(0), .high = PS_KIT_INT(65535)),
    CELL(INT, .low = PS_KIT_INT(-32768), .high = PS_KIT_INT(32767)),
    CELL(BYTE, .low = PS_KIT_INT(0), .high = PS_KIT_INT(255)),
    CELL(SINT, .low = PS_KIT_INT(-128), .high = PS_KIT_INT(127)),
    CELL(DWORD, .low = PS_KIT_INT(0), .high = PS_KIT_INT(4294967295)),
    CELL(DINT, .low = PS_KIT_INT(INT32_MIN), .high = PS_KIT_INT(INT32_MAX)),
    CELL(LONG, .low = PS_KIT_INT(INT64_MIN), .high = PS_KIT_INT(INT64_MAX)),
    CELL(ULONG, .low = PS_KIT_INT(0), .high = PS_KIT_UINT(UINT64_MAX)),
    CELL(FLOAT, .low = PS_KIT_FLOAT(-1.5), .high = PS_KIT_FLOAT(12345.25)),
    CELL(DOUBLE, .low = PS_KIT_FLOAT(-0.25), .high = PS_KIT_FLOAT(1e15)),
    CELL(BOOL, .low = PS_KIT_BOOL(false), .high = PS_KIT_BOOL(true)),
    CELL(BIT, .low = PS_KIT_INT(0), .high = PS_KIT_INT(1)),
    CELL(BCD, .low = PS_KIT_INT(0), .high = PS_KIT_INT(9999)),
    CELL(BCD32, .low = PS_KIT_INT(0), .high = PS_KIT_INT(99999999)),
    CELL(STRING, .low = PS_KIT_TEXT("a"), .high = PS_KIT_TEXT("PENSTOCK")),
    CELL(AUTO, .low = PS_KIT_TEXT("anything"), .high = PS_KIT_FLOAT(0.5),
         .beyond = PS_KIT_TEXT("a text of more than eighty-two bytes, which is the most that a "
                               "variable of a type nobody named has room for")),
    {.variable = {.name = "ramp", .data_type = PS_TYPE_FLOAT, .symbol = "ramp/10/0..100"}},
    {.variable = {.name = "counter", .data_type = PS_TYPE_ULONG, .symbol = "counter/0.1"}},
    {.variable = {.name = "square", .data_type = PS_TYPE_BOOL, .symbol = "square/2/0..1"}},
};

static const PsVariable silent = {.data_type = PS_TYPE_AUTO, .symbol = "silent"};
static const PsVariable slow = {.data_type = PS_TYPE_AUTO, .symbol = "slow/0.1"};
static const PsVariable gone = {.data_type = PS_TYPE_AUTO, .symbol = "gone"};

static const PsKitRig rig = {
    .name = "simulator",
    .driver = &ps_simulator_driver,
    .in_process = true,
    .variables = variables,
    .variable_count = PS_COUNT(variables),
    .absent = {.name = "absent",
               .data_type = PS_TYPE_WORD,
               .symbol = "missing",
               .access = PS_ACCESS_READ_WRITE},
    .fault_variables = {[PS_KIT_SILENT] = &silent, [PS_KIT_SLOW] = &slow, [PS_KIT_RESET] = &gone},
    .no_peek = true,
};

int main(void) {
    return ps_kit_run(&rig);
}
