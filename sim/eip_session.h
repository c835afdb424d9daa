//! EtherNet/IP encapsulation of the simulated controller (CIP Volume 2, chapter 2): a whole frame
//! of a client in, the answer out. No sockets, no clock. Not thread-safe; the side serialises.
#pragma once

#include "sim/cip.h"

/// One client. Zero-initialised: it has just come.
typedef struct PsSimEipSession {
    uint32_t handle; ///< 0: not registered
} PsSimEipSession;

typedef struct PsSimEip {
    PsSimCip *cip;
    uint16_t port; ///< that ListIdentity tells
    uint32_t last_handle;
} PsSimEip;

/// Appends the answer, if there is one. False: the client ended its session; close it.
bool ps_sim_eip_take(PsSimEip *eip, PsSimEipSession *session, const uint8_t *frame, size_t len,
                     PsMono now, PsBuf *out);
