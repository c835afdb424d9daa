// The main thread's side of a channel: building it, its thread's start and end, orders and rows.
// Nothing here blocks but join, which is called when the thread is about to return.
#include "collect/channel.h"

#include "base/mem.h"
#include "base/text.h"
#include "collect/channel_state.h"
#include "collect/load.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Enough for the resolver, the log and the drivers; only what is used becomes memory.
#define STACK_BYTES ((size_t)256 * 1024)

static PsChannelPlan *new_plan(PsChannel *channel, PsConfigPart *part,
                               const PsChannelPlan *before) {
    PsChannelPlan *plan = ps_channel_plan_new(channel, part, before);
    plan->endpoint.learned = channel->learned;
    plan->endpoint.state_folder = channel->state_folder;
    plan->endpoint.only_reads = channel->only_reads;
    return plan;
}

PsErr ps_channel_new(const PsChannelSetup *setup, PsChannel **ret_channel, PsDiag *diag) {
    PsChannel *channel = ps_alloc(sizeof *channel);
    channel->driver = setup->driver;
    channel->number = setup->number;
    channel->reports = setup->reports;
    channel->stop_order = (PsNote){.kind = PS_NOTE_STOP, .channel = channel};
    channel->stop_report = channel->stop_order;
    channel->recall_note = (PsNote){.kind = PS_NOTE_RECALL, .channel = channel};
    channel->learned_note = (PsLearnedNote){.head = {PS_NOTE_LEARNED, channel}};
    channel->last_learned = channel->learned_note;
    channel->learned = setup->learned;
    channel->learned_told = ps_learned_version(setup->learned);
    channel->state_folder = setup->state_folder != NULL ? ps_strdup(setup->state_folder) : NULL;
    channel->only_reads = setup->only_reads;
    channel->last_job = &channel->first_job;
    channel->connecting = true;
    channel->on_demand = setup->on_demand;
    ps_backoff_init(&channel->backoff, &ps_channel_retry);
    ps_line_budget_fill(&channel->budget, ps_mono_now());
    ps_line_budget_fill(&channel->look_budget, ps_mono_now());
    pthread_mutex_init(&channel->board.lock, NULL);
    channel->inbox = ps_mailbox_new(PS_CHANNEL_REPORTS_MAX, NULL, NULL);
    channel->first_plan = new_plan(channel, setup->part, NULL);
    channel->last_plan = channel->first_plan;
    ps_channel_take_plan(channel, channel->first_plan);
    setup->driver->endpoint_key(&setup->part->config, &setup->part->config.devices[0],
                                channel->name, sizeof channel->name);
    PsErr err = setup->driver->session_new(&channel->first_plan->endpoint, &channel->session, diag);
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
    PS_ASSERT(!channel->running && channel->first_job == NULL);
    channel->driver->free(channel->session);
    while (channel->first_plan != NULL) {
        PsChannelPlan *plan = channel->first_plan;
        channel->first_plan = plan->next;
        ps_channel_plan_free(plan);
    }
    ps_learned_free(channel->learned);
    free(channel->state_folder);
    ps_mailbox_free(channel->inbox);
    pthread_mutex_destroy(&channel->board.lock);
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

PsErr ps_channel_start(PsChannel *channel, PsMono base, PsMono now, PsDiag *diag) {
    channel->base = base;
    channel->next_connect = now;
    ps_channel_plan_begin(channel->plan, base, now);
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

bool ps_channel_stopping(const PsChannel *channel) {
    return channel->stopping;
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

// Looks are people's: they may not take the places of the writes, nor the line from the polls.
static uint32_t *places_taken(PsChannel *channel, const PsJob *job, uint32_t *ret_most) {
    bool write = job->kind == PS_JOB_WRITE;
    *ret_most = write ? PS_WRITES_WAITING_MAX : PS_LOOKS_WAITING_MAX;
    return write ? &channel->writes_waiting : &channel->looks_waiting;
}

PsErr ps_channel_order(PsChannel *channel, PsJob *job) {
    if (!channel->running || channel->stopping) {
        return PS_ERR_CANCELLED;
    }
    uint32_t most;
    uint32_t *taken = places_taken(channel, job, &most);
    if (*taken == most) {
        return PS_ERR_FULL;
    }
    (*taken)++;
    order(channel, &job->head);
    return PS_OK;
}

uint32_t ps_channel_jobs(const PsChannel *channel) {
    return channel->writes_waiting + channel->looks_waiting;
}

bool ps_channel_replan(PsChannel *channel, PsConfigPart *part, PsMono now) {
    if (channel->stopping || channel->plans_waiting == PS_CHANNEL_PLANS_MAX) {
        return false;
    }
    PsChannelPlan *plan = new_plan(channel, part, channel->last_plan);
    ps_channel_plan_begin(plan, channel->base, now);
    channel->last_plan->next = plan;
    channel->last_plan = plan;
    channel->plans_waiting++;
    if (channel->running) {
        order(channel, &plan->head);
    } else {
        ps_channel_follow_plan(channel, plan);
        ps_channel_plan_done(channel, plan);
    }
    return true;
}

void ps_channel_plan_done(PsChannel *channel, PsChannelPlan *plan) {
    PsChannelPlan *before = channel->first_plan;
    PS_ASSERT(channel->plans_waiting > 0 && before->next == plan);
    channel->plans_waiting--;
    channel->first_plan = plan;
    ps_channel_plan_free(before);
}

PsConfigPart *ps_channel_part(const PsChannel *channel) {
    return channel->last_plan->part;
}

const PsConfigPart *ps_channel_reported_part(const PsChannel *channel) {
    return channel->first_plan->part;
}

void ps_channel_move(PsChannel *channel, const PsConfigMap *map) {
    for (PsChannelPlan *plan = channel->first_plan; plan != NULL; plan = plan->next) {
        ps_config_part_move(plan->part, map);
    }
}

void ps_channel_drop_reports(PsChannel *channel, const bool *variables) {
    for (PsChannelPlan *plan = channel->first_plan; plan->next != NULL; plan = plan->next) {
        for (uint32_t i = 0; i < ps_config_polled_count(plan->config); i++) {
            uint32_t *place = &plan->part->variables[i];
            *place = *place != PS_NOT_THERE && variables[*place] ? PS_NOT_THERE : *place;
        }
    }
}

bool ps_channel_recall(PsChannel *channel) {
    if (!channel->running || channel->stopping || channel->last_plan->sets.set_count == 0) {
        return false;
    }
    channel->recall_open = true;
    order(channel, &channel->recall_note);
    return true;
}

bool ps_channel_recall_open(const PsChannel *channel) {
    return channel->recall_open;
}

void ps_channel_recall_done(PsChannel *channel) {
    channel->recall_open = false;
}

// Quietly: the thread has more of them, and a wake-up in each cycle would cost more than the poll
// of a small group. Not at all while another plan waits: it brings its own batches, and those of
// the present one end with it.
void ps_channel_batch_done(PsChannel *channel, PsBatchNote *note) {
    if (channel->running && channel->plans_waiting == 0) {
        PsErr err = ps_mailbox_put_quietly(channel->inbox, note);
        PS_ASSERT(err == PS_OK); // as above
    }
}

void ps_channel_learned_done(PsChannel *channel, PsLearnedNote *note) {
    note->copy = NULL;
    if (channel->running && note == &channel->learned_note) {
        PsErr err = ps_mailbox_put_quietly(channel->inbox, note);
        PS_ASSERT(err == PS_OK); // as above
    }
}

void ps_channel_job_done(PsChannel *channel, PsJob *job) {
    uint32_t most;
    uint32_t *taken = places_taken(channel, job, &most);
    PS_ASSERT(*taken > 0);
    (*taken)--;
    ps_job_free(job);
}

uint32_t ps_channel_number(const PsChannel *channel) {
    return channel->number;
}

void ps_channel_set_number(PsChannel *channel, uint32_t number) {
    channel->number = number;
}

const PsDriver *ps_channel_driver(const PsChannel *channel) {
    return channel->driver;
}

const char *ps_channel_name(const PsChannel *channel) {
    return channel->name;
}

// Where something of the whole stands in a part, or PS_NOT_THERE.
static uint32_t find_place(const uint32_t *places, uint32_t count, uint32_t in_whole) {
    for (uint32_t i = 0; i < count; i++) {
        if (places[i] == in_whole) {
            return i;
        }
    }
    return PS_NOT_THERE;
}

bool ps_channel_polls(const PsChannel *channel, uint32_t group) {
    const PsChannelPlan *plan = channel->last_plan;
    uint32_t place = find_place(plan->part->groups, plan->config->group_count, group);
    uint32_t count = 0;
    if (place != PS_NOT_THERE) {
        (void)ps_poll_sets_of_group(&plan->sets, place, &count);
    }
    return count > 0;
}

static const char *const state_names[] = {
    [PS_CHANNEL_STOPPED] = "stopped",
    [PS_CHANNEL_CONNECTING] = "connecting",
    [PS_CHANNEL_CONNECTED] = "connected",
    [PS_CHANNEL_AWAY] = "away",
};

static void put_load(const PsChannelPlan *plan, PsChannelRow *row) {
    for (uint32_t i = 0; i < plan->schedule.count; i++) {
        row->cycle_ms += (double)plan->board_entries[i].cycle_ns / 1e6;
        row->cycle_requests += plan->board_entries[i].cycle_requests;
    }
    row->load = ps_load_of_entries(plan->board_entries, plan->schedule.count);
    const PsScheduleEntry *most =
        ps_load_most_of_entries(plan->board_entries, plan->schedule.count);
    if (most != NULL) {
        ps_text_format(row->most_group, sizeof row->most_group, "%s",
                       plan->config->groups[most->group].name);
        row->most_cycle_ms = (double)most->cycle_ns / 1e6;
        row->most_interval_s = (double)most->interval_ns / 1e9;
    }
    (void)ps_load_words_of_entries(plan->config, plan->board_entries, plan->schedule.count,
                                   row->load_warning, sizeof row->load_warning);
}

void ps_channel_row(PsChannel *channel, PsChannelRow *ret_row) {
    *ret_row = (PsChannelRow){0};
    snprintf(ret_row->name, sizeof ret_row->name, "%s", channel->name);
    pthread_mutex_lock(&channel->board.lock);
    const PsChannelPlan *plan = channel->board.plan;
    ret_row->state = state_names[channel->board.state];
    ret_row->requests = channel->board.counters.requests;
    ret_row->errors = channel->board.counters.errors;
    ret_row->late = channel->board.counters.late;
    ret_row->round_trip_ms = (double)channel->board.counters.round_trip_ns / 1e6;
    ret_row->devices = plan->config->device_count;
    for (uint32_t i = 0; i < plan->config->device_count; i++) {
        ret_row->devices_away += plan->board_devices[i].away;
    }
    put_load(plan, ret_row);
    memcpy(ret_row->last_error, channel->board.last_error, sizeof ret_row->last_error);
    memcpy(ret_row->note, channel->board.note, sizeof ret_row->note);
    pthread_mutex_unlock(&channel->board.lock);
}

void ps_channel_device_row(PsChannel *channel, uint32_t device, PsDeviceRow *ret_row) {
    pthread_mutex_lock(&channel->board.lock);
    const PsChannelPlan *plan = channel->board.plan;
    uint32_t place = find_place(plan->part->devices, plan->config->device_count, device);
    if (place != PS_NOT_THERE) {
        const PsDeviceBoard *board = &plan->board_devices[place];
        ret_row->away = board->away;
        ret_row->contact = board->contact;
        ret_row->next_try = board->next_try;
        bool waits = board->away && board->next_try.ns > ps_mono_now().ns;
        ret_row->breaker = waits ? "open" : board->away ? "probing" : "closed";
        memcpy(ret_row->last_error, board->last_error, sizeof ret_row->last_error);
        ret_row->unwelcome = channel->board.unwelcome;
        if (ret_row->unwelcome) {
            memcpy(ret_row->last_error, channel->board.last_error, sizeof ret_row->last_error);
        }
    }
    pthread_mutex_unlock(&channel->board.lock);
}

void ps_channel_group_counts(PsChannel *channel, uint32_t group, uint64_t *ret_due,
                             uint64_t *ret_late) {
    *ret_due = 0;
    *ret_late = 0;
    pthread_mutex_lock(&channel->board.lock);
    const PsChannelPlan *plan = channel->board.plan;
    for (uint32_t i = 0; i < plan->schedule.count; i++) {
        const PsScheduleEntry *entry = &plan->board_entries[i];
        if (plan->part->groups[entry->group] == group) {
            *ret_due = entry->next_cycle - entry->first_cycle;
            *ret_late = entry->late;
        }
    }
    pthread_mutex_unlock(&channel->board.lock);
}
