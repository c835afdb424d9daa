//! A session of the S7 driver, shared by the files that read, write and connect. Private to this
//! folder; owned by the channel's thread.
#pragma once

#include "drivers/s7/connection.h"
#include "drivers/s7/cpu.h"
#include "drivers/s7/plan.h"

typedef struct PsS7Session {
    PsSession base;
    const PsEndpoint *endpoint;
    PsS7Plan *plans; ///< one per set
    PsS7Connection connection;
    int64_t connect_timeout_ns; ///< the longest of its devices
    PsS7Cpu cpu;
    bool was_connected;
    uint8_t value[PS_S7_VALUE_MAX]; ///< the value that is put together, encoded or read back
} PsS7Session;

static inline int64_t ps_s7_timeout_ns(const PsS7Session *session, uint32_t device) {
    return ps_seconds_to_ns(session->endpoint->config->devices[device].timeout);
}

/// As PsDriver.read; the connection stands and `plan` is that of the set.
PsErr ps_s7_read_set(PsS7Session *session, uint32_t set, PsSampleBatch *batch, PsDiag *diag);

/// One place, in as many telegrams as its length takes. PS_ERR_REFUSED with `diag` and
/// connection.error when the controller says no, be it to the job or to the item.
PsErr ps_s7_read_place(PsS7Session *session, int64_t timeout_ns, const PsS7Ask *ask,
                       uint8_t *ret_bytes, PsDiag *diag);

/// As PsDriver.write.
PsErr ps_s7_write_variable(PsS7Session *session, uint32_t variable, PsValue value,
                           PsValue *ret_read_back, PsDiag *diag);
