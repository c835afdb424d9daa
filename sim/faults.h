//! The fault knobs that concern the meaning of Modbus requests: lines of text turn them, and each
//! request asks them for its verdict. Those that concern frames are in knobs.h. Pure. Not
//! thread-safe; the server holds its lock.
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "sim/frame.h"
#include "sim/knobs.h"

#include <stdbool.h>
#include <stdint.h>

/// Most address ranges that answer with an exception at the same time.
#define PS_FAULT_HOLES 16

/// Items that answer with an exception code.
typedef struct PsFaultHole {
    PsSimTable table;
    uint32_t first; ///< offset
    uint32_t last;  ///< offset, included
    uint8_t code;
} PsFaultHole;

/// Zero-initialised is "no fault".
typedef struct PsFaults {
    uint8_t exception; ///< for every request; 0 none
    bool silent_slaves[256];
    uint32_t late_ms[256]; ///< how much longer this slave takes
    uint8_t damage[256];   ///< PsDamage of its answers
    PsFaultHole holes[PS_FAULT_HOLES];
    size_t hole_count;
} PsFaults;

typedef enum PsFaultAction {
    PS_FAULT_ANSWER,
    PS_FAULT_SILENCE,
    PS_FAULT_EXCEPTION,
} PsFaultAction;

typedef struct PsFaultVerdict {
    PsFaultAction action;
    uint8_t exception;
    uint32_t late_ms; ///< how much later the answer comes
    PsDamage damage;
} PsFaultVerdict;

/// What is to happen to this request.
PsFaultVerdict ps_faults_judge(const PsFaults *faults, const PsSimRequest *request);

/// Turns a knob: "exception 2 40010", "slave 3 silent", "ok". PS_ERR_NOT_FOUND when the first
/// word is no knob, PS_ERR_INVALID with the right usage in `diag` otherwise; a refused line changes
/// nothing.
PsErr ps_faults_turn(PsFaults *faults, const char *line, PsDiag *diag);

/// One line for each knob: usage and meaning, for help.
void ps_faults_help(PsBuf *out);
