//! The alarms of one group that changed in one evaluation: what an alarm script is called with.
//! Made on the main thread; borrowed by the callee until it returns.
#pragma once

#include "tags/value.h"

typedef struct PsAlarmEvent {
    uint32_t alarm; ///< index into PsConfig.alarms
    bool on;        ///< triggered; false: restored
    PsWall stamp;   ///< when the value was read
    PsValue value;  ///< what decided it
} PsAlarmEvent;

typedef struct PsAlarmUpload {
    uint32_t group;   ///< index into PsConfig.groups, an alarm group
    PsWall collected; ///< `timestamp` of data_collect
    uint32_t event_count;
    const PsAlarmEvent *events; ///< of this group, each alarm at most once
} PsAlarmUpload;
