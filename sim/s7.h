//! S7 of penstock-sim: libsnap7's server over the plant. What it shows is in sim/README.md.
#pragma once

#include "sim/side.h"

extern const PsSimSideKind ps_sim_s7_kind;
