//! OPC UA of penstock-sim: open62541's server over the plant. What it shows and which users it has
//! is in sim/README.md.
#pragma once

#include "sim/side.h"

extern const PsSimSideKind ps_sim_opcua_kind;
