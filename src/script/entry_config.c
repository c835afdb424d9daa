// What an entry has of the configuration: copies, because an entry whose message is removed, and a
// process that is being replaced, live longer than what they were made from. Loop thread.
#include "script/entry.h"

#include "base/mem.h"
#include "script/group_topic.h"

#include <stdlib.h>
#include <string.h>

// What the configuration says of a message, borrowed.
typedef struct Record {
    const char *name;
    const char *topic; // NULL: nothing is returned to it
    const char *main_function;
    const PsBuf *source;
    const PsScriptLimits *limits;
    double timeout_s;
    int qos;
    int group_type;
} Record;

static Record record_of(const PsScriptEntry *entry, uint32_t index) {
    const PsConfig *config = entry->shared->setup.config;
    if (entry->kind == PS_SCRIPT_PUBLISH) {
        const PsPublish *publish = &config->publish[index];
        return (Record){publish->name,    publish->topic,     publish->main_function,
                        &publish->source, &publish->limits,   publish->timeout,
                        publish->qos,     publish->group_type};
    }
    const PsSubscribe *subscribe = &config->subscribe[index];
    return (Record){.name = subscribe->name, // its topic is a filter
                    .main_function = subscribe->main_function,
                    .source = &subscribe->source,
                    .limits = &subscribe->limits,
                    .timeout_s = subscribe->timeout,
                    .qos = subscribe->qos};
}

static void replace_text(char **text, char *fresh) {
    free(*text);
    *text = fresh;
}

void ps_script_entry_configure(PsScriptEntry *entry, uint32_t index) {
    Record record = record_of(entry, index);
    entry->index = index;
    replace_text(&entry->name, ps_strdup(record.name));
    replace_text(&entry->topic,
                 record.topic != NULL
                     ? ps_script_expand_topic(entry->shared->setup.config, record.topic)
                     : ps_strdup(NULL));
    entry->timeout_s = record.timeout_s;
    entry->qos = record.qos;
    entry->settings_sent = false;
}

bool ps_script_entry_is_renamed(const PsScriptEntry *entry, uint32_t index) {
    return strcmp(entry->name, record_of(entry, index).name) != 0;
}

void ps_script_entry_adopt(PsScriptEntry *entry) {
    Record record = record_of(entry, entry->index);
    replace_text(&entry->main_function, ps_strdup(record.main_function));
    ps_buf_clear(&entry->source);
    ps_buf_put(&entry->source, record.source->data, record.source->len);
    entry->limits = *record.limits;
    entry->group_type = record.group_type;
}

static bool is_aws(const PsScriptEntry *entry) {
    return entry->shared->setup.config->cloud.type == PS_CLOUD_AWS_IOT;
}

static bool same_script(const PsBuf *a, const PsBuf *b) {
    return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static bool same_limits(const PsScriptLimits *a, const PsScriptLimits *b) {
    return a->memory_mb == b->memory_mb && a->cpu_percent == b->cpu_percent &&
           a->threads == b->threads && a->scratch_mb == b->scratch_mb && a->network == b->network;
}

bool ps_script_entry_is_current(const PsScriptEntry *entry) {
    Record record = record_of(entry, entry->index);
    return same_script(&entry->source, record.source) &&
           strcmp(entry->main_function, record.main_function) == 0 &&
           same_limits(&entry->limits, record.limits) && entry->group_type == record.group_type &&
           (entry->streams == NULL || entry->aws == is_aws(entry));
}

const PsBuf *ps_script_entry_configured_source(const PsScriptEntry *entry) {
    return record_of(entry, entry->index).source;
}

// --- what a process is told of it ---------------------------------------------------------------

static uint32_t parameter_count(const PsScriptEntry *entry) {
    return 4 + entry->shared->setup.config->parameters.custom_count;
}

static void put_text_parameter(PsBuf *out, const char *name, const char *text) {
    ps_wire_put_parameter(out, name, ps_value_text(text, (uint32_t)strlen(text)));
}

static void put_parameters(const PsScriptEntry *entry, PsBuf *out) {
    const PsParameters *parameters = &entry->shared->setup.config->parameters;
    const char *serial = parameters->gateway_sn;
    put_text_parameter(out, "gateway_sn", serial != NULL ? serial : "");
    put_text_parameter(out, "log_level", ps_log_level_name((PsLogLevel)parameters->log_level));
    ps_wire_put_parameter(out, "catch_recording", ps_value_int(parameters->catch_recording));
    ps_wire_put_parameter(out, "warning_recording", ps_value_int(parameters->warning_recording));
    for (uint32_t i = 0; i < parameters->custom_count; i++) {
        put_text_parameter(out, parameters->custom[i].name, parameters->custom[i].value);
    }
}

void ps_script_entry_put_build(PsScriptEntry *entry, PsBuf *out) {
    entry->aws = is_aws(entry);
    PsWireBuild build = {
        .kind = (uint8_t)entry->kind,
        .aws = entry->aws,
        .boot = ps_wire_text(entry->shared->boot),
        .name = ps_wire_text(entry->name),
        .main_function = ps_wire_text(entry->main_function),
        .source = {(const char *)entry->source.data, (uint32_t)entry->source.len},
        .parameter_count = parameter_count(entry),
    };
    size_t begin = ps_wire_begin_build(out, &build);
    put_parameters(entry, out);
    ps_wire_end(out, begin);
    entry->settings_sent = true;
}

void ps_script_entry_put_settings(PsScriptEntry *entry, PsBuf *out) {
    if (entry->settings_sent) {
        return;
    }
    PsWireSettings settings = {ps_wire_text(entry->name), parameter_count(entry)};
    size_t begin = ps_wire_begin_settings(out, &settings);
    put_parameters(entry, out);
    ps_wire_end(out, begin);
    entry->settings_sent = true;
}
