// One pass over the group's variables, device by device. Main thread; allocates only in new.
#include "collect/uploader.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

// What an onchange variable last told the script.
typedef struct Sent {
    bool onchange;
    bool good;
    uint8_t data_type;
    uint32_t room; // for text: the configured size of a STRING
    PsValue value;
    char *text;
} Sent;

// The variables of one device, side by side.
typedef struct DeviceRun {
    uint32_t first;
    uint32_t count;
    int64_t fresh_ns;
} DeviceRun;

struct PsUploader {
    const PsConfig *config;
    uint32_t group;
    PsUploadClock clock;
    bool every_sample;
    PsSampling sampling; // while `every_sample`
    PsWall newest;       // stamp of the newest batch seen
    uint32_t count;
    uint32_t *variables; // sorted by device
    DeviceRun *runs;
    uint32_t run_count;
    Sent *sent; // per variable; NULL when all are realtime
};

int64_t ps_fresh_ns(const PsConfig *config, uint32_t variable) {
    const PsVariable *of = &config->variables[variable];
    double seconds =
        2 * config->groups[of->group].polling_interval + config->devices[of->device].timeout;
    return ps_seconds_to_ns(seconds);
}

static bool belongs(const PsVariable *variable, uint32_t group) {
    return variable->group == group && variable->access != PS_ACCESS_WRITE;
}

// A counting sort by device keeps the order of the configuration within each device.
static void sort_by_device(PsUploader *uploader) {
    const PsConfig *config = uploader->config;
    uint32_t *at = ps_alloc_array((size_t)config->device_count + 1, sizeof *at);
    for (uint32_t i = 0; i < ps_config_polled_count(config); i++) {
        at[config->variables[i].device + 1] += belongs(&config->variables[i], uploader->group);
    }
    for (uint32_t i = 1; i <= config->device_count; i++) {
        at[i] += at[i - 1];
    }
    for (uint32_t i = 0; i < ps_config_polled_count(config); i++) {
        if (belongs(&config->variables[i], uploader->group)) {
            uploader->variables[at[config->variables[i].device]++] = i;
        }
    }
    free(at);
}

static bool begins_run(const PsUploader *uploader, uint32_t place) {
    const PsVariable *variables = uploader->config->variables;
    return place == 0 || variables[uploader->variables[place]].device !=
                             variables[uploader->variables[place - 1]].device;
}

// Counted first: of many devices a group mostly has few.
static void cut_runs(PsUploader *uploader) {
    uint32_t runs = 0;
    for (uint32_t i = 0; i < uploader->count; i++) {
        runs += begins_run(uploader, i);
    }
    uploader->runs = ps_alloc_array(runs, sizeof *uploader->runs);
    for (uint32_t i = 0; i < uploader->count; i++) {
        uint32_t index = uploader->variables[i];
        if (begins_run(uploader, i)) {
            uploader->runs[uploader->run_count++] =
                (DeviceRun){.first = i, .fresh_ns = ps_fresh_ns(uploader->config, index)};
        }
        uploader->runs[uploader->run_count - 1].count++;
    }
}

static Sent *sent_new(const PsUploader *uploader) {
    bool any = false;
    for (uint32_t i = 0; i < uploader->count; i++) {
        any = any || uploader->config->variables[uploader->variables[i]].mode == PS_MODE_ONCHANGE;
    }
    if (!any) {
        return NULL;
    }
    Sent *sent = ps_alloc_array(uploader->count, sizeof *sent);
    for (uint32_t i = 0; i < uploader->count; i++) {
        const PsVariable *variable = &uploader->config->variables[uploader->variables[i]];
        sent[i].onchange = variable->mode == PS_MODE_ONCHANGE;
        sent[i].data_type = (uint8_t)variable->data_type;
        if (sent[i].onchange && ps_variable_text_size(variable) > 0) {
            sent[i].room = ps_variable_text_size(variable);
            sent[i].text = ps_alloc(sent[i].room);
        }
    }
    return sent;
}

static void init_clock(PsUploader *uploader, uint32_t channel_count) {
    const PsGroup *group = &uploader->config->groups[uploader->group];
    int64_t silence = 0;
    for (uint32_t i = 0; i < uploader->run_count; i++) {
        int64_t fresh = uploader->runs[i].fresh_ns;
        silence = fresh > silence ? fresh : silence;
    }
    // Alarms are evaluated as often as they are read.
    double interval =
        group->type == PS_GROUP_ALARM ? group->polling_interval : group->upload_interval;
    ps_upload_clock_init(&uploader->clock, ps_seconds_to_ns(group->polling_interval),
                         ps_seconds_to_ns(interval), silence, channel_count);
    uploader->every_sample = group->every_sample && group->type == PS_GROUP_COLLECT;
    if (uploader->every_sample) {
        ps_sampling_init(&uploader->sampling, ps_seconds_to_ns(group->polling_interval), silence,
                         channel_count);
    }
}

PsUploader *ps_uploader_new(const PsConfig *config, uint32_t group, uint32_t channel_count) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < ps_config_polled_count(config); i++) {
        count += belongs(&config->variables[i], group);
    }
    if (count == 0) {
        return NULL;
    }
    PsUploader *uploader = ps_alloc(sizeof *uploader);
    uploader->config = config;
    uploader->group = group;
    uploader->count = count;
    uploader->variables = ps_alloc_array(count, sizeof *uploader->variables);
    sort_by_device(uploader);
    cut_runs(uploader);
    uploader->sent = sent_new(uploader);
    init_clock(uploader, channel_count);
    return uploader;
}

void ps_uploader_free(PsUploader *uploader) {
    if (uploader == NULL) {
        return;
    }
    for (uint32_t i = 0; uploader->sent != NULL && i < uploader->count; i++) {
        free(uploader->sent[i].text);
    }
    free(uploader->sent);
    free(uploader->runs);
    free(uploader->variables);
    ps_upload_clock_deinit(&uploader->clock);
    ps_sampling_deinit(&uploader->sampling);
    free(uploader);
}

PsUploadClock *ps_uploader_clock(PsUploader *uploader) {
    return &uploader->clock;
}

const PsSampling *ps_uploader_sampling(const PsUploader *uploader) {
    return uploader->every_sample ? &uploader->sampling : NULL;
}

void ps_uploader_start(PsUploader *uploader, PsMono base, PsMono now) {
    ps_upload_clock_start(&uploader->clock, base, now);
    if (uploader->every_sample) {
        ps_sampling_start(&uploader->sampling, base, now);
    }
}

void ps_uploader_report(PsUploader *uploader, uint32_t slot, const PsSampleBatch *batch,
                        bool counts) {
    if (counts) {
        uploader->newest = batch->read_wall;
        ps_upload_clock_report(&uploader->clock, slot, batch->cycle);
    }
    if (uploader->every_sample) {
        ps_sampling_report(&uploader->sampling, slot, batch->cycle, counts, batch->read_mono,
                           batch->read_wall);
    }
}

static void keep_sent(Sent *sent, bool good, PsValue value) {
    sent->good = good;
    sent->value = value;
    if (value.kind == PS_VALUE_TEXT) {
        if (value.text_len > 0) {
            memcpy(sent->text, value.text, value.text_len);
        }
        sent->value.text = sent->text;
    }
}

void ps_uploader_carry(PsUploader *uploader, uint32_t slot, const PsUploader *before,
                       uint32_t slot_before) {
    ps_upload_clock_carry(&uploader->clock, slot, &before->clock, slot_before);
    if (uploader->every_sample && before->every_sample) {
        ps_sampling_carry(&uploader->sampling, slot, &before->sampling, slot_before);
    }
}

void ps_uploader_follow(PsUploader *uploader, const PsUploader *before, const PsConfigMap *map,
                        PsMono now) {
    ps_upload_clock_follow(&uploader->clock, &before->clock, now);
    if (uploader->every_sample && before->every_sample) {
        ps_sampling_follow(&uploader->sampling, &before->sampling, now);
    }
    uploader->newest = before->newest;
    if (uploader->sent == NULL || before->sent == NULL) {
        return;
    }
    uint32_t *places = ps_alloc_array(map->variables.old_count, sizeof *places); // plus 1
    for (uint32_t i = 0; i < before->count; i++) {
        places[before->variables[i]] = i + 1;
    }
    for (uint32_t i = 0; i < uploader->count; i++) {
        Sent *sent = &uploader->sent[i];
        uint32_t old = ps_index_to_old(&map->variables, uploader->variables[i]);
        const Sent *was =
            old != PS_NOT_THERE && places[old] > 0 ? &before->sent[places[old] - 1] : NULL;
        if (was != NULL && was->onchange && sent->onchange && was->data_type == sent->data_type &&
            was->room <= sent->room) {
            keep_sent(sent, was->good, was->value);
        }
    }
    free(places);
}

// Has it changed since it was last sent? Then it counts as sent from now on.
static bool note_change(Sent *sent, bool good, PsValue value) {
    if (sent->good == good && (!good || ps_value_equal(sent->value, value))) {
        return false;
    }
    if (good) {
        keep_sent(sent, true, value);
    } else {
        sent->good = false; // the value is kept: it may come back unchanged, and that is news then
    }
    return true;
}

// The items of one device, from `items` on; how many there are.
static uint32_t build_run(const PsUploader *uploader, const DeviceRun *run, const PsTag *tags,
                          PsMono now, PsUploadItem *items) {
    uint32_t used = 0;
    for (uint32_t i = run->first; i < run->first + run->count; i++) {
        uint32_t index = uploader->variables[i];
        const PsTag *tag = &tags[index];
        bool good =
            tag->quality == PS_QUALITY_GOOD && ps_mono_diff_ns(now, tag->read) <= run->fresh_ns;
        if (uploader->sent != NULL && uploader->sent[i].onchange &&
            !note_change(&uploader->sent[i], good, tag->value)) {
            continue;
        }
        PsUploadItem *item = &items[used++];
        item->variable = index;
        item->good = good;
        item->value = good ? tag->value : ps_value_none();
    }
    return used;
}

uint32_t ps_uploader_group(const PsUploader *uploader) {
    return uploader->group;
}

uint32_t ps_uploader_items(const PsUploader *uploader) {
    return uploader->count;
}

// Without news since the last upload everything is too old by now: an honest "as of now".
static PsWall stamp(PsUploader *uploader, PsMono now, PsWall wall) {
    if (uploader->every_sample) {
        return ps_sampling_done(&uploader->sampling, now, wall);
    }
    return uploader->clock.news ? uploader->newest : wall;
}

bool ps_uploader_build(PsUploader *uploader, const PsTagTable *table, PsMono now, PsWall wall,
                       PsUploadItem *room, PsUpload *ret_upload) {
    const PsTag *tags = ps_tag_table_all(table);
    PsMono as_of = uploader->every_sample ? ps_sampling_read(&uploader->sampling, now) : now;
    uint32_t used = 0;
    for (uint32_t i = 0; i < uploader->run_count; i++) {
        used += build_run(uploader, &uploader->runs[i], tags, as_of, room + used);
    }
    *ret_upload = (PsUpload){
        .group = uploader->group,
        .collected = stamp(uploader, now, wall),
        .item_count = used,
        .items = room,
    };
    return used > 0;
}
