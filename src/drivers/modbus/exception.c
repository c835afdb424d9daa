// The table of exception codes: what they say and what helps. Constant data; any thread.
#include "drivers/modbus/exception.h"

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct Exception {
    const char *words;
    const char *cure;
} Exception;

static const Exception exceptions[] = {
    [PS_MODBUS_ILLEGAL_FUNCTION] =
        {"illegal function: the device does not offer this table",
         "use the table that the device's manual names: coils 1, discrete inputs 10001, input "
         "registers 30001, holding registers 40001"},
    [PS_MODBUS_ILLEGAL_ADDRESS] =
        {"illegal data address: the device does not have all of these",
         "compare address and type with the device's list of registers; many lists count from 0, "
         "so that their register 0 is 40001 here"},
    [PS_MODBUS_ILLEGAL_VALUE] =
        {"illegal data value",
         "some devices say this about addresses they do not have: compare address and type with "
         "the device's list of registers"},
    [4] = {"device failure", "look at the device itself: its own error display or log"},
    [5] = {"acknowledged, still being processed", "nothing: it is asked again in the next cycle"},
    [6] = {"device busy", "poll the device less often"},
    [7] = {"negative acknowledge", "see in the device's manual what it refuses with this code"},
    [8] = {"memory parity error", "the device's memory is damaged: have it repaired"},
    [PS_MODBUS_GATEWAY_PATH] = {"gateway path unavailable",
                                "check the settings of the serial gateway between here and "
                                "the device, and the slave number"},
    [PS_MODBUS_GATEWAY_TARGET] =
        {"gateway: the target device does not answer",
         "check that the device behind the serial gateway is on, its wires, and that it has this "
         "slave number"},
};

static const Exception unknown = {
    "refused with a code that Modbus does not define",
    "see in the device's manual what this code means",
};

static const Exception *find(int code) {
    bool known = code > 0 && (size_t)code < PS_COUNT(exceptions) && exceptions[code].words != NULL;
    return known ? &exceptions[code] : &unknown;
}

const char *ps_modbus_exception_words(int code) {
    return find(code)->words;
}

const char *ps_modbus_exception_cure(int code) {
    return find(code)->cure;
}
