//! The names that the values of an input go by, as the frame that a worker must have had before it.
//! Inputs hold on to them, so that one that waits while the configuration changes still has the
//! names it was collected with. Loop thread.
#pragma once

#include "base/buf.h"

/// Counted by its users; the last one who drops it frees it. Not changed once it is in use.
typedef struct PsScriptNames {
    uint32_t users;
    uint32_t group; ///< the number that SCHEMA or ALARM_NAMES, and the inputs, have for it
    PsBuf frame;
} PsScriptNames;

/// With an empty frame and one user, the caller.
PsScriptNames *ps_script_names_new(uint32_t group);
/// One more user. Accepts NULL.
PsScriptNames *ps_script_names_share(PsScriptNames *names);
/// One user less. Accepts NULL.
void ps_script_names_drop(PsScriptNames *names);
/// Do both say the same, number included?
bool ps_script_names_equal(const PsScriptNames *a, const PsScriptNames *b);

/// What one worker process was told, by group the newest. Zero-initialised.
typedef struct PsScriptTold {
    PsScriptNames **items;
    uint32_t count;
} PsScriptTold;

/// True when `names` must be sent now; they count as sent from here on.
bool ps_script_told_put(PsScriptTold *told, PsScriptNames *names);
/// The next process knows nothing.
void ps_script_told_clear(PsScriptTold *told);
