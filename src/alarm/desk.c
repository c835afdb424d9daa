// Alarms and their journal together. Main thread; blocks in open and close only.
#include "alarm/desk.h"

#include "base/mem.h"

#include <stdlib.h>

#define LEVEL 1 // reserved in Device Supervisor 1.x: always 1

struct PsAlarmDesk {
    PsAlarmDeskSetup setup;
    PsAlarms *alarms;
    PsJournal *journal;
};

PsErr ps_alarm_desk_open(const PsAlarmDeskSetup *setup, PsAlarmDesk **ret_desk, PsDiag *diag) {
    PsJournalSetup journal = {.loop = setup->loop,
                              .folder = setup->folder,
                              .keep = (uint64_t)setup->config->parameters.warning_recording,
                              .max_loss_s = setup->config->parameters.max_loss_s};
    PsAlarmDesk *desk = ps_alloc(sizeof *desk);
    desk->setup = *setup;
    PsErr err = ps_journal_open(&journal, &desk->journal, diag);
    if (err != PS_OK) {
        free(desk);
        return err;
    }
    desk->alarms = ps_alarms_new(setup->config, setup->table);
    *ret_desk = desk;
    return PS_OK;
}

void ps_alarm_desk_close(PsAlarmDesk *desk) {
    if (desk != NULL) {
        ps_journal_close(desk->journal);
        ps_alarms_free(desk->alarms);
        free(desk);
    }
}

static void record(PsAlarmDesk *desk, const PsAlarmEvent *event) {
    const PsAlarm *alarm = &desk->setup.config->alarms[event->alarm];
    char value[512];
    ps_value_format(event->value, value, sizeof value);
    PsJournalEntry entry = {.time = event->stamp,
                            .level = LEVEL,
                            .name = alarm->name,
                            .group = alarm->group_name,
                            .status = event->on ? PS_JOURNAL_TRIGGERED : PS_JOURNAL_RESTORED,
                            .value = value,
                            .unit = desk->setup.config->variables[alarm->watched].unit,
                            .description = alarm->content};
    ps_journal_put(desk->journal, &entry);
}

void ps_alarm_desk_evaluate(PsAlarmDesk *desk, const PsUpload *upload) {
    PsAlarmUpload changed;
    if (!ps_alarms_evaluate(desk->alarms, upload, ps_mono_now(), &changed)) {
        return;
    }
    for (uint32_t i = 0; i < changed.event_count; i++) {
        record(desk, &changed.events[i]);
    }
    desk->setup.on_changed(&changed, desk->setup.ctx);
}

const PsAlarms *ps_alarm_desk_alarms(const PsAlarmDesk *desk) {
    return desk->alarms;
}

PsJournal *ps_alarm_desk_journal(PsAlarmDesk *desk) {
    return desk->journal;
}
