// The report about devices: what was read of them, what they refused, and whether the line gives
// what the groups ask for. Blocks while reading.
#include "cli/live.h"
#include "cli/live_read.h"
#include "collect/load.h"

#include "base/mem.h"
#include "model/place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BAD_NAMED 20 // of one device
#define PART_OF_TIME 0.5

typedef struct Counts {
    uint32_t readable;
    uint32_t good;
    uint32_t refused;
    uint32_t undecodable;
    uint32_t silent;
} Counts;

static void count_one(Counts *counts, PsQuality quality) {
    counts->readable++;
    counts->good += quality == PS_QUALITY_GOOD ? 1 : 0;
    counts->refused += quality == PS_QUALITY_REFUSED ? 1 : 0;
    counts->undecodable += quality == PS_QUALITY_UNDECODABLE ? 1 : 0;
    counts->silent += quality == PS_QUALITY_AWAY || quality == PS_QUALITY_NOT_READ ? 1 : 0;
}

static json_t *bad_json(int protocol, const PsVariable *variable, bool of_alarm,
                        PsQuality quality) {
    char address[PS_ADDRESS_SIZE];
    ps_variable_address(protocol, variable, address, sizeof address);
    json_t *json = json_pack("{s:s, s:s, s:s, s:b}", "name", variable->name, "address", address,
                             "reason", ps_quality_name(quality), "of_alarm", (int)of_alarm);
    if (variable->register_addr != PS_UNSET) {
        json_object_set_new(json, "register_addr", json_integer(variable->register_addr));
    }
    if (variable->register_bit != PS_UNSET) {
        json_object_set_new(json, "register_bit", json_integer(variable->register_bit));
    }
    return json;
}

// What an alarm watches is read for it, also when `vars` has it already.
static bool is_in_vars(const PsConfig *config, uint32_t variable) {
    for (uint32_t i = 0; variable >= config->variable_count && i < config->alarm_count; i++) {
        const PsAlarm *alarm = &config->alarms[i];
        if (!alarm->is_comm && alarm->watched == variable) {
            return alarm->quotes == 1;
        }
    }
    return variable < config->variable_count;
}

// Each readable variable of the device, also those that only alarms read; each once.
static Counts count_variables(const Live *live, uint32_t device, json_t *bad) {
    const PsConfig *config = live->config;
    Counts counts = {0};
    for (uint32_t i = 0; i < ps_config_polled_count(config); i++) {
        const PsVariable *variable = &config->variables[i];
        bool of_alarm = i >= config->variable_count;
        if (variable->device != device || variable->access == PS_ACCESS_WRITE ||
            (of_alarm && is_in_vars(config, i))) {
            continue;
        }
        PsQuality quality = (PsQuality)ps_tag_table_get(live->table, i)->quality;
        count_one(&counts, quality);
        bool of_device = quality == PS_QUALITY_REFUSED || quality == PS_QUALITY_UNDECODABLE;
        if (of_device && json_array_size(bad) < BAD_NAMED) {
            json_array_append_new(
                bad, bad_json(config->devices[device].protocol, variable, of_alarm, quality));
        }
    }
    return counts;
}

static const char *state_of(const PsDeviceRow *row, const Counts *counts) {
    if (counts->readable == 0) {
        return "nothing to read";
    }
    if (row->contact == PS_CONTACT_NONE) {
        return "not asked";
    }
    return row->contact == PS_CONTACT_ANSWERS ? "answers" : "silent";
}

static const char *error_of(const PsDeviceRow *row, const PsChannelRow *channel,
                            const char *state) {
    if (strcmp(state, "not asked") == 0) {
        return channel->last_error[0] != '\0'
                   ? channel->last_error
                   : "there was no time to ask it; give more (--timeout)";
    }
    return row->last_error[0] != '\0' ? row->last_error : channel->last_error;
}

static json_t *device_json(const Live *live, const LiveReading *reading, uint32_t device,
                           json_t *part) {
    const PsDeviceRow *row = &reading->devices[device];
    static const PsChannelRow none;
    bool has_channel = row->channel < reading->endpoint_count;
    const PsChannelRow *channel = has_channel ? &reading->endpoints[row->channel].row : &none;
    json_t *bad = json_array();
    Counts counts = count_variables(live, device, bad);
    const char *state = state_of(row, &counts);
    bool answers = strcmp(state, "answers") == 0;
    bool all_good = counts.good == counts.readable;
    if (counts.readable > 0 && !all_good) {
        live_count(part, "failed");
    }
    json_t *json = json_pack(
        "{s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:o, s:i}", "name",
        live->config->devices[device].name, "state", state, "error",
        all_good ? "" : error_of(row, channel, state), "readable", (int)counts.readable, "good",
        (int)counts.good, "refused", (int)counts.refused, "undecodable", (int)counts.undecodable,
        "silent", (int)counts.silent, "bad", bad, "bad_not_named",
        (int)(counts.refused + counts.undecodable) - (int)json_array_size(bad));
    json_object_set_new(part, "devices",
                        json_integer(cli_integer(part, "devices") + (counts.readable > 0)));
    json_object_set_new(part, "answer", json_integer(cli_integer(part, "answer") + answers));
    json_object_set_new(part, "readable",
                        json_integer(cli_integer(part, "readable") + counts.readable));
    json_object_set_new(part, "good", json_integer(cli_integer(part, "good") + counts.good));
    return json;
}

static void put_budget(const Live *live, const LiveEndpoint *endpoint, json_t *json, json_t *part) {
    const PsConfig *config = live->config;
    PsCycleCost *cycles = ps_alloc_array(config->group_count + 1, sizeof *cycles);
    size_t count = 0;
    double all_ms = 0;
    json_t *groups = json_array();
    for (uint32_t g = 0; g < config->group_count; g++) {
        double ms = endpoint->group_ms[g];
        if (ms < 0) {
            continue;
        }
        const PsGroup *group = &config->groups[g];
        cycles[count++] = (PsCycleCost){group->name, group->polling_interval * 1000, ms};
        all_ms += ms;
        json_array_append_new(groups,
                              json_pack("{s:s, s:f, s:f}", "name", group->name, "polling_interval",
                                        group->polling_interval, "cycle_ms", ms));
    }
    char words[384] = "";
    if (ps_load_words(cycles, count, words, sizeof words)) {
        live_count(part, "warnings");
    }
    json_object_set_new(json, "cycle_ms", json_real(all_ms));
    json_object_set_new(json, "load", json_real(ps_load_of(cycles, count)));
    json_object_set_new(json, "groups", groups);
    json_object_set_new(json, "warning", json_string(words));
    free(cycles);
}

// Does the running gateway have a connection there?
static bool is_shared(const Live *live, const char *endpoint) {
    size_t index;
    json_t *row;
    json_array_foreach(json_object_get(live->status, "channels"), index, row) {
        if (strcmp(cli_text(row, "name"), endpoint) == 0) {
            return true;
        }
    }
    return false;
}

static json_t *endpoint_json(const Live *live, const LiveReading *reading, uint32_t index,
                             json_t *part) {
    const LiveEndpoint *endpoint = &reading->endpoints[index];
    json_t *devices = json_array();
    for (uint32_t i = 0; i < live->config->device_count; i++) {
        if (reading->devices[i].channel == index) {
            json_array_append_new(devices, device_json(live, reading, i, part));
        }
    }
    double round_trip_ms = endpoint->row.round_trip_ms;
    json_t *json = json_pack(
        "{s:s, s:s, s:o, s:b, s:o}", "name", endpoint->row.name, "state", endpoint->row.state,
        "round_trip_ms", round_trip_ms > 0 ? json_real(round_trip_ms) : json_null(),
        "shared_with_gateway", (int)is_shared(live, endpoint->row.name), "devices", devices);
    put_budget(live, endpoint, json, part);
    return json;
}

json_t *live_devices(Live *live) {
    json_t *endpoints = json_array();
    json_t *part =
        json_pack("{s:o, s:i, s:i, s:i, s:i, s:i, s:i, s:s}", "endpoints", endpoints, "devices", 0,
                  "answer", 0, "readable", 0, "good", 0, "failed", 0, "warnings", 0, "error", "");
    PsMono limit = ps_mono_add_ns(ps_mono_now(), ps_seconds_to_ns(live->timeout_s * PART_OF_TIME));
    LiveReading reading;
    PsDiag diag = {0};
    if (live_read(live, limit, &reading, &diag) != PS_OK) {
        char line[sizeof diag];
        ps_diag_format(&diag, line, sizeof line);
        json_object_set_new(part, "error", json_string(line));
        live_count(part, "failed");
        return part;
    }
    for (uint32_t i = 0; i < reading.endpoint_count; i++) {
        json_array_append_new(endpoints, endpoint_json(live, &reading, i, part));
    }
    live_reading_deinit(&reading);
    return part;
}
