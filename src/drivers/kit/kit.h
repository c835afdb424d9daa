//! The conformance kit: the contract of drivers/driver.h as tests that every driver passes. A
//! driver's kit test is a const rig, which says what its device has and how it can be made to
//! misbehave, and a main of one line.
#pragma once

#include "drivers/driver.h"
#include "drivers/kit/plant.h"

#define PS_KIT_VARIABLES_MAX 64U

/// What a device can be made to do. What a rig does not have is skipped.
typedef enum PsKitFault {
    PS_KIT_SILENT,    ///< takes requests and never answers
    PS_KIT_SLOW,      ///< answers after a tenth of a second
    PS_KIT_LATE,      ///< answers after more than the time limit, which the kit sets to 0.3 s
    PS_KIT_GARBAGE,   ///< its answers are other bytes
    PS_KIT_TRUNCATED, ///< its answers end in the middle
    PS_KIT_WRONG_ID,  ///< its answers belong to other requests
    PS_KIT_RESET,     ///< breaks the connection with the next request
    PS_KIT_CLOSED,    ///< nobody listens there
    PS_KIT_FAULTS,
} PsKitFault;

typedef struct PsKitVariable {
    PsVariable variable; ///< names of variable and device are filled in
    PsValue value;       ///< that it has; none: whatever it is
    PsValue low;         ///< written and read back; none: it is not written
    PsValue high;        ///< likewise
    PsValue beyond;      ///< the driver refuses to write it; none: the gateway does already, by the
                         ///< data type (tags/coerce.h)
} PsKitVariable;

typedef struct PsKitRig {
    const char *name; ///< of the protocol, for people
    const PsDriver *driver;
    /// What the device is served by: penstock-sim. Ignored when `in_process`.
    PsKitPlantSetup plant;
    /// The device is part of the driver: a fault is there while `fault_variables` has a member in
    /// what is read.
    bool in_process;
    PsDevice device; ///< name, ip, port and timeout are filled in
    PsSerial serial; ///< used when plant.line; path is filled in

    const PsKitVariable *variables; ///< the first two writable ones are whole numbers
    uint32_t variable_count;
    /// A place that the device does not have, and the command that takes it away; NULL: it never
    /// has it.
    PsVariable absent;
    const char *absent_command;

    /// The command for each fault, NULL: it cannot be made.
    const char *faults[PS_KIT_FAULTS];
    const char *end_faults; ///< the command after which all is well again
    const PsVariable *fault_variables[PS_KIT_FAULTS];

    bool connect_asks; ///< connect speaks with the device, so that a silent one blocks it
    bool no_peek;      ///< there is nothing to look at
} PsKitRig;

/// The faults of frames that penstock-sim has for each of its sides; `side` is "" or "s7 ".
#define PS_KIT_FAULTS_OF(side)                                                                     \
    .faults = {[PS_KIT_SILENT] = (side "silence"),     [PS_KIT_SLOW] = (side "delay 100"),         \
               [PS_KIT_LATE] = (side "late 450"),      [PS_KIT_GARBAGE] = (side "garbage"),        \
               [PS_KIT_TRUNCATED] = (side "truncate"), [PS_KIT_WRONG_ID] = (side "wrong-id"),      \
               [PS_KIT_RESET] = (side "reset"),        [PS_KIT_CLOSED] = (side "refuse")},         \
    .end_faults = (side "ok")

/// Runs every case; what `main` returns.
int ps_kit_run(const PsKitRig *rig);
