// Takes what happens in the gateway to those who look on: samples to watched values and trends, the
// second to history and streams. Main thread; never blocks.
#include "api/live_private.h"
#include "api/values.h"
#include "base/map.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define SECOND_MS 1000
#define EXPIRE_S 10
#define CERTIFICATES_S 86400

// --- for reading --------------------------------------------------------------------------------

const PsNameIndex *ps_api_live_index(PsApiLive *live) {
    if (live->index == NULL) {
        live->index = ps_name_index_new(live->config);
    }
    return live->index;
}

void ps_api_live_look(PsApiLive *live) {
    live->now = ps_mono_now();
}

PsCellReading ps_api_live_read(uint32_t variable, void *ctx) {
    const PsApiLive *live = ctx;
    const PsTag *tag = ps_tag_table_get(live->sources.table, variable);
    return (PsCellReading){.value = tag->value,
                           .quality =
                               ps_collector_quality(live->sources.collector, variable, live->now),
                           .time = tag->stamp};
}

const char *ps_api_device_state_name(const PsApiDeviceState *state) {
    static const char *const names[] = {
        [PS_CONTACT_NONE] = "not asked",
        [PS_CONTACT_ANSWERS] = "answers",
        [PS_CONTACT_SILENT] = "away",
    };
    return names[state->contact];
}

uint32_t ps_api_live_devices_up(const PsApiLive *live) {
    uint32_t up = 0;
    for (uint32_t i = 0; i < live->config->device_count; i++) {
        up += live->devices[i].contact == PS_CONTACT_ANSWERS ? 1 : 0;
    }
    return up;
}

// --- what happens -------------------------------------------------------------------------------

void ps_api_live_samples(PsApiLive *live, const PsSampleBatch *batch) {
    live->values += batch->sample_count;
    PsCells *cells = ps_watches_cells(live->watches);
    bool watched = ps_cells_count(cells) > 0;
    bool recorded = ps_trend_count(live->trend) > 0;
    if (!watched && !recorded) {
        return;
    }
    uint32_t count = live->config->variable_count; // behind them is what alarms watch
    for (uint32_t i = 0; i < batch->sample_count; i++) {
        const PsSample *sample = &batch->samples[i];
        if (sample->variable >= count) {
            continue;
        }
        if (watched) {
            ps_cells_touch(cells, sample->variable);
        }
        if (recorded) {
            ps_trend_put(live->trend, sample->variable, sample->value,
                         sample->quality == PS_QUALITY_GOOD, batch->read_wall);
        }
    }
}

void ps_api_live_look_at_devices(PsApiLive *live) {
    for (uint32_t i = 0; i < live->config->device_count; i++) {
        PsDeviceRow row;
        ps_collector_device_row(live->sources.collector, i, &row);
        if (row.contact != live->devices[i].contact) {
            live->devices[i].contact = row.contact;
            live->devices[i].since = ps_wall_now();
        }
    }
}

static void note_history(PsApiLive *live) {
    const PsApiSources *sources = &live->sources;
    live->values_per_s = (double)(live->values - live->values_before) / PS_HISTORY_STEP_S;
    live->values_before = live->values;
    double values[PS_HISTORY_KINDS] = {
        [PS_HISTORY_MESSAGES_PER_S] = sources->delivery_status(sources->ctx).per_s,
        [PS_HISTORY_VALUES_PER_S] = live->values_per_s,
        [PS_HISTORY_WAITING] = (double)ps_outbox_stats(sources->outbox).waiting,
        [PS_HISTORY_DEVICES_UP] = ps_api_live_devices_up(live),
        [PS_HISTORY_ALARMS] = ps_alarms_on_count(ps_alarm_desk_alarms(sources->alarms)),
    };
    ps_history_put(&live->history, values);
}

// Silence gives no samples: what is recorded of a device that is away has a gap.
static void note_gaps(PsApiLive *live) {
    for (uint32_t i = 0; ps_trend_count(live->trend) > 0 && i < live->config->variable_count; i++) {
        if (ps_trend_wants(live->trend, i)) {
            PsCellReading reading = ps_api_live_read(i, live);
            if (reading.quality != PS_QUALITY_GOOD) {
                ps_trend_put(live->trend, i, reading.value, false, ps_wall_now());
            }
        }
    }
}

static void on_second(uv_timer_t *timer) {
    PsApiLive *live = timer->data;
    ps_api_live_look(live);
    live->seconds++;
    ps_api_live_look_at_devices(live);
    note_gaps(live);
    if (live->seconds % PS_HISTORY_STEP_S == 0) {
        note_history(live);
    }
    if (live->seconds % EXPIRE_S == 0) {
        PsMono now = ps_mono_now();
        ps_watches_expire(live->watches, now);
        ps_trend_expire(live->trend, now);
    }
    if (live->seconds % CERTIFICATES_S == 0) {
        ps_api_ends_read(live->ends, live->config);
    }
    if (live->streams != NULL) {
        ps_cells_look(ps_watches_cells(live->watches), ps_api_live_read, live);
        ps_api_streams_second(live);
    }
}

// --- another configuration ----------------------------------------------------------------------

// Devices that were there before keep their state; since when is not known of new ones.
static void follow_devices(PsApiLive *live, const PsConfig *former, const PsConfig *config) {
    PsApiDeviceState *devices = ps_alloc_array(config->device_count + 1, sizeof *devices);
    PS_AUTO_MAP PsMap names = {0};
    for (uint32_t i = 0; former != NULL && i < former->device_count; i++) {
        (void)ps_map_put(&names, NULL, former->devices[i].name, i);
    }
    PsWall now = ps_wall_now();
    for (uint32_t i = 0; i < config->device_count; i++) {
        uint32_t before = ps_map_find(&names, NULL, config->devices[i].name);
        devices[i] = before != PS_MAP_NONE ? live->devices[before] : (PsApiDeviceState){0};
        devices[i].since = before != PS_MAP_NONE ? devices[i].since : now;
        devices[i].variables = 0;
    }
    for (uint32_t i = 0; i < config->variable_count; i++) {
        devices[config->variables[i].device].variables++;
    }
    free(live->devices);
    live->devices = devices;
}

static void follow(PsApiLive *live, const PsConfig *config) {
    const PsConfig *former = live->config;
    follow_devices(live, former, config);
    ps_name_index_free(live->index);
    live->index = NULL;
    live->config = config;
    if (former == NULL) {
        live->watches = ps_watches_new(config, live->run);
        live->trend = ps_trend_new(config->variable_count);
    } else {
        const PsNameIndex *index = ps_api_live_index(live);
        ps_watches_apply(live->watches, config, index);
        ps_trend_apply(live->trend, former, config, index);
    }
    ps_api_ends_read(live->ends, config);
}

void ps_api_live_set_sources(PsApiLive *live, const PsApiSources *sources) {
    live->sources = *sources;
    if (sources->config != live->config) {
        follow(live, sources->config);
    }
}

// --- beginning and end --------------------------------------------------------------------------

PsApiLive *ps_api_live_new(uv_loop_t *loop) {
    PsApiLive *live = ps_alloc(sizeof *live);
    live->loop = loop;
    live->run = (uint64_t)(ps_wall_now().ns / PS_NS_PER_MS);
    live->ends = ps_api_ends_new(loop);
    uv_timer_init(loop, &live->second);
    uv_timer_init(loop, &live->tick);
    live->second.data = live->tick.data = live;
    live->open_handles = 2;
    uv_timer_start(&live->second, on_second, SECOND_MS, SECOND_MS);
    return live;
}

static void on_closed(uv_handle_t *handle) {
    PsApiLive *live = handle->data;
    if (--live->open_handles > 0) {
        return;
    }
    ps_watches_free(live->watches);
    ps_trend_free(live->trend);
    ps_name_index_free(live->index);
    ps_buf_deinit(&live->alarms);
    ps_buf_deinit(&live->devices_text);
    ps_buf_deinit(&live->channels_text);
    ps_buf_deinit(&live->status);
    ps_buf_deinit(&live->out);
    free(live->devices);
    free(live->lines);
    free(live);
}

void ps_api_live_close(PsApiLive *live) {
    if (live == NULL) {
        return;
    }
    PS_ASSERT(live->streams == NULL);
    ps_api_ends_close(live->ends);
    uv_close((uv_handle_t *)&live->second, on_closed);
    uv_close((uv_handle_t *)&live->tick, on_closed);
}
