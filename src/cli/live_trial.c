// Runs one trial and counts what it recorded. Blocks in the loop.
#include "cli/live_trial.h"

#include "cli/trial_place.h"

#include "base/mem.h"
#include "base/text.h"
#include "link/aws.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Run {
    Live *live;
    const LiveTrial *trial;
    PsTrial *running;
    json_t *row;
} Run;

// --- what was recorded --------------------------------------------------------------------------

static const char *const call_names[] = {
    [PS_TRIAL_PUBLISH] = "publish",
    [PS_TRIAL_PUBLISH_NOW] = "mqtt_publish",
    [PS_TRIAL_WRITE] = "write_plc_values",
};

// Publishes of one topic become one row with their number and the largest size.
static json_t *find_result(json_t *results, const PsTrialDeed *deed) {
    size_t index;
    json_t *row;
    json_array_foreach(results, index, row) {
        if (strcmp(cli_text(row, "topic"), deed->topic) == 0 &&
            strcmp(cli_text(row, "method"), call_names[deed->kind]) == 0) {
            return row;
        }
    }
    row = json_pack("{s:s, s:s, s:i, s:i, s:i}", "topic", deed->topic, "method",
                    call_names[deed->kind], "qos", deed->qos, "bytes", 0, "count", 0);
    json_array_append_new(results, row);
    return row;
}

static size_t count_slashes(const char *topic) {
    size_t count = 0;
    for (; *topic != '\0'; topic++) {
        count += *topic == '/' ? 1 : 0;
    }
    return count;
}

// False when the cloud does not take it as it is.
static bool say_limits(const LiveTrial *trial, const PsLinkLimits *limits, const PsTrialDeed *deed,
                       json_t *row) {
    PS_AUTO_BUF PsBuf words = {0};
    const char *key = "error";
    if (limits->payload_bytes > 0 && deed->len > limits->payload_bytes) {
        // Only a list can be cut; in what scripts make it begins the text.
        bool cut = trial->splits && deed->kind == PS_TRIAL_PUBLISH && deed->payload[0] == '[';
        key = cut ? "warning" : "error";
        ps_buf_printf(&words, "%zu bytes to '%s', and the cloud takes at most %zu%s", deed->len,
                      deed->topic, limits->payload_bytes,
                      cut ? ": it will be sent as several lists" : "; send less at a time");
    } else if (limits->topic_bytes > 0 && strlen(deed->topic) > limits->topic_bytes) {
        ps_buf_printf(&words, "topic '%s' has %zu bytes, and the cloud takes at most %zu",
                      deed->topic, strlen(deed->topic), limits->topic_bytes);
    } else if (limits->topic_slashes > 0 && count_slashes(deed->topic) > limits->topic_slashes) {
        ps_buf_printf(&words, "topic '%s' has %zu slashes, and the cloud takes at most %zu",
                      deed->topic, count_slashes(deed->topic), limits->topic_slashes);
    }
    if (words.len > 0 && cli_text(row, key)[0] == '\0') {
        json_object_set_new(row, key, json_string((const char *)words.data));
    }
    return words.len == 0;
}

static void keep_result(const LiveTrial *trial, const PsTrialDeed *deed) {
    LiveResult *result = trial->result;
    if (result == NULL || result->publish != NULL) {
        return;
    }
    size_t size = strlen(deed->topic) + 1;
    *result = (LiveResult){.publish = trial->publish,
                           .topic = memcpy(ps_alloc(size), deed->topic, size),
                           .payload = ps_alloc(deed->len + 1),
                           .len = deed->len,
                           .qos = deed->qos};
    if (deed->len > 0) {
        memcpy(result->payload, deed->payload, deed->len);
    }
}

static void take_deeds(const Run *run, const PsTrialReport *report, json_t *row) {
    json_t *results = json_object_get(row, "results");
    json_t *calls = json_object_get(row, "calls");
    PsLinkLimits limits = ps_link_limits(run->live->config->cloud.type);
    for (uint32_t i = 0; i < report->deed_count; i++) {
        const PsTrialDeed *deed = &report->deeds[i];
        live_count(calls, call_names[deed->kind]);
        if (deed->kind == PS_TRIAL_WRITE) {
            continue;
        }
        json_t *result = find_result(results, deed);
        live_count(result, "count");
        if (cli_integer(result, "bytes") < (long long)deed->len) {
            json_object_set_new(result, "bytes", json_integer((json_int_t)deed->len));
        }
        json_object_set_new(result, "limit", json_integer((json_int_t)limits.payload_bytes));
        if (say_limits(run->trial, &limits, deed, row)) {
            keep_result(run->trial, deed);
        }
    }
    json_object_set_new(row, "calls_not_kept", json_integer(report->deeds_hidden));
}

// The first error line of the script: with an exception it has its place, otherwise it tells of a
// call that did not work.
static void take_lines(const PsTrialReport *report, json_t *row) {
    uint32_t errors = 0;
    for (uint32_t i = 0; i < report->line_count; i++) {
        const PsTrialLine *line = &report->lines[i];
        if (line->level != PS_LOG_ERROR) {
            continue;
        }
        if (errors++ == 0) {
            json_object_set_new(row, "line", json_integer(line->line));
            json_object_set_new(row, "first_error", json_string(line->text));
        }
    }
    json_object_set_new(row, "log_errors", json_integer(errors));
    if (errors > 0 && report->error[0] == '\0') {
        char words[256];
        ps_text_format(words, sizeof words, "%u errors in its log, the first in line %lld: %s",
                       errors, cli_integer(row, "line"), cli_text(row, "first_error"));
        json_object_set_new(row, "warning", json_string(words));
    }
}

static json_t *new_row(const LiveTrial *trial, const char *error) {
    return json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:i, s:s, s:[], s:{}}", "message",
                     trial->message, "kind",
                     trial->kind == PS_SCRIPT_PUBLISH ? "publish" : "subscribe", "group",
                     trial->group, "input", trial->input, "tried", 1, "error", error, "warning", "",
                     "line", 0, "first_error", "", "results", "calls");
}

static void on_done(const PsTrialReport *report, void *ctx) {
    Run *run = ctx;
    run->running = NULL;
    bool cut = strcmp(report->error, "cancelled") == 0;
    run->row = new_row(run->trial, !cut                     ? report->error
                                   : run->live->interrupted ? "interrupted"
                                                            : "there was no time for it; give more "
                                                              "(--timeout)");
    json_object_set_new(run->row, "wall_ms", json_real(report->wall_s * 1000));
    json_object_set_new(run->row, "peak_kib", json_integer((json_int_t)report->peak_kib));
    take_lines(report, run->row);
    take_deeds(run, report, run->row);
}

// --- the run ------------------------------------------------------------------------------------

static void cancel(void *ctx) {
    Run *run = ctx;
    if (run->running != NULL) {
        ps_trial_cancel(run->running);
    }
}

json_t *live_trial_run(Live *live, const LiveTrial *trial) {
    PsMono now = ps_mono_now();
    if (now.ns >= live->deadline.ns) {
        return new_row(trial, "there was no time for it; give more (--timeout)");
    }
    CliTrialPlace place = {0};
    cli_trial_place_init(&place);
    PS_AUTO_BUF PsBuf source = {0};
    ps_buf_put(&source, trial->source->data, trial->source->len);
    Run run = {.live = live, .trial = trial};
    PsTrialSetup setup = trial->setup;
    setup.loop = &live->loop;
    setup.config = live->config;
    setup.program = place.program;
    setup.scratch = cli_trial_place_scratch(&place);
    setup.source = &source;
    setup.done = on_done;
    setup.ctx = &run;
    PsDiag diag = {0};
    if (ps_trial_start(&setup, &run.running, &diag) == PS_OK) {
        live_begin(live, live->deadline, cancel, &run);
    } else {
        char line[sizeof diag];
        ps_diag_format(&diag, line, sizeof line);
        run.row = new_row(trial, line);
    }
    uv_run(&live->loop, UV_RUN_DEFAULT);
    live_end(live);
    cli_trial_place_deinit(&place);
    return run.row;
}
