// OPC UA against penstock-sim, through the conformance kit.
#include "drivers/kit/kit.h"
#include "drivers/kit/values.h"
#include "drivers/opcua/driver.h"

#define NODE(id, ...)                                                                              \
    {.variable = {.name = id,                                                                      \
                  .identifier = "nsu=urn:penstock:sim;s=" id,                                      \
                  .data_type = PS_TYPE_AUTO,                                                       \
                  .register_addr = PS_UNSET,                                                       \
                  .register_bit = PS_UNSET,                                                        \
                  .array_index = PS_UNSET,                                                         \
                  .access = PS_ACCESS_READ_WRITE,                                                  \
                  .float_repr = 2},                                                                \
     __VA_ARGS__}

static const PsKitVariable variables[] = {
    NODE("Types.Int16", .low = PS_KIT_INT(-32768), .high = PS_KIT_INT(32767),
         .beyond = PS_KIT_INT(32768)),
    NODE("Types.Int32", .low = PS_KIT_INT(INT32_MIN), .high = PS_KIT_INT(INT32_MAX),
         .beyond = PS_KIT_INT(INT32_MAX + 1LL)),
    NODE("Types.SByte", .low = PS_KIT_INT(-128), .high = PS_KIT_INT(127),
         .beyond = PS_KIT_INT(-129)),
    NODE("Types.Byte", .low = PS_KIT_INT(0), .high = PS_KIT_INT(255), .beyond = PS_KIT_INT(256)),
    NODE("Types.UInt16", .low = PS_KIT_INT(0), .high = PS_KIT_INT(65535), .beyond = PS_KIT_INT(-1)),
    NODE("Types.UInt32", .low = PS_KIT_INT(0), .high = PS_KIT_INT(4294967295),
         .beyond = PS_KIT_INT(4294967296)),
    NODE("Types.Int64", .low = PS_KIT_INT(INT64_MIN), .high = PS_KIT_INT(INT64_MAX),
         .beyond = PS_KIT_UINT(UINT64_MAX)),
    NODE("Types.UInt64", .low = PS_KIT_INT(0), .high = PS_KIT_UINT(UINT64_MAX),
         .beyond = PS_KIT_INT(-1)),
    NODE("Types.Float", .low = PS_KIT_FLOAT(-1.5), .high = PS_KIT_FLOAT(12345.25),
         .beyond = PS_KIT_FLOAT(1e39)),
    NODE("Types.Double", .low = PS_KIT_FLOAT(-0.25), .high = PS_KIT_FLOAT(123456789.75),
         .beyond = PS_KIT_TEXT("warm")),
    NODE("Types.Boolean", .low = PS_KIT_BOOL(false), .high = PS_KIT_BOOL(true),
         .beyond = PS_KIT_INT(2)),
    NODE("Types.String", .low = PS_KIT_TEXT("a"), .high = PS_KIT_TEXT("PENSTOCK")),
    NODE("Plant.Setpoint", .low = PS_KIT_INT(20), .high = PS_KIT_INT(25)),
    NODE("Plant.StirrerSetpoint", .low = PS_KIT_FLOAT(100), .high = PS_KIT_FLOAT(110.5)),
    NODE("Plant.Heater", .low = PS_KIT_BOOL(false), .high = PS_KIT_BOOL(true)),
    NODE("Plant.Temperature"),
    NODE("Plant.Counter"),
    {.variable = {.name = "element",
                  .identifier = "nsu=urn:penstock:sim;s=Memory.Numbers",
                  .data_type = PS_TYPE_AUTO,
                  .register_addr = PS_UNSET,
                  .register_bit = PS_UNSET,
                  .array_index = 3,
                  .access = PS_ACCESS_READ_WRITE},
     .low = PS_KIT_INT(3),
     .high = PS_KIT_INT(-3)},
};

static const PsKitRig rig = {
    .name = "OPC UA",
    .driver = &ps_opcua_driver,
    .plant = {.side = "opcua"},
    .device = {.auth = PS_OPCUA_ANONYMOUS,
               .security_policy = PS_OPCUA_POLICY_NONE,
               .security_mode = PS_OPCUA_MODE_NONE},
    .variables = variables,
    .variable_count = PS_COUNT(variables),
    .absent = {.name = "absent",
               .identifier = "nsu=urn:penstock:sim;s=Nowhere",
               .data_type = PS_TYPE_AUTO,
               .register_addr = PS_UNSET,
               .register_bit = PS_UNSET,
               .array_index = PS_UNSET,
               .access = PS_ACCESS_READ_WRITE},
    PS_KIT_FAULTS_OF("opcua "),
    .connect_asks = true,
};

int main(void) {
    return ps_kit_run(&rig);
}
