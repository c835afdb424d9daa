//! Everything penstock-sim serves beside Modbus: the table of sides, and those that run. For one
//! controlling thread.
#pragma once

#include "sim/server.h"
#include "sim/side.h"

/// Most sides in the table.
#define PS_SIM_SIDES 8

typedef struct PsSimSides PsSimSides;

typedef struct PsSimSidesSetup {
    const char *address;  ///< IPv4 of the public ports; NULL: 127.0.0.1
    uint32_t connections; ///< at a time and side; 0: PS_SIM_CONNECTIONS
    const char *folder;   ///< where keys and certificates are kept; NULL: nowhere
    /// By number in the table: the public port, 0 a free one, -1 not served.
    int32_t ports[PS_SIM_SIDES];
} PsSimSidesSetup;

size_t ps_sim_side_count(void);
const PsSimSideKind *ps_sim_side_kind(size_t index);

/// Starts those that are wanted, over the plant of `server`, each behind its relay.
PsErr ps_sim_sides_start(const PsSimSidesSetup *setup, PsSimServer *server, PsSimSides **ret_sides,
                         PsDiag *diag);
/// Before the server is stopped. Accepts NULL.
void ps_sim_sides_stop(PsSimSides *sides);

/// The public port, 0 when this side is not served.
uint16_t ps_sim_sides_port(const PsSimSides *sides, size_t index);

/// A command line with the name of a side in front ("s7 delay 200", "s7 stats") and its answer with
/// the newline. False: the line begins with no side that is served.
bool ps_sim_sides_line(PsSimSides *sides, const char *line, PsBuf *answer);
/// As ps_sim_sides_line, for faults only. PS_ERR_NOT_FOUND: no side.
PsErr ps_sim_sides_fault(PsSimSides *sides, const char *line, PsDiag *diag);
/// Lines for help.
void ps_sim_sides_help(const PsSimSides *sides, PsBuf *out);
