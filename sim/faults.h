//! The fault knobs: lines of text turn them, and each request asks them for its verdict. Pure.
//! Not thread-safe; the server holds its lock.
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "sim/frame.h"

#include <stdbool.h>
#include <stdint.h>

/// Longest delay that can be set, milliseconds.
#define PS_FAULT_DELAY_MAX_MS 600000
/// Most address ranges that answer with an exception at the same time.
#define PS_FAULT_HOLES 16

/// Items that answer with an exception code.
typedef struct PsFaultHole {
    PsSimTable table;
    uint32_t first; ///< offset
    uint32_t last;  ///< offset, included
    uint8_t code;
} PsFaultHole;

/// What happens to an answer on a line of RTU frames.
typedef enum PsFaultDamage {
    PS_DAMAGE_NONE,
    PS_DAMAGE_GARBAGE,   ///< other bytes in its place
    PS_DAMAGE_TRUNCATED, ///< the first half only
} PsFaultDamage;

/// Zero-initialised is "no fault".
typedef struct PsFaults {
    uint32_t delay_ms;
    bool silence;
    bool refuse;
    uint8_t exception;    ///< for every request; 0 none
    uint32_t reset_every; ///< every n-th request resets the connection; 0 never
    bool reset_once;      ///< with the next request, then off
    uint32_t reset_count; ///< requests since the last reset
    bool silent_slaves[256];
    uint32_t late_ms[256]; ///< how much longer this slave takes
    uint8_t damage[256];   ///< PsFaultDamage of its answers
    PsFaultHole holes[PS_FAULT_HOLES];
    size_t hole_count;
} PsFaults;

typedef enum PsFaultAction {
    PS_FAULT_ANSWER,
    PS_FAULT_SILENCE,
    PS_FAULT_RESET,
    PS_FAULT_EXCEPTION,
} PsFaultAction;

typedef struct PsFaultVerdict {
    PsFaultAction action;
    uint8_t exception;
    uint32_t delay_ms; ///< wait this long first, whatever the action
    uint8_t damage;    ///< PsFaultDamage
} PsFaultVerdict;

/// What is to happen to this request. Counts it for `reset`.
PsFaultVerdict ps_faults_judge(PsFaults *faults, const PsSimRequest *request);

/// Turns a knob: "delay 200", "silence", "slave 3 silent", "ok". PS_ERR_NOT_FOUND when the first
/// word is no knob, PS_ERR_INVALID with the right usage in `diag` otherwise; a refused line changes
/// nothing.
PsErr ps_faults_turn(PsFaults *faults, const char *line, PsDiag *diag);

/// One line for each knob: usage and meaning, for help.
void ps_faults_help(PsBuf *out);
