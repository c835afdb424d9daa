//! The inputs that wait for one worker: a bounded queue, oldest first, that gives its oldest away
//! when full. Holds whole frames, ready to send. Loop thread.
#pragma once

#include "base/time.h"
#include "script/host.h"
#include "script/wire.h"

typedef struct PsScriptInput {
    PsBuf frame; ///< DATA, MESSAGE or REPLY
    PsWireType type;
    uint32_t group;   ///< of DATA and REPLY: whose names it needs, or PS_SCRIPT_NO_GROUP
    int qos;          ///< of MESSAGE: that of the delivery
    PsWall collected; ///< of DATA
} PsScriptInput;

#define PS_SCRIPT_NO_GROUP UINT32_MAX

typedef struct PsScriptInputs {
    PsScriptInput items[PS_SCRIPT_QUEUE_INPUTS];
    uint32_t first;
    uint32_t count;
    size_t bytes;
} PsScriptInputs;

void ps_script_inputs_deinit(PsScriptInputs *inputs);
/// Moves `input` to the end and leaves it empty. Returns how many of the oldest went for it.
uint32_t ps_script_inputs_put(PsScriptInputs *inputs, PsScriptInput *input);
/// Moves the oldest into `input`, whose old frame memory goes back for reuse. False when empty.
bool ps_script_inputs_take(PsScriptInputs *inputs, PsScriptInput *input);
/// Moves `input` to the front: it was taken but not used. False when the queue is full.
bool ps_script_inputs_put_back(PsScriptInputs *inputs, PsScriptInput *input);
/// Drops all; returns how many.
uint32_t ps_script_inputs_clear(PsScriptInputs *inputs);
