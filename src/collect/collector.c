// The main thread's end of collection: takes reports from the channels, keeps the table, serves
// the upload clocks, hands out writes. Never blocks; runs in the loop's wake-up and timer
// callbacks.
#include "collect/collector.h"

#include "base/mem.h"
#include "base/wake.h"
#include "collect/channel.h"
#include "collect/recall.h"
#include "collect/uploader.h"
#include "drivers/driver.h"
#include "tags/coerce.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// One group, if any channel polls it.
typedef struct GroupState {
    PsUploader *uploader; // NULL for groups that are never uploaded
    uint32_t *channels;   // numbers of those that poll it, ascending: the slots of its clock
    uint32_t channel_count;
    uint64_t uploads;
} GroupState;

struct PsCollector {
    PsCollectorSetup setup;
    PsChannel **channels;
    uint32_t channel_count;
    uint32_t *device_channel; // UINT32_MAX for devices without variables
    GroupState *groups;
    PsRecalls *recalls;
    PsMailbox *reports;
    PsWake wake;
    uv_timer_t timer;
    unsigned open_handles;
    bool stopping;
    void (*stopped)(void *ctx);
    void *stopped_ctx;
};

static bool has_variables(const PsConfig *config, uint32_t device) {
    for (uint32_t i = 0; i < ps_config_polled_count(config); i++) {
        if (config->variables[i].device == device) {
            return true;
        }
    }
    return false;
}

// The channel of an earlier device with the same protocol and endpoint, or UINT32_MAX.
static uint32_t find_endpoint(const PsCollector *collector, const PsDriver *driver,
                              uint32_t device) {
    const PsConfig *config = collector->setup.config;
    char key[PS_ENDPOINT_KEY_SIZE];
    char other[PS_ENDPOINT_KEY_SIZE];
    driver->endpoint_key(&config->devices[device], key, sizeof key);
    for (uint32_t i = 0; i < device; i++) {
        if (collector->device_channel[i] == UINT32_MAX ||
            config->devices[i].protocol != driver->protocol) {
            continue;
        }
        driver->endpoint_key(&config->devices[i], other, sizeof other);
        if (strcmp(key, other) == 0) {
            return collector->device_channel[i];
        }
    }
    return UINT32_MAX;
}

static PsErr assign_channels(PsCollector *collector, PsDiag *diag) {
    const PsConfig *config = collector->setup.config;
    collector->device_channel =
        ps_alloc_array(config->device_count, sizeof *collector->device_channel);
    for (uint32_t i = 0; i < config->device_count; i++) {
        collector->device_channel[i] = UINT32_MAX;
        if (!has_variables(config, i)) {
            continue;
        }
        const PsDriver *driver = ps_driver_find(config->devices[i].protocol);
        if (driver == NULL) {
            char object[128];
            snprintf(object, sizeof object, "device '%.100s'", config->devices[i].name);
            return ps_fail(PS_ERR_UNSUPPORTED, diag, object, "protocol",
                           "%s is not available in this version; use ModbusTCP",
                           ps_protocol_name(config->devices[i].protocol));
        }
        uint32_t channel = find_endpoint(collector, driver, i);
        collector->device_channel[i] = channel != UINT32_MAX ? channel : collector->channel_count++;
    }
    return PS_OK;
}

static const PsDriver *driver_of_channel(const PsCollector *collector, uint32_t channel) {
    const PsConfig *config = collector->setup.config;
    for (uint32_t i = 0; i < config->device_count; i++) {
        if (collector->device_channel[i] == channel) {
            return ps_driver_find(config->devices[i].protocol);
        }
    }
    return NULL;
}

static void wake_main(void *ctx) {
    ps_wake_send(&((PsCollector *)ctx)->wake);
}

static PsErr make_channels(PsCollector *collector, PsDiag *diag) {
    uint32_t count = collector->channel_count;
    size_t reports = (size_t)PS_CHANNEL_REPORTS_MAX * (count > 0 ? count : 1);
    collector->reports = ps_mailbox_new(reports, wake_main, collector);
    collector->channels = ps_alloc_array(count, sizeof(PsChannel *));
    for (uint32_t i = 0; i < count; i++) {
        PsChannelSetup setup = {
            .config = collector->setup.config,
            .driver = driver_of_channel(collector, i),
            .number = i,
            .device_channel = collector->device_channel,
            .reports = collector->reports,
        };
        PsErr err = ps_channel_new(&setup, &collector->channels[i], diag);
        if (err != PS_OK) {
            return err;
        }
    }
    return PS_OK;
}

static bool is_uploaded(const PsCollector *collector, uint32_t group) {
    const PsCollectorSetup *setup = &collector->setup;
    return setup->config->groups[group].type == PS_GROUP_ALARM || setup->wants_uploads == NULL ||
           setup->wants_uploads(group, setup->ctx);
}

static void make_groups(PsCollector *collector) {
    const PsConfig *config = collector->setup.config;
    collector->groups = ps_alloc_array(config->group_count, sizeof *collector->groups);
    for (uint32_t g = 0; g < config->group_count; g++) {
        GroupState *group = &collector->groups[g];
        group->channels = ps_alloc_array(collector->channel_count, sizeof *group->channels);
        for (uint32_t c = 0; c < collector->channel_count; c++) {
            if (ps_channel_polls(collector->channels[c], g)) {
                group->channels[group->channel_count++] = c;
            }
        }
        if (is_uploaded(collector, g)) {
            group->uploader = ps_uploader_new(config, g, group->channel_count);
        }
    }
}

static uint32_t slot_of(const GroupState *group, uint32_t channel) {
    uint32_t low = 0;
    uint32_t high = group->channel_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (group->channels[middle] < channel) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    PS_ASSERT(low < group->channel_count && group->channels[low] == channel);
    return low;
}

static void serve_group(PsCollector *collector, GroupState *group, PsMono now) {
    PsUploadClock *clock = ps_uploader_clock(group->uploader);
    if (!ps_upload_clock_due(clock, now)) {
        return;
    }
    PsUpload upload;
    bool any =
        ps_uploader_build(group->uploader, collector->setup.table, now, ps_wall_now(), &upload);
    ps_upload_clock_done(clock, now);
    if (any) {
        group->uploads++;
        collector->setup.on_upload(&upload, collector->setup.ctx);
    }
}

static void on_timer(uv_timer_t *timer);

static void begin_recall(PsCollector *collector) {
    if (!ps_recalls_due(collector->recalls)) {
        return;
    }
    PsMono now = ps_mono_now();
    uint32_t channels = 0;
    for (uint32_t i = 0; i < collector->channel_count; i++) {
        channels += ps_channel_recall(collector->channels[i]) ? 1 : 0;
    }
    ps_recalls_begin(collector->recalls, channels, now);
}

// What the timer is for: uploads that are due and recalls that take too long.
static void serve_due(PsCollector *collector) {
    PsMono now = ps_mono_now();
    PsMono next = {INT64_MAX};
    ps_recalls_expire(collector->recalls, now);
    for (uint32_t g = 0; g < collector->setup.config->group_count; g++) {
        GroupState *group = &collector->groups[g];
        if (group->uploader == NULL) {
            continue;
        }
        serve_group(collector, group, now);
        PsMono wake = ps_upload_clock_next(ps_uploader_clock(group->uploader), now);
        next = wake.ns < next.ns ? wake : next;
    }
    PsMono recall = ps_recalls_next(collector->recalls); // callbacks may have asked for some
    next = recall.ns < next.ns ? recall : next;
    if (next.ns != INT64_MAX) {
        uv_update_time(collector->setup.loop);
        int ms = ps_mono_poll_ms(ps_mono_now(), next);
        uv_timer_start(&collector->timer, on_timer, (uint64_t)ms, 0);
    }
}

static void on_timer(uv_timer_t *timer) {
    serve_due(timer->data);
}

static void apply(PsCollector *collector, const PsSampleBatch *batch) {
    ps_tag_table_apply(collector->setup.table, batch);
    if (collector->setup.on_samples != NULL) {
        collector->setup.on_samples(batch, collector->setup.ctx);
    }
}

static void take_batch(PsCollector *collector, PsBatchNote *note) {
    const PsSampleBatch *batch = note->batch;
    if (!collector->stopping) {
        GroupState *group = &collector->groups[batch->group];
        apply(collector, batch);
        if (group->uploader != NULL && batch->cycle != PS_CYCLE_NONE) {
            ps_uploader_saw(group->uploader, batch->read_wall);
            ps_upload_clock_report(ps_uploader_clock(group->uploader),
                                   slot_of(group, batch->channel), batch->cycle);
        }
    }
    ps_channel_batch_done(note->head.channel, note);
}

static void apply_read_back(PsCollector *collector, const PsWriteJob *job) {
    const PsConfig *config = collector->setup.config;
    const PsVariable *variable = &config->variables[job->variable];
    PsSample sample = {
        .variable = job->variable, .quality = PS_QUALITY_GOOD, .value = job->read_back};
    PsSampleBatch batch = {
        .group = variable->group,
        .channel = collector->device_channel[variable->device],
        .cycle = PS_CYCLE_NONE,
        .read_mono = job->read_mono,
        .read_wall = job->read_wall,
        .sample_count = 1,
        .sample_capacity = 1,
        .samples = &sample,
    };
    apply(collector, &batch);
}

static void take_write(PsCollector *collector, PsWriteJob *job) {
    if (job->read_back.kind != PS_VALUE_NONE && !collector->stopping) {
        apply_read_back(collector, job);
    }
    job->done(job->result, &job->diag, job->read_back, job->ctx);
    ps_channel_write_done(job->head.channel, job);
}

static void handle_closed(PsCollector *collector) {
    collector->open_handles--;
    if (collector->open_handles == 0 && collector->stopped != NULL) {
        collector->stopped(collector->stopped_ctx); // may free the collector
    }
}

static void on_timer_closed(uv_handle_t *handle) {
    handle_closed(handle->data);
}

static void on_wake_closed(PsWake *wake) {
    handle_closed(wake->data);
}

// Closes the handles once no thread can use them any more.
static void finish_stop(PsCollector *collector) {
    for (uint32_t i = 0; i < collector->channel_count; i++) {
        if (ps_channel_running(collector->channels[i])) {
            return;
        }
    }
    uv_close((uv_handle_t *)&collector->timer, on_timer_closed);
    ps_wake_close(&collector->wake, on_wake_closed);
}

static void on_wake(PsWake *wake) {
    PsCollector *collector = wake->data;
    bool ended = false;
    for (PsNote *note; (note = ps_mailbox_take(collector->reports)) != NULL;) {
        switch (note->kind) {
        case PS_NOTE_BATCH:
            take_batch(collector, (PsBatchNote *)note);
            break;
        case PS_NOTE_WRITE:
            take_write(collector, (PsWriteJob *)note);
            break;
        case PS_NOTE_RECALL:
            ps_recalls_channel_done(collector->recalls);
            break;
        case PS_NOTE_STOP:
            ps_channel_join(note->channel);
            ended = true;
            break;
        }
    }
    if (ended) {
        finish_stop(collector);
    }
    if (!collector->stopping) {
        begin_recall(collector);
        serve_due(collector);
    }
}

static void free_parts(PsCollector *collector) {
    const PsConfig *config = collector->setup.config;
    for (uint32_t i = 0; collector->channels != NULL && i < collector->channel_count; i++) {
        ps_channel_free(collector->channels[i]);
    }
    for (uint32_t i = 0; collector->groups != NULL && i < config->group_count; i++) {
        ps_uploader_free(collector->groups[i].uploader);
        free(collector->groups[i].channels);
    }
    ps_recalls_free(collector->recalls);
    ps_mailbox_free(collector->reports);
    free(collector->channels);
    free(collector->groups);
    free(collector->device_channel);
    free(collector);
}

PsErr ps_collector_new(const PsCollectorSetup *setup, PsCollector **ret_collector, PsDiag *diag) {
    PsCollector *collector = ps_alloc(sizeof *collector);
    collector->setup = *setup;
    PsErr err = assign_channels(collector, diag);
    err = err != PS_OK ? err : make_channels(collector, diag);
    if (err != PS_OK) {
        free_parts(collector);
        return err;
    }
    make_groups(collector);
    collector->recalls = ps_recalls_new(setup->config, setup->table);
    if (ps_wake_init(&collector->wake, setup->loop, on_wake, collector) != PS_OK) {
        free_parts(collector);
        return ps_fail(PS_ERR_IO, diag, "collection", NULL,
                       "no descriptor left; raise the limit of open files");
    }
    uv_timer_init(setup->loop, &collector->timer);
    collector->timer.data = collector;
    collector->open_handles = 2;
    *ret_collector = collector;
    return PS_OK;
}

PsErr ps_collector_start(PsCollector *collector, PsDiag *diag) {
    PsMono base = ps_mono_now();
    for (uint32_t g = 0; g < collector->setup.config->group_count; g++) {
        if (collector->groups[g].uploader != NULL) {
            ps_upload_clock_start(ps_uploader_clock(collector->groups[g].uploader), base);
        }
    }
    for (uint32_t i = 0; i < collector->channel_count; i++) {
        PsErr err = ps_channel_start(collector->channels[i], base, diag);
        if (err != PS_OK) {
            return err;
        }
    }
    serve_due(collector);
    return PS_OK;
}

void ps_collector_stop(PsCollector *collector, void (*stopped)(void *ctx), void *ctx) {
    PS_ASSERT(!collector->stopping);
    collector->stopping = true;
    collector->stopped = stopped;
    collector->stopped_ctx = ctx;
    uv_timer_stop(&collector->timer);
    for (uint32_t i = 0; i < collector->channel_count; i++) {
        ps_channel_request_stop(collector->channels[i]);
    }
    ps_recalls_cancel(collector->recalls);
    finish_stop(collector);
}

void ps_collector_free(PsCollector *collector) {
    if (collector != NULL) {
        PS_ASSERT(collector->open_handles == 0);
        free_parts(collector);
    }
}

static PsErr check_write(const PsCollector *collector, uint32_t index, PsDiag *diag) {
    const PsConfig *config = collector->setup.config;
    if (index >= config->variable_count) {
        return ps_fail(PS_ERR_NOT_FOUND, diag, NULL, NULL, "there is no such variable");
    }
    const PsVariable *variable = &config->variables[index];
    if (variable->access != PS_ACCESS_READ) {
        return PS_OK;
    }
    char object[128];
    snprintf(object, sizeof object, "variable '%.40s' of device '%.40s'", variable->name,
             variable->device_name);
    return ps_fail(PS_ERR_DENIED, diag, object, "read_write",
                   "is read-only; set it to read/write in the configuration to write it");
}

PsErr ps_collector_write(PsCollector *collector, uint32_t index, PsValue value, PsMono deadline,
                         PsWriteDone *done, void *ctx, PsDiag *diag) {
    PsErr err = check_write(collector, index, diag);
    if (err != PS_OK) {
        return err;
    }
    const PsVariable *variable = &collector->setup.config->variables[index];
    PsValue coerced;
    err = ps_coerce(variable, value, &coerced, diag);
    if (err != PS_OK) {
        return err;
    }
    PsChannel *channel = collector->channels[collector->device_channel[variable->device]];
    PsWriteJob *job = ps_write_job_new(channel, variable, index, coerced);
    job->deadline = deadline;
    job->done = done;
    job->ctx = ctx;
    err = ps_channel_write(channel, job);
    if (err != PS_OK) {
        free(job);
        bool full = err == PS_ERR_FULL;
        return ps_fail(err, diag, variable->device_name, NULL,
                       full ? "too many writes are waiting for this device; write less often"
                            : "collection is not running");
    }
    return PS_OK;
}

void ps_collector_recall(PsCollector *collector, PsMono deadline, PsRecallDone *done, void *ctx) {
    if (collector->stopping) {
        done(PS_ERR_CANCELLED, NULL, ctx);
        return;
    }
    ps_recalls_add(collector->recalls, deadline, done, ctx);
    begin_recall(collector);
    serve_due(collector); // sets the timer for the deadline
}

PsQuality ps_collector_quality(const PsCollector *collector, uint32_t variable, PsMono now) {
    const PsTag *tag = ps_tag_table_get(collector->setup.table, variable);
    bool stale = tag->quality == PS_QUALITY_GOOD &&
                 ps_mono_diff_ns(now, tag->read) > ps_fresh_ns(collector->setup.config, variable);
    return stale ? PS_QUALITY_STALE : (PsQuality)tag->quality;
}

uint32_t ps_collector_channel_count(const PsCollector *collector) {
    return collector->channel_count;
}

void ps_collector_channel_row(PsCollector *collector, uint32_t index, PsChannelRow *ret_row) {
    PS_ASSERT(index < collector->channel_count);
    ps_channel_row(collector->channels[index], ret_row);
}

void ps_collector_device_row(PsCollector *collector, uint32_t device, PsDeviceRow *ret_row) {
    PS_ASSERT(device < collector->setup.config->device_count);
    *ret_row = (PsDeviceRow){.channel = collector->device_channel[device]};
    if (ret_row->channel != UINT32_MAX) {
        ps_channel_device_row(collector->channels[ret_row->channel], device, ret_row);
    }
}

void ps_collector_group_row(const PsCollector *collector, uint32_t index, PsGroupRow *ret_row) {
    PS_ASSERT(index < collector->setup.config->group_count);
    const GroupState *group = &collector->groups[index];
    *ret_row = (PsGroupRow){.name = collector->setup.config->groups[index].name,
                            .uploads = group->uploads};
    for (uint32_t i = 0; i < group->channel_count; i++) {
        uint64_t due;
        uint64_t late;
        ps_channel_group_counts(collector->channels[group->channels[i]], index, &due, &late);
        ret_row->due += due;
        ret_row->late += late;
    }
}
