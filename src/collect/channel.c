// The main thread's side of a channel: building it, its thread's start and end, orders and rows.
// Nothing here blocks but join, which is called when the thread is about to return.
#include "collect/channel.h"

#include "base/mem.h"
#include "collect/channel_state.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Enough for the resolver, the log and the drivers; only what is used becomes memory.
#define STACK_BYTES ((size_t)256 * 1024)

static const PsBackoffPolicy retry_policy = {
    .floor_ns = 100 * PS_NS_PER_MS,
    .first_ns = 1 * PS_NS_PER_S,
    .cap_ns = 30 * PS_NS_PER_S,
    .stable_ns = 10 * PS_NS_PER_S,
};

static void take_devices(PsChannel *channel, const PsChannelSetup *setup) {
    const PsConfig *config = setup->config;
    for (uint32_t i = 0; i < config->device_count; i++) {
        channel->device_count += setup->device_channel[i] == setup->number;
    }
    PS_ASSERT(channel->device_count > 0);
    channel->devices = ps_alloc_array(channel->device_count, sizeof *channel->devices);
    uint32_t used = 0;
    for (uint32_t i = 0; i < config->device_count; i++) {
        if (setup->device_channel[i] == setup->number) {
            channel->devices[used++] = i;
        }
    }
}

static void init_states(PsChannel *channel) {
    channel->states = ps_alloc_array(channel->device_count, sizeof *channel->states);
    channel->board.devices = ps_alloc_array(channel->device_count, sizeof *channel->board.devices);
    for (uint32_t i = 0; i < channel->device_count; i++) {
        PsDeviceState *state = &channel->states[i];
        state->device = channel->devices[i];
        state->first_set = UINT32_MAX;
        ps_backoff_init(&state->backoff, &retry_policy);
        for (uint32_t s = channel->sets.set_count; s-- > 0;) {
            if (channel->sets.sets[s].device == state->device) {
                state->first_set = s;
            }
        }
    }
}

static void init_schedule(PsChannel *channel) {
    const PsPollSets *sets = &channel->sets;
    PsSchedule *schedule = &channel->schedule;
    schedule->entries = ps_alloc_array(sets->set_count, sizeof *schedule->entries);
    for (uint32_t i = 0; i < sets->set_count; i++) {
        uint32_t group = sets->sets[i].group;
        if (i > 0 && sets->sets[i - 1].group == group) {
            continue;
        }
        double interval = channel->config->groups[group].polling_interval;
        schedule->entries[schedule->count++] =
            (PsScheduleEntry){.group = group, .interval_ns = ps_seconds_to_ns(interval)};
    }
    channel->board.entries = ps_alloc_array(schedule->count, sizeof *schedule->entries);
    memcpy(channel->board.entries, schedule->entries, schedule->count * sizeof *schedule->entries);
}

static void init_batches(PsChannel *channel) {
    for (uint32_t i = 0; i < PS_CHANNEL_BATCHES && channel->sets.set_count > 0; i++) {
        PsBatchNote *note = &channel->batches[i];
        note->head = (PsNote){.kind = PS_NOTE_BATCH, .channel = channel};
        note->batch = ps_sample_batch_new(channel->sets.largest_group, channel->sets.largest_text);
        note->batch->channel = channel->number;
        channel->free_batches[channel->free_count++] = note;
    }
}

PsErr ps_channel_new(const PsChannelSetup *setup, PsChannel **ret_channel, PsDiag *diag) {
    PsChannel *channel = ps_alloc(sizeof *channel);
    channel->config = setup->config;
    channel->driver = setup->driver;
    channel->number = setup->number;
    channel->reports = setup->reports;
    channel->stop_order = (PsNote){.kind = PS_NOTE_STOP, .channel = channel};
    channel->stop_report = channel->stop_order;
    channel->recall_note = (PsNote){.kind = PS_NOTE_RECALL, .channel = channel};
    channel->last_write = &channel->first_write;
    channel->connecting = true;
    ps_backoff_init(&channel->backoff, &retry_policy);
    pthread_mutex_init(&channel->board.lock, NULL);
    channel->inbox = ps_mailbox_new(PS_CHANNEL_REPORTS_MAX, NULL, NULL);
    take_devices(channel, setup);
    setup->driver->endpoint_key(&setup->config->devices[channel->devices[0]], channel->name,
                                sizeof channel->name);
    ps_poll_sets_init(&channel->sets, setup->config, setup->device_channel, setup->number);
    init_states(channel);
    init_schedule(channel);
    init_batches(channel);
    channel->endpoint = (PsEndpoint){
        .config = setup->config,
        .devices = channel->devices,
        .device_count = channel->device_count,
        .sets = channel->sets.sets,
        .set_count = channel->sets.set_count,
    };
    PsErr err = setup->driver->session_new(&channel->endpoint, &channel->session, diag);
    if (err != PS_OK) {
        ps_channel_free(channel);
        return err;
    }
    *ret_channel = channel;
    return PS_OK;
}

void ps_channel_free(PsChannel *channel) {
    if (channel == NULL) {
        return;
    }
    PS_ASSERT(!channel->running && channel->first_write == NULL);
    channel->driver->free(channel->session);
    for (uint32_t i = 0; i < PS_CHANNEL_BATCHES; i++) {
        ps_sample_batch_free(channel->batches[i].batch);
    }
    ps_mailbox_free(channel->inbox);
    ps_poll_sets_deinit(&channel->sets);
    pthread_mutex_destroy(&channel->board.lock);
    free(channel->board.devices);
    free(channel->board.entries);
    free(channel->schedule.entries);
    free(channel->states);
    free(channel->devices);
    free(channel);
}

// Signals belong to the main loop: the thread starts with all of them blocked.
static int start_thread(PsChannel *channel) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_attr_t attributes;
    int number = pthread_attr_init(&attributes);
    if (number != 0) {
        return number;
    }
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    number = pthread_create(&channel->thread, &attributes, ps_channel_run, channel);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return number;
}

PsErr ps_channel_start(PsChannel *channel, PsMono base, PsDiag *diag) {
    channel->schedule.base = base;
    channel->next_connect = base;
    channel->board.state = PS_CHANNEL_CONNECTING;
    int number = start_thread(channel);
    if (number != 0) {
        channel->board.state = PS_CHANNEL_STOPPED;
        return ps_fail(PS_ERR_IO, diag, channel->name, NULL,
                       "cannot start a thread for this endpoint: %s; raise the limit of tasks",
                       strerror(number));
    }
    channel->running = true;
    char thread_name[16];
    snprintf(thread_name, sizeof thread_name, "channel-%u", channel->number % 100000);
    (void)pthread_setname_np(channel->thread, thread_name); // only for people with ps and gdb
    return PS_OK;
}

bool ps_channel_running(const PsChannel *channel) {
    return channel->running;
}

static void order(PsChannel *channel, PsNote *note) {
    PsErr err = ps_mailbox_put(channel->inbox, note);
    PS_ASSERT(err == PS_OK); // it has room for everything that can be under way
}

void ps_channel_request_stop(PsChannel *channel) {
    if (!channel->running || channel->stopping) {
        return;
    }
    channel->stopping = true;
    order(channel, &channel->stop_order);
    channel->driver->interrupt(channel->session);
}

void ps_channel_join(PsChannel *channel) {
    PS_ASSERT(channel->running);
    pthread_join(channel->thread, NULL);
    channel->running = false;
    // A batch may still have been on its way back when the thread ended.
    while (ps_mailbox_take(channel->inbox) != NULL) {
    }
}

PsErr ps_channel_write(PsChannel *channel, PsWriteJob *job) {
    if (!channel->running || channel->stopping) {
        return PS_ERR_CANCELLED;
    }
    if (channel->writes_waiting == PS_WRITES_WAITING_MAX) {
        return PS_ERR_FULL;
    }
    channel->writes_waiting++;
    order(channel, &job->head);
    return PS_OK;
}

bool ps_channel_recall(PsChannel *channel) {
    if (!channel->running || channel->stopping || channel->sets.set_count == 0) {
        return false;
    }
    order(channel, &channel->recall_note);
    return true;
}

// Quietly: the thread has more of them, and a wake-up in each cycle would cost more than the poll
// of a small group.
void ps_channel_batch_done(PsChannel *channel, PsBatchNote *note) {
    if (channel->running) {
        PsErr err = ps_mailbox_put_quietly(channel->inbox, note);
        PS_ASSERT(err == PS_OK); // as above
    }
}

void ps_channel_write_done(PsChannel *channel, PsWriteJob *job) {
    PS_ASSERT(channel->writes_waiting > 0);
    channel->writes_waiting--;
    free(job);
}

bool ps_channel_polls(const PsChannel *channel, uint32_t group) {
    uint32_t count;
    (void)ps_poll_sets_of_group(&channel->sets, group, &count);
    return count > 0;
}

static const char *const state_names[] = {
    [PS_CHANNEL_STOPPED] = "stopped",
    [PS_CHANNEL_CONNECTING] = "connecting",
    [PS_CHANNEL_CONNECTED] = "connected",
    [PS_CHANNEL_AWAY] = "away",
};

void ps_channel_row(PsChannel *channel, PsChannelRow *ret_row) {
    *ret_row = (PsChannelRow){.devices = channel->device_count};
    snprintf(ret_row->name, sizeof ret_row->name, "%s", channel->name);
    pthread_mutex_lock(&channel->board.lock);
    ret_row->state = state_names[channel->board.state];
    ret_row->requests = channel->board.counters.requests;
    ret_row->errors = channel->board.counters.errors;
    ret_row->round_trip_ms = (double)channel->board.counters.round_trip_ns / 1e6;
    for (uint32_t i = 0; i < channel->device_count; i++) {
        ret_row->devices_away += channel->board.devices[i].away;
    }
    memcpy(ret_row->last_error, channel->board.last_error, sizeof ret_row->last_error);
    pthread_mutex_unlock(&channel->board.lock);
}

void ps_channel_device_row(PsChannel *channel, uint32_t device, PsDeviceRow *ret_row) {
    pthread_mutex_lock(&channel->board.lock);
    for (uint32_t i = 0; i < channel->device_count; i++) {
        if (channel->devices[i] == device) {
            const PsDeviceBoard *board = &channel->board.devices[i];
            ret_row->away = board->away;
            memcpy(ret_row->last_error, board->last_error, sizeof ret_row->last_error);
        }
    }
    pthread_mutex_unlock(&channel->board.lock);
}

void ps_channel_group_counts(PsChannel *channel, uint32_t group, uint64_t *ret_due,
                             uint64_t *ret_late) {
    *ret_due = 0;
    *ret_late = 0;
    pthread_mutex_lock(&channel->board.lock);
    for (uint32_t i = 0; i < channel->schedule.count; i++) {
        const PsScheduleEntry *entry = &channel->board.entries[i];
        if (entry->group == group) {
            *ret_due = entry->next_cycle;
            *ret_late = entry->late;
        }
    }
    pthread_mutex_unlock(&channel->board.lock);
}
