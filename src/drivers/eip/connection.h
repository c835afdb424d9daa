//! One connection to a controller: the TCP stream, the session registered on it, and inside it the
//! CIP connection that messages go over, or none. Requests are matched with their answers here.
//!
//! One thread at a time uses a connection; only `interrupt` comes from elsewhere. A request that is
//! not answered in time closes the stream: what arrives late then belongs to a socket nobody reads.
//! Answers to others (another context, sequence or connection) are thrown away and counted.
#pragma once

#include "drivers/driver.h"
#include "drivers/eip/cip.h"
#include "drivers/eip/wire.h"

#include <stdatomic.h>

/// Connections last so long without a request, at most.
#define PS_EIP_IDLE_MAX_S 320

typedef struct PsEipTarget {
    const char *host;
    int port;
    PsEipRoute route;
    bool connected; ///< ask for a CIP connection
} PsEipTarget;

typedef struct PsEipConnection {
    PsEipTarget target;
    char *host; ///< that of the target
    PsEipWire wire;
    atomic_bool interrupted;
    PsDriverCounters *counters;
    char *note;
    uint32_t session;
    uint64_t context;       ///< of the last request
    PsEipIdentity identity; ///< of who answers at the end of the route; its product may be ""
    bool has_connection;    ///< a CIP connection is open
    PsEipForwardOpen open;  ///< as it was asked for
    uint32_t to_device;     ///< the id to send with
    uint16_t sequence;      ///< of the last message
    PsMono last_used;       ///< a message went over the CIP connection
    int64_t idle_ns;        ///< how long it lasts without one
    int64_t step_ns;        ///< time limit of the steps of connecting
    bool closed_by_timeout; ///< the last close was our own after a silent device
    PsBuf message;          ///< scratch of the messages that are made here
    size_t sent_len;        ///< of the frame in `out`
    uint8_t out[PS_EIP_FRAME_MAX];
} PsEipConnection;

/// Takes an event descriptor. PS_ERR_IO. `target` is copied; `session` outlives the connection.
PsErr ps_eip_connection_init(PsEipConnection *connection, const PsEipTarget *target,
                             PsSession *session, PsDiag *diag);
void ps_eip_connection_deinit(PsEipConnection *connection);

/// Resolves, connects, registers, finds out who answers and opens a CIP connection, at most
/// `timeout_ns` for each address and once more for the rest. `idle_ns`: the pause between requests
/// that the CIP connection should survive. Errors as in PsDriver.connect; `diag` names the step.
/// The session's note says who it is and how messages go.
PsErr ps_eip_connection_open(PsEipConnection *connection, int64_t timeout_ns, int64_t idle_ns,
                             PsDiag *diag);
/// Says good-bye, so that the controller has its connection back, and closes: within a tenth of a
/// second.
void ps_eip_connection_close(PsEipConnection *connection);
bool ps_eip_connection_is_open(const PsEipConnection *connection);

/// Bytes of the longest request, and of the longest answer, that the present way carries.
uint32_t ps_eip_connection_room(const PsEipConnection *connection);

/// Any thread: ends a blocked call, and makes every later one return PS_ERR_CANCELLED.
void ps_eip_connection_interrupt(PsEipConnection *connection);

/// One request and its answer, whose status may be any: PS_OK. The answer is borrowed until the
/// next request. PS_ERR_TIMEOUT, PS_ERR_CLOSED, PS_ERR_IO, PS_ERR_PROTOCOL (the stream is closed),
/// PS_ERR_CANCELLED. PS_ERR_TOO_BIG: the request does not fit.
PsErr ps_eip_transact(PsEipConnection *connection, const uint8_t *request, size_t len,
                      int64_t timeout_ns, PsEipReply *ret_reply, PsDiag *diag);
