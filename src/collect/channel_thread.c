// The life of one channel: wait for an order or a due time; then jobs, then what is due, then
// a group of a recall, then one try for a device that is away. Blocks in the field library;
// `interrupt` ends that.
#include "collect/channel_health.h"
#include "collect/channel_jobs.h"
#include "collect/channel_state.h"
#include "collect/load.h"

#include <stdio.h>
#include <string.h>

// A search teaches something new in each of its cycles; nobody needs to follow it.
#define LEARNED_PAUSE_NS (2 * PS_NS_PER_S)

// Waiting that a silent device caused is paid for where others answer meanwhile. Finding out who is
// there at all is not: that is done once.
static void pay_for_silence(PsChannel *channel, bool untold, PsMono start) {
    if (!untold && ps_health_anyone_answers(channel)) {
        PsMono now = ps_mono_now();
        ps_line_budget_pay(&channel->budget, now, ps_mono_diff_ns(now, start));
    }
}

static PsMono earlier(PsMono a, PsMono b) {
    return a.ns < b.ns ? a : b;
}

// When an away device may be tried. One that was never asked does not wait for the account, and
// where nobody answers there is nobody to be spared.
static PsMono away_due(const PsChannel *channel, const PsDeviceState *state) {
    PsMono free_at = ps_line_budget_free_at(&channel->budget);
    bool wait = !state->untold && free_at.ns > state->next_try.ns;
    return wait && ps_health_anyone_answers(channel) ? free_at : state->next_try;
}

static PsMono next_wake(const PsChannel *channel) {
    if (channel->first_job != NULL) {
        return (PsMono){0};
    }
    PsMono wake = {INT64_MAX};
    if (!channel->up && !channel->on_demand) {
        wake = channel->next_connect;
    }
    if (channel->free_count == 0) {
        return wake; // nothing can be polled before a batch comes back, which is an order
    }
    if (channel->recalling) {
        return (PsMono){0};
    }
    wake = earlier(wake, ps_schedule_next(&channel->plan->schedule));
    for (uint32_t i = 0; channel->up && i < channel->plan->config->device_count; i++) {
        const PsDeviceState *state = &channel->plan->states[i];
        if (state->away) {
            wake = earlier(wake, away_due(channel, state));
        }
    }
    return wake;
}

void ps_channel_report(PsChannel *channel, PsNote *note) {
    PsErr err = ps_mailbox_put(channel->reports, note);
    PS_ASSERT(err == PS_OK); // it has room for everything that can be under way
}

static PsBatchNote *begin_batch(PsChannel *channel, uint32_t group, uint64_t cycle) {
    PsBatchNote *note = channel->free_batches[--channel->free_count];
    ps_sample_batch_clear(note->batch);
    note->batch->group = group;
    note->batch->cycle = cycle;
    note->batch->read_mono = (PsMono){0};
    return note;
}

static void stamp(PsSampleBatch *batch) {
    batch->read_mono = ps_mono_now();
    batch->read_wall = ps_wall_now();
}

// The board first: whoever has the batch finds there what it tells of channel and devices.
static void send_batch(PsChannel *channel, PsBatchNote *note) {
    if (note->batch->read_mono.ns == 0) {
        stamp(note->batch); // nothing was read: the moment at which that became known
    }
    ps_health_publish(channel);
    ps_channel_report(channel, &note->head);
}

static void add_away(const PsPollSet *set, PsSampleBatch *batch) {
    for (uint32_t i = 0; i < set->variable_count; i++) {
        ps_sample_batch_add(batch, set->variables[i], PS_QUALITY_AWAY, ps_value_none());
    }
}

static bool is_lost(PsErr err) {
    return err == PS_ERR_CLOSED || err == PS_ERR_IO || err == PS_ERR_PROTOCOL;
}

// Connects first where the last silent device cost the connection.
static PsErr read_once(PsChannel *channel, uint32_t set, PsSampleBatch *batch, PsDiag *diag) {
    if (!channel->driver->connected(channel->session)) {
        PsErr err = ps_health_connect(channel, diag);
        if (err != PS_OK) {
            return err;
        }
    }
    return channel->driver->read(channel->session, set, batch, diag);
}

// Reads a set and draws the conclusions for device and endpoint. A connection found dead is made
// anew once: devices drop idle connections, and a restarted one deserves no gap.
static bool read_set(PsChannel *channel, uint32_t set, PsDeviceState *state, PsSampleBatch *batch) {
    PsDiag diag = {0};
    PsMono start = ps_mono_now();
    bool untold = state->untold;
    PsErr err = read_once(channel, set, batch, &diag);
    if (is_lost(err) && channel->up) {
        err = read_once(channel, set, batch, &diag);
    }
    if (err == PS_OK) {
        stamp(batch);
        ps_health_answer(channel, state, &diag);
    } else if (channel->up && err == PS_ERR_TIMEOUT) {
        ps_health_silent(channel, state, &diag);
        pay_for_silence(channel, untold, start);
    } else if (channel->up && err != PS_ERR_CANCELLED) {
        ps_health_lost(channel, &diag);
    }
    return err == PS_OK;
}

// Devices that have not answered yet are asked one after the other, but once one of them has been
// silent, no more in this cycle: behind a serial gateway each would cost its time limit, and the
// group's samples would come when the last of them has been waited for.
static bool is_postponed(PsDeviceState *state, bool waited) {
    if (waited && !state->answered) {
        ps_health_postpone(state);
    }
    return state->away;
}

// Fills the batch of a group. True when it was read without waiting for anybody who is silent.
static bool poll_group(PsChannel *channel, PsSampleBatch *batch) {
    uint32_t count;
    uint32_t first = ps_poll_sets_of_group(&channel->plan->sets, batch->group, &count);
    bool waited = false;
    for (uint32_t i = first; i < first + count; i++) {
        const PsPollSet *set = &channel->plan->sets.sets[i];
        PsDeviceState *state = ps_health_find(channel, set->device);
        bool asked = ps_health_reachable(channel, state, NULL) && !is_postponed(state, waited);
        if (!asked || !read_set(channel, i, state, batch)) {
            add_away(set, batch);
        }
        waited = waited || (asked && state->away);
    }
    return !waited && ps_health_anyone_answers(channel);
}

static void poll_due(PsChannel *channel) {
    uint32_t entry;
    uint64_t cycle;
    if (channel->free_count == 0 ||
        !ps_schedule_take(&channel->plan->schedule, ps_mono_now(), &entry, &cycle)) {
        return;
    }
    PsScheduleEntry *due = &channel->plan->schedule.entries[entry];
    uint64_t requests = channel->session->counters.requests;
    PsBatchNote *note = begin_batch(channel, due->group, cycle);
    PsMono start = ps_mono_now();
    if (poll_group(channel, note->batch)) {
        ps_load_measure(due, ps_mono_diff_ns(ps_mono_now(), start),
                        channel->session->counters.requests - requests);
        ps_health_tell_load(channel);
    }
    send_batch(channel, note);
}

// One group a turn, so that writes and what is due come in between.
static void recall_some(PsChannel *channel) {
    if (!channel->recalling || channel->free_count == 0) {
        return;
    }
    uint32_t group = channel->plan->sets.sets[channel->recall_set].group;
    PsBatchNote *note = begin_batch(channel, group, PS_CYCLE_NONE);
    (void)poll_group(channel, note->batch);
    send_batch(channel, note);
    uint32_t count;
    channel->recall_set = ps_poll_sets_of_group(&channel->plan->sets, group, &count) + count;
    if (channel->recall_set == channel->plan->sets.set_count) {
        channel->recalling = false;
        ps_channel_report(channel, &channel->recall_note);
    }
}

// The one that has waited longest: otherwise the first few of many silent devices would be tried
// again and again, and the others never.
static PsDeviceState *find_away_due(PsChannel *channel, PsMono now) {
    PsDeviceState *found = NULL;
    for (uint32_t i = 0; channel->up && i < channel->plan->config->device_count; i++) {
        PsDeviceState *state = &channel->plan->states[i];
        if (state->away && away_due(channel, state).ns <= now.ns &&
            (found == NULL || state->next_try.ns < found->next_try.ns)) {
            found = state;
        }
    }
    return found;
}

// Between the cycles, so that the healthy devices' samples are not held up by it, and as seldom as
// the account says, so that many silent devices together do not take the line from those that
// answer.
static void try_away_device(PsChannel *channel) {
    PsDeviceState *state = find_away_due(channel, ps_mono_now());
    if (state == NULL || channel->free_count == 0) {
        return;
    }
    uint32_t group = channel->plan->sets.sets[state->first_set].group;
    PsBatchNote *note = begin_batch(channel, group, PS_CYCLE_NONE);
    if (read_set(channel, state->first_set, state, note->batch)) {
        send_batch(channel, note);
    } else {
        channel->free_batches[channel->free_count++] = note;
        ps_health_publish(channel);
    }
}

void ps_channel_take_plan(PsChannel *channel, PsChannelPlan *plan) {
    pthread_mutex_lock(&channel->board.lock);
    channel->plan = plan;
    channel->board.plan = plan;
    pthread_mutex_unlock(&channel->board.lock);
    channel->free_count = 0;
    for (uint32_t i = 0; i < PS_CHANNEL_BATCHES && plan->batches[i].batch != NULL; i++) {
        channel->free_batches[channel->free_count++] = &plan->batches[i];
    }
    channel->recall_set = 0;
}

void ps_channel_follow_plan(PsChannel *channel, PsChannelPlan *plan) {
    ps_jobs_follow(channel, plan);
    ps_channel_plan_follow(plan, channel->plan);
    bool same_line = channel->driver->replan(channel->session, &plan->endpoint);
    ps_channel_take_plan(channel, plan);
    if (!same_line) {
        ps_health_begin_anew(channel);
    }
    if (channel->recalling && plan->sets.set_count == 0) {
        channel->recalling = false; // nothing is left to read
        ps_channel_report(channel, &channel->recall_note);
    }
    ps_health_publish(channel);
}

// What was learned in the last seconds goes to the main thread, which keeps it. The last time, when
// the thread ends, at once.
static void tell_learned(PsChannel *channel, bool last) {
    uint64_t version = ps_learned_version(channel->learned);
    PsMono now = ps_mono_now();
    bool wait = !last && (channel->learned_out || now.ns < channel->learned_next.ns);
    if (version == channel->learned_told || wait || channel->on_demand) {
        return;
    }
    PsLearnedNote *note = channel->learned_out ? &channel->last_learned : &channel->learned_note;
    channel->learned_out = true;
    channel->learned_told = version;
    channel->learned_next = ps_mono_add_ns(now, LEARNED_PAUSE_NS);
    note->copy = ps_learned_dup(channel->learned);
    ps_channel_report(channel, &note->head);
}

static void receive(PsChannel *channel, PsNote *note) {
    switch (note->kind) {
    case PS_NOTE_PLAN:
        ps_channel_follow_plan(channel, (PsChannelPlan *)note);
        ps_channel_report(channel, note);
        return;
    case PS_NOTE_BATCH:
        channel->free_batches[channel->free_count++] = (PsBatchNote *)note;
        return;
    case PS_NOTE_JOB:
        ps_jobs_put(channel, (PsJob *)note);
        return;
    case PS_NOTE_RECALL:
        channel->recalling = true;
        channel->recall_set = 0;
        return;
    case PS_NOTE_LEARNED:
        channel->learned_out = false;
        return;
    case PS_NOTE_STOP:
        channel->stop = true;
        return;
    }
}

static void connect_when_due(PsChannel *channel) {
    if (!channel->up && !channel->on_demand && channel->next_connect.ns <= ps_mono_now().ns) {
        PsDiag diag = {0};
        (void)ps_health_connect(channel, &diag); // health keeps what came of it
        ps_health_publish(channel);
    }
}

static void end(PsChannel *channel) {
    ps_jobs_cancel(channel);
    channel->driver->disconnect(channel->session);
    tell_learned(channel, true);
    pthread_mutex_lock(&channel->board.lock);
    channel->board.state = PS_CHANNEL_STOPPED;
    pthread_mutex_unlock(&channel->board.lock);
    ps_channel_report(channel, &channel->stop_report);
}

// Batches come back quietly; only without any is their return worth a wake-up.
static PsNote *wait_for_order(PsChannel *channel) {
    PsMono wake = next_wake(channel);
    return channel->free_count > 0 ? ps_mailbox_wait(channel->inbox, wake)
                                   : ps_mailbox_wait_all(channel->inbox, wake);
}

void *ps_channel_run(void *arg) {
    PsChannel *channel = arg;
    while (!channel->stop) {
        PsNote *note = wait_for_order(channel);
        for (; note != NULL; note = ps_mailbox_take(channel->inbox)) {
            receive(channel, note);
        }
        if (!channel->stop) {
            connect_when_due(channel);
            ps_jobs_run(channel);
        }
        if (!channel->stop) {
            poll_due(channel);
            recall_some(channel);
            try_away_device(channel);
            tell_learned(channel, false);
        }
    }
    end(channel);
    return NULL;
}
