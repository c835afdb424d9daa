//! EtherNet/IP of penstock-sim: a simulated Logix controller over the plant, our own code. Its tags
//! are in sim/README.md.
#pragma once

#include "sim/side.h"

extern const PsSimSideKind ps_sim_eip_kind;
