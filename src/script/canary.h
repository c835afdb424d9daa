//! A draft beside the live script: it is called with the same uploads, its output is recorded and
//! compared with what the live script sends for the same upload, and goes nowhere. One at a time.
//! Thread of `loop`; never blocks.
#pragma once

#include "script/host.h"

/// Bytes of an output kept for showing a difference.
#define PS_CANARY_SHOWN 512

typedef enum PsCanaryState {
    PS_CANARY_IDLE,     ///< never started
    PS_CANARY_RUNNING,  ///< being built, or compared
    PS_CANARY_FINISHED, ///< its calls are done, or it was stopped, or it failed: see `error`
} PsCanaryState;

typedef struct PsCanaryReport {
    PsCanaryState state;
    char error[320]; ///< why it ended early, "" when it did not
    uint64_t wanted; ///< calls it was started for
    uint64_t calls;  ///< uploads compared so far
    uint64_t same;   ///< both sent the same topics and bytes, or both nothing
    uint64_t different;
    uint64_t failed;             ///< of `different`: the draft's call raised
    char live[PS_CANARY_SHOWN];  ///< what the live script sent at the first difference, cut
    char draft[PS_CANARY_SHOWN]; ///< and what the draft would have sent
    double cpu_s;                ///< of the draft's process
} PsCanaryReport;

typedef struct PsCanary PsCanary;

/// `config` (until ps_canary_apply), `live` (which has the live scripts), `program`
/// (penstock-script) and `scratch` (PsScriptHostSetup) are borrowed and outlive the canary.
PsCanary *ps_canary_new(uv_loop_t *loop, const PsConfig *config, const PsScriptHost *live,
                        const char *program, const char *scratch);
/// Stops what runs; `closed` is called once nothing is on the loop any more, perhaps at once, and
/// may free the canary.
void ps_canary_close(PsCanary *canary, void (*closed)(void *ctx), void *ctx);
/// Accepts NULL.
void ps_canary_free(PsCanary *canary);

/// `source` is moved from. PS_ERR_NOT_FOUND without such a publish message, PS_ERR_BUSY while one
/// runs, PS_ERR_INVALID, PS_ERR_IO.
PsErr ps_canary_start(PsCanary *canary, const char *name, PsBuf *source, uint64_t calls,
                      PsDiag *diag);
/// Another configuration takes the place of the present one, which is not used any more once this
/// returns. What runs goes on unless its message or its live script changed or was removed: then it
/// ends, and the report says so. `live` has it already or gets it in the same turn of the loop.
void ps_canary_apply(PsCanary *canary, const PsConfig *config, const PsConfigMap *map);
/// The report stays. Does nothing when none runs.
void ps_canary_stop(PsCanary *canary);
/// Borrowed, as of now. Also tells that somebody still looks: a canary nobody has asked about for
/// 30 s stops by itself.
const PsCanaryReport *ps_canary_report(PsCanary *canary);

/// An upload, or changed alarms, go to a publish entry's live script. Cheap when none runs.
void ps_canary_upload(PsCanary *canary, uint32_t publish, const PsUpload *upload);
void ps_canary_alarms(PsCanary *canary, uint32_t publish, const PsAlarmUpload *upload);
/// The live script sends something.
void ps_canary_live(PsCanary *canary, const PsScriptPublish *publish);
