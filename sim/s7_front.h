//! What stands between clients and libsnap7's server: telegrams go through it one by one, so that
//! answers can say what the library's server cannot, a refused function or another return code
//! than "does not exist".
#pragma once

#include "sim/s7_memory.h"

typedef struct PsSimS7Front PsSimS7Front;

/// Listens on `address`:`port` (0: a free one) and speaks to the server on 127.0.0.1:`server_port`.
/// PS_ERR_IO.
PsErr ps_sim_s7_front_start(PsSimS7Memory *memory, const char *address, uint16_t port,
                            uint16_t server_port, PsSimS7Front **ret_front, PsDiag *diag);
/// Closes everything and waits for the threads. Accepts NULL.
void ps_sim_s7_front_stop(PsSimS7Front *front);
uint16_t ps_sim_s7_front_port(const PsSimS7Front *front);
