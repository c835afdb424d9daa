// Makes the collector's channels and groups from a configuration, and changes them when another one
// takes its place: a channel whose part is the same goes on as it is, one with another part gets a
// new plan and keeps its connection, only new endpoints get new channels. Main thread; never
// blocks.
#include "collect/collector_private.h"

#include "base/descriptors.h"
#include "base/file.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "drivers/driver.h"
#include "model/option.h"
#include "model/tables.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DESCRIPTORS_A_CHANNEL 2    // a socket, and what interrupts a wait
#define DESCRIPTORS_OF_THE_REST 96 // files, scripts, browsers

PsChannel *ps_collector_channel_of(const PsCollector *collector, uint32_t device) {
    uint32_t number = collector->layout.device_channel[device];
    return number != PS_NOT_THERE ? collector->channels[number] : NULL;
}

static PsConfigPart **cut(const PsConfig *config, const PsLayout *layout) {
    PsConfigPart **parts = ps_alloc_array(layout->channel_count, sizeof(PsConfigPart *));
    ps_config_parts_new(config, layout->device_channel, layout->channel_count, parts);
    return parts;
}

static void note_places(PsCollector *collector) {
    uint32_t polled = ps_config_polled_count(collector->setup.config);
    free(collector->variable_place);
    collector->variable_place = ps_alloc_array(polled, sizeof *collector->variable_place);
    for (uint32_t c = 0; c < collector->channel_count; c++) {
        const PsConfigPart *part = ps_channel_part(collector->channels[c]);
        for (uint32_t i = 0; i < ps_config_polled_count(&part->config); i++) {
            collector->variable_place[part->variables[i]] = i;
        }
    }
}

void ps_collector_make_room(PsCollector *collector, uint32_t more) {
    size_t channels =
        (size_t)collector->channel_count + collector->leaving_count + collector->guest_count + more;
    ps_mailbox_set_capacity(collector->reports,
                            PS_CHANNEL_REPORTS_MAX * (channels > 0 ? channels : 1));
}

// "ModbusTCP 10.0.0.1:502": the same endpoint in another run.
static void name_endpoint(const PsDriver *driver, const char *key, char *out, size_t size) {
    snprintf(out, size, "%s %s", ps_protocol_name(driver->protocol), key);
}

// STATE/drivers/PROTOCOL, made when the first of its channels is; "" when there is none.
static void find_folder(PsCollector *collector, int protocol, char *out, size_t size) {
    const char *state = collector->setup.state_folder;
    out[0] = '\0';
    if (state == NULL ||
        (size_t)snprintf(out, size, "%s/drivers/%s", state, ps_protocol_name(protocol)) >= size) {
        out[0] = '\0';
        return;
    }
    for (char *at = out + strlen(state) + sizeof "/drivers"; *at != '\0'; at++) {
        *at = *at == '/' ? '-' : *at; // EtherNet/IP
    }
    PsDiag diag = {0};
    uint32_t bit = 1U << protocol;
    if (!collector->setup.only_reads && (collector->folders_made & bit) == 0 &&
        ps_dir_make(out, 0700, &diag) != PS_OK) {
        PS_LOGW("DRIVER-FOLDER", "%s cannot keep files of its own: %s", ps_protocol_name(protocol),
                diag.text);
        out[0] = '\0';
        return;
    }
    collector->folders_made |= bit;
}

PsErr ps_collector_make_channel(PsCollector *collector, PsConfigPart *part, uint32_t number,
                                bool on_demand, PsChannel **ret_channel, PsDiag *diag) {
    const PsDriver *driver = ps_driver_find(part->config.devices[0].protocol);
    char key[PS_ENDPOINT_KEY_SIZE];
    char name[PS_ENDPOINT_KEY_SIZE + 32];
    char folder[PATH_MAX];
    driver->endpoint_key(&part->config, &part->config.devices[0], key, sizeof key);
    name_endpoint(driver, key, name, sizeof name);
    find_folder(collector, driver->protocol, folder, sizeof folder);
    PsChannelSetup setup = {
        .driver = driver,
        .part = part,
        .learned = ps_learned_store_take(collector->learned, name),
        .state_folder = folder[0] != '\0' ? folder : NULL,
        .only_reads = collector->setup.only_reads,
        .number = number,
        .reports = collector->reports,
        .on_demand = on_demand,
    };
    return ps_channel_new(&setup, ret_channel, diag);
}

// Said at the start, not by each endpoint that finds none left.
static PsErr check_descriptors(uint32_t channels, PsDiag *diag) {
    uint64_t limit = ps_descriptors_raise_limit();
    uint64_t needed = (uint64_t)channels * DESCRIPTORS_A_CHANNEL + DESCRIPTORS_OF_THE_REST;
    if (needed <= limit) {
        return PS_OK;
    }
    return ps_fail(PS_ERR_IO, diag, "collection", NULL,
                   "%u endpoints need about %llu open files, and this process may have %llu; raise "
                   "the limit (LimitNOFILE= of the service, ulimit -n in a shell)",
                   channels, (unsigned long long)needed, (unsigned long long)limit);
}

static void make_upload_room(PsCollector *collector, uint32_t group_count) {
    uint32_t most = 0;
    for (uint32_t g = 0; g < group_count; g++) {
        const PsUploader *uploader = collector->groups[g].uploader;
        uint32_t items = uploader != NULL ? ps_uploader_items(uploader) : 0;
        most = items > most ? items : most;
    }
    free(collector->upload_room);
    collector->upload_room = ps_alloc_array(most, sizeof *collector->upload_room);
}

PsErr ps_collector_build(PsCollector *collector, PsDiag *diag) {
    const PsCollectorSetup *setup = &collector->setup;
    collector->learned = ps_learned_store_new(setup->only_reads ? NULL : setup->state_folder);
    PsErr err = ps_layout_init(&collector->layout, setup->config, diag);
    err = err == PS_OK ? check_descriptors(collector->layout.channel_count, diag) : err;
    if (err != PS_OK) {
        return err;
    }
    PsConfigPart **parts = cut(setup->config, &collector->layout);
    uint32_t count = collector->layout.channel_count;
    collector->channels = ps_alloc_array(count, sizeof(PsChannel *));
    for (uint32_t i = 0; i < count && err == PS_OK; i++) {
        err =
            ps_collector_make_channel(collector, parts[i], i, false, &collector->channels[i], diag);
        parts[i] = NULL;
    }
    collector->channel_count = count;
    for (uint32_t i = 0; i < count; i++) {
        ps_config_part_free(parts[i]);
    }
    free(parts);
    if (err == PS_OK) {
        ps_collector_make_room(collector, 0);
        note_places(collector);
        collector->groups = ps_group_states_new(setup->config, collector->channels, count,
                                                setup->wants_uploads, setup->ctx);
        make_upload_room(collector, setup->config->group_count);
        collector->recalls = ps_recalls_new(setup->config, setup->table);
    }
    return err;
}

void ps_collector_free_parts(PsCollector *collector) {
    for (uint32_t i = 0; collector->channels != NULL && i < collector->channel_count; i++) {
        ps_channel_free(collector->channels[i]);
    }
    PS_ASSERT(collector->leaving_count == 0);
    ps_group_states_free(collector->groups, collector->setup.config->group_count);
    free(collector->upload_room);
    ps_recalls_free(collector->recalls);
    ps_learned_store_free(collector->learned); // not started, or closed and gone
    ps_mailbox_free(collector->reports);
    ps_layout_deinit(&collector->layout);
    free(collector->variable_place);
    free(collector->leaving);
    free(collector->channels);
    free(collector);
}

void ps_collector_leave(PsCollector *collector, PsChannel *channel) {
    if (!ps_channel_running(channel)) {
        ps_channel_free(channel);
        return;
    }
    collector->leaving =
        ps_grow_array(collector->leaving, collector->leaving_count + 1, sizeof(PsChannel *));
    collector->leaving[collector->leaving_count++] = channel;
    ps_channel_request_stop(channel);
}

void ps_collector_keep_learned(PsCollector *collector, const PsChannel *channel,
                               PsLearned *learned) {
    char name[PS_ENDPOINT_KEY_SIZE + 32];
    name_endpoint(ps_channel_driver(channel), ps_channel_name(channel), name, sizeof name);
    ps_learned_store_put(collector->learned, name, learned);
}

const PsLearned *ps_collector_learned(const PsCollector *collector, uint32_t device) {
    const PsChannel *channel = ps_collector_channel_of(collector, device);
    char name[PS_ENDPOINT_KEY_SIZE + 32];
    if (channel == NULL || collector->learned == NULL) {
        return NULL;
    }
    name_endpoint(ps_channel_driver(channel), ps_channel_name(channel), name, sizeof name);
    return ps_learned_store_find(collector->learned, name);
}

// --- another configuration ---------------------------------------------------------------------

// What one change needs to know.
typedef struct Change {
    PsCollector *collector;
    const PsConfig *config;
    const PsConfigMap *map;
    PsMono now;
    PsChannel **channels; // of the new layout; NULL where one could not be made
    uint32_t channel_count;
    uint32_t *from; // by channel of the new layout: the present one that goes on as it
    bool *unread;   // by variable: what is known of it was read elsewhere
} Change;

// Values, reports and writes that are about these variables are about another place in a device.
static void forget(Change *change, const PsConfigPart *part, const uint32_t *matches) {
    for (uint32_t i = 0; i < ps_config_polled_count(&part->config); i++) {
        uint32_t variable = part->variables[i];
        if (variable != PS_NOT_THERE && (matches == NULL || matches[i] == PS_NOT_THERE)) {
            change->unread[variable] = true;
        }
    }
}

static void leave(Change *change, PsChannel *channel) {
    PsCollector *collector = change->collector;
    forget(change, ps_channel_part(channel), NULL);
    if (ps_channel_recall_open(channel)) {
        ps_channel_recall_done(channel);
        collector->recalls_left++;
    }
    ps_collector_leave(collector, channel);
}

// A channel that cannot be made or started stays away, which is said; the others go on.
static PsChannel *arrive(Change *change, PsConfigPart *part, uint32_t number) {
    PsChannel *channel = NULL;
    PsDiag diag = {0};
    PsErr err = ps_collector_make_channel(change->collector, part, number, false, &channel, &diag);
    if (err == PS_OK && change->collector->started) {
        err = ps_channel_start(channel, change->collector->base, change->now, &diag);
    }
    if (err != PS_OK) {
        PS_LOGE("CHANNEL-FAILED",
                "%s: %s; its variables are not read until the gateway starts anew", diag.object,
                diag.text);
        ps_channel_free(channel);
        return NULL;
    }
    return channel;
}

// The present channel of the endpoint goes on with the part, or gives way to a new one.
static PsChannel *go_on(Change *change, uint32_t old, PsConfigPart *part, uint32_t number) {
    PsChannel *channel = change->collector->channels[old];
    PsConfigPart *present = ps_channel_part(channel);
    if (ps_config_part_equal(present, part)) {
        ps_config_part_take_places(present, part);
        ps_config_part_free(part);
        ps_channel_set_number(channel, number);
        change->from[number] = old;
        return channel;
    }
    uint32_t *matches = ps_config_part_match(present, part);
    forget(change, present, matches);
    free(matches);
    if (!ps_channel_replan(channel, part, change->now)) {
        leave(change, channel);
        return arrive(change, part, number);
    }
    ps_channel_set_number(channel, number);
    change->from[number] = old;
    return channel;
}

static void change_channels(Change *change, const PsLayout *layout) {
    PsCollector *collector = change->collector;
    PsConfigPart **parts = cut(change->config, layout);
    PS_AUTO_MAP PsMap present = {0};
    bool *kept = ps_alloc_array(collector->channel_count, sizeof *kept);
    for (uint32_t i = 0; i < collector->channel_count; i++) {
        const PsChannel *channel = collector->channels[i];
        const char *scope = ps_protocol_name(ps_channel_driver(channel)->protocol);
        (void)ps_map_put(&present, scope, ps_channel_name(channel), i);
    }
    for (uint32_t i = 0; i < layout->channel_count; i++) {
        const PsDevice *device = &parts[i]->config.devices[0];
        char key[PS_ENDPOINT_KEY_SIZE];
        ps_driver_find(device->protocol)->endpoint_key(&parts[i]->config, device, key, sizeof key);
        change->from[i] = PS_NOT_THERE;
        uint32_t old = ps_map_find(&present, ps_protocol_name(device->protocol), key);
        if (old == PS_MAP_NONE) {
            change->channels[i] = arrive(change, parts[i], i);
        } else {
            kept[old] = true;
            change->channels[i] = go_on(change, old, parts[i], i);
        }
    }
    for (uint32_t i = 0; i < collector->channel_count; i++) {
        if (!kept[i]) {
            leave(change, collector->channels[i]);
        }
    }
    free(kept);
    free(parts);
}

// A serial port with other settings is opened anew by the channel that goes on; its name is none.
static bool port_changed(const Change *change, uint32_t before, uint32_t device) {
    const PsConfig *former = change->collector->setup.config;
    const PsDevice *then = &former->devices[before];
    const PsDevice *now = &change->config->devices[device];
    if (!ps_device_is_serial(then) || !ps_device_is_serial(now)) {
        return false;
    }
    PsSerial port = former->serials[then->serial];
    port.name = change->config->serials[now->serial].name;
    return !ps_option_all_equal(&ps_table_serial, &port, &change->config->serials[now->serial]);
}

// Devices that were there and are asked over another connection now. A failed one is in the log.
static void say_anew(const Change *change, const PsLayout *layout, PsBuf *anew) {
    const PsLayout *former = &change->collector->layout;
    for (uint32_t d = 0; anew != NULL && d < change->config->device_count; d++) {
        uint32_t before = ps_index_to_old(&change->map->devices, d);
        uint32_t channel = layout->device_channel[d];
        if (before == PS_NOT_THERE || former->device_channel[before] == PS_NOT_THERE ||
            channel == PS_NOT_THERE || change->channels[channel] == NULL ||
            (former->device_channel[before] == change->from[channel] &&
             !port_changed(change, before, d))) {
            continue;
        }
        ps_buf_printf(anew, "device '%s' at %s\n", change->config->devices[d].name,
                      ps_channel_name(change->channels[channel]));
    }
}

// Channels that could not be made leave no holes.
static void close_ranks(Change *change, PsLayout *layout) {
    uint32_t used = 0;
    for (uint32_t i = 0; i < change->channel_count; i++) {
        bool there = change->channels[i] != NULL;
        for (uint32_t d = 0; (!there || used != i) && d < change->config->device_count; d++) {
            if (layout->device_channel[d] == i) {
                layout->device_channel[d] = there ? used : PS_NOT_THERE;
            }
        }
        if (there) {
            change->channels[used] = change->channels[i];
            ps_channel_set_number(change->channels[used], used);
            used++;
        }
    }
    change->channel_count = used;
    layout->channel_count = used;
}

static void change_groups(Change *change) {
    PsCollector *collector = change->collector;
    const PsCollectorSetup *setup = &collector->setup;
    PsGroupState *groups =
        ps_group_states_new(change->config, collector->channels, collector->channel_count,
                            setup->wants_uploads, setup->ctx);
    for (uint32_t g = 0; g < change->config->group_count; g++) {
        uint32_t old = ps_index_to_old(&change->map->groups, g);
        if (groups[g].uploader != NULL && collector->started) {
            ps_uploader_start(groups[g].uploader, collector->base, change->now);
        }
        if (old != PS_NOT_THERE) {
            ps_group_state_follow(&groups[g], &collector->groups[old], change->map, change->now);
        }
    }
    ps_group_states_free(collector->groups, change->map->groups.old_count);
    collector->groups = groups;
    make_upload_room(collector, change->config->group_count);
}

static void drop_what_is_unread(Change *change) {
    for (uint32_t i = 0; i < ps_config_polled_count(change->config); i++) {
        if (change->unread[i]) {
            ps_tag_table_forget(change->collector->setup.table, i);
        }
    }
    for (uint32_t i = 0; i < change->channel_count; i++) {
        ps_channel_drop_reports(change->channels[i], change->unread);
    }
}

void ps_collector_apply(PsCollector *collector, const PsConfig *config, const PsConfigMap *map,
                        PsBuf *anew) {
    PS_ASSERT(!collector->stopping);
    Change change = {.collector = collector, .config = config, .map = map, .now = ps_mono_now()};
    PsLayout layout;
    ps_guests_leave(collector);
    PsErr err = ps_layout_init(&layout, config, NULL);
    PS_ASSERT(err == PS_OK); // a checked configuration has drivers for all its devices
    change.channel_count = layout.channel_count;
    change.channels = ps_alloc_array(layout.channel_count, sizeof(PsChannel *));
    change.from = ps_alloc_array(layout.channel_count, sizeof *change.from);
    change.unread = ps_alloc_array(ps_config_polled_count(config), sizeof *change.unread);
    for (uint32_t i = 0; i < collector->channel_count; i++) {
        ps_channel_move(collector->channels[i], map);
    }
    ps_collector_make_room(collector, layout.channel_count);
    change_channels(&change, &layout);
    say_anew(&change, &layout, anew);
    close_ranks(&change, &layout);
    drop_what_is_unread(&change);
    free(collector->channels);
    ps_layout_deinit(&collector->layout);
    collector->channels = change.channels;
    collector->channel_count = change.channel_count;
    collector->layout = layout;
    collector->setup.config = config;
    note_places(collector);
    change_groups(&change);
    ps_recalls_set_config(collector->recalls, config);
    free(change.from);
    free(change.unread);
    ps_wake_send(&collector->wake); // what has become due is served when the change is over
}

void ps_collector_bury(PsCollector *collector, PsChannel *channel) {
    for (uint32_t i = 0; i < collector->leaving_count; i++) {
        if (collector->leaving[i] == channel) {
            collector->leaving[i] = collector->leaving[--collector->leaving_count];
            ps_channel_free(channel);
            return;
        }
    }
}
