// The calls `alarms` (which are on, shelved, not to be evaluated) and `alarm_history` (what they
// did). Main thread.
#include "api/handlers_live.h"
#include "api/status.h"
#include "api/values.h"

static json_t *alarm_row(const PsConfig *config, const PsAlarmRow *row, const PsAlarmMark *mark) {
    const PsAlarm *alarm = &config->alarms[row->alarm];
    const char *unit = alarm->is_comm ? "" : config->variables[alarm->watched].unit;
    char shown[512];
    ps_value_format(row->value, shown, sizeof shown);
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "name", alarm->name, "group", alarm->group_name,
                  "device", alarm->device_name, "var_name", alarm->variable_name, "status",
                  "Triggered", "description", alarm->content);
    json_object_set_new(json, "value", ps_api_value(row->value));
    json_object_set_new(json, "text", json_string(shown));
    json_object_set_new(json, "unit", json_string(unit));
    json_object_set_new(json, "level", json_integer(alarm->level));
    json_object_set_new(json, "time", ps_api_time(row->since));
    if (mark->acknowledged.ns != 0) {
        json_object_set_new(json, "acknowledged", ps_api_time(mark->acknowledged));
        json_object_set_new(json, "acknowledged_by", json_string(mark->acknowledged_by));
    }
    return json;
}

static void add_shelved(const PsAlarm *alarm, const PsAlarmMark *mark, json_t *rows) {
    if (mark->shelved_until.ns != 0) {
        json_array_append_new(rows,
                              json_pack("{s:s, s:o, s:s}", "name", alarm->name, "until",
                                        ps_api_time(mark->shelved_until), "by", mark->shelved_by));
    }
}

// Why an alarm cannot be evaluated; NULL when it can.
static const char *unread_reason(const PsApiSources *sources, uint32_t index, PsMono now) {
    const PsAlarm *alarm = &sources->config->alarms[index];
    if (alarm->is_comm) {
        bool known = ps_alarms_is_known(ps_alarm_desk_alarms(sources->alarms), index);
        return known ? NULL : "not asked yet";
    }
    PsQuality quality = ps_collector_quality(sources->collector, alarm->watched, now);
    return quality != PS_QUALITY_GOOD ? ps_quality_name(quality) : NULL;
}

// An alarm whose value cannot be read stays as it is: nobody would notice.
static void add_unread(const PsApiSources *sources, uint32_t index, PsMono now, json_t *rows) {
    const PsAlarm *alarm = &sources->config->alarms[index];
    const char *reason = unread_reason(sources, index, now);
    if (reason != NULL) {
        json_array_append_new(rows, json_pack("{s:s, s:s, s:s}", "name", alarm->name, "device",
                                              alarm->device_name, "quality", reason));
    }
}

json_t *ps_api_alarms_of(const PsApiSources *sources) {
    const PsConfig *config = sources->config;
    const PsAlarms *alarms = ps_alarm_desk_alarms(sources->alarms);
    json_t *on = json_array();
    json_t *unread = json_array();
    json_t *shelved = json_array();
    PsMono now = ps_mono_now();
    for (uint32_t i = 0; i < config->alarm_count; i++) {
        const PsAlarmMark *mark = ps_alarm_desk_mark(sources->alarms, i);
        PsAlarmRow row;
        if (ps_alarms_row(alarms, i, &row)) {
            json_array_append_new(on, alarm_row(config, &row, mark));
        }
        add_shelved(&config->alarms[i], mark, shelved);
        add_unread(sources, i, now, unread);
    }
    return json_pack("{s:o, s:o, s:o, s:I}", "alarms", on, "shelved", shelved, "unread", unread,
                     "defined", (json_int_t)config->alarm_count);
}

// FNV-1a by words: looked at every second, it must cost less than the answer itself.
static uint64_t digest(uint64_t before, uint64_t number) {
    return (before ^ number) * UINT64_C(0x100000001b3);
}

uint64_t ps_api_alarms_digest(const PsApiSources *sources) {
    const PsAlarms *alarms = ps_alarm_desk_alarms(sources->alarms);
    PsMono now = ps_mono_now();
    uint64_t sum = digest(UINT64_C(0xcbf29ce484222325), (uintptr_t)sources->config);
    for (uint32_t i = 0; i < sources->config->alarm_count; i++) {
        const PsAlarmMark *mark = ps_alarm_desk_mark(sources->alarms, i);
        PsAlarmRow row = {0};
        bool on = ps_alarms_row(alarms, i, &row);
        sum = digest(sum, on ? (uint64_t)row.since.ns | 1 : 0);
        sum = digest(sum, (uint64_t)mark->acknowledged.ns);
        sum = digest(sum, (uint64_t)mark->shelved_until.ns);
        sum = digest(sum, (uintptr_t)unread_reason(sources, i, now)); // names are constant
    }
    return sum;
}

void ps_api_alarms(PsApiCall *call) {
    ps_api_call_reply(call, ps_api_alarms_of(ps_api_call_sources(call)));
}

static json_t *entry_row(const PsJournalEntry *entry) {
    json_t *row = json_pack(
        "{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:s}", "id", (json_int_t)entry->id, "name",
        entry->name, "group", entry->group, "status", entry->status, "value", entry->value, "unit",
        entry->unit, "description", entry->description, "level", entry->level, "who", entry->who);
    json_object_set_new(row, "time", ps_api_time(entry->time));
    return row;
}

static void on_found(PsErr result, PsJournalRow *const *rows, size_t count, void *ctx) {
    PsApiCall *call = ctx;
    if (result != PS_OK) {
        PsDiag diag = {0};
        PsErr err = ps_fail(result, &diag, "alarm history", NULL, "cannot be read (%s)",
                            ps_err_name(result));
        ps_api_call_fail(call, err, &diag);
        return;
    }
    json_t *entries = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(entries, entry_row(&rows[i]->entry));
    }
    PsJournal *journal = ps_alarm_desk_journal(ps_api_call_sources(call)->alarms);
    ps_api_call_reply(call, json_pack("{s:o, s:b}", "entries", entries, "store_failing",
                                      (int)ps_journal_is_failing(journal)));
}

// Seconds since the epoch; 0 when the argument is not there.
static PsWall time_of(const json_t *arguments, const char *key) {
    double seconds = json_number_value(json_object_get(arguments, key));
    bool fits = seconds > -9e9 && seconds < 9e9;
    return (PsWall){fits ? ps_seconds_to_ns(seconds) : 0};
}

// Arguments: `name` (a part of it), `from`, `until`, and `before_id` for the page behind an entry.
void ps_api_alarm_history(PsApiCall *call) {
    const json_t *arguments = ps_api_call_arguments(call);
    json_int_t before_id = json_integer_value(json_object_get(arguments, "before_id"));
    PsJournalQuery query = {.name = json_string_value(json_object_get(arguments, "name")),
                            .from = time_of(arguments, "from"),
                            .until = time_of(arguments, "until"),
                            .before_id = before_id > 0 ? (uint64_t)before_id : 0};
    ps_journal_find(ps_alarm_desk_journal(ps_api_call_sources(call)->alarms), &query, on_found,
                    call);
}
