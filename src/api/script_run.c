// The call `script_run`: a draft against the newest values or the alarms of a group, or a message
// of the caller's; nothing is sent or written. Main thread.
#include "api/handlers_live.h"
#include "base/mem.h"
#include "script/trial_input.h"
#include "script/trial_report.h"

#include <stdlib.h>
#include <string.h>

#define TIMEOUT_S 25.0 // of a draft that is for no message

// What the draft has unless the caller says otherwise: what its message has, if it is for one.
typedef struct Defaults {
    PsScriptKind kind;
    const char *main_function;
    const char *topic;
    int qos;
    double timeout_s;
    const PsScriptLimits *limits;
    const char *group; // of a publish message: its first
} Defaults;

typedef struct Run {
    PsApiCall *call;
    const PsConfig *config; // of when it began, held
    void *hold;
    Defaults defaults;
    PsTrial *trial;
} Run;

static const char *text_of(const PsApiCall *call, const char *key) {
    return json_string_value(json_object_get(ps_api_call_arguments(call), key));
}

static void end(Run *run) {
    ps_api_call_sources(run->call)->release_config(run->hold);
    free(run);
}

static void on_done(const PsTrialReport *report, void *ctx) {
    Run *run = ctx;
    PsApiCall *call = run->call;
    json_t *json = ps_trial_report_json(report, run->config);
    end(run);
    ps_api_call_reply(call, json);
}

static void cancel(void *ctx) {
    Run *run = ctx;
    ps_trial_cancel(run->trial);
}

typedef struct Moment {
    const PsCollector *collector;
    PsMono now;
} Moment;

static PsQuality quality_now(uint32_t variable, void *ctx) {
    const Moment *moment = ctx;
    return ps_collector_quality(moment->collector, variable, moment->now);
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

// The group whose input the draft gets: `group`, else the predefined one of `group_type`, else the
// message's.
static PsErr choose_group(const Run *run, uint32_t *ret_group, PsDiag *diag) {
    const char *name = text_of(run->call, "group");
    const char *type = text_of(run->call, "group_type");
    bool alarm = type != NULL && strcmp(type, "alarm") == 0;
    if (type != NULL && !alarm && strcmp(type, "collect") != 0) {
        return ps_fail(PS_ERR_INVALID, diag, type, "group_type", "must be collect or alarm");
    }
    if (name == NULL && type == NULL) {
        name = run->defaults.group;
    } else if (name == NULL) {
        name = alarm ? "warning" : "default";
    }
    PsErr err = find_group(run->config, name, ret_group, diag);
    if (err != PS_OK) {
        return err;
    }
    const PsGroup *group = &run->config->groups[*ret_group];
    if (type != NULL && alarm != (group->type == PS_GROUP_ALARM)) {
        return ps_fail(PS_ERR_INVALID, diag, name, "group_type", "is %s group",
                       alarm ? "a collect" : "an alarm");
    }
    if (group->type == PS_GROUP_ALARM && group->alarm_count == 0) {
        return ps_fail(PS_ERR_INVALID, diag, name, "group",
                       "has no alarms, so no script is ever called for it");
    }
    return PS_OK;
}

static PsErr start(Run *run, const PsTrialSetup *given, PsDiag *diag) {
    const PsApiSources *sources = ps_api_call_sources(run->call);
    if (given->kind == PS_SCRIPT_SUBSCRIBE) {
        return ps_trial_start(given, &run->trial, diag);
    }
    uint32_t group = 0;
    PsErr err = choose_group(run, &group, diag);
    if (err != PS_OK) {
        return err;
    }
    Moment moment = {sources->collector, ps_mono_now()};
    PsTrialInput input = {.config = run->config,
                          .table = sources->table,
                          .quality = quality_now,
                          .ctx = &moment,
                          .comm_value = ps_alarms_comm_value(true)};
    PsTrialSetup setup = *given;
    if (run->config->groups[group].type == PS_GROUP_ALARM) {
        PsAlarmUpload alarms = ps_trial_input_alarms(&input, group);
        setup.alarms = &alarms;
        err = ps_trial_start(&setup, &run->trial, diag);
        free((PsAlarmEvent *)(uintptr_t)alarms.events);
    } else {
        PsUpload upload = ps_trial_input_values(&input, group);
        setup.upload = &upload;
        err = ps_trial_start(&setup, &run->trial, diag);
        free((PsUploadItem *)(uintptr_t)upload.items);
    }
    return err;
}

static PsErr find_defaults(Run *run, PsDiag *diag) {
    const PsConfig *config = run->config;
    const char *name = text_of(run->call, "message");
    for (uint32_t i = 0; name != NULL && i < config->publish_count; i++) {
        const PsPublish *publish = &config->publish[i];
        if (strcmp(publish->name, name) == 0) {
            run->defaults = (Defaults){PS_SCRIPT_PUBLISH,
                                       publish->main_function,
                                       publish->topic,
                                       publish->qos,
                                       publish->timeout,
                                       &publish->limits,
                                       publish->group_names.items[0]};
            return PS_OK;
        }
    }
    for (uint32_t i = 0; name != NULL && i < config->subscribe_count; i++) {
        const PsSubscribe *subscribe = &config->subscribe[i];
        if (strcmp(subscribe->name, name) == 0) {
            run->defaults = (Defaults){.kind = PS_SCRIPT_SUBSCRIBE,
                                       .main_function = subscribe->main_function,
                                       .topic = subscribe->topic,
                                       .qos = subscribe->qos,
                                       .timeout_s = subscribe->timeout,
                                       .limits = &subscribe->limits};
            return PS_OK;
        }
    }
    bool received = text_of(run->call, "payload") != NULL;
    run->defaults = (Defaults){.kind = received ? PS_SCRIPT_SUBSCRIBE : PS_SCRIPT_PUBLISH,
                               .topic = "",
                               .qos = 1,
                               .timeout_s = TIMEOUT_S,
                               .group = "default"};
    return name == NULL ? PS_OK
                        : ps_fail(PS_ERR_NOT_FOUND, diag, name, "message",
                                  "there is no message of this name; 'penstock status' lists them");
}

static PsErr check_kind(const Run *run, PsDiag *diag) {
    bool subscribes = run->defaults.kind == PS_SCRIPT_SUBSCRIBE;
    if (subscribes == (text_of(run->call, "payload") != NULL)) {
        return PS_OK;
    }
    return ps_fail(PS_ERR_INVALID, diag, text_of(run->call, "message"), "payload",
                   subscribes ? "is a subscribe message: give the message that it receives "
                                "(--topic, --payload)"
                              : "is a publish message, which receives nothing: leave the payload "
                                "out");
}

static PsErr begin(Run *run, PsDiag *diag) {
    PsApiCall *call = run->call;
    const json_t *source = json_object_get(ps_api_call_arguments(call), "source");
    PsErr err = find_defaults(run, diag);
    err = err == PS_OK ? check_kind(run, diag) : err;
    if (err != PS_OK) {
        return err;
    }
    const Defaults *defaults = &run->defaults;
    const char *topic = text_of(call, "topic");
    const char *payload = text_of(call, "payload");
    const char *function = text_of(call, "main_function");
    function = function != NULL ? function : defaults->main_function;
    if (!json_is_string(source) || function == NULL) {
        return ps_fail(PS_ERR_INVALID, diag, "script_run", "source",
                       "needs the script's text as 'source' and its 'main_function'");
    }
    PS_AUTO_BUF PsBuf bytes = {0};
    ps_buf_put(&bytes, json_string_value(source), json_string_length(source));
    PS_AUTO_BUF PsBuf received = {0};
    const char *unknown = NULL; // said when the configuration was checked
    size_t unknown_len = 0;
    ps_config_expand(run->config, defaults->topic, &received, &unknown, &unknown_len);
    PsTrialSetup setup = {
        .loop = ps_api_call_sources(call)->loop,
        .program = ps_api_call_sources(call)->script_program,
        .scratch = ps_api_call_sources(call)->scratch,
        .config = run->config,
        .kind = defaults->kind,
        .name = "trial",
        .main_function = function,
        .topic = topic != NULL ? topic : defaults->topic,
        .qos = defaults->qos,
        .timeout_s = defaults->timeout_s,
        .limits = defaults->limits,
        .source = &bytes,
        .message_topic = topic != NULL ? topic : (const char *)received.data,
        .payload = payload,
        .payload_len = payload != NULL ? strlen(payload) : 0,
        .done = on_done,
        .ctx = run,
    };
    return start(run, &setup, diag);
}

void ps_api_script_run(PsApiCall *call) {
    const PsApiSources *sources = ps_api_call_sources(call);
    Run *run = ps_alloc(sizeof *run);
    *run =
        (Run){.call = call, .config = sources->config, .hold = sources->hold_config(sources->ctx)};
    PsDiag diag = {0};
    PsErr err = ps_api_call_goes_on(call, cancel, run)
                    ? begin(run, &diag)
                    : ps_fail(PS_ERR_BUSY, &diag, "script_run", NULL,
                              "another trial is under way; try again in a moment");
    if (err != PS_OK) {
        end(run);
        ps_api_call_fail(call, err, &diag);
    }
}
