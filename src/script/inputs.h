//! The inputs that wait for one worker: a bounded queue, oldest first. Holds whole frames, ready to
//! send. Loop thread.
#pragma once

#include "base/time.h"
#include "script/host.h"
#include "script/names.h"
#include "script/wire.h"

typedef struct PsScriptInput {
    PsBuf frame; ///< DATA, ALARMS, MESSAGE or REPLY
    PsWireType type;
    PsScriptNames *names; ///< what its values go by, shared; NULL: it needs none
    int qos;              ///< of MESSAGE: that of the delivery
    PsWall collected; ///< of DATA and ALARMS; of MESSAGE: when it came; of REPLY: when it was sent
    uint64_t replay;  ///< the dead letter that is run again, 0: a live input
} PsScriptInput;

/// Shares the names, which may be NULL, instead of those it has.
void ps_script_input_set_names(PsScriptInput *input, PsScriptNames *names);
void ps_script_input_deinit(PsScriptInput *input);

/// Zero-initialised but for `most`.
typedef struct PsScriptInputs {
    uint32_t most; ///< so many may wait
    PsScriptInput *items;
    uint32_t room; ///< slots there are; more are made as they are needed
    uint32_t first;
    uint32_t count;
    uint32_t used; ///< slots that may hold memory: those before this one
    size_t bytes;
} PsScriptInputs;

void ps_script_inputs_deinit(PsScriptInputs *inputs);
/// Is there no room for `input` before the oldest is taken? Never when empty.
bool ps_script_inputs_is_full(const PsScriptInputs *inputs, const PsScriptInput *input);
/// Moves `input` to the end, where there must be room, and leaves it empty.
void ps_script_inputs_put(PsScriptInputs *inputs, PsScriptInput *input);
/// The one that is taken next. Borrowed; not when empty.
const PsScriptInput *ps_script_inputs_oldest(const PsScriptInputs *inputs);
/// Moves the oldest into `input`, whose old frame memory goes back for reuse. False when empty.
bool ps_script_inputs_take(PsScriptInputs *inputs, PsScriptInput *input);
/// Moves `input` to the front: it was taken but not used. False when the queue is full.
bool ps_script_inputs_put_back(PsScriptInputs *inputs, PsScriptInput *input);
