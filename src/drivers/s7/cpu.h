//! What a CPU says of itself: order number, firmware, whether it is in STOP. Blocks as its requests
//! do (connection.h). One owner: the session.
#pragma once

#include "drivers/s7/connection.h"

typedef struct PsS7Cpu {
    bool mute;         ///< it does not answer such questions: none are asked any more
    bool stopped;      ///< in STOP
    char order[24];    ///< "6ES7 515-2AM01-0AB0"; "" when it is not known
    char firmware[12]; ///< "V2.9"; "" when it is not known
    PsMono asked;      ///< for its state, last
} PsS7Cpu;

/// Asks for everything, on a new connection. Only what ends the connection is an error;
/// PS_ERR_TIMEOUT: the device takes no such question, which is remembered.
PsErr ps_s7_cpu_ask(PsS7Cpu *cpu, PsS7Connection *connection, int64_t timeout_ns, PsDiag *diag);

/// Asks for the state again when the last answer is old.
PsErr ps_s7_cpu_refresh(PsS7Cpu *cpu, PsS7Connection *connection, int64_t timeout_ns, PsMono now,
                        PsDiag *diag);

/// For PsSession.note.
void ps_s7_cpu_note(const PsS7Cpu *cpu, const PsS7Connection *connection, char *out, size_t size);
