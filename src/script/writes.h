//! Open write_plc_values calls: names resolved against the configuration, one write per item
//! handed to the field side, the results gathered in request order, the time limit kept.
//! Loop thread. The caller bounds how many calls are open.
#pragma once

#include "base/map.h"
#include "script/host.h"
#include "script/messages.h"
#include "script/owner.h"

typedef struct PsScriptWriteCall PsScriptWriteCall;

/// A call has ended. `frame` is the REPLY frame, NULL when the script wants no result;
/// it may be moved from.
typedef void PsScriptWriteEnded(PsScriptOwner owner, PsBuf *frame, void *ctx);

typedef struct PsScriptWrites {
    const PsScriptHostSetup *setup;
    PsScriptWriteEnded *on_ended;
    void *ctx;
    PsMap devices;    ///< name -> device
    PsMap variables;  ///< device name, variable name -> variable
    PsMap names;      ///< variable name -> variable, or the mark for names that are not unique
    bool knows_names; ///< the maps are filled, for the first who writes
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
/// There is another configuration: the next call's names are resolved in it.
void ps_script_writes_forget_names(PsScriptWrites *writes);
/// Open calls of this owner answer nobody any more.
void ps_script_writes_forget_owner(PsScriptWrites *writes, uint32_t slot);
/// Starts a call. `items` as ps_wire_get_write left it. on_ended may be called before this
/// returns.
void ps_script_writes_begin(PsScriptWrites *writes, PsScriptOwner owner, const PsWireWrite *write,
                            PsReader items);
