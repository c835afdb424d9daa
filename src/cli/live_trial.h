//! One script of `check --live`: runs it and tells what came of it. Blocks in the loop of `live`.
#pragma once

#include "cli/live.h"
#include "script/trial.h"

typedef struct LiveTrial {
    const char *message;
    PsScriptKind kind;
    const char *group;        ///< "" for subscribe
    const char *input;        ///< in words
    bool splits;              ///< what is too large for the cloud is cut, when it is a list
    const PsPublish *publish; ///< NULL for subscribe
    LiveResult *result;       ///< takes its first publish, unless it has one; may be NULL
    const PsBuf *source;      ///< copied
    PsTrialSetup setup;       ///< but loop, program, scratch, config, source and done
} LiveTrial;

/// Keys: message, kind, group, input, tried, error ("" when sound), line (of the mistake, 0: not
/// known), warning; wall_ms, peak_kib; results[] with topic, qos, bytes, limit, method, count;
/// calls{} by name; log_errors; first_error.
json_t *live_trial_run(Live *live, const LiveTrial *trial);
