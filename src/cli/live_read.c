// Runs a collector until every device has answered or said why not, then has it read everything
// once more and takes the time. Main thread; blocks in the loop.
#include "cli/live_read.h"

#include "base/mem.h"

#include <stdlib.h>

#define LOOK_MS 20
#define NEVER_S 1e6 // a polling interval that does not end within a check

typedef struct Run {
    Live *live;
    LiveReading *reading;
    PsConfig config; // that of `live`, but every group is due once only
    PsCollector *collector;
    uv_timer_t look;
    bool measuring;
    bool stopping;
    uint32_t settled; // as was shown last
    PsMono *last;     // by endpoint: end of the group before
} Run;

static void on_closed(uv_handle_t *handle) {
}

static void on_stopped(void *ctx) {
    Run *run = ctx;
    ps_collector_free(run->collector);
    uv_close((uv_handle_t *)&run->look, on_closed);
}

// Rows are taken before the channels stop, which is a state of its own.
static void take_rows(Run *run) {
    LiveReading *reading = run->reading;
    for (uint32_t i = 0; i < reading->endpoint_count; i++) {
        ps_collector_channel_row(run->collector, i, &reading->endpoints[i].row);
    }
    for (uint32_t i = 0; i < run->config.device_count; i++) {
        ps_collector_device_row(run->collector, i, &reading->devices[i]);
    }
}

static void stop(Run *run) {
    if (!run->stopping) {
        run->stopping = true;
        uv_timer_stop(&run->look);
        take_rows(run);
        ps_collector_stop(run->collector, on_stopped, run);
    }
}

static void cancel(void *ctx) {
    stop(ctx);
}

static bool wants_uploads(uint32_t group, void *ctx) {
    return false;
}

// Of alarm groups, which are not asked for.
static void on_upload(const PsUpload *upload, void *ctx) {
}

static void on_samples(const PsSampleBatch *batch, void *ctx) {
    Run *run = ctx;
    if (!run->measuring || batch->cycle != PS_CYCLE_NONE || run->stopping) {
        return;
    }
    double ms = (double)ps_mono_diff_ns(batch->read_mono, run->last[batch->channel]) / 1e6;
    double *sum = &run->reading->endpoints[batch->channel].group_ms[batch->group];
    *sum = (*sum < 0 ? 0 : *sum) + (ms > 0 ? ms : 0);
    run->last[batch->channel] = batch->read_mono;
}

static void on_recalled(PsErr result, const PsUpload *all, void *ctx) {
    Run *run = ctx;
    run->reading->complete = result == PS_OK;
    if (!run->stopping) {
        uv_timer_start(&run->look, run->look.timer_cb, 0, 0); // not to stop from inside the call
    }
}

static bool all_seen(const Run *run) {
    uint32_t count = ps_config_polled_count(&run->config);
    for (uint32_t i = 0; i < count; i++) {
        if (run->config.variables[i].access != PS_ACCESS_WRITE &&
            ps_tag_table_get(run->live->table, i)->quality == PS_QUALITY_NOT_READ) {
            return false;
        }
    }
    return true;
}

// One of which nothing is read is never asked.
static bool is_ever_read(const PsConfig *config, uint32_t device) {
    for (uint32_t i = 0; i < ps_config_polled_count(config); i++) {
        if (config->variables[i].device == device &&
            config->variables[i].access != PS_ACCESS_WRITE) {
            return true;
        }
    }
    return false;
}

// How many devices are known to answer or to be silent.
static uint32_t count_settled(const Run *run) {
    uint32_t settled = 0;
    for (uint32_t i = 0; i < run->config.device_count; i++) {
        PsDeviceRow row;
        ps_collector_device_row(run->collector, i, &row);
        bool waits = row.channel != UINT32_MAX && row.contact == PS_CONTACT_NONE &&
                     is_ever_read(&run->config, i);
        settled += waits ? 0 : 1;
    }
    return settled;
}

static void on_look(uv_timer_t *timer) {
    Run *run = timer->data;
    if (run->measuring) {
        if (run->reading->complete) {
            stop(run);
        }
        return;
    }
    uint32_t settled = count_settled(run);
    uint32_t count = run->config.device_count;
    if (settled != run->settled) {
        live_progress(run->live, "devices: %u of %u", settled, count);
        run->settled = settled;
    }
    if (settled < count || !all_seen(run)) {
        return;
    }
    run->measuring = true;
    PsMono now = ps_mono_now();
    for (uint32_t i = 0; i < run->reading->endpoint_count; i++) {
        run->last[i] = now;
    }
    ps_collector_recall(run->collector, run->live->deadline, on_recalled, run);
}

static void make_room(Run *run) {
    LiveReading *reading = run->reading;
    reading->endpoint_count = ps_collector_channel_count(run->collector);
    reading->endpoints = ps_alloc_array(reading->endpoint_count + 1, sizeof *reading->endpoints);
    reading->devices = ps_alloc_array(run->config.device_count + 1, sizeof *reading->devices);
    run->last = ps_alloc_array(reading->endpoint_count + 1, sizeof *run->last);
    for (uint32_t i = 0; i < reading->endpoint_count; i++) {
        double *group_ms = ps_alloc_array(run->config.group_count + 1, sizeof *group_ms);
        for (uint32_t g = 0; g < run->config.group_count; g++) {
            group_ms[g] = -1;
        }
        reading->endpoints[i].group_ms = group_ms;
    }
}

static PsErr run_collector(Run *run, PsMono deadline, PsDiag *diag) {
    Live *live = run->live;
    PsCollectorSetup setup = {.loop = &live->loop,
                              .config = &run->config,
                              .table = live->table,
                              .state_folder = live->state,
                              .only_reads = true,
                              .wants_uploads = wants_uploads,
                              .on_upload = on_upload,
                              .on_samples = on_samples,
                              .ctx = run};
    PsErr err = ps_collector_new(&setup, &run->collector, diag);
    if (err != PS_OK) {
        return err;
    }
    make_room(run);
    uv_timer_init(&live->loop, &run->look);
    run->look.data = run;
    uv_timer_start(&run->look, on_look, LOOK_MS, LOOK_MS);
    err = ps_collector_start(run->collector, diag);
    live_begin(live, deadline, cancel, run);
    live_progress(live, "devices: 0 of %u", run->config.device_count);
    if (err != PS_OK) {
        stop(run);
    }
    uv_run(&live->loop, UV_RUN_DEFAULT);
    live_end(live);
    return err;
}

PsErr live_read(Live *live, PsMono deadline, LiveReading *ret_reading, PsDiag *diag) {
    const PsConfig *config = live->config;
    PsGroup *groups = ps_alloc_array(config->group_count + 1, sizeof *groups);
    for (uint32_t i = 0; i < config->group_count; i++) {
        groups[i] = config->groups[i];
        groups[i].polling_interval = NEVER_S;
    }
    *ret_reading = (LiveReading){0};
    Run run = {.live = live, .reading = ret_reading, .config = *config};
    run.config.groups = groups;
    PsErr err = run_collector(&run, deadline, diag);
    free(run.last);
    free(groups);
    if (err != PS_OK) {
        live_reading_deinit(ret_reading);
    }
    return err;
}

void live_reading_deinit(LiveReading *reading) {
    for (uint32_t i = 0; reading->endpoints != NULL && i < reading->endpoint_count; i++) {
        free(reading->endpoints[i].group_ms);
    }
    free(reading->endpoints);
    free(reading->devices);
    *reading = (LiveReading){0};
}
