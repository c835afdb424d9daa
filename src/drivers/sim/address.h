//! What the `symbol` of a simulated variable means: a wave, a memory cell, or a fault. Pure; any
//! thread.
//!
//!     ramp/10/0..100     rises from 0 to 100 in 10 s, then begins again
//!     sine/10/0..100     swings between them
//!     square/10/0..100   one half of the time 0, the other 100
//!     counter/0.1        one more each tenth of a second
//!     cell/NAME          keeps what was written to it; begins at 0
//!     missing            the device has no such place
//!     broken             what is there is no value
//!     silent             the device does not answer while this is read
//!     slow/0.2           it answers after 0.2 s
//!     gone               it breaks the connection
//!
//! Seconds may be left out (10; slow 0.2; counter 1), and so may the range (0..100).
#pragma once

#include "base/err.h"

typedef enum PsSimulatorKind {
    PS_SIMULATOR_RAMP,
    PS_SIMULATOR_SINE,
    PS_SIMULATOR_SQUARE,
    PS_SIMULATOR_COUNTER,
    PS_SIMULATOR_CELL,
    PS_SIMULATOR_MISSING,
    PS_SIMULATOR_BROKEN,
    PS_SIMULATOR_SILENT,
    PS_SIMULATOR_SLOW,
    PS_SIMULATOR_GONE,
} PsSimulatorKind;

typedef struct PsSimulatorPlace {
    PsSimulatorKind kind;
    double seconds;
    double low;
    double high;
    const char *cell; ///< name of a cell, the end of the text that was parsed; otherwise NULL
} PsSimulatorPlace;

/// PS_ERR_INVALID with words on what was expected.
PsErr ps_simulator_parse(const char *text, PsSimulatorPlace *ret_place, PsDiag *diag);

/// The value of a wave or counter `seconds` after the beginning.
double ps_simulator_wave(const PsSimulatorPlace *place, double seconds);

/// An example of each kind, in order; NULL after the last.
const char *ps_simulator_example(PsSimulatorKind kind);
