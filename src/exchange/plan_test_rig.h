//! What the tests of plans share. One thread.
#pragma once

#include "exchange/plan.h"

/// There are drivers for all protocols, not only for Modbus.
extern bool rig_every_protocol;

/// Modbus TCP is there, others are not; register 25000 is in no table.
PsVariableCheck *rig_check_for(int protocol);

/// A plan from penstock.json (NULL: none) and files: name, text, name, text, ..., NULL; finished.
PsPlan *rig_plan(const char *json, ...);

/// The plan as text, one line for each row ("var.csv:2 changed Boiler/t1 mode:realtime>onchange",
/// "... not taken - Data Type: 'X' is not ..."), note, failed file and finding.
void rig_tell(const PsPlan *plan, PsBuf *out);

/// That text has all of these, in any order; frees the plan.
void rig_expect_parts(PsPlan *plan, const char *const *parts, size_t count);
