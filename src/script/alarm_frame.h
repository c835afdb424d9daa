//! How the changed alarms of a group travel: names and contents once for each worker process
//! (ALARM_NAMES), then only what changed (ALARMS). Pure; main thread. The counterpart is
//! worker/alarm_collect.c.
//!
//! ALARM_NAMES: u32 group, text group name, u32 count, then for each alarm of the group in the
//! order of the configuration texts name, content.
//! ALARMS: u8 link, u32 group, f64 timestamp, u32 count, items. An item is u32 place in
//! ALARM_NAMES, u8 state (ps_wire_alarm_state), u64 seconds since 1970, value.
#pragma once

#include "model/config.h"
#include "script/wire.h"
#include "tags/alarm_upload.h"

/// Appends the ALARM_NAMES frame of a group.
void ps_alarm_frame_put_names(const PsConfig *config, uint32_t group, PsBuf *out);
/// Appends the ALARMS frame with link down. PS_ERR_TOO_BIG (nothing appended) when it would pass
/// PS_WIRE_BODY_MAX.
PsErr ps_alarm_frame_put(const PsConfig *config, const PsAlarmUpload *upload, PsBuf *out);
