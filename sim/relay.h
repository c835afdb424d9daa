//! What stands before the real server of a side: a public port whose connections go on to the
//! server on a private port of 127.0.0.1, frame by frame, so that the fault knobs of frames work
//! for it as for Modbus.
#pragma once

#include "sim/port.h"

typedef struct PsSimRelay PsSimRelay;

typedef struct PsSimRelaySetup {
    const char *address;  ///< as PsSimPortSetup
    uint16_t port;        ///< 0: a free one
    uint32_t connections; ///< as PsSimPortSetup
    const PsSimFraming *framing;
} PsSimRelaySetup;

/// Opens the public port; clients wait until it runs.
PsErr ps_sim_relay_new(const PsSimRelaySetup *setup, PsSimRelay **ret_relay, PsDiag *diag);
/// Takes clients and connects each to `inner_port` of 127.0.0.1.
PsErr ps_sim_relay_start(PsSimRelay *relay, uint16_t inner_port, PsDiag *diag);
/// Accepts NULL.
void ps_sim_relay_free(PsSimRelay *relay);
/// Number, faults and counters are those of the port.
PsSimPort *ps_sim_relay_port(PsSimRelay *relay);
