//! The form in which an input that a script failed on is kept, shown and run again. Pure.
//!
//! An input is the body of its frame, and of a snapshot or alarms the body of the frame with their
//! names beside it, so that it still has its names after a restart with another configuration. They
//! lie on disk across versions: whoever changes the layout of DATA, SCHEMA, ALARMS, ALARM_NAMES,
//! MESSAGE or a value's kinds (wire.h, snapshot.h, alarm_frame.h, tags/value.h) gives the new
//! layout a new number here.
#pragma once

#include "script/inputs.h"
#include "script/messages.h"

typedef enum PsKeptForm {
    PS_KEPT_SNAPSHOT = 1, ///< DATA with SCHEMA
    PS_KEPT_MESSAGE = 2,  ///< MESSAGE
    PS_KEPT_ALARMS = 3,   ///< ALARMS with ALARM_NAMES
} PsKeptForm;

/// PsScriptKept of host.h. Everything is borrowed.
struct PsScriptKept {
    int form; ///< PsKeptForm, or the number of another version
    int qos;  ///< of a message: that of its delivery
    PsWall collected;
    const void *input;
    size_t input_len;
    const void *schema; ///< of a snapshot and of alarms: the names; else NULL
    size_t schema_len;
};

/// The group that a snapshot or alarms and their names are given when they are run again: it stands
/// beside those of the present configuration.
#define PS_KEPT_GROUP (UINT32_MAX - 1)

/// Makes an input from it, with its names.
/// PS_ERR_UNSUPPORTED: kept by another version; PS_ERR_CORRUPT: unreadable; each with a diagnosis.
PsErr ps_kept_input(const PsScriptKept *kept, PsScriptInput *input, PsDiag *diag);

/// Topic and payload of a kept message. PS_ERR_INVALID when it is none.
PsErr ps_kept_message(const PsScriptKept *kept, PsWireText *ret_topic, PsWireText *ret_payload);

/// One value of a kept snapshot; kind none is status 0.
typedef void PsKeptValue(PsWireText device, PsWireText variable, PsValue value, void *ctx);

/// Calls `each` for every value, in order. PS_ERR_INVALID when it is no snapshot or unreadable;
/// some may have been seen by then.
PsErr ps_kept_snapshot(const PsScriptKept *kept, PsWireText *ret_group, double *ret_timestamp,
                       PsKeptValue *each, void *ctx);

/// One alarm of a kept input of alarms.
typedef struct PsKeptAlarm {
    PsWireText name;
    PsWireText content;
    bool on;
    int level;
    uint64_t timestamp; ///< seconds since 1970
    PsValue value;
} PsKeptAlarm;

typedef void PsKeptAlarmEach(const PsKeptAlarm *alarm, void *ctx);

/// The same for alarms.
PsErr ps_kept_alarms(const PsScriptKept *kept, PsWireText *ret_group, double *ret_timestamp,
                     PsKeptAlarmEach *each, void *ctx);
