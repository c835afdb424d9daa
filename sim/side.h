//! A protocol that penstock-sim serves beside Modbus: one const table of functions per protocol,
//! one line in the table of sim/main.c. The plant behind all of them is the same.
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "sim/plant.h"

#include <stdint.h>

typedef struct PsSimSide PsSimSide;

typedef struct PsSimSideSetup {
    const char *address;  ///< IPv4 to listen on, mostly 127.0.0.1
    uint16_t port;        ///< 0: a free one
    uint16_t public_port; ///< where clients come in (the relay); for protocols that tell their port
    uint32_t connections; ///< that can come from the relay at a time; 0: 64
    const char *folder;   ///< where a key and its certificate are kept; NULL: nowhere, each start
                          ///< has new ones
    /// The item of the plant as it is now, in the words of sim/README.md ("40001"). Any thread.
    uint16_t (*item)(void *plant, PsSimAddress address);
    /// Puts an item as a client's write does. Any thread.
    void (*write)(void *plant, PsSimAddress address, uint16_t value);
    /// `count` items from `first` on, all of the same moment: a value of two registers is never
    /// torn. Past the end of the table: 0. Any thread.
    void (*items)(void *plant, PsSimAddress first, size_t count, uint16_t *ret_values);
    /// Puts `count` items at once. What is past the end of the table is dropped. Any thread.
    void (*write_items)(void *plant, PsSimAddress first, size_t count, const uint16_t *values);
    void *plant;
} PsSimSideSetup;

/// How the bytes of a protocol are cut into frames, for faults that concern frames.
typedef struct PsSimFraming {
    /// Length of the frame that begins here, 0 when more bytes are needed to tell, SIZE_MAX when
    /// no frame begins like this (the connection ends). Never trusts more than `have` bytes.
    size_t (*length)(const uint8_t *bytes, size_t have);
    size_t most; ///< longest frame; what claims to be longer ends the connection
    /// Makes the answer look like that of another request (transaction id, sequence, handle). NULL:
    /// the protocol has no such thing.
    void (*spoil_id)(uint8_t *frame, size_t len);
} PsSimFraming;

typedef struct PsSimSideKind {
    const char *name;  ///< of the option and the fault lines: "s7"
    const char *title; ///< for people: "S7 (ISO-on-TCP)"
    uint16_t port;     ///< the usual one
    const PsSimFraming *framing;
    /// Listens and starts answering, on threads of its own. PS_ERR_IO with words in `diag`.
    PsErr (*start)(const PsSimSideSetup *setup, PsSimSide **ret_side, PsDiag *diag);
    /// Closes everything and waits for the threads. Accepts NULL.
    void (*stop)(PsSimSide *side);
    uint16_t (*bound_port)(const PsSimSide *side);
    /// A fault that concerns the meaning of requests (a hole, a stopped CPU): PS_ERR_NOT_FOUND when
    /// it is none of its own, PS_ERR_INVALID with the usage in `diag`. "ok" ends them all.
    PsErr (*fault)(PsSimSide *side, const char *line, PsDiag *diag);
    /// A line for each fault of its own: usage and meaning.
    void (*help)(PsBuf *out);
} PsSimSideKind;
