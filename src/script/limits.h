//! The limits of a message's script, from the configuration to the order for a worker. Pure.
#pragma once

#include "model/config.h"
#include "script/messages.h"

/// Fills in what the worker is held to; a number that is 0 is the documented default.
void ps_script_limits_put(const PsScriptLimits *limits, PsWireFork *order);
/// Says for the log which limit was passed: "it used ...". Never NULL; `text` holds it.
const char *ps_script_limit_text(const PsScriptLimits *limits, PsWireLimit limit, char *text,
                                 size_t size);
