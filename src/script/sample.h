//! A data_collect written down as JSON, as the input of a trial without a gateway: the devices,
//! variables and values it names become a small configuration and one upload. Pure; any thread.
#pragma once

#include "model/config.h"
#include "tags/upload.h"

typedef struct PsScriptSample {
    PsConfig config; ///< one group; a device and a variable for each name in `values`
    PsUpload upload;
    PsArena *arena; ///< owns everything above
} PsScriptSample;

/// `{"timestamp": s, "group_name": text, "values": {device: {variable: {"raw_data": value,
/// "status": 1}}}}` as a script gets it (and as `json.dumps(data_collect)` writes it). `timestamp`
/// and `group_name` may be left out: now, and "default". PS_ERR_INVALID with `diag` naming the
/// place.
PsErr ps_script_sample_parse(const char *json, size_t len, PsScriptSample *ret_sample,
                             PsDiag *diag);
/// Accepts a zeroed one.
void ps_script_sample_deinit(PsScriptSample *sample);
