//! The alarms of the running gateway with all that belongs to them: evaluates, writes the journal,
//! keeps what people say about them, tells what changed. Main thread.
//!
//! An acknowledgement belongs to one occurrence: it goes when the alarm ends, and after a start
//! when the first value says that it has ended. A shelved alarm is evaluated and recorded but not
//! told; when its time is over, and it is not as it was told last, it is told.
#pragma once

#include "alarm/alarms.h"
#include "alarm/journal.h"
#include "model/config_map.h"

#define PS_ALARM_SHELVE_MAX_S (30 * 24 * 3600)

typedef struct PsAlarmDesk PsAlarmDesk;

typedef struct PsAlarmDeskSetup {
    uv_loop_t *loop;
    const PsConfig *config;  ///< borrowed
    const PsTagTable *table; ///< borrowed
    const char *folder;      ///< of the journal; borrowed during open
    /// Alarms of a group changed at one moment: one call of each script.
    void (*on_changed)(const PsAlarmUpload *changed, void *ctx);
    void *ctx;
} PsAlarmDeskSetup;

/// As ps_journal_open.
PsErr ps_alarm_desk_open(const PsAlarmDeskSetup *setup, PsAlarmDesk **ret_desk, PsDiag *diag);
/// As ps_journal_close.
void ps_alarm_desk_close(PsAlarmDesk *desk);

/// Takes over another configuration; `map` is looked at here only, the former configuration, too.
/// An alarm that watches what it did stays on or off, acknowledged and shelved; where its condition
/// or delays are others, what was counted of a delay is forgotten and the next value decides. One
/// that is gone, or watches something else, has ended: journal and, where they were told that it is
/// on and its group is still there, scripts are told from within here, by the indexes of the former
/// configuration. Shelving stays with the name, also while there is no such alarm.
void ps_alarm_desk_apply(PsAlarmDesk *desk, const PsConfig *config, const PsConfigMap *map);

/// A snapshot of an alarm group.
void ps_alarm_desk_evaluate(PsAlarmDesk *desk, const PsUpload *upload);

/// Which devices are silent, as ps_alarms_evaluate_devices: for the communication alarms, about
/// once a second. These keep their state over restarts: one that was on is not told again, and one
/// that has ended meanwhile is told as ended.
void ps_alarm_desk_evaluate_devices(PsAlarmDesk *desk, const PsAlarmVerdict *devices);

/// `who` did it, for the journal. PS_ERR_NOT_FOUND; PS_ERR_INVALID when the alarm is not on,
/// PS_ERR_EXISTS when it is acknowledged.
PsErr ps_alarm_desk_acknowledge(PsAlarmDesk *desk, const char *name, const char *who, PsDiag *diag);
/// From now for 1 to PS_ALARM_SHELVE_MAX_S seconds, instead of an earlier time.
/// PS_ERR_NOT_FOUND, PS_ERR_RANGE.
PsErr ps_alarm_desk_shelve(PsAlarmDesk *desk, const char *name, int64_t seconds, const char *who,
                           PsDiag *diag);
/// PS_ERR_NOT_FOUND; PS_ERR_INVALID when it is not shelved.
PsErr ps_alarm_desk_unshelve(PsAlarmDesk *desk, const char *name, const char *who, PsDiag *diag);
/// Borrowed.
const PsAlarmMark *ps_alarm_desk_mark(const PsAlarmDesk *desk, uint32_t alarm);

const PsAlarms *ps_alarm_desk_alarms(const PsAlarmDesk *desk);
PsJournal *ps_alarm_desk_journal(PsAlarmDesk *desk);
