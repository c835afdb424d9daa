//! Who asked the gateway something that is answered later, and how much it may still log. Plain
//! data; loop thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// What one call of a script has put into the log: its own lines, and warnings about what it does.
/// Both are bounded per call, so that a script in a loop does not fill the disk.
typedef struct PsScriptLines {
    uint32_t logged;   ///< at most PS_SCRIPT_CALL_LINES_MAX
    uint32_t warnings; ///< at most PS_SCRIPT_CALL_WARNINGS_MAX
    uint32_t hidden;   ///< of both, not logged
    size_t bytes;      ///< of those logged; at most PS_SCRIPT_CALL_LOG_BYTES_MAX
} PsScriptLines;

/// May one more warning of this call be logged? Counts it either way.
bool ps_script_lines_warn(PsScriptLines *lines);

/// Which worker process asked, so that an answer never reaches another one.
typedef struct PsScriptOwner {
    uint32_t slot;
    uint32_t generation;
    char *const *name;    ///< what the entry is called, for log lines; both borrowed from it
    PsScriptLines *lines; ///< who goes first forgets the call
} PsScriptOwner;
