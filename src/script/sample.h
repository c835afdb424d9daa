//! A data_collect written down as JSON, as the input of a trial without a gateway: the devices,
//! variables and values it names, or the alarms, become a small configuration and one upload. Pure;
//! any thread.
#pragma once

#include "model/config.h"
#include "tags/alarm_upload.h"
#include "tags/upload.h"

typedef struct PsScriptSample {
    PsConfig config; ///< one group; a device and a variable, or an alarm, for each name in `values`
    PsUpload upload; ///< of a collect group
    PsAlarmUpload alarms; ///< of an alarm group
    PsArena *arena;       ///< owns everything above
} PsScriptSample;

/// `{"timestamp": s, "group_name": text, "values": {device: {variable: {"raw_data": value,
/// "status": 1}}}}` as a script gets it (and as `json.dumps(data_collect)` writes it). `timestamp`
/// and `group_name` may be left out: now, and "default". Of an alarm group (`type`) `values` is
/// `{alarm: {"current": "on", "value": value, "timestamp": s, "alarm_content": text, ...}}`, of
/// which the last two may be left out, and the group's name is "warning" unless given.
/// PS_ERR_INVALID with `diag` naming the place.
PsErr ps_script_sample_parse(const char *json, size_t len, PsGroupType type,
                             PsScriptSample *ret_sample, PsDiag *diag);
/// Accepts a zeroed one.
void ps_script_sample_deinit(PsScriptSample *sample);
