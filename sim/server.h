//! Modbus TCP on loopback: one thread per connection, answers built by libmodbus over the plant's
//! tables. The calls here are for one controlling thread.
#pragma once

#include "base/err.h"
#include "sim/faults.h"
#include "sim/plant.h"

#include <stdbool.h>
#include <stdint.h>

/// Connections at a time; one more is closed at once and counted as turned away.
#define PS_SIM_CONNECTIONS 64

typedef struct PsSimServer PsSimServer;
typedef struct _modbus modbus_t; // libmodbus's own

typedef struct PsSimServerSetup {
    const char *address; ///< IPv4 to listen on; NULL: 127.0.0.1
    uint16_t port;       ///< 0: a free one
    bool slaves[256];    ///< unit ids that exist; none set: all do. Others stay silent.
} PsSimServerSetup;

typedef struct PsSimStats {
    uint64_t requests;   ///< whole requests received
    uint64_t answered;   ///< normal answers
    uint64_t exceptions; ///< Modbus exceptions sent
    uint64_t unanswered; ///< silence, or a unit id that does not exist
    uint64_t resets;     ///< connections reset by a fault
    uint64_t accepted;   ///< connections taken
    uint64_t turned_away;
    uint32_t connections; ///< open now
} PsSimStats;

/// Listens and starts answering. PS_ERR_IO (port taken, not permitted) with words in `diag`.
PsErr ps_sim_server_start(const PsSimServerSetup *setup, PsSimServer **ret_server, PsDiag *diag);
/// Closes everything and waits for the threads (none of them sleeps past this). Accepts NULL.
void ps_sim_server_stop(PsSimServer *server);

uint16_t ps_sim_server_port(const PsSimServer *server);
PsSimStats ps_sim_server_stats(PsSimServer *server);

/// A request that came another way, as a Modbus TCP frame: when the verdict is PS_FAULT_ANSWER its
/// answer was written to the socket of `modbus`, at once; any delay and damage is the caller's.
/// Any thread.
PsFaultVerdict ps_sim_server_ask(PsSimServer *server, modbus_t *modbus, const uint8_t *frame,
                                 size_t len);
/// Is `refuse` in effect? Any thread.
bool ps_sim_server_refuses(PsSimServer *server);

/// As ps_faults_turn, in effect from the next request on; `refuse` has closed the port and every
/// connection when this returns, and a later `ok` listens on the same port again.
PsErr ps_sim_server_fault(PsSimServer *server, const char *line, PsDiag *diag);

/// As the plant calls of the same name, at the present time.
void ps_sim_server_force(PsSimServer *server, PsSimAddress address, uint16_t value);
uint16_t ps_sim_server_item(PsSimServer *server, PsSimAddress address);
void ps_sim_server_release(PsSimServer *server);
