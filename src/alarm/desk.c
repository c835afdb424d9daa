// Alarms, their journal and what people say about them. Main thread; blocks in open and close only.
#include "alarm/desk.h"

#include "alarm/same.h"
#include "base/map.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Item {
    PsAlarmMark mark;
    bool told_on; // what scripts were told last
} Item;

// What people said about an alarm that the configuration does not have.
typedef struct Absent {
    char *name;
    PsAlarmMark mark;
} Absent;

struct PsAlarmDesk {
    PsAlarmDeskSetup setup;
    PsAlarms *alarms;
    PsJournal *journal;
    PsMap names;
    Item *items;        // as in the configuration
    PsAlarmEvent *told; // of one evaluation
    uint32_t acknowledged_count;
    uint32_t shelved_count;
    Absent *absent;
    size_t absent_count;
};

// ---- the journal

// Fills in what all entries about an alarm share.
static void put(PsAlarmDesk *desk, uint32_t index, PsJournalEntry entry) {
    const PsAlarm *alarm = &desk->setup.config->alarms[index];
    Item *item = &desk->items[index];
    item->mark.told_on = alarm->is_comm && item->told_on;
    entry.level = alarm->level;
    entry.name = alarm->name;
    entry.group = alarm->group_name;
    entry.mark = item->mark;
    ps_journal_put(desk->journal, &entry);
}

static void forget_acknowledgement(PsAlarmDesk *desk, uint32_t index) {
    PsAlarmMark *mark = &desk->items[index].mark;
    mark->acknowledged = (PsWall){0};
    mark->acknowledged_by[0] = '\0';
    desk->acknowledged_count--;
}

static void put_with_value(PsAlarmDesk *desk, const PsAlarmEvent *event, PsJournalEntry entry) {
    const PsAlarm *alarm = &desk->setup.config->alarms[event->alarm];
    char value[512];
    ps_value_format(event->value, value, sizeof value);
    entry.value = value;
    entry.unit = alarm->is_comm ? "" : desk->setup.config->variables[alarm->watched].unit;
    entry.description = alarm->content;
    put(desk, event->alarm, entry);
}

// With its mark when that changes: a communication alarm keeps its state there.
static void record(PsAlarmDesk *desk, const PsAlarmEvent *event) {
    PsAlarmMark *mark = &desk->items[event->alarm].mark;
    bool keeps = desk->setup.config->alarms[event->alarm].is_comm;
    bool forgets = !event->on && mark->acknowledged.ns != 0;
    if (forgets) {
        forget_acknowledgement(desk, event->alarm);
    }
    if (keeps) {
        mark->on_since = event->on ? event->stamp : (PsWall){0};
    }
    put_with_value(
        desk, event,
        (PsJournalEntry){.time = event->stamp,
                         .status = event->on ? PS_JOURNAL_TRIGGERED : PS_JOURNAL_RESTORED,
                         .marks = forgets || keeps});
}

// ---- open and close

// It waits for its alarm to come back.
static void put_absent(PsAlarmDesk *desk, const char *name, const PsAlarmMark *mark) {
    if (mark->acknowledged.ns != 0 || mark->shelved_until.ns != 0 || mark->on_since.ns != 0) {
        desk->absent = ps_grow_array(desk->absent, desk->absent_count + 1, sizeof *desk->absent);
        desk->absent[desk->absent_count++] = (Absent){ps_strdup(name), *mark};
    }
}

static void take_absent(PsAlarmDesk *desk, const char *name, PsAlarmMark *ret_mark) {
    size_t at = 0;
    while (at < desk->absent_count && strcmp(desk->absent[at].name, name) != 0) {
        at++;
    }
    if (at < desk->absent_count) {
        *ret_mark = desk->absent[at].mark;
        free(desk->absent[at].name);
        desk->absent[at] = desk->absent[--desk->absent_count];
    }
}

static void set_mark(PsAlarmDesk *desk, uint32_t index, const PsAlarmMark *mark) {
    desk->items[index].mark = *mark;
    desk->acknowledged_count += mark->acknowledged.ns != 0;
    desk->shelved_count += mark->shelved_until.ns != 0;
}

// A communication alarm keeps its state in its mark.
static void take_mark(PsAlarmDesk *desk, uint32_t index, const PsAlarmMark *mark) {
    Item *item = &desk->items[index];
    set_mark(desk, index, mark);
    if (!desk->setup.config->alarms[index].is_comm) { // it was one, when this was kept
        item->mark.on_since = (PsWall){0};
    } else if (mark->on_since.ns != 0) {
        ps_alarms_restore(desk->alarms, index, mark->on_since);
    }
    item->told_on = desk->setup.config->alarms[index].is_comm && mark->told_on;
}

static void on_marked(const char *name, const PsAlarmMark *mark, void *ctx) {
    PsAlarmDesk *desk = ctx;
    uint32_t index = ps_map_find(&desk->names, NULL, name);
    if (index != PS_MAP_NONE) {
        take_mark(desk, index, mark);
    } else {
        put_absent(desk, name, mark);
    }
}

static void name_all(PsAlarmDesk *desk) {
    const PsConfig *config = desk->setup.config;
    for (uint32_t i = 0; i < config->alarm_count; i++) {
        (void)ps_map_put(&desk->names, NULL, config->alarms[i].name, i); // names were checked
    }
}

PsErr ps_alarm_desk_open(const PsAlarmDeskSetup *setup, PsAlarmDesk **ret_desk, PsDiag *diag) {
    const PsConfig *config = setup->config;
    PsJournalSetup journal = {.loop = setup->loop,
                              .folder = setup->folder,
                              .keep = (uint64_t)config->parameters.warning_recording,
                              .max_loss_s = config->parameters.max_loss_s};
    PsAlarmDesk *desk = ps_alloc(sizeof *desk);
    desk->setup = *setup;
    PsErr err = ps_journal_open(&journal, &desk->journal, diag);
    if (err != PS_OK) {
        free(desk);
        return err;
    }
    desk->alarms = ps_alarms_new(config, setup->table);
    desk->items = ps_alloc_array(config->alarm_count, sizeof *desk->items);
    desk->told = ps_alloc_array(config->alarm_count, sizeof *desk->told);
    name_all(desk);
    ps_journal_load_marks(desk->journal, on_marked, desk);
    *ret_desk = desk;
    return PS_OK;
}

void ps_alarm_desk_close(PsAlarmDesk *desk) {
    if (desk != NULL) {
        ps_journal_close(desk->journal);
        ps_alarms_free(desk->alarms);
        ps_map_deinit(&desk->names);
        for (size_t i = 0; i < desk->absent_count; i++) {
            free(desk->absent[i].name);
        }
        free(desk->absent);
        free(desk->items);
        free(desk->told);
        free(desk);
    }
}

// ---- what people say

static PsErr find(const PsAlarmDesk *desk, const char *name, uint32_t *ret_index, PsDiag *diag) {
    uint32_t index = ps_map_find(&desk->names, NULL, name);
    if (index == PS_MAP_NONE) {
        return ps_fail(PS_ERR_NOT_FOUND, diag, name, NULL,
                       "there is no alarm of this name; see 'warning' in penstock.json");
    }
    *ret_index = index;
    return PS_OK;
}

PsErr ps_alarm_desk_acknowledge(PsAlarmDesk *desk, const char *name, const char *who,
                                PsDiag *diag) {
    uint32_t index = 0;
    PsErr err = find(desk, name, &index, diag);
    if (err != PS_OK) {
        return err;
    }
    PsAlarmEvent event = ps_alarms_event(desk->alarms, index);
    PsAlarmMark *mark = &desk->items[index].mark;
    if (!event.on) {
        return ps_fail(PS_ERR_INVALID, diag, name, NULL,
                       "is not on; only an alarm that is on can be acknowledged");
    }
    if (mark->acknowledged.ns != 0) {
        return ps_fail(PS_ERR_EXISTS, diag, name, NULL, "was acknowledged by %s already",
                       mark->acknowledged_by);
    }
    mark->acknowledged = ps_wall_now();
    snprintf(mark->acknowledged_by, sizeof mark->acknowledged_by, "%s", who);
    desk->acknowledged_count++;
    put_with_value(desk, &event,
                   (PsJournalEntry){.time = mark->acknowledged,
                                    .status = PS_JOURNAL_ACKNOWLEDGED,
                                    .who = mark->acknowledged_by,
                                    .marks = true});
    return PS_OK;
}

PsErr ps_alarm_desk_shelve(PsAlarmDesk *desk, const char *name, int64_t seconds, const char *who,
                           PsDiag *diag) {
    uint32_t index = 0;
    PsErr err = find(desk, name, &index, diag);
    if (err != PS_OK) {
        return err;
    }
    if (seconds < 1 || seconds > PS_ALARM_SHELVE_MAX_S) {
        return ps_fail(PS_ERR_RANGE, diag, name, NULL, "can be shelved for 1 second to %d days",
                       PS_ALARM_SHELVE_MAX_S / 86400);
    }
    PsAlarmMark *mark = &desk->items[index].mark;
    PsWall now = ps_wall_now();
    desk->shelved_count += mark->shelved_until.ns == 0;
    mark->shelved_until.ns = now.ns + seconds * PS_NS_PER_S;
    snprintf(mark->shelved_by, sizeof mark->shelved_by, "%s", who);
    char stamp[PS_STAMP_SIZE];
    ps_wall_format(mark->shelved_until, stamp, sizeof stamp);
    char words[PS_STAMP_SIZE + 8];
    snprintf(words, sizeof words, "until %s", stamp);
    put(desk, index,
        (PsJournalEntry){.time = now,
                         .status = PS_JOURNAL_SHELVED,
                         .description = words,
                         .who = mark->shelved_by,
                         .marks = true});
    return PS_OK;
}

static void tell_one(PsAlarmDesk *desk, const PsAlarmEvent *event, PsWall now) {
    PsAlarmUpload changed = {.group = desk->setup.config->alarms[event->alarm].group,
                             .collected = now,
                             .event_count = 1,
                             .events = event};
    desk->setup.on_changed(&changed, desk->setup.ctx);
}

// Scripts are told what they did not hear meanwhile.
static void end_shelf(PsAlarmDesk *desk, uint32_t index, PsWall now, const char *who) {
    PsAlarmMark *mark = &desk->items[index].mark;
    PsAlarmEvent event = ps_alarms_event(desk->alarms, index);
    bool missed = event.on != desk->items[index].told_on;
    desk->items[index].told_on = event.on;
    mark->shelved_until = (PsWall){0};
    mark->shelved_by[0] = '\0';
    desk->shelved_count--;
    put(desk, index,
        (PsJournalEntry){.time = now, .status = PS_JOURNAL_UNSHELVED, .who = who, .marks = true});
    if (missed) {
        tell_one(desk, &event, now);
    }
}

PsErr ps_alarm_desk_unshelve(PsAlarmDesk *desk, const char *name, const char *who, PsDiag *diag) {
    uint32_t index = 0;
    PsErr err = find(desk, name, &index, diag);
    if (err == PS_OK && desk->items[index].mark.shelved_until.ns == 0) {
        err = ps_fail(PS_ERR_INVALID, diag, name, NULL, "is not shelved");
    }
    if (err == PS_OK) {
        end_shelf(desk, index, ps_wall_now(), who);
    }
    return err;
}

const PsAlarmMark *ps_alarm_desk_mark(const PsAlarmDesk *desk, uint32_t alarm) {
    PS_ASSERT(alarm < desk->setup.config->alarm_count);
    return &desk->items[alarm].mark;
}

// ---- evaluating

static void end_what_is_over(PsAlarmDesk *desk) {
    if (desk->acknowledged_count + desk->shelved_count == 0) {
        return;
    }
    PsWall now = ps_wall_now();
    for (uint32_t i = 0; i < desk->setup.config->alarm_count; i++) {
        const PsAlarmMark *mark = &desk->items[i].mark;
        if (mark->shelved_until.ns != 0 && mark->shelved_until.ns <= now.ns) {
            end_shelf(desk, i, now, "");
        }
        if (mark->acknowledged.ns != 0 && ps_alarms_is_clear(desk->alarms, i)) {
            forget_acknowledgement(desk, i); // it ended while the gateway was stopped
            put(desk, i, (PsJournalEntry){.marks = true});
        }
    }
}

// Keeps what changed, and tells those that are not shelved.
static void take_changes(PsAlarmDesk *desk, PsAlarmUpload *changed) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < changed->event_count; i++) {
        const PsAlarmEvent *event = &changed->events[i];
        Item *item = &desk->items[event->alarm];
        if (item->mark.shelved_until.ns == 0) {
            item->told_on = event->on;
            desk->told[count++] = *event;
        }
        record(desk, event);
    }
    if (count > 0) {
        changed->event_count = count;
        changed->events = desk->told;
        desk->setup.on_changed(changed, desk->setup.ctx);
    }
}

void ps_alarm_desk_evaluate(PsAlarmDesk *desk, const PsUpload *upload) {
    PsAlarmUpload changed;
    if (ps_alarms_evaluate(desk->alarms, upload, ps_mono_now(), &changed)) {
        take_changes(desk, &changed);
    }
    end_what_is_over(desk);
}

void ps_alarm_desk_evaluate_devices(PsAlarmDesk *desk, const PsAlarmVerdict *devices) {
    PsMono now = ps_mono_now();
    PsWall stamp = ps_wall_now();
    for (uint32_t group = 0; group < desk->setup.config->group_count; group++) {
        PsAlarmUpload changed;
        if (ps_alarms_evaluate_devices(desk->alarms, group, devices, now, stamp, &changed)) {
            take_changes(desk, &changed);
        }
    }
    end_what_is_over(desk);
}

// ---- another configuration

// How much of a former alarm is left, and as what; PS_ALARM_OTHER when nothing is.
static PsAlarmSame what_is_left(const PsAlarmDesk *desk, uint32_t index, const PsConfig *config,
                                const PsConfigMap *map) {
    const PsConfig *former = desk->setup.config;
    uint32_t later = ps_index_to_new(&map->alarms, index);
    return later == PS_NOT_THERE
               ? PS_ALARM_OTHER
               : ps_alarm_compare(former, &former->alarms[index], config, &config->alarms[later]);
}

// True when scripts have it on.
static bool end_alarm(PsAlarmDesk *desk, uint32_t index, bool removed, PsWall now) {
    Item *item = &desk->items[index];
    bool told_on = item->told_on; // perhaps it ended while it was shelved
    bool keeps = desk->setup.config->alarms[index].is_comm;
    PsJournalEntry entry = {.marks = item->mark.acknowledged.ns != 0 || keeps};
    if (item->mark.acknowledged.ns != 0) {
        forget_acknowledgement(desk, index);
    }
    item->told_on = false;
    item->mark.on_since = (PsWall){0};
    if (ps_alarms_event(desk->alarms, index).on) {
        entry.time = now;
        entry.status = PS_JOURNAL_RESTORED;
        entry.description = removed ? "the alarm was removed from the configuration"
                                    : "the alarm was changed to watch something else";
    }
    if (entry.status != NULL || entry.marks) {
        put(desk, index, entry);
    }
    return told_on;
}

// The value stays that of the newest change: what it is now, nobody has looked at.
static void end_group(PsAlarmDesk *desk, uint32_t group, const PsConfig *config,
                      const PsConfigMap *map, PsWall now) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < desk->setup.config->alarm_count; i++) {
        bool removed = ps_index_to_new(&map->alarms, i) == PS_NOT_THERE;
        if (desk->setup.config->alarms[i].group == group &&
            what_is_left(desk, i, config, map) == PS_ALARM_OTHER &&
            end_alarm(desk, i, removed, now)) {
            PsAlarmEvent event = ps_alarms_event(desk->alarms, i);
            event.on = false;
            event.stamp = now;
            desk->told[count++] = event;
        }
    }
    if (count > 0 && ps_index_to_new(&map->groups, group) != PS_NOT_THERE) {
        PsAlarmUpload changed = {
            .group = group, .collected = now, .event_count = count, .events = desk->told};
        desk->setup.on_changed(&changed, desk->setup.ctx);
    }
}

static void take_items(PsAlarmDesk *desk, const PsAlarmDesk *former, const PsConfigMap *map) {
    const PsConfig *config = desk->setup.config;
    for (uint32_t i = 0; i < former->setup.config->alarm_count; i++) {
        if (ps_index_to_new(&map->alarms, i) == PS_NOT_THERE) {
            put_absent(desk, former->setup.config->alarms[i].name, &former->items[i].mark);
        }
    }
    for (uint32_t i = 0; i < config->alarm_count; i++) {
        uint32_t before = ps_index_to_old(&map->alarms, i);
        if (before == PS_NOT_THERE) {
            PsAlarmMark mark = {0};
            take_absent(desk, config->alarms[i].name, &mark);
            take_mark(desk, i, &mark);
            continue;
        }
        set_mark(desk, i, &former->items[before].mark);
        PsAlarmSame same = what_is_left(former, before, config, map);
        if (same != PS_ALARM_OTHER) {
            desk->items[i].told_on = former->items[before].told_on;
            ps_alarms_take(desk->alarms, i, former->alarms, before, same == PS_ALARM_EQUAL);
        }
    }
}

void ps_alarm_desk_apply(PsAlarmDesk *desk, const PsConfig *config, const PsConfigMap *map) {
    PsWall now = ps_wall_now();
    for (uint32_t i = 0; i < desk->setup.config->group_count; i++) {
        end_group(desk, i, config, map, now);
    }
    PsAlarmDesk former = *desk;
    desk->setup.config = config;
    desk->alarms = ps_alarms_new(config, desk->setup.table);
    desk->items = ps_alloc_array(config->alarm_count, sizeof *desk->items);
    desk->told = ps_alloc_array(config->alarm_count, sizeof *desk->told);
    desk->names = (PsMap){0};
    desk->acknowledged_count = 0;
    desk->shelved_count = 0;
    name_all(desk);
    take_items(desk, &former, map);
    ps_alarms_free(former.alarms);
    ps_map_deinit(&former.names);
    free(former.items);
    free(former.told);
    ps_journal_set_limits(desk->journal, (uint64_t)config->parameters.warning_recording,
                          config->parameters.max_loss_s);
}

const PsAlarms *ps_alarm_desk_alarms(const PsAlarmDesk *desk) {
    return desk->alarms;
}

PsJournal *ps_alarm_desk_journal(PsAlarmDesk *desk) {
    return desk->journal;
}
