//! Open write_plc_values calls: names resolved against the configuration, one write per item
//! handed to the field side, the results gathered in request order, the time limit kept.
//! Loop thread. The caller bounds how many calls are open.
#pragma once

#include "base/map.h"
#include "script/host.h"
#include "script/messages.h"

typedef struct PsScriptWriteCall PsScriptWriteCall;

/// What one call of a script has put into the log: its own lines, and warnings about what it does.
/// Both are bounded per call, so that a script in a loop does not fill the disk.
typedef struct PsScriptLines {
    uint32_t logged;   ///< at most PS_SCRIPT_CALL_LINES_MAX
    uint32_t warnings; ///< at most PS_SCRIPT_CALL_WARNINGS_MAX
    uint32_t hidden;   ///< of both, not logged
} PsScriptLines;

/// May one more warning of this call be logged? Counts it either way.
bool ps_script_lines_warn(PsScriptLines *lines);

/// Which worker process asked, so that an answer never reaches another one.
typedef struct PsScriptWriteOwner {
    uint32_t slot;
    uint32_t generation;
    const char *name;     ///< entry name for log lines; borrowed from the configuration
    PsScriptLines *lines; ///< borrowed from the entry, which outlives the call
} PsScriptWriteOwner;

/// A call has ended. `frame` is the WRITE_DONE frame, NULL when the script wants no result;
/// it may be moved from.
typedef void PsScriptWriteEnded(PsScriptWriteOwner owner, PsBuf *frame, void *ctx);

typedef struct PsScriptWrites {
    const PsScriptHostSetup *setup;
    PsScriptWriteEnded *on_ended;
    void *ctx;
    PsMap devices;   ///< name -> device
    PsMap variables; ///< device name, variable name -> variable
    PsMap names;     ///< variable name -> variable, or the mark for names that are not unique
    PsScriptWriteCall *calls;
    uv_timer_t timer; ///< the next time limit
    bool open;
} PsScriptWrites;

/// `setup` is borrowed.
void ps_script_writes_init(PsScriptWrites *writes, const PsScriptHostSetup *setup,
                           PsScriptWriteEnded *on_ended, void *ctx);
/// Puts the timer on the loop.
void ps_script_writes_open(PsScriptWrites *writes);
/// Takes the timer off; `closed` is called for the handle. Open calls answer nobody any more.
void ps_script_writes_close(PsScriptWrites *writes, uv_close_cb closed);
void ps_script_writes_deinit(PsScriptWrites *writes);
/// Starts a call. `items` as ps_wire_get_write left it. on_ended may be called before this
/// returns.
void ps_script_writes_begin(PsScriptWrites *writes, PsScriptWriteOwner owner,
                            const PsWireWrite *write, PsReader items);
