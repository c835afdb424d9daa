//! A trial of a saved script: a process of its own that builds the module and ends, so that a
//! script with a mistake never takes the place of one that works. One at a time for the whole host.
//! Loop thread; never blocks.
#pragma once

#include "script/entry.h"

struct PsScriptDraft {
    PsScriptEntry *target; ///< whose script it is to become; NULL: its message was removed
    bool built;
    bool configured; ///< it comes from a changed configuration, not from a file that was saved
};

/// Starts the trial of the newest script waiting (PsScriptShared.saved) if none is under way.
void ps_script_draft_next(PsScriptShared *shared);
/// The process has ended; `reason` says why when the module was not built.
void ps_script_draft_ended(PsScriptEntry *draft, const char *reason);
