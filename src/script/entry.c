// The life of one worker process after the other: launch, build, run, end, wait, again.
// A process counts as ended when penstock-script has reaped it and its streams are read to their
// end, so that the last words stand in the log before the obituary. Loop thread.
#include "script/entry.h"

#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MEMORY_LIMIT_DEFAULT ((uint64_t)512 * 1024 * 1024)
#define BUILD_LIMIT_MIN_S 10.0
#define DUMP_S 0.1
// Normally the streams are at their end at once; a program the script started may hold them open.
#define DRAIN_S 0.2
// An order to kill that has no effect in this time (never seen) is repeated.
#define KILL_AGAIN_S 2.0
#define RESTART_MAX_S 60.0
// A process that lived this long starts the delays from the beginning.
#define STEADY_S 60.0
#define CRASHES_MAX 16

static void on_frame(const PsWireFrame *frame, void *ctx) {
    PsScriptEntry *entry = ctx;
    if (!entry->doomed) {
        ps_script_entry_take_frame(entry, frame);
    }
}

// Python's dump of a hung or crashed interpreter: the first line of it that is in the script.
static unsigned line_in_dump(const char *line, size_t len) {
    static const char mark[] = "File \"<string>\", line ";
    const char *at = memmem(line, len, mark, sizeof mark - 1);
    unsigned number = 0;
    if (at != NULL) {
        for (at += sizeof mark - 1; at < line + len && *at >= '0' && *at <= '9'; at++) {
            number = number * 10 + (unsigned)(*at - '0');
        }
    }
    return number;
}

static void on_error_line(const char *line, size_t len, void *ctx) {
    PsScriptEntry *entry = ctx;
    if (entry->dump_line == 0) {
        entry->dump_line = line_in_dump(line, len);
    }
    PS_LOGW("SCRIPT-STDERR", "%s: %.*s", entry->name, (int)len, line);
}

static void on_broken(PsErr err, void *ctx) {
    PsScriptEntry *entry = ctx;
    ps_script_entry_doom(entry, false, "it sent an unreadable frame (%s)", ps_err_name(err));
}

static void bury(PsScriptEntry *entry);

static void on_ended(void *ctx) {
    PsScriptEntry *entry = ctx;
    entry->ended = true;
    if (entry->exited) {
        bury(entry);
    } else {
        // Without its socket a process is of no use, whatever it still does.
        ps_script_spawner_kill(&entry->shared->spawner, entry->slot, entry->generation, SIGKILL);
    }
}

static void handle_gone(PsScriptShared *shared) {
    shared->handles--;
    shared->on_idle(shared);
}

static void on_streams_closed(void *ctx) {
    PsScriptEntry *entry = ctx;
    handle_gone(entry->shared);
}

static const PsScriptStreamsEvents stream_events = {
    .frame = on_frame,
    .error_line = on_error_line,
    .broken = on_broken,
    .ended = on_ended,
    .closed = on_streams_closed,
};

static void from_publish(PsScriptEntry *entry, const PsPublish *publish) {
    entry->name = publish->name;
    entry->main_function = publish->main_function;
    entry->source = &publish->source;
    entry->timeout_s = publish->timeout;
    entry->qos = publish->qos;
}

static void from_subscribe(PsScriptEntry *entry, const PsSubscribe *subscribe) {
    entry->name = subscribe->name;
    entry->main_function = subscribe->main_function;
    entry->source = &subscribe->source;
    entry->timeout_s = subscribe->timeout;
    entry->qos = subscribe->qos;
}

static char *expand_topic(const PsConfig *config, const char *name, const char *topic) {
    PS_AUTO_BUF PsBuf text = {0};
    const char *unknown = NULL;
    size_t unknown_len = 0;
    ps_config_expand(config, topic, &text, &unknown, &unknown_len);
    if (unknown != NULL) {
        PS_LOGW("SCRIPT-TOPIC",
                "publish '%s': topic '%s': no custom parameter '%.*s'; it stays as it is", name,
                topic, (int)unknown_len, unknown);
    }
    return ps_strdup((const char *)text.data);
}

void ps_script_entry_init(PsScriptEntry *entry, PsScriptShared *shared, PsScriptKind kind,
                          uint32_t index, uint32_t slot) {
    const PsConfig *config = shared->setup.config;
    *entry = (PsScriptEntry){.shared = shared, .kind = kind, .index = index, .slot = slot};
    if (kind == PS_SCRIPT_PUBLISH) {
        from_publish(entry, &config->publish[index]);
        entry->topic = expand_topic(config, entry->name, config->publish[index].topic);
    } else {
        from_subscribe(entry, &config->subscribe[index]);
        entry->topic = ps_strdup(NULL); // a filter; nothing is published to it
    }
    entry->schema_sent = ps_alloc_array(config->group_count + 1, sizeof(bool));
}

static void clear_replies(PsScriptEntry *entry) {
    while (entry->replies != NULL) {
        PsScriptReply *reply = entry->replies;
        entry->replies = reply->next;
        ps_buf_deinit(&reply->frame);
        free(reply);
    }
}

void ps_script_entry_deinit(PsScriptEntry *entry) {
    clear_replies(entry);
    ps_script_inputs_deinit(&entry->inputs);
    ps_buf_deinit(&entry->current.frame);
    free(entry->schema_sent);
    free(entry->topic);
}

void ps_script_entry_open(PsScriptEntry *entry) {
    uv_timer_init(entry->shared->setup.loop, &entry->timer);
    entry->timer.data = entry;
    entry->shared->handles++;
}

static void on_timer_closed(uv_handle_t *handle) {
    PsScriptEntry *entry = handle->data;
    handle_gone(entry->shared);
}

void ps_script_entry_close(PsScriptEntry *entry) {
    uv_close((uv_handle_t *)&entry->timer, on_timer_closed);
}

void ps_script_entry_note_error(PsScriptEntry *entry, const char *text, size_t len) {
    snprintf(entry->last_error, sizeof entry->last_error, "%.*s", (int)len, text);
}

// --- the timer ----------------------------------------------------------------------------------

static void on_timer(uv_timer_t *timer) {
    PsScriptEntry *entry = timer->data;
    PsScriptSpawner *spawner = &entry->shared->spawner;
    PsEntryTimer use = entry->timer_use;
    entry->timer_use = PS_ENTRY_TIMER_NONE;
    switch (use) {
    case PS_ENTRY_TIMER_NONE:
        break;
    case PS_ENTRY_TIMER_BUILD:
        ps_script_entry_doom(entry, true, "the module was not built in time");
        break;
    case PS_ENTRY_TIMER_CALL:
        ps_script_entry_doom(entry, true, "the call did not end within %g s", entry->timeout_s);
        break;
    case PS_ENTRY_TIMER_DUMP:
        ps_script_spawner_kill(spawner, entry->slot, entry->generation, SIGKILL);
        ps_script_entry_set_timer(entry, PS_ENTRY_TIMER_DUMP, KILL_AGAIN_S);
        break;
    case PS_ENTRY_TIMER_DRAIN:
        bury(entry);
        break;
    case PS_ENTRY_TIMER_RESTART:
        ps_script_entry_launch(entry);
        break;
    }
}

void ps_script_entry_set_timer(PsScriptEntry *entry, PsEntryTimer use, double seconds) {
    entry->timer_use = use;
    if (use == PS_ENTRY_TIMER_NONE) {
        uv_timer_stop(&entry->timer);
        return;
    }
    uv_timer_start(&entry->timer, on_timer, (uint64_t)(seconds * 1000 + 0.5), 0);
}

// --- beginning ----------------------------------------------------------------------------------

static void put_build(PsScriptEntry *entry, PsBuf *out) {
    const PsConfig *config = entry->shared->setup.config;
    const PsParameters *parameters = &config->parameters;
    PsWireBuild build = {
        .kind = (uint8_t)entry->kind,
        .aws = config->cloud.type == PS_CLOUD_AWS_IOT,
        .name = ps_wire_text(entry->name),
        .main_function = ps_wire_text(entry->main_function),
        .source = {(const char *)entry->source->data, (uint32_t)entry->source->len},
        .parameter_count = 4 + parameters->custom_count,
    };
    const char *serial = parameters->gateway_sn != NULL ? parameters->gateway_sn : "";
    const char *level = ps_log_level_name((PsLogLevel)parameters->log_level);
    size_t begin = ps_wire_begin_build(out, &build);
    ps_wire_put_parameter(out, "gateway_sn", ps_value_text(serial, (uint32_t)strlen(serial)));
    ps_wire_put_parameter(out, "log_level", ps_value_text(level, (uint32_t)strlen(level)));
    ps_wire_put_parameter(out, "catch_recording", ps_value_int(parameters->catch_recording));
    ps_wire_put_parameter(out, "warning_recording", ps_value_int(parameters->warning_recording));
    for (uint32_t i = 0; i < parameters->custom_count; i++) {
        const PsCustom *custom = &parameters->custom[i];
        ps_wire_put_parameter(out, custom->name,
                              ps_value_text(custom->value, (uint32_t)strlen(custom->value)));
    }
    ps_wire_end(out, begin);
}

static void reset_process(PsScriptEntry *entry) {
    entry->pid = 0;
    entry->exited = false;
    entry->ended = false;
    entry->wait_status = PS_STATUS_UNKNOWN;
    entry->doomed = false;
    entry->doom[0] = '\0';
    entry->dump_line = 0;
    entry->open_writes = 0;
    entry->silent_writes = 0;
    entry->in_call = false;
    entry->asks = false;
    entry->lines = 0;
    entry->lines_hidden = 0;
    clear_replies(entry);
    memset(entry->schema_sent, 0, entry->shared->setup.config->group_count * sizeof(bool));
}

static PsErr order_process(PsScriptEntry *entry) {
    PsScriptShared *shared = entry->shared;
    int fds[2];
    PsErr err =
        ps_script_streams_new(shared->setup.loop, &stream_events, entry, &entry->streams, fds);
    if (err != PS_OK) {
        snprintf(entry->doom, sizeof entry->doom, "no socket for it: %s", strerror(errno));
        return err;
    }
    shared->handles++;
    PsWireFork order = {.slot = entry->slot, .generation = entry->generation};
    uint64_t limit = shared->setup.memory_limit;
    order.memory_limit = limit != 0 ? limit : MEMORY_LIMIT_DEFAULT;
    err = ps_script_spawner_fork(&shared->spawner, order, fds);
    close(fds[0]);
    close(fds[1]);
    if (err != PS_OK) {
        snprintf(entry->doom, sizeof entry->doom, "penstock-script takes no order (%s)",
                 ps_err_name(err));
    }
    return err;
}

void ps_script_entry_launch(PsScriptEntry *entry) {
    bool may = entry->state == PS_WORKER_CRASHED || entry->state == PS_WORKER_STOPPED;
    if (!may || entry->build_failed || entry->shared->stopping || !entry->shared->spawner.ready) {
        return; // not ready: penstock-script calls again once it is
    }
    entry->generation++;
    entry->restarts += entry->generation > 1;
    reset_process(entry);
    entry->state = PS_WORKER_STARTING;
    entry->started = ps_mono_now();
    if (order_process(entry) != PS_OK) {
        bury(entry);
        return;
    }
    PS_AUTO_BUF PsBuf build = {0};
    put_build(entry, &build);
    ps_script_streams_send(entry->streams, &build, NULL);
    double limit = entry->timeout_s > BUILD_LIMIT_MIN_S ? entry->timeout_s : BUILD_LIMIT_MIN_S;
    ps_script_entry_set_timer(entry, PS_ENTRY_TIMER_BUILD, limit);
}

void ps_script_entry_forked(PsScriptEntry *entry, int pid) {
    entry->pid = pid;
}

void ps_script_entry_fork_failed(PsScriptEntry *entry, int error) {
    snprintf(entry->doom, sizeof entry->doom, "no process for it: %s", strerror(error));
    bury(entry);
}

void ps_script_entry_built(PsScriptEntry *entry, bool ok) {
    if (ok) {
        if (entry->state == PS_WORKER_STARTING) {
            entry->state = PS_WORKER_RUNNING;
            ps_script_entry_set_timer(entry, PS_ENTRY_TIMER_NONE, 0);
        }
        return;
    }
    entry->build_failed = true;
    entry->state = PS_WORKER_STOPPING;
    ps_script_entry_doom(entry, false, "its module could not be built");
}

// --- ending -------------------------------------------------------------------------------------

void ps_script_entry_doom(PsScriptEntry *entry, bool dump, const char *fmt, ...) {
    if (entry->doomed || entry->streams == NULL) {
        return;
    }
    entry->doomed = true;
    va_list args;
    va_start(args, fmt);
    vsnprintf(entry->doom, sizeof entry->doom, fmt, args);
    va_end(args);
    ps_script_spawner_kill(&entry->shared->spawner, entry->slot, entry->generation,
                           dump ? SIGUSR2 : SIGKILL);
    ps_script_entry_set_timer(entry, PS_ENTRY_TIMER_DUMP, dump ? DUMP_S : KILL_AGAIN_S);
}

void ps_script_entry_exited(PsScriptEntry *entry, int wait_status) {
    if (entry->streams == NULL || entry->exited) {
        return;
    }
    entry->exited = true;
    entry->wait_status = wait_status;
    if (entry->ended) {
        bury(entry);
    } else {
        ps_script_entry_set_timer(entry, PS_ENTRY_TIMER_DRAIN, DRAIN_S);
    }
}

static void describe_end(const PsScriptEntry *entry, char *out, size_t size) {
    int status = entry->wait_status;
    if (entry->doom[0] != '\0') {
        snprintf(out, size, "%s%s",
                 entry->doomed ? "worker killed: " : "worker not started: ", entry->doom);
    } else if (status == PS_STATUS_UNKNOWN) {
        snprintf(out, size, "worker ended together with penstock-script");
    } else if (WIFSIGNALED(status)) {
        snprintf(out, size, "worker ended by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    } else {
        snprintf(out, size, "worker ended by itself with status %d (os._exit?)",
                 WEXITSTATUS(status));
    }
    if (entry->dump_line != 0) {
        size_t len = strlen(out);
        snprintf(out + len, size - len, ", at <string> %u", entry->dump_line);
    }
}

static double next_delay_s(PsScriptEntry *entry) {
    PsMono now = ps_mono_now();
    if (ps_mono_diff_ns(now, entry->started) > ps_seconds_to_ns(STEADY_S)) {
        entry->crashes = 0;
    }
    uint32_t first_ms = entry->shared->setup.restart_min_ms;
    double delay = (first_ms != 0 ? first_ms / 1000.0 : 1.0) * (double)(1U << entry->crashes);
    entry->crashes += entry->crashes < CRASHES_MAX;
    return delay < RESTART_MAX_S ? delay : RESTART_MAX_S;
}

// Its worker went down with penstock-script, so the script is not to blame: it gets the input
// again, unless it has already acted on it.
static bool keep_input(PsScriptEntry *entry) {
    return entry->wait_status == PS_STATUS_UNKNOWN && !entry->doomed && !entry->acted &&
           entry->current.type != PS_WIRE_WRITE_DONE &&
           ps_script_inputs_put_back(&entry->inputs, &entry->current);
}

static void count_lost_call(PsScriptEntry *entry) {
    if (entry->in_call) {
        entry->in_call = false;
        if (keep_input(entry)) {
            return;
        }
        entry->calls++;
        entry->errors++;
        entry->dropped++;
    }
}

static void mourn(PsScriptEntry *entry) {
    char reason[320];
    describe_end(entry, reason, sizeof reason);
    ps_script_entry_note_error(entry, reason, strlen(reason));
    if (entry->lines_hidden > 0) {
        PS_LOGW("SCRIPT-LINES", "%s: %u more lines of this call were not logged", entry->name,
                entry->lines_hidden);
    }
    entry->state = PS_WORKER_CRASHED;
    double delay = next_delay_s(entry);
    PS_LOGE("SCRIPT-ENDED", "%s '%s': %s; it starts again in %g s, %u inputs wait",
            ps_script_kind_name(entry->kind), entry->name, reason, delay, entry->inputs.count);
    ps_script_entry_set_timer(entry, PS_ENTRY_TIMER_RESTART, delay);
}

static void bury(PsScriptEntry *entry) {
    if (entry->streams != NULL) {
        ps_script_streams_close(entry->streams);
        entry->streams = NULL;
    }
    ps_script_entry_set_timer(entry, PS_ENTRY_TIMER_NONE, 0);
    entry->pid = 0;
    clear_replies(entry);
    count_lost_call(entry);
    if (entry->build_failed || entry->shared->stopping) {
        entry->state = PS_WORKER_STOPPED;
        entry->dropped += ps_script_inputs_clear(&entry->inputs);
        entry->shared->on_idle(entry->shared);
        return;
    }
    mourn(entry);
}

void ps_script_entry_stop(PsScriptEntry *entry) {
    if (entry->streams == NULL) {
        entry->state = PS_WORKER_STOPPED;
        entry->dropped += ps_script_inputs_clear(&entry->inputs);
        ps_script_entry_set_timer(entry, PS_ENTRY_TIMER_NONE, 0);
        return;
    }
    entry->state = PS_WORKER_STOPPING;
    ps_script_entry_next(entry);
}
