//! Inside of PsApiLive, shared by the files that make answers of it. Main thread.
#pragma once

#include "api/api.h"
#include "api/ends.h"
#include "api/live.h"
#include "live/history.h"
#include "live/trend.h"
#include "live/watches.h"

/// State of a device for people, and since when.
typedef struct PsApiDeviceState {
    PsContact contact;
    PsWall since;
    uint32_t variables; ///< of `vars`
} PsApiDeviceState;

struct PsApiStream;

struct PsApiLive {
    uv_loop_t *loop;
    uv_timer_t second; ///< always
    uv_timer_t tick;   ///< while there are streams
    unsigned open_handles;
    PsApiSources sources;
    const PsConfig *config; ///< NULL before the first sources
    PsMono now;             ///< as of ps_api_live_look
    uint64_t run;           ///< tells this process's numbers from another's
    PsNameIndex *index;     ///< NULL until somebody asks by name
    PsWatches *watches;
    PsTrend *trend;
    PsHistory history;
    uint32_t seconds;       ///< since the start
    uint64_t values;        ///< collected since the start
    uint64_t values_before; ///< at the newest history point
    double values_per_s;
    PsApiDeviceState *devices; ///< of the configuration
    PsApiEnds *ends;           ///< of certificates
    struct PsApiStream *streams;
    size_t stream_count;
    // What all streams are told, made once.
    uint64_t alarms_seen; ///< digest of the alarms as they were told newest
    uint64_t alarms_version;
    PsBuf alarms;
    uint64_t devices_seen;
    uint64_t devices_version;
    PsBuf devices_text;
    PsMono channels_made;
    const PsConfig *channels_config; ///< whose endpoints they are; only compared
    uint64_t channels_version;
    PsBuf channels_text;
    PsBuf status;
    PsBuf out;   ///< the event that is being made
    char *lines; ///< log lines that are being looked at
};

/// The index of the present configuration.
const PsNameIndex *ps_api_live_index(PsApiLive *live);
/// Looks at the clock, by which values are fresh or too old: before reading some.
void ps_api_live_look(PsApiLive *live);
/// Brings the states of devices up to date; done every second.
void ps_api_live_look_at_devices(PsApiLive *live);
/// What a variable shows; `ctx` is the PsApiLive.
PsCellRead ps_api_live_read;

/// "answers", "away", "not asked": as in GET /devices.
const char *ps_api_device_state_name(const PsApiDeviceState *state);
uint32_t ps_api_live_devices_up(const PsApiLive *live);

// ---- stream.c

/// Something may have to be told.
void ps_api_streams_tick(PsApiLive *live);
/// Once a second: status, alarms, who may still read, signs of life.
void ps_api_streams_second(PsApiLive *live);

// ---- overview.c: texts that all streams share

/// Puts the members of the event `status` but for `devices` and `channels` into live->status,
/// without braces.
void ps_api_overview_make(PsApiLive *live);
/// Brings live->devices_text and live->alarms, with their versions, to the present state.
void ps_api_overview_devices(PsApiLive *live);
void ps_api_overview_alarms(PsApiLive *live);
/// The same for live->channels_text, anew every ten seconds and with another configuration.
void ps_api_overview_channels(PsApiLive *live, PsMono now);

/// The device's row, where it is away with the channel's error unless it has one of its own.
void ps_api_device_trouble(const PsApiLive *live, uint32_t device, PsDeviceRow *ret_row);

/// Parts of `status`; the caller owns them.
json_t *ps_api_live_devices_json(const PsApiLive *live);
json_t *ps_api_live_rates_json(const PsApiLive *live);
json_t *ps_api_live_alarms_json(const PsApiLive *live);
json_t *ps_api_live_history_json(const PsApiLive *live);
