// The host: hands inputs to the entries and news of penstock-script to those they concern, and
// takes everything down in order. Loop thread; never blocks.
#include "script/host.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "script/alarm_frame.h"
#include "script/draft.h"
#include "script/entry.h"
#include "script/orphans.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STOP_LIMIT_MS 2000
#define RESTART_MIN_MS 1000

struct PsScriptHost {
    PsScriptShared shared; // first: callbacks get it and mean the host
    char *program;
    PsScriptInput scratch; // an input while it is being made
    uv_timer_t stop_timer;
    PsOrphans orphans;
    bool spawner_stopped;
    bool closing;
    PsScriptHostStopped *on_stopped;
    void *stopped_ctx;
};

static const char *const kind_names[] = {
    [PS_SCRIPT_PUBLISH] = "publish",
    [PS_SCRIPT_SUBSCRIBE] = "subscribe",
};

static const char *const state_names[] = {
    [PS_WORKER_STOPPED] = "stopped", [PS_WORKER_STARTING] = "starting",
    [PS_WORKER_RUNNING] = "running", [PS_WORKER_CRASHED] = "crashed",
    [PS_WORKER_HELD] = "held",       [PS_WORKER_STOPPING] = "stopping",
};

const char *ps_script_kind_name(PsScriptKind kind) {
    size_t index = (size_t)kind;
    return index < PS_COUNT(kind_names) ? kind_names[index] : "unknown";
}

const char *ps_worker_state_name(PsWorkerState state) {
    size_t index = (size_t)state;
    return index < PS_COUNT(state_names) ? state_names[index] : "unknown";
}

// --- news of penstock-script --------------------------------------------------------------------

static void on_ready(void *ctx) {
    PsScriptHost *host = ctx;
    for (uint32_t i = 0; i < host->shared.entry_count; i++) {
        ps_script_entry_launch(host->shared.entries[i]);
    }
    ps_script_draft_next(&host->shared);
}

static PsScriptEntry *find_among(PsScriptEntry *const *entries, uint32_t count, uint32_t slot) {
    for (uint32_t i = 0; i < count; i++) {
        if (entries[i]->slot == slot) {
            return entries[i];
        }
    }
    return NULL;
}

PsScriptEntry *ps_script_host_find(const PsScriptShared *shared, uint32_t slot) {
    PsScriptEntry *draft = shared->draft;
    if (draft != NULL && draft->slot == slot) {
        return draft;
    }
    PsScriptEntry *entry = find_among(shared->entries, shared->entry_count, slot);
    return entry != NULL ? entry : find_among(shared->leaving, shared->leaving_count, slot);
}

PsScriptShared *ps_script_host_shared(PsScriptHost *host) {
    return &host->shared;
}

// The entry whose present process is meant, or NULL when it is a former one.
static PsScriptEntry *find_process(PsScriptHost *host, PsWireChild child) {
    PsScriptEntry *entry = ps_script_host_find(&host->shared, child.slot);
    return entry != NULL && entry->generation == child.generation ? entry : NULL;
}

static void on_forked(PsWireChild child, void *ctx) {
    PsScriptEntry *entry = find_process(ctx, child);
    if (entry != NULL) {
        ps_script_entry_forked(entry, (int)child.number);
    }
}

static void on_fork_failed(PsWireChild child, void *ctx) {
    PsScriptEntry *entry = find_process(ctx, child);
    if (entry != NULL) {
        ps_script_entry_fork_failed(entry, (int)child.number);
    }
}

static void on_exited(PsWireChild child, void *ctx) {
    PsScriptEntry *entry = find_process(ctx, child);
    if (entry != NULL) {
        ps_script_entry_exited(entry, (int)child.number);
    }
}

static void on_over_limit(PsWireChild child, void *ctx) {
    PsScriptEntry *entry = find_process(ctx, child);
    if (entry != NULL) {
        ps_script_entry_over_limit(entry, (PsWireLimit)child.number);
    }
}

static void lose(PsScriptHost *host, PsScriptEntry *entry) {
    if (entry->pid != 0) {
        ps_orphans_add(&host->orphans, entry->pid);
    }
    ps_script_entry_exited(entry, PS_STATUS_UNKNOWN);
}

static void on_lost(void *ctx) {
    PsScriptHost *host = ctx;
    for (uint32_t i = 0; i < host->shared.entry_count; i++) {
        lose(host, host->shared.entries[i]);
    }
    for (uint32_t i = host->shared.leaving_count; i > 0; i--) {
        lose(host, host->shared.leaving[i - 1]); // may take it off the list
    }
    if (host->shared.draft != NULL) {
        lose(host, host->shared.draft);
    }
}

static void on_idle(PsScriptShared *shared);

static void on_spawner_stopped(void *ctx) {
    PsScriptHost *host = ctx;
    host->spawner_stopped = true;
    on_idle(&host->shared);
}

static const PsScriptSpawnerEvents spawner_events = {
    .ready = on_ready,
    .forked = on_forked,
    .fork_failed = on_fork_failed,
    .exited = on_exited,
    .over_limit = on_over_limit,
    .lost = on_lost,
    .stopped = on_spawner_stopped,
};

static void on_write_ended(PsScriptOwner owner, PsBuf *frame, void *ctx) {
    PsScriptHost *host = ctx;
    PsScriptEntry *entry = ps_script_host_find(&host->shared, owner.slot);
    PS_ASSERT(entry != NULL); // who goes is forgotten as an owner
    ps_script_entry_write_ended(entry, owner.generation, frame);
}

static void on_answered(PsScriptOwner owner, PsBuf *frame, PsScriptNames *names, void *ctx) {
    PsScriptHost *host = ctx;
    PsScriptEntry *entry = ps_script_host_find(&host->shared, owner.slot);
    PS_ASSERT(entry != NULL); // as above
    ps_script_entry_answered(entry, owner.generation, frame, names);
}

// --- making -------------------------------------------------------------------------------------

// Another one at each start: random, and the time in case there is no randomness.
static void make_boot(char *out, size_t size) {
    uint64_t bits = (uint64_t)ps_random_up_to(INT64_MAX) ^ (uint64_t)ps_wall_now().ns << 1;
    snprintf(out, size, "%016" PRIx64, bits);
}

PsErr ps_script_host_new(const PsScriptHostSetup *setup, PsScriptHost **ret_host, PsDiag *diag) {
    if (access(setup->program, X_OK) < 0) {
        return ps_fail(PS_ERR_INVALID, diag, "penstock-script", NULL,
                       "'%s' is not there or cannot be executed; scripts run in it. Install it "
                       "beside penstockd",
                       setup->program);
    }
    PsScriptHost *host = ps_alloc(sizeof *host);
    const PsConfig *config = setup->config;
    PsScriptShared *shared = &host->shared;
    host->program = ps_strdup(setup->program);
    shared->setup = *setup;
    shared->setup.program = host->program;
    shared->setup.scratch = NULL; // the spawner has its copy
    shared->on_idle = on_idle;
    if (setup->boot != NULL) {
        snprintf(shared->boot, sizeof shared->boot, "%s", setup->boot);
        shared->setup.boot = shared->boot;
    } else {
        make_boot(shared->boot, sizeof shared->boot);
    }
    uint32_t delay = setup->restart_min_ms != 0 ? setup->restart_min_ms : RESTART_MIN_MS;
    ps_script_spawner_init(&shared->spawner, setup->loop, host->program, setup->scratch, delay,
                           &spawner_events, host);
    ps_script_writes_init(&shared->writes, &shared->setup, on_write_ended, host);
    ps_script_groups_init(&shared->groups, config);
    ps_script_requests_init(&shared->requests, &shared->setup, &shared->groups, on_answered, host);
    host->shared.entries = ps_alloc_array(config->publish_count + config->subscribe_count + 1,
                                          sizeof(PsScriptEntry *));
    for (uint32_t i = 0; i < config->publish_count; i++) {
        shared->entries[shared->entry_count++] = ps_script_entry_new(shared, PS_SCRIPT_PUBLISH, i);
    }
    for (uint32_t i = 0; i < config->subscribe_count; i++) {
        shared->entries[shared->entry_count++] =
            ps_script_entry_new(shared, PS_SCRIPT_SUBSCRIBE, i);
    }
    *ret_host = host;
    return PS_OK;
}

PsErr ps_script_host_start(PsScriptHost *host, PsDiag *diag) {
    int failure = uv_timer_init(host->shared.setup.loop, &host->stop_timer);
    if (failure != 0) {
        return ps_fail(PS_ERR_IO, diag, "scripts", NULL, "no timer: %s", uv_strerror(failure));
    }
    host->stop_timer.data = host;
    host->shared.started = true;
    ps_script_writes_open(&host->shared.writes);
    ps_orphans_open(&host->orphans, host->shared.setup.loop, host);
    host->shared.handles += 3;
    for (uint32_t i = 0; i < host->shared.entry_count; i++) {
        ps_script_entry_open(host->shared.entries[i]);
    }
    if (host->shared.entry_count > 0) {
        ps_script_spawner_start(&host->shared.spawner);
    }
    return PS_OK;
}

void ps_script_host_free(PsScriptHost *host) {
    if (host == NULL) {
        return;
    }
    for (uint32_t i = 0; i < host->shared.entry_count; i++) {
        ps_script_entry_free(host->shared.entries[i]);
    }
    ps_script_groups_deinit(&host->shared.groups);
    ps_script_requests_deinit(&host->shared.requests);
    ps_script_writes_deinit(&host->shared.writes);
    ps_script_spawner_deinit(&host->shared.spawner);
    ps_script_input_deinit(&host->scratch);
    free(host->shared.entries);
    free(host->shared.leaving);
    ps_script_host_forget_numbers(&host->shared);
    free(host->program);
    free(host);
}

static PsScriptEntry *find_entry(PsScriptHost *host, PsScriptKind kind, uint32_t index) {
    uint32_t slot = ps_script_message_index(host->shared.setup.config, kind, index);
    PS_ASSERT(slot < host->shared.entry_count);
    return host->shared.entries[slot];
}

// --- inputs -------------------------------------------------------------------------------------

PsErr ps_script_host_collect(PsScriptHost *host, uint32_t publish, const PsUpload *upload) {
    PS_ASSERT(publish < host->shared.setup.config->publish_count);
    PsScriptInput *input = &host->scratch;
    input->type = PS_WIRE_DATA;
    ps_script_input_set_names(input, ps_script_groups_names(&host->shared.groups, upload->group));
    input->collected = upload->collected;
    ps_buf_clear(&input->frame);
    PsErr err =
        ps_snapshot_put_data(&host->shared.groups.schemas[upload->group], upload, &input->frame);
    PsScriptEntry *entry = host->shared.entries[publish];
    if (err != PS_OK) {
        return err;
    }
    if (!upload->waits && ps_script_samples_find(&entry->samples, upload->group) == NULL) {
        return ps_script_entry_put(entry, input);
    }
    err = ps_script_entry_put_sample(entry, upload->group, input);
    if (!upload->waits) {
        ps_script_entry_flush(entry, upload->group);
    }
    return err;
}

void ps_script_host_flush(PsScriptHost *host, uint32_t publish, uint32_t group) {
    PS_ASSERT(publish < host->shared.setup.config->publish_count);
    ps_script_entry_flush(host->shared.entries[publish], group);
}

PsErr ps_script_host_alarms(PsScriptHost *host, uint32_t publish, const PsAlarmUpload *upload) {
    PS_ASSERT(publish < host->shared.setup.config->publish_count);
    PsScriptInput *input = &host->scratch;
    input->type = PS_WIRE_ALARMS;
    ps_script_input_set_names(input, ps_script_groups_names(&host->shared.groups, upload->group));
    input->collected = upload->collected;
    ps_buf_clear(&input->frame);
    PsErr err = ps_alarm_frame_put(host->shared.setup.config, upload, &input->frame);
    return err == PS_OK ? ps_script_entry_put(host->shared.entries[publish], input) : err;
}

PsErr ps_script_host_receive(PsScriptHost *host, uint32_t subscribe, const char *topic,
                             const void *payload, size_t len, int qos) {
    PS_ASSERT(subscribe < host->shared.setup.config->subscribe_count);
    size_t topic_len = strlen(topic);
    if (len > PS_SCRIPT_QUEUE_BYTES || topic_len + len + 16 > PS_SCRIPT_QUEUE_BYTES) {
        return PS_ERR_TOO_BIG;
    }
    PsScriptInput *input = &host->scratch;
    input->type = PS_WIRE_MESSAGE;
    input->qos = qos;
    ps_script_input_set_names(input, NULL);
    input->collected = ps_wall_now();
    ps_buf_clear(&input->frame);
    size_t begin = ps_wire_begin(&input->frame, PS_WIRE_MESSAGE);
    ps_buf_put_u8(&input->frame, 0);
    ps_buf_put_bytes(&input->frame, topic, topic_len);
    ps_buf_put_bytes(&input->frame, payload, len);
    ps_wire_end(&input->frame, begin);
    return ps_script_entry_put(find_entry(host, PS_SCRIPT_SUBSCRIBE, subscribe), input);
}

void ps_script_host_set_link(PsScriptHost *host, bool connected) {
    host->shared.link = connected;
}

void ps_script_host_publish_now_done(PsScriptHost *host, uint64_t ticket, bool sent) {
    PsScriptEntry *entry = ps_script_host_find(&host->shared, (uint32_t)(ticket >> 32));
    if (entry != NULL) {
        ps_script_entry_sent(entry, (uint32_t)ticket, sent);
    }
}

void ps_script_host_settled(PsScriptHost *host, uint64_t ticket) {
    PsScriptEntry *entry = ps_script_host_find(&host->shared, (uint32_t)(ticket >> 32));
    if (entry != NULL) {
        ps_script_entry_settled(entry, (uint32_t)ticket);
    }
}

PsErr ps_script_host_replay(PsScriptHost *host, PsScriptKind kind, uint32_t index,
                            const PsScriptKept *kept, uint64_t id, PsDiag *diag) {
    return ps_script_entry_put_replay(find_entry(host, kind, index), kept, id, diag);
}

// --- saved and held scripts ---------------------------------------------------------------------

void ps_script_host_replace(PsScriptHost *host, PsScriptKind kind, uint32_t index, PsBuf *source) {
    PsScriptEntry *entry = find_entry(host, kind, index);
    ps_buf_deinit(&entry->waiting);
    entry->waiting = *source;
    *source = (PsBuf){0};
    entry->has_waiting = true;
    entry->reconfigured = false;
    ps_script_draft_next(&host->shared);
}

PsErr ps_script_host_release(PsScriptHost *host, const char *name, PsDiag *diag) {
    for (uint32_t i = 0; i < host->shared.entry_count; i++) {
        PsScriptEntry *entry = host->shared.entries[i];
        if (strcmp(entry->name, name) != 0) {
            continue;
        }
        if (entry->state != PS_WORKER_HELD) {
            return ps_fail(PS_ERR_INVALID, diag, name, NULL, "is not held but %s",
                           ps_worker_state_name(entry->state));
        }
        PS_LOGI("SCRIPT-RELEASED", "%s '%s': released, it tries again",
                ps_script_kind_name(entry->kind), name);
        ps_script_entry_restart(entry);
        return PS_OK;
    }
    return ps_fail(PS_ERR_NOT_FOUND, diag, name, NULL,
                   "there is no message of this name; 'penstock status' lists them");
}

void ps_script_host_cancel_replay(PsScriptHost *host, PsScriptKind kind, uint32_t index) {
    ps_script_entry_cancel_replay(find_entry(host, kind, index), "it was taken back");
}

// --- a draft beside the live script --------------------------------------------------------------

const char *ps_script_host_boot(const PsScriptHost *host) {
    return host->shared.boot;
}

void ps_script_host_follow_sequence(PsScriptHost *draft, const PsScriptHost *live,
                                    uint32_t publish) {
    PsScriptEntry *own = draft->shared.entries[0];
    const PsScriptEntry *entry = live->shared.entries[publish];
    uint32_t under_way = entry->inputs.count + ps_script_samples_released(&entry->samples) +
                         (entry->in_call ? 1 : 0);
    if (own->inputs.count == 0 && !own->in_call) {
        own->sequence = entry->sequence + (under_way > 0 ? under_way - 1 : 0);
    }
}

// --- status -------------------------------------------------------------------------------------

uint32_t ps_script_host_worker_count(const PsScriptHost *host) {
    return host->shared.entry_count;
}

void ps_script_host_worker_status(const PsScriptHost *host, uint32_t index,
                                  PsScriptWorkerStatus *ret_status) {
    PS_ASSERT(index < host->shared.entry_count);
    const PsScriptEntry *entry = host->shared.entries[index];
    PsProcUsage usage = {0};
    if (entry->pid != 0 && ps_proc_usage_read(entry->pid, &usage) != PS_OK) {
        usage = (PsProcUsage){0}; // it has just ended; the next row says so
    }
    *ret_status = (PsScriptWorkerStatus){
        .name = entry->name,
        .kind = entry->kind,
        .state = entry->state,
        .pid = entry->pid,
        .calls = entry->calls,
        .errors = entry->errors,
        .restarts = entry->restarts,
        .dropped = entry->dropped,
        .queued = ps_script_entry_waiting(entry),
        .cpu_s = usage.cpu_s,
        .rss_kib = usage.rss_kib,
    };
    memcpy(ret_status->last_error, entry->last_error, sizeof ret_status->last_error);
}

void ps_script_host_samples(const PsScriptHost *host, uint32_t group, uint64_t *ret_waiting,
                            uint64_t *ret_set_aside) {
    *ret_waiting = 0;
    *ret_set_aside = 0;
    for (uint32_t i = 0; i < host->shared.entry_count; i++) {
        const PsScriptGroupSamples *samples =
            ps_script_samples_find(&host->shared.entries[i]->samples, group);
        if (samples != NULL) {
            *ret_waiting += samples->inputs.count;
            *ret_set_aside += samples->set_aside;
        }
    }
}

// --- stopping -----------------------------------------------------------------------------------

static void on_handle_closed(uv_handle_t *handle) {
    PsScriptHost *host = handle->data;
    host->shared.handles--;
    on_idle(&host->shared);
}

static void close_handles(PsScriptHost *host) {
    host->closing = true;
    ps_script_writes_close(&host->shared.writes, on_handle_closed);
    ps_orphans_close(&host->orphans, on_handle_closed);
    uv_close((uv_handle_t *)&host->stop_timer, on_handle_closed);
    for (uint32_t i = 0; i < host->shared.entry_count; i++) {
        ps_script_entry_close(host->shared.entries[i]);
    }
}

static bool all_stopped(const PsScriptHost *host) {
    for (uint32_t i = 0; i < host->shared.entry_count; i++) {
        if (host->shared.entries[i]->state != PS_WORKER_STOPPED) {
            return false;
        }
    }
    return host->shared.draft == NULL && host->shared.leaving_count == 0;
}

// Called whenever something that stopping waits for has happened: workers, then penstock-script,
// then the handles.
static void on_idle(PsScriptShared *shared) {
    PsScriptHost *host = (PsScriptHost *)shared;
    if (!shared->stopping || !all_stopped(host)) {
        return;
    }
    if (!shared->spawner.stopping) {
        ps_script_spawner_stop(&shared->spawner); // calls back when done
    } else if (host->spawner_stopped && !host->closing) {
        close_handles(host);
    } else if (host->closing && shared->handles == 0) {
        host->on_stopped(host->stopped_ctx);
    }
}

static void on_stop_limit(uv_timer_t *timer) {
    PsScriptHost *host = timer->data;
    if (!host->shared.spawner.stopping) {
        ps_script_spawner_stop(&host->shared.spawner); // the kernel ends the workers with it
    }
}

void ps_script_host_stop(PsScriptHost *host, PsScriptHostStopped *done, void *ctx) {
    PS_ASSERT(!host->shared.stopping);
    host->shared.stopping = true;
    if (!host->shared.started) {
        done(ctx);
        return;
    }
    host->on_stopped = done;
    host->stopped_ctx = ctx;
    for (uint32_t i = 0; i < host->shared.entry_count; i++) {
        ps_script_entry_stop(host->shared.entries[i]);
    }
    if (host->shared.draft != NULL) {
        ps_script_entry_doom(host->shared.draft, false, "the gateway stops");
    }
    uv_timer_start(&host->stop_timer, on_stop_limit, STOP_LIMIT_MS, 0);
    on_idle(&host->shared);
}
