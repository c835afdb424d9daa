// A trial owns a script host with one entry, whose callbacks record. Starting an interpreter of its
// own costs a fraction of a second and keeps a draft away from the scripts at work.
#include "script/trial.h"

#include "base/arena.h"
#include "base/mem.h"
#include "script/proc_usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct PsTrial {
    PsArena *arena; // texts, the input, what is recorded
    PsTrialSetup setup;
    PsConfig config; // the gateway's, with the draft as its only message
    PsPublish publish;
    PsSubscribe subscribe;
    const char *group; // of the input
    PsScriptHost *host;
    PsTrialReport report;
    PsMono begun;
    int64_t cpu_before_ns;
    bool running; // the input has been handed over
    bool ended;
};

// A copy with a NUL behind it.
static uint8_t *keep(PsTrial *trial, const void *bytes, size_t len) {
    uint8_t *copy = ps_arena_take(trial->arena, len + 1);
    if (len > 0) {
        memcpy(copy, bytes, len);
    }
    return copy;
}

// --- recording ----------------------------------------------------------------------------------

static PsTrialDeed *add_deed(PsTrial *trial, PsTrialDeedKind kind) {
    PsTrialReport *report = &trial->report;
    if (report->deed_count == PS_TRIAL_DEEDS_MAX) {
        report->deeds_hidden++;
        return NULL;
    }
    report->deeds = ps_grow_array(report->deeds, report->deed_count + 1, sizeof *report->deeds);
    PsTrialDeed *deed = &report->deeds[report->deed_count++];
    *deed = (PsTrialDeed){.kind = kind};
    return deed;
}

static void record(PsTrial *trial, PsTrialDeedKind kind, const PsScriptPublish *publish) {
    PsTrialDeed *deed = add_deed(trial, kind);
    if (deed != NULL) {
        deed->topic = ps_arena_strdup(trial->arena, publish->topic);
        deed->qos = publish->qos;
        deed->len = publish->payload_len;
        deed->payload = keep(trial, publish->payload, publish->payload_len);
    }
}

static bool on_publish(const PsScriptPublish *publish, void *ctx) {
    record(ctx, PS_TRIAL_PUBLISH, publish);
    return true;
}

static bool on_publish_now(const PsScriptPublish *publish, uint64_t ticket, void *ctx) {
    PsTrial *trial = ctx;
    record(trial, PS_TRIAL_PUBLISH_NOW, publish);
    ps_script_host_publish_now_done(trial->host, ticket, true);
    return true;
}

// The script hears that the device took the value, so that its callback can be tried as well.
static PsErr on_write(uint32_t variable, PsValue value, PsMono deadline, PsScriptWriteDone *done,
                      void *done_ctx, void *ctx, PsDiag *diag) {
    PsTrialDeed *deed = add_deed(ctx, PS_TRIAL_WRITE);
    if (deed != NULL) {
        deed->variable = variable;
        ps_value_format(value, deed->value, sizeof deed->value);
    }
    done(PS_OK, diag, value, done_ctx);
    return PS_OK;
}

// No device is read for a draft: a recall finds what the draft was called with.
static void on_recall(PsMono deadline, PsScriptRecallDone *done, void *done_ctx, void *ctx) {
    PsTrial *trial = ctx;
    const PsUpload *input = trial->setup.upload;
    PsUpload all = {.group = trial->config.group_count, .collected = ps_wall_now()};
    PsUploadItem *items = NULL;
    if (input != NULL) {
        all.collected = input->collected;
        items = ps_alloc_array(input->item_count, sizeof *items);
        for (uint32_t i = 0; i < input->item_count; i++) {
            if (trial->config.variables[input->items[i].variable].access != PS_ACCESS_WRITE) {
                items[all.item_count++] = input->items[i];
            }
        }
    }
    all.items = items;
    done(PS_OK, &all, done_ctx);
    free(items);
}

static void on_line(const PsScriptLine *line, void *ctx) {
    PsTrial *trial = ctx;
    PsTrialReport *report = &trial->report;
    if (report->line_count == PS_TRIAL_LINES_MAX) {
        report->lines_hidden++;
        return;
    }
    report->lines = ps_grow_array(report->lines, report->line_count + 1, sizeof *report->lines);
    PsTrialLine *kept = &report->lines[report->line_count++];
    *kept = (PsTrialLine){.level = line->level, .line = line->line};
    snprintf(kept->file, sizeof kept->file, "%s", line->file);
    kept->text = ps_arena_strndup(trial->arena, line->text, line->len);
}

// --- the call -----------------------------------------------------------------------------------

static void measure(PsTrial *trial) {
    PsScriptWorkerStatus status;
    ps_script_host_worker_status(trial->host, 0, &status);
    trial->report.wall_s = (double)ps_mono_diff_ns(ps_mono_now(), trial->begun) / 1e9;
    int64_t cpu_ns = 0;
    uint64_t peak_kib = 0;
    // A worker that has just died leaves the figures at 0.
    if (ps_proc_usage_cpu(status.pid, &cpu_ns) == PS_OK &&
        ps_proc_usage_peak(status.pid, &peak_kib) == PS_OK) {
        trial->report.cpu_s = (double)(cpu_ns - trial->cpu_before_ns) / 1e9;
        trial->report.peak_kib = peak_kib;
    }
}

static void trial_free(PsTrial *trial) {
    ps_script_host_free(trial->host);
    free(trial->report.deeds);
    free(trial->report.lines);
    ps_buf_deinit(&trial->publish.source);
    ps_buf_deinit(&trial->subscribe.source);
    ps_arena_free(trial->arena);
    free(trial);
}

static void on_stopped(void *ctx) {
    PsTrial *trial = ctx;
    trial->setup.done(&trial->report, trial->setup.ctx);
    trial_free(trial);
}

static void end(PsTrial *trial, const char *error) {
    if (trial->ended) {
        return;
    }
    trial->ended = true;
    if (trial->running) {
        measure(trial);
    }
    snprintf(trial->report.error, sizeof trial->report.error, "%s", error);
    ps_script_host_stop(trial->host, on_stopped, trial);
}

static PsErr hand_over(PsTrial *trial) {
    const PsTrialSetup *setup = &trial->setup;
    PsScriptWorkerStatus status;
    ps_script_host_worker_status(trial->host, 0, &status);
    (void)ps_proc_usage_cpu(status.pid, &trial->cpu_before_ns); // 0 when it cannot be known
    trial->begun = ps_mono_now();
    trial->running = true;
    return setup->upload != NULL ? ps_script_host_collect(trial->host, 0, setup->upload)
           : setup->alarms != NULL
               ? ps_script_host_alarms(trial->host, 0, setup->alarms)
               : ps_script_host_receive(trial->host, 0, setup->message_topic, setup->payload,
                                        setup->payload_len, setup->qos);
}

// First when the module is built, then when the call and all its callbacks are through.
static void on_rest(PsScriptKind kind, uint32_t entry, const char *error, void *ctx) {
    PsTrial *trial = ctx;
    if (trial->ended) {
        return;
    }
    if (trial->running || error[0] != '\0' || trial->setup.build_only) {
        end(trial, error);
        return;
    }
    if (hand_over(trial) != PS_OK) {
        end(trial, "the input is too large for a script");
    }
}

// --- beginning ----------------------------------------------------------------------------------

static void keep_text(PsTrial *trial, PsValue *value) {
    if (value->kind == PS_VALUE_TEXT) {
        value->text = (const char *)keep(trial, value->text, value->text_len);
    }
}

static const PsUpload *copy_upload(PsTrial *trial, const PsUpload *upload) {
    PsUploadItem *items = ps_arena_take(trial->arena, upload->item_count * sizeof *items + 1);
    for (uint32_t i = 0; i < upload->item_count; i++) {
        items[i] = upload->items[i];
        keep_text(trial, &items[i].value);
    }
    PsUpload *copy = ps_arena_take(trial->arena, sizeof *copy);
    *copy = *upload;
    copy->items = items;
    return copy;
}

static const PsAlarmUpload *copy_alarms(PsTrial *trial, const PsAlarmUpload *upload) {
    PsAlarmEvent *events = ps_arena_take(trial->arena, (upload->event_count + 1) * sizeof *events);
    for (uint32_t i = 0; i < upload->event_count; i++) {
        events[i] = upload->events[i];
        keep_text(trial, &events[i].value);
    }
    PsAlarmUpload *copy = ps_arena_take(trial->arena, sizeof *copy);
    *copy = *upload;
    copy->events = events;
    return copy;
}

// The setup's texts and input must last as long as the trial.
static void adopt_setup(PsTrial *trial, const PsTrialSetup *setup) {
    trial->setup = *setup;
    PsTrialSetup *own = &trial->setup;
    own->name = ps_arena_strdup(trial->arena, setup->name);
    own->main_function = ps_arena_strdup(trial->arena, setup->main_function);
    own->topic = ps_arena_strdup(trial->arena, setup->topic);
    if (setup->kind == PS_SCRIPT_PUBLISH) {
        own->upload = setup->upload != NULL ? copy_upload(trial, setup->upload) : NULL;
        own->alarms = setup->alarms != NULL ? copy_alarms(trial, setup->alarms) : NULL;
    } else {
        own->message_topic = ps_arena_strdup(trial->arena, setup->message_topic);
        own->payload = keep(trial, setup->payload, setup->payload_len);
    }
}

static void make_config(PsTrial *trial) {
    PsTrialSetup *setup = &trial->setup;
    PsScriptLimits limits = setup->limits != NULL ? *setup->limits : (PsScriptLimits){0};
    trial->config = *setup->config;
    trial->config.publish = &trial->publish;
    trial->config.publish_count = setup->kind == PS_SCRIPT_PUBLISH;
    trial->config.subscribe = &trial->subscribe;
    trial->config.subscribe_count = setup->kind == PS_SCRIPT_SUBSCRIBE;
    if (setup->kind == PS_SCRIPT_PUBLISH) {
        PS_ASSERT(setup->upload != NULL || setup->alarms != NULL);
        uint32_t group = setup->upload != NULL ? setup->upload->group : setup->alarms->group;
        trial->group = setup->config->groups[group].name;
        trial->publish = (PsPublish){.name = setup->name,
                                     .topic = setup->topic,
                                     .qos = setup->qos,
                                     .group_type = setup->config->groups[group].type,
                                     .group_names = {&trial->group, 1}, // for save_data
                                     .main_function = setup->main_function,
                                     .timeout = setup->timeout_s,
                                     .limits = limits,
                                     .source = *setup->source};
    } else {
        trial->subscribe = (PsSubscribe){.name = setup->name,
                                         .topic = setup->topic,
                                         .qos = setup->qos,
                                         .main_function = setup->main_function,
                                         .timeout = setup->timeout_s,
                                         .limits = limits,
                                         .source = *setup->source};
    }
    *setup->source = (PsBuf){0};
}

PsErr ps_trial_start(const PsTrialSetup *setup, PsTrial **ret_trial, PsDiag *diag) {
    PsTrial *trial = ps_alloc(sizeof *trial);
    trial->arena = ps_arena_new();
    adopt_setup(trial, setup);
    make_config(trial);
    PsScriptHostSetup host = {
        .loop = setup->loop,
        .config = &trial->config,
        .program = setup->program,
        .scratch = setup->scratch,
        .ctx = trial,
        .on_publish = on_publish,
        .on_publish_now = on_publish_now,
        .on_write = on_write,
        .on_recall = on_recall,
        .on_line = on_line,
        .on_rest = on_rest,
    };
    PsErr err = ps_script_host_new(&host, &trial->host, diag);
    err = err == PS_OK ? ps_script_host_start(trial->host, diag) : err;
    if (err != PS_OK) {
        trial_free(trial);
        return err;
    }
    *ret_trial = trial;
    return PS_OK;
}

void ps_trial_cancel(PsTrial *trial) {
    end(trial, "cancelled");
}
