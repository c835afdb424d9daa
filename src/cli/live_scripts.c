// Every script tried on what was just read: publish scripts on the values or the alarms of each of
// their groups, subscribe scripts on a sample that lies beside them. Nothing they do reaches
// anybody. Blocks in the loop while a script runs.
#include "cli/live.h"
#include "cli/live_trial.h"

#include "alarm/alarms.h"
#include "base/file.h"
#include "base/mem.h"
#include "script/trial_input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SAMPLE_SUFFIX ".sample"
#define SAMPLE_BYTES_MAX ((size_t)256 * 1024)

static PsQuality quality_of(uint32_t variable, void *ctx) {
    const Live *live = ctx;
    return (PsQuality)ps_tag_table_get(live->table, variable)->quality;
}

static void take_row(json_t *part, json_t *row) {
    bool tried = json_is_true(json_object_get(row, "tried"));
    if (cli_text(row, "error")[0] != '\0') {
        live_count(part, "failed");
    } else if (tried) {
        live_count(part, "sound");
    }
    if (cli_text(row, "warning")[0] != '\0') {
        live_count(part, "warnings");
    }
    if (tried) {
        live_count(part, "count");
    }
    json_array_append_new(json_object_get(part, "scripts"), row);
}

static json_t *not_tried(const LiveTrial *trial, const char *why) {
    return json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:s}", "message", trial->message, "kind",
                     trial->kind == PS_SCRIPT_PUBLISH ? "publish" : "subscribe", "group",
                     trial->group, "input", "", "tried", 0, "why", why, "error", "", "warning", "");
}

// --- publish ------------------------------------------------------------------------------------

static uint32_t count_bad(const PsUpload *upload) {
    uint32_t bad = 0;
    for (uint32_t i = 0; i < upload->item_count; i++) {
        bad += upload->items[i].good ? 0 : 1;
    }
    return bad;
}

static json_t *try_values(Live *live, const PsTrialInput *input, const LiveTrial *given,
                          uint32_t group) {
    PsUpload upload = ps_trial_input_values(input, group);
    LiveTrial trial = *given;
    json_t *row = NULL;
    if (upload.item_count > 0) {
        PS_AUTO_BUF PsBuf words = {0};
        ps_buf_printf(&words, "%u values, %u of them bad", upload.item_count, count_bad(&upload));
        trial.input = (const char *)words.data;
        trial.setup.upload = &upload;
        row = live_trial_run(live, &trial);
    }
    free((PsUploadItem *)(uintptr_t)upload.items);
    return row != NULL ? row
                       : not_tried(given, "nothing is read in its group, so it is never called");
}

static json_t *try_alarms(Live *live, const PsTrialInput *input, const LiveTrial *given,
                          uint32_t group) {
    PsAlarmUpload upload = ps_trial_input_alarms(input, group);
    LiveTrial trial = *given;
    PS_AUTO_BUF PsBuf words = {0};
    ps_buf_printf(&words, "%u alarms, made up as triggered", upload.event_count);
    trial.input = (const char *)words.data;
    trial.setup.alarms = &upload;
    json_t *row = upload.event_count > 0
                      ? live_trial_run(live, &trial)
                      : not_tried(given, "its group has no alarms, so it is never called");
    free((PsAlarmEvent *)(uintptr_t)upload.events);
    return row;
}

static void try_publish(Live *live, uint32_t index, json_t *part) {
    const PsPublish *publish = &live->config->publish[index];
    PsTrialInput input = {.config = live->config,
                          .table = live->table,
                          .quality = quality_of,
                          .ctx = live,
                          .comm_value = ps_alarms_comm_value(true)};
    for (uint32_t i = 0; i < publish->group_names.count && !live->interrupted; i++) {
        LiveTrial trial = {
            .message = publish->name,
            .kind = PS_SCRIPT_PUBLISH,
            .group = publish->group_names.items[i],
            .splits = publish->delivery.split,
            .result = &live->results[index],
            .publish = publish,
            .source = &publish->source,
            .setup = {.kind = PS_SCRIPT_PUBLISH,
                      .name = publish->name,
                      .main_function = publish->main_function,
                      .topic = publish->topic,
                      .qos = publish->qos,
                      .timeout_s = publish->timeout,
                      .limits = &publish->limits},
        };
        uint32_t group = publish->groups[i];
        bool alarms = live->config->groups[group].type == PS_GROUP_ALARM;
        take_row(part, alarms ? try_alarms(live, &input, &trial, group)
                              : try_values(live, &input, &trial, group));
    }
}

// --- subscribe ----------------------------------------------------------------------------------

// A topic that the filter matches: wildcards become a word.
static void put_topic(const Live *live, const char *filter, PsBuf *topic) {
    PS_AUTO_BUF PsBuf whole = {0};
    const char *unknown = NULL; // said when the configuration was checked
    size_t unknown_len = 0;
    ps_config_expand(live->config, filter, &whole, &unknown, &unknown_len);
    for (size_t i = 0; i < whole.len; i++) {
        if (whole.data[i] == '+' || whole.data[i] == '#') {
            ps_buf_put(topic, "sample", strlen("sample"));
        } else {
            ps_buf_put_u8(topic, whole.data[i]);
        }
    }
    ps_buf_reserve(topic, 1); // terminated, also when empty
}

// False and `ret_error` when there is a sample that cannot be read.
static bool read_sample(const char *path, PsBuf *sample, bool *ret_there, PsDiag *ret_error) {
    struct stat info;
    *ret_there = stat(path, &info) == 0;
    return !*ret_there || ps_file_read(path, SAMPLE_BYTES_MAX, sample, ret_error) == PS_OK;
}

static void try_subscribe(Live *live, const PsSubscribe *subscribe, json_t *part) {
    PS_AUTO_BUF PsBuf path = {0};
    PS_AUTO_BUF PsBuf sample = {0};
    PS_AUTO_BUF PsBuf topic = {0};
    put_topic(live, subscribe->topic, &topic);
    ps_buf_printf(&path, "%s%s", subscribe->script, SAMPLE_SUFFIX);
    bool there = false;
    PsDiag diag = {0};
    bool readable = read_sample((const char *)path.data, &sample, &there, &diag);
    const char *slash = strrchr((const char *)path.data, '/');
    const char *name = slash != NULL ? slash + 1 : (const char *)path.data;
    PS_AUTO_BUF PsBuf words = {0};
    ps_buf_printf(&words, there ? "the sample %s" : "none: only built, there is no %s beside it",
                  name);
    LiveTrial trial = {
        .message = subscribe->name,
        .kind = PS_SCRIPT_SUBSCRIBE,
        .group = "",
        .input = (const char *)words.data,
        .splits = subscribe->delivery.split,
        .source = &subscribe->source,
        .setup = {.kind = PS_SCRIPT_SUBSCRIBE,
                  .name = subscribe->name,
                  .main_function = subscribe->main_function,
                  .topic = subscribe->topic,
                  .qos = subscribe->qos,
                  .timeout_s = subscribe->timeout,
                  .limits = &subscribe->limits,
                  .message_topic = (const char *)topic.data,
                  .payload = sample.data,
                  .payload_len = sample.len,
                  .build_only = !there},
    };
    json_t *row = readable ? live_trial_run(live, &trial) : not_tried(&trial, "");
    if (!readable) {
        json_object_set_new(row, "error", json_sprintf("%s: %s", name, diag.text));
    }
    take_row(part, row);
}

json_t *live_scripts(Live *live) {
    const PsConfig *config = live->config;
    json_t *part = json_pack("{s:[], s:i, s:i, s:i, s:i}", "scripts", "count", 0, "sound", 0,
                             "failed", 0, "warnings", 0);
    uint32_t all = config->publish_count + config->subscribe_count;
    for (uint32_t i = 0; i < all && !live->interrupted; i++) {
        bool publishes = i < config->publish_count;
        const PsSubscribe *subscribe =
            publishes ? NULL : &config->subscribe[i - config->publish_count];
        live_progress(live, "scripts: %u of %u, '%s'", i + 1, all,
                      publishes ? config->publish[i].name : subscribe->name);
        if (publishes) {
            try_publish(live, i, part);
        } else {
            try_subscribe(live, subscribe, part);
        }
    }
    return part;
}
