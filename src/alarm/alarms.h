//! The alarms of a configuration: evaluates a group's snapshot, tells what changed, and knows which
//! alarms are on. Main thread; no I/O. Nothing is allocated while evaluating.
#pragma once

#include "alarm/rule.h"
#include "model/config.h"
#include "tags/alarm_upload.h"
#include "tags/tag_table.h"
#include "tags/upload.h"

typedef struct PsAlarms PsAlarms;

/// Both are borrowed. All alarms begin off.
PsAlarms *ps_alarms_new(const PsConfig *config, const PsTagTable *table);
/// Accepts NULL.
void ps_alarms_free(PsAlarms *alarms);

/// Takes over the state of the alarm that `former` has as `former_alarm`: whole, with what was
/// counted of a delay, or else only whether it is on and why; the next value then decides.
void ps_alarms_take(PsAlarms *alarms, uint32_t alarm, const PsAlarms *former, uint32_t former_alarm,
                    bool whole);

/// Evaluates the alarms of `upload`'s group, an alarm group, with its values at `now`; the table
/// has the moment each was read. True when some changed: `ret_changed` is borrowed until the next
/// call, its texts until the table changes.
bool ps_alarms_evaluate(PsAlarms *alarms, const PsUpload *upload, PsMono now,
                        PsAlarmUpload *ret_changed);

/// The same for the communication alarms of `group` among all alarms: `devices` says by index into
/// PsConfig.devices whether it is silent (PS_ALARM_MET), answers (PS_ALARM_CLEAR), or has not been
/// heard of since the start. `stamp` is `now` on the wall clock.
bool ps_alarms_evaluate_devices(PsAlarms *alarms, uint32_t group, const PsAlarmVerdict *devices,
                                PsMono now, PsWall stamp, PsAlarmUpload *ret_changed);
/// A communication alarm is on since before the start.
void ps_alarms_restore(PsAlarms *alarms, uint32_t alarm, PsWall since);
/// What a communication alarm has for a value: "no answer" or "answers".
PsValue ps_alarms_comm_value(bool on);

/// One alarm that is on.
typedef struct PsAlarmRow {
    uint32_t alarm; ///< index into PsConfig.alarms
    PsWall since;   ///< when the value that triggered it was read
    PsValue value;  ///< that value; borrowed until the next evaluation
} PsAlarmRow;

/// The change to the present state, as it was told. Not before the first change. Borrowed as a
/// row's value is.
PsAlarmEvent ps_alarms_event(const PsAlarms *alarms, uint32_t alarm);
/// Off, and the newest value says so. An alarm whose value is not known is not clear.
bool ps_alarms_is_clear(const PsAlarms *alarms, uint32_t alarm);

/// The newest verdict was one.
bool ps_alarms_is_known(const PsAlarms *alarms, uint32_t alarm);

/// How many are on.
uint32_t ps_alarms_on_count(const PsAlarms *alarms);
/// Whether an alarm is on, and then its row.
bool ps_alarms_row(const PsAlarms *alarms, uint32_t alarm, PsAlarmRow *ret_row);
