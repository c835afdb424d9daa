//! A public TCP port of the simulator: one thread holds its connections, cuts what they send into
//! frames, hands each whole request on and sends each answer as the fault knobs say. Nothing
//! blocks in it. Whoever answers is told by a PsSimPortSetup: the port's own thread (Modbus, CIP)
//! or a server behind a relay.
#pragma once

#include "base/err.h"
#include "sim/client.h"
#include "sim/knobs.h"

#include <stdbool.h>
#include <stdint.h>

/// Connections at a time unless told otherwise; one more is closed at once and counted.
#define PS_SIM_CONNECTIONS 64
/// Most that can be asked for.
#define PS_SIM_MOST_CONNECTIONS 4096

typedef struct PsSimPort PsSimPort;

/// The functions are called on the port's thread, without its lock.
typedef struct PsSimPortSetup {
    const char *address;  ///< IPv4 to listen on; NULL: 127.0.0.1
    uint16_t port;        ///< 0: a free one
    uint32_t connections; ///< 0: PS_SIM_CONNECTIONS
    const PsSimFraming *framing;
    void *owner;
    /// A client came. False: close it. NULL: nothing to do.
    bool (*opened)(void *owner, PsSimClient *client);
    /// A whole request. Answers with ps_sim_client_answer, now or later.
    void (*request)(void *owner, PsSimClient *client, uint8_t *frame, size_t len);
    /// Something happened at the client's peer socket (epoll events; 0: there is room for answers
    /// again). NULL when there are none.
    void (*peer)(void *owner, PsSimClient *client, uint32_t events);
    /// The client goes; its user data must, too. NULL: nothing to do.
    void (*closed)(void *owner, PsSimClient *client);
} PsSimPortSetup;

typedef struct PsSimPortStats {
    uint64_t requests;   ///< whole requests received
    uint64_t answers;    ///< handed over for sending
    uint64_t unanswered; ///< swallowed by `silence`
    uint64_t resets;     ///< connections reset by a fault
    uint64_t accepted;   ///< connections taken
    uint64_t turned_away;
    uint32_t connections; ///< open now
} PsSimPortStats;

/// Opens the port; nothing is taken yet. PS_ERR_INVALID (address), PS_ERR_IO (port taken, not
/// permitted) with words in `diag`.
PsErr ps_sim_port_new(const PsSimPortSetup *setup, PsSimPort **ret_port, PsDiag *diag);
/// Starts the thread.
PsErr ps_sim_port_start(PsSimPort *port, PsDiag *diag);
/// Ends the thread, closes everything. Accepts NULL.
void ps_sim_port_free(PsSimPort *port);

uint16_t ps_sim_port_number(const PsSimPort *port);
PsSimPortStats ps_sim_port_stats(PsSimPort *port);
/// One line: "requests=… answers=…".
void ps_sim_port_describe(PsSimPort *port, PsBuf *out);

/// As ps_knobs_turn, in effect from the next frame on, and answers that wait go at once; `refuse`
/// has closed the port and every connection when this returns, and a later `ok` listens on the same
/// port again. PS_ERR_UNSUPPORTED when the protocol's frames have no identity to be wrong.
PsErr ps_sim_port_fault(PsSimPort *port, const char *line, PsDiag *diag);

const PsSimFraming *ps_sim_port_framing(const PsSimPort *port);

/// For requests of the same device that come another way (a serial line). Any thread.
PsKnobAction ps_sim_port_judge_request(PsSimPort *port);
PsKnobAnswer ps_sim_port_judge_answer(PsSimPort *port);
/// Is `refuse` in effect? Any thread.
bool ps_sim_port_refuses(PsSimPort *port);
