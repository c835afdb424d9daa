// The main thread's end of collection: takes reports from the channels, keeps the table, serves
// the upload clocks, hands out writes. Never blocks; runs in the loop's wake-up and timer
// callbacks.
#include "collect/collector_private.h"

#include "base/mem.h"
#include "tags/coerce.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void wake_main(void *ctx) {
    ps_wake_send(&((PsCollector *)ctx)->wake);
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
        PsGroupState *group = &collector->groups[g];
        if (group->uploader == NULL) {
            continue;
        }
        ps_collector_serve(collector, group, now);
        PsMono wake = ps_collector_next_upload(group, now);
        next = wake.ns < next.ns ? wake : next;
    }
    PsMono guests = ps_guests_expire(collector, now);
    next = guests.ns < next.ns ? guests : next;
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

// From the numbers of the channel's part to those of the whole; what is no longer there is left
// out.
static void translate(PsSampleBatch *batch, const PsConfigPart *part, uint32_t channel) {
    const uint32_t *places = part->variables;
    PsSample *kept = batch->samples;
    const PsSample *end = batch->samples + batch->sample_count;
    for (PsSample *sample = batch->samples; sample < end; sample++) {
        uint32_t variable = places[sample->variable];
        if (variable == PS_NOT_THERE) {
            continue;
        }
        if (kept != sample) {
            *kept = *sample;
        }
        kept->variable = variable;
        kept++;
    }
    batch->sample_count = (uint32_t)(kept - batch->samples);
    batch->channel = channel;
}

// The slot of the channel when the batch is a polling cycle of a group that is uploaded.
static uint32_t slot_of(const PsCollector *collector, const PsBatchNote *note) {
    const PsGroupState *group = &collector->groups[note->batch->group];
    bool counts = group->uploader != NULL && note->batch->cycle != PS_CYCLE_NONE;
    return counts ? ps_group_state_slot(group, note->head.channel) : PS_NOT_THERE;
}

// A batch of a plan that had another interval counts its cycles in another way.
static void report_cycle(PsCollector *collector, const PsSampleBatch *batch, uint32_t slot,
                         double interval) {
    bool counts = interval == collector->setup.config->groups[batch->group].polling_interval;
    if (slot != PS_NOT_THERE) {
        ps_uploader_report(collector->groups[batch->group].uploader, slot, batch, counts);
        ps_collector_sample_after(collector, batch->group);
    }
}

static void take_batch(PsCollector *collector, PsBatchNote *note) {
    PsChannel *channel = note->head.channel;
    PsSampleBatch *batch = note->batch;
    const PsConfigPart *part = ps_channel_reported_part(channel);
    uint32_t group_of_part = batch->group;
    batch->group = part->groups[group_of_part];
    if (!ps_channel_stopping(channel) && batch->group != PS_NOT_THERE) {
        uint32_t slot = slot_of(collector, note);
        ps_collector_sample_before(collector, batch->group, slot);
        translate(batch, part, ps_channel_number(channel));
        if (batch->sample_count > 0) {
            apply(collector, batch);
        }
        report_cycle(collector, batch, slot, part->config.groups[group_of_part].polling_interval);
    }
    ps_channel_batch_done(channel, note);
}

static void apply_read_back(PsCollector *collector, const PsWriteJob *write) {
    PsChannel *channel = write->job.head.channel;
    uint32_t place = write->job.place;
    const PsConfigPart *part = ps_channel_reported_part(channel);
    PsSample sample = {.variable = place, .quality = PS_QUALITY_GOOD, .value = write->read_back};
    PsSampleBatch batch = {
        .group = part->groups[part->config.variables[place].group],
        .cycle = PS_CYCLE_NONE,
        .read_mono = write->read_mono,
        .read_wall = write->read_wall,
        .sample_count = 1,
        .sample_capacity = 1,
        .samples = &sample,
    };
    translate(&batch, part, ps_channel_number(channel));
    if (batch.sample_count > 0) {
        apply(collector, &batch);
    }
}

static void take_write(PsCollector *collector, PsWriteJob *write) {
    if (write->read_back.kind != PS_VALUE_NONE && !ps_channel_stopping(write->job.head.channel)) {
        apply_read_back(collector, write);
    }
    write->done(write->job.result, &write->job.diag, write->read_back, write->job.ctx);
}

static void take_job(PsCollector *collector, PsJob *job) {
    PsChannel *channel = job->head.channel;
    switch (job->kind) {
    case PS_JOB_WRITE:
        take_write(collector, (PsWriteJob *)job);
        break;
    case PS_JOB_PEEK: {
        PsPeekJob *look = (PsPeekJob *)job;
        look->done(job->result, &job->diag, &look->peek, job->ctx);
        break;
    }
    case PS_JOB_BROWSE: {
        PsBrowseJob *look = (PsBrowseJob *)job;
        look->done(job->result, &job->diag, &look->browse, job->ctx);
        break;
    }
    }
    ps_channel_job_done(channel, job);
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

static void on_store_closed(void *ctx) {
    handle_closed(ctx);
}

// Closes the handles once no thread can use them any more.
static void finish_stop(PsCollector *collector) {
    for (uint32_t i = 0; i < collector->channel_count; i++) {
        if (ps_channel_running(collector->channels[i])) {
            return;
        }
    }
    if (collector->leaving_count > 0) {
        return;
    }
    uv_close((uv_handle_t *)&collector->timer, on_timer_closed);
    PsLearnedStore *learned = collector->learned;
    collector->learned = NULL;
    ps_learned_store_close(learned, on_store_closed, collector);
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
        case PS_NOTE_JOB:
            take_job(collector, (PsJob *)note);
            break;
        case PS_NOTE_PLAN:
            ps_channel_plan_done(note->channel, (PsChannelPlan *)note);
            break;
        case PS_NOTE_LEARNED:
            ps_collector_keep_learned(collector, note->channel, ((PsLearnedNote *)note)->copy);
            ps_channel_learned_done(note->channel, (PsLearnedNote *)note);
            break;
        case PS_NOTE_RECALL:
            if (ps_channel_recall_open(note->channel)) {
                ps_channel_recall_done(note->channel);
                ps_recalls_channel_done(collector->recalls);
            }
            break;
        case PS_NOTE_STOP:
            ps_channel_join(note->channel);
            ps_collector_bury(collector, note->channel);
            ended = true;
            break;
        }
    }
    if (ended && collector->stopping) {
        finish_stop(collector);
    }
    for (; collector->recalls_left > 0; collector->recalls_left--) {
        ps_recalls_channel_done(collector->recalls);
    }
    if (collector->started && !collector->stopping) {
        begin_recall(collector);
        serve_due(collector);
    }
}

PsErr ps_collector_new(const PsCollectorSetup *setup, PsCollector **ret_collector, PsDiag *diag) {
    PsCollector *collector = ps_alloc(sizeof *collector);
    collector->setup = *setup;
    collector->reports = ps_mailbox_new(PS_CHANNEL_REPORTS_MAX, wake_main, collector);
    PsErr err = ps_collector_build(collector, diag);
    if (err == PS_OK && ps_wake_init(&collector->wake, setup->loop, on_wake, collector) != PS_OK) {
        err = ps_fail(PS_ERR_IO, diag, "collection", NULL,
                      "no descriptor left; raise the limit of open files");
    }
    if (err != PS_OK) {
        ps_collector_free_parts(collector);
        return err;
    }
    uv_timer_init(setup->loop, &collector->timer);
    collector->timer.data = collector;
    ps_learned_store_start(collector->learned, setup->loop);
    collector->open_handles = 3;
    *ret_collector = collector;
    return PS_OK;
}

PsErr ps_collector_start(PsCollector *collector, PsDiag *diag) {
    collector->base = ps_mono_now();
    collector->started = true;
    for (uint32_t g = 0; g < collector->setup.config->group_count; g++) {
        if (collector->groups[g].uploader != NULL) {
            ps_uploader_start(collector->groups[g].uploader, collector->base, collector->base);
        }
    }
    for (uint32_t i = 0; i < collector->channel_count; i++) {
        PsErr err =
            ps_channel_start(collector->channels[i], collector->base, collector->base, diag);
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
    ps_guests_leave(collector);
    ps_recalls_cancel(collector->recalls);
    finish_stop(collector);
}

void ps_collector_free(PsCollector *collector) {
    if (collector != NULL) {
        PS_ASSERT(collector->open_handles == 0);
        ps_collector_free_parts(collector);
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
    PsChannel *channel = ps_collector_channel_of(collector, variable->device);
    if (channel == NULL) {
        return ps_fail(PS_ERR_CLOSED, diag, variable->device_name, NULL,
                       "this device is not served, as the log says; start the gateway anew");
    }
    PsWriteJob *write =
        ps_write_job_new(channel, variable, collector->variable_place[index], coerced);
    write->done = done;
    write->job.deadline = deadline;
    write->job.ctx = ctx;
    err = ps_channel_order(channel, &write->job);
    if (err != PS_OK) {
        ps_job_free(&write->job);
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
    *ret_row =
        (PsDeviceRow){.channel = collector->layout.device_channel[device], .breaker = "closed"};
    if (ret_row->channel != PS_NOT_THERE) {
        ps_channel_device_row(collector->channels[ret_row->channel], device, ret_row);
    }
}

void ps_collector_group_row(const PsCollector *collector, uint32_t index, PsGroupRow *ret_row) {
    PS_ASSERT(index < collector->setup.config->group_count);
    const PsGroupState *group = &collector->groups[index];
    *ret_row = (PsGroupRow){.name = collector->setup.config->groups[index].name,
                            .uploads = group->uploads};
    for (uint32_t i = 0; i < group->channel_count; i++) {
        uint64_t due;
        uint64_t late;
        ps_channel_group_counts(group->channels[i], index, &due, &late);
        ret_row->due += due;
        ret_row->late += late;
    }
}
