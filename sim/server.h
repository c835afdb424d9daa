//! The Modbus side of the simulator: Modbus TCP on a public port, answers built by libmodbus over
//! the plant's tables. It owns the plant; other sides and serial lines ask it. The calls here are
//! for one controlling thread unless they say otherwise.
#pragma once

#include "base/err.h"
#include "sim/faults.h"
#include "sim/plant.h"
#include "sim/port.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct PsSimServer PsSimServer;

typedef struct PsSimServerSetup {
    const char *address;  ///< IPv4 to listen on; NULL: 127.0.0.1
    uint16_t port;        ///< 0: a free one
    uint32_t connections; ///< at a time; 0: PS_SIM_CONNECTIONS
    bool slaves[256];     ///< unit ids that exist; none set: all do. Others stay silent.
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
/// Closes everything and waits for the thread (it never sleeps past this). Accepts NULL.
void ps_sim_server_stop(PsSimServer *server);

uint16_t ps_sim_server_port(const PsSimServer *server);
PsSimStats ps_sim_server_stats(PsSimServer *server);

/// A request that came another way, as a Modbus TCP frame. True: its answer is in `answer` (room
/// for PS_SIM_FRAME_BYTES), and what is to happen to it in `ret_fault`. Any thread.
bool ps_sim_server_ask(PsSimServer *server, const uint8_t *frame, size_t len, uint8_t *answer,
                       size_t *ret_len, PsKnobAnswer *ret_fault);
/// Is `refuse` in effect? Any thread.
bool ps_sim_server_refuses(PsSimServer *server);

/// As ps_faults_turn and ps_sim_port_fault, in effect from the next request on.
PsErr ps_sim_server_fault(PsSimServer *server, const char *line, PsDiag *diag);

/// As the plant calls of the same name, at the present time. Any thread.
void ps_sim_server_force(PsSimServer *server, PsSimAddress address, uint16_t value);
uint16_t ps_sim_server_item(PsSimServer *server, PsSimAddress address);
void ps_sim_server_release(PsSimServer *server);
void ps_sim_server_write(PsSimServer *server, PsSimAddress first, size_t count,
                         const uint16_t *values);
/// `count` items of one moment; past the end of the table: 0. Any thread.
void ps_sim_server_items(PsSimServer *server, PsSimAddress first, size_t count,
                         uint16_t *ret_values);
