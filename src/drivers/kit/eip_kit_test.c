// EtherNet/IP against penstock-sim, through the conformance kit.
#include "drivers/eip/driver.h"
#include "drivers/kit/kit.h"
#include "drivers/kit/values.h"

#define TAG(tag, ...)                                                                              \
    {.variable = {.name = tag,                                                                     \
                  .symbol = tag,                                                                   \
                  .data_type = PS_TYPE_AUTO,                                                       \
                  .register_addr = PS_UNSET,                                                       \
                  .register_bit = PS_UNSET,                                                        \
                  .access = PS_ACCESS_READ_WRITE,                                                  \
                  .float_repr = 2},                                                                \
     __VA_ARGS__}

static const PsKitVariable variables[] = {
    TAG("Types_INT", .low = PS_KIT_INT(-32768), .high = PS_KIT_INT(32767),
        .beyond = PS_KIT_INT(32768)),
    TAG("Types_DINT", .low = PS_KIT_INT(INT32_MIN), .high = PS_KIT_INT(INT32_MAX),
        .beyond = PS_KIT_INT(INT32_MAX + 1LL)),
    TAG("Types_SINT", .low = PS_KIT_INT(-128), .high = PS_KIT_INT(127), .beyond = PS_KIT_INT(-129)),
    TAG("Types_LINT", .low = PS_KIT_INT(INT64_MIN), .high = PS_KIT_INT(INT64_MAX),
        .beyond = PS_KIT_UINT(UINT64_MAX)),
    TAG("Types_USINT", .low = PS_KIT_INT(0), .high = PS_KIT_INT(255), .beyond = PS_KIT_INT(-1)),
    TAG("Types_UINT", .low = PS_KIT_INT(0), .high = PS_KIT_INT(65535), .beyond = PS_KIT_INT(65536)),
    TAG("Types_UDINT", .low = PS_KIT_INT(0), .high = PS_KIT_INT(4294967295),
        .beyond = PS_KIT_INT(4294967296)),
    TAG("Types_ULINT", .low = PS_KIT_INT(0), .high = PS_KIT_UINT(UINT64_MAX),
        .beyond = PS_KIT_INT(-1)),
    TAG("Types_REAL", .low = PS_KIT_FLOAT(-1.5), .high = PS_KIT_FLOAT(12345.25),
        .beyond = PS_KIT_FLOAT(1e39)),
    TAG("Types_LREAL", .low = PS_KIT_FLOAT(-0.25), .high = PS_KIT_FLOAT(123456789.75),
        .beyond = PS_KIT_TEXT("warm")),
    TAG("Types_BOOL", .low = PS_KIT_BOOL(false), .high = PS_KIT_BOOL(true),
        .beyond = PS_KIT_INT(2)),
    TAG("Numbers[9]", .value = PS_KIT_INT(9), .low = PS_KIT_INT(-9), .high = PS_KIT_INT(99)),
    TAG("Matrix[2,3]", .low = PS_KIT_FLOAT(0.5), .high = PS_KIT_FLOAT(-0.5)),
    TAG("Program:Main.Local", .low = PS_KIT_INT(1), .high = PS_KIT_INT(2)),
    TAG("Program:Main.Name", .low = PS_KIT_TEXT("a"), .high = PS_KIT_TEXT("PENSTOCK")),
    TAG("Motors[1].Running", .low = PS_KIT_BOOL(false), .high = PS_KIT_BOOL(true)),
    TAG("Motors[1].Count", .low = PS_KIT_INT(3), .high = PS_KIT_INT(4)),
    TAG("Big[999]", .value = PS_KIT_INT(999)),
    TAG("Program:Many.V999", .value = PS_KIT_INT(999)),
    TAG("Status.15", .value = PS_KIT_BOOL(true)),
    TAG("Speed"),
};

static const PsKitRig rig = {
    .name = "EtherNet/IP",
    .driver = &ps_eip_driver,
    .plant = {.side = "eip"},
    .device = {.connected = true},
    .variables = variables,
    .variable_count = PS_COUNT(variables),
    .absent = {.name = "absent",
               .symbol = "Nowhere",
               .data_type = PS_TYPE_AUTO,
               .register_addr = PS_UNSET,
               .register_bit = PS_UNSET,
               .access = PS_ACCESS_READ_WRITE},
    PS_KIT_FAULTS_OF("eip "),
    .connect_asks = true,
};

int main(void) {
    return ps_kit_run(&rig);
}
