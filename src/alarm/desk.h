//! The alarms of the running gateway with all that belongs to them: evaluates, writes the journal,
//! tells what changed. Main thread.
#pragma once

#include "alarm/alarms.h"
#include "alarm/journal.h"

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

/// A snapshot of an alarm group.
void ps_alarm_desk_evaluate(PsAlarmDesk *desk, const PsUpload *upload);

const PsAlarms *ps_alarm_desk_alarms(const PsAlarmDesk *desk);
PsJournal *ps_alarm_desk_journal(PsAlarmDesk *desk);
