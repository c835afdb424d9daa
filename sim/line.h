//! The plant's slaves on one line of Modbus RTU: a pseudo terminal, or RTU frames over TCP. They
//! are those of a server, with its plant, faults and counters. An answer that a fault makes late
//! does not hold up those of the other slaves. For one controlling thread.
#pragma once

#include "sim/server.h"

typedef struct PsSimLine PsSimLine;

typedef struct PsSimLineSetup {
    const char *path; ///< becomes a symbolic link to the terminal; NULL: over TCP
    uint16_t port;    ///< without path: on 127.0.0.1
} PsSimLineSetup;

/// Opens the line. PS_ERR_IO with words. `refuse` closes it (the adapter is pulled out: the link
/// goes), `ok` opens it again, within a few hundredths of a second.
PsErr ps_sim_line_start(PsSimServer *server, const PsSimLineSetup *setup, PsSimLine **ret_line,
                        PsDiag *diag);
/// Before the server is stopped. Accepts NULL.
void ps_sim_line_stop(PsSimLine *line);
