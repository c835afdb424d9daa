// The call `script_run`: a draft against the newest values of a group, or a message of the
// caller's; nothing is sent or written. Main thread.
#include "api/call.h"
#include "base/mem.h"
#include "script/trial_report.h"

#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MAX_S 25.0

typedef struct Run {
    PsApiCall *call;
    const PsConfig *config;
    PsTrial *trial;
} Run;

static const char *text_of(const PsApiCall *call, const char *key) {
    return json_string_value(json_object_get(ps_api_call_arguments(call), key));
}

static void on_done(const PsTrialReport *report, void *ctx) {
    Run *run = ctx;
    ps_api_call_reply(run->call, ps_trial_report_json(report, run->config));
    free(run);
}

static void cancel(void *ctx) {
    Run *run = ctx;
    ps_trial_cancel(run->trial);
}

static PsErr find_group(const PsConfig *config, const char *name, uint32_t *ret_group,
                        PsDiag *diag) {
    for (uint32_t i = 0; i < config->group_count; i++) {
        if (strcmp(config->groups[i].name, name) == 0) {
            *ret_group = i;
            return PS_OK;
        }
    }
    return ps_fail(PS_ERR_NOT_FOUND, diag, name, "group", "there is no group of this name");
}

// All variables of the group as they are now, those of one device together. The items are the
// caller's.
static PsUpload newest_values(const PsApiSources *sources, uint32_t group) {
    const PsConfig *config = sources->config;
    PsUploadItem *items = ps_alloc_array(config->groups[group].variable_count + 1, sizeof *items);
    PsUpload upload = {.group = group, .collected = ps_wall_now(), .items = items};
    PsMono now = ps_mono_now();
    for (uint32_t device = 0; device < config->device_count; device++) {
        for (uint32_t i = 0; i < config->variable_count; i++) {
            const PsVariable *variable = &config->variables[i];
            if (variable->group != group || variable->device != device ||
                variable->access == PS_ACCESS_WRITE) {
                continue;
            }
            bool good = ps_collector_quality(sources->collector, i, now) == PS_QUALITY_GOOD;
            const PsTag *tag = ps_tag_table_get(sources->table, i);
            items[upload.item_count++] = (PsUploadItem){
                .variable = i, .good = good, .value = good ? tag->value : ps_value_none()};
            if (good) {
                upload.collected = tag->stamp;
            }
        }
    }
    return upload;
}

static PsErr start(Run *run, const PsTrialSetup *given, PsDiag *diag) {
    const PsApiSources *sources = ps_api_call_sources(run->call);
    if (given->kind == PS_SCRIPT_SUBSCRIBE) {
        return ps_trial_start(given, &run->trial, diag);
    }
    const char *name = text_of(run->call, "group");
    uint32_t group = 0;
    PsErr err = find_group(run->config, name != NULL ? name : "default", &group, diag);
    if (err != PS_OK) {
        return err;
    }
    PsUpload upload = newest_values(sources, group);
    PsTrialSetup setup = *given;
    setup.upload = &upload;
    err = ps_trial_start(&setup, &run->trial, diag);
    free((PsUploadItem *)(uintptr_t)upload.items);
    return err;
}

static PsErr begin(Run *run, PsDiag *diag) {
    PsApiCall *call = run->call;
    const json_t *source = json_object_get(ps_api_call_arguments(call), "source");
    const char *topic = text_of(call, "topic");
    const char *payload = text_of(call, "payload");
    const char *function = text_of(call, "main_function");
    if (!json_is_string(source) || function == NULL) {
        return ps_fail(PS_ERR_INVALID, diag, "script_run", "source",
                       "needs the script's text as 'source' and its 'main_function'");
    }
    PS_AUTO_BUF PsBuf bytes = {0};
    ps_buf_put(&bytes, json_string_value(source), json_string_length(source));
    PsTrialSetup setup = {
        .loop = ps_api_call_sources(call)->loop,
        .program = ps_api_call_sources(call)->script_program,
        .scratch = ps_api_call_sources(call)->scratch,
        .config = run->config,
        .kind = payload != NULL ? PS_SCRIPT_SUBSCRIBE : PS_SCRIPT_PUBLISH,
        .name = "trial",
        .main_function = function,
        .topic = topic != NULL ? topic : "",
        .qos = 1,
        .timeout_s = TIMEOUT_MAX_S,
        .source = &bytes,
        .message_topic = topic != NULL ? topic : "",
        .payload = payload,
        .payload_len = payload != NULL ? strlen(payload) : 0,
        .done = on_done,
        .ctx = run,
    };
    return start(run, &setup, diag);
}

void ps_api_script_run(PsApiCall *call) {
    Run *run = ps_alloc(sizeof *run);
    *run = (Run){.call = call, .config = ps_api_call_sources(call)->config};
    PsDiag diag = {0};
    PsErr err = ps_api_call_goes_on(call, cancel, run)
                    ? begin(run, &diag)
                    : ps_fail(PS_ERR_BUSY, &diag, "script_run", NULL,
                              "another trial is under way; try again in a moment");
    if (err != PS_OK) {
        free(run);
        ps_api_call_fail(call, err, &diag);
    }
}
