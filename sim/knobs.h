//! Fault knobs that concern frames, the same for every protocol: lines of text turn them, each
//! request and each answer asks them. Pure, also the jitter (its own generator). Not thread-safe.
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "sim/side.h"

#include <stdbool.h>
#include <stdint.h>

/// Pause between two pieces of an answer, milliseconds.
#define PS_KNOB_PIECE_MS 2
/// Longest wait that can be set, milliseconds.
#define PS_KNOB_MOST_MS 600000

/// How often a fault happens. Zero-initialised: never.
typedef struct PsKnobRate {
    bool always;
    bool once;      ///< the next time, then off
    uint32_t every; ///< every n-th time; 0: no
    uint32_t count; ///< since the last one
} PsKnobRate;

/// What happens to an answer.
typedef enum PsDamage {
    PS_DAMAGE_NONE,
    PS_DAMAGE_GARBAGE,   ///< other bytes in its place
    PS_DAMAGE_TRUNCATED, ///< the first half only; the stream goes on after it
    PS_DAMAGE_WRONG_ID,  ///< as if it answered another request
} PsDamage;

/// Zero-initialised is "no fault".
typedef struct PsKnobs {
    uint32_t delay_ms;
    uint32_t jitter_ms;
    uint32_t late_ms;
    PsKnobRate late;
    PsKnobRate silence;
    PsKnobRate reset;
    PsKnobRate garbage;
    PsKnobRate truncate;
    PsKnobRate wrong_id;
    PsKnobRate twice;
    uint32_t piece_bytes; ///< 0: answers go in one piece
    bool refuse;
    uint32_t random; ///< state of the generator
} PsKnobs;

typedef enum PsKnobAction {
    PS_KNOB_PASS,
    PS_KNOB_SILENCE, ///< the request is swallowed: nobody carries it out
    PS_KNOB_RESET,
} PsKnobAction;

typedef struct PsKnobAnswer {
    bool dropped;      ///< silence: not even answers to earlier requests come
    uint32_t delay_ms; ///< the device is busy this long; what follows waits until it is free
    uint32_t late_ms;  ///< and then on its way this long
    PsDamage damage;
    bool twice;
    uint32_t piece_bytes; ///< 0: in one piece
} PsKnobAnswer;

/// What is to happen to this request. Counts it.
PsKnobAction ps_knobs_request(PsKnobs *knobs);
/// What is to happen to this answer. Counts it.
PsKnobAnswer ps_knobs_answer(PsKnobs *knobs);
/// Does `damage` to a frame in place.
void ps_knobs_damage(PsDamage damage, const PsSimFraming *framing, uint8_t *frame, size_t *len);

/// Turns a knob: "delay 200", "late 1500 once", "ok". PS_ERR_NOT_FOUND when the first word is no
/// knob, PS_ERR_INVALID with the right usage in `diag` otherwise; a refused line changes nothing.
PsErr ps_knobs_turn(PsKnobs *knobs, const char *line, PsDiag *diag);

/// One line for each knob: usage and meaning, for help.
void ps_knobs_help(PsBuf *out);
