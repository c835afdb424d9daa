// Transitions are logged once, with what to do, and their end once; repeats only move the
// counters. Channel thread; blocks only in connect.
#include "collect/channel_health.h"

#include "collect/load.h"

#include "base/log.h"
#include "base/random.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

static PsMono after_pause(PsBackoff *backoff) {
    PsMono now = ps_mono_now();
    uint32_t random = (uint32_t)ps_random_up_to(UINT32_MAX);
    return ps_mono_add_ns(now, ps_backoff_down(backoff, now, random));
}

static const char *device_name(const PsChannel *channel, const PsDeviceState *state) {
    return channel->plan->config->devices[state->device].name;
}

static void note_channel_error(PsChannel *channel, const PsDiag *diag) {
    pthread_mutex_lock(&channel->board.lock);
    snprintf(channel->board.last_error, sizeof channel->board.last_error, "%s", diag->text);
    pthread_mutex_unlock(&channel->board.lock);
}

static void note_device_error(PsChannel *channel, const PsDeviceState *state, const PsDiag *diag) {
    PsDeviceBoard *board = &channel->plan->board_devices[state - channel->plan->states];
    pthread_mutex_lock(&channel->board.lock);
    ps_text_format(channel->board.last_error, sizeof channel->board.last_error,
                   "device '%.100s': %.260s", device_name(channel, state), diag->text);
    snprintf(board->last_error, sizeof board->last_error, "%s", diag->text);
    pthread_mutex_unlock(&channel->board.lock);
}

static void try_all_now(PsChannel *channel) {
    PsMono now = ps_mono_now();
    for (uint32_t i = 0; i < channel->plan->config->device_count; i++) {
        channel->plan->states[i].next_try = now;
        channel->plan->states[i].answered = false;
    }
    ps_line_budget_fill(&channel->budget, now);
}

void ps_health_begin_anew(PsChannel *channel) {
    for (uint32_t i = 0; i < channel->plan->config->device_count; i++) {
        ps_backoff_reset(&channel->plan->states[i].backoff);
    }
    try_all_now(channel);
    ps_backoff_reset(&channel->backoff);
    channel->next_connect = ps_mono_now();
    channel->told_note[0] = '\0';
}

// Once, and again when it says something else: a CPU may go into STOP while it is read.
static void tell_note(PsChannel *channel) {
    const char *note = channel->session->note;
    if (note[0] != '\0' && strcmp(note, channel->told_note) != 0) {
        PS_LOGI("CHANNEL-NOTE", "%s: %s", channel->name, note);
        snprintf(channel->told_note, sizeof channel->told_note, "%s", note);
    }
}

// What a look at the other side's plug would not mend: whom nobody has accepted, a wrong user, a
// name that nobody knows, a file of ours.
static bool is_told(PsErr err) {
    return err != PS_OK && err != PS_ERR_TIMEOUT && err != PS_ERR_CLOSED && err != PS_ERR_IO &&
           err != PS_ERR_PROTOCOL;
}

PsErr ps_health_connect(PsChannel *channel, PsDiag *diag) {
    PsErr err = channel->driver->connect(channel->session, diag);
    if (err == PS_ERR_CANCELLED) {
        return err;
    }
    tell_note(channel);
    channel->unwelcome = is_told(err);
    if (err != PS_OK) {
        ps_health_lost(channel, diag);
        return err;
    }
    if (!channel->up) {
        try_all_now(channel); // what was silent before the cut may be back
    }
    channel->up = true;
    channel->connecting = false;
    ps_backoff_up(&channel->backoff, ps_mono_now());
    return PS_OK;
}

void ps_health_lost(PsChannel *channel, const PsDiag *diag) {
    channel->driver->disconnect(channel->session);
    channel->up = false;
    channel->connecting = false;
    channel->next_connect = after_pause(&channel->backoff);
    note_channel_error(channel, diag);
    if (!channel->told_away && !channel->on_demand) {
        PS_LOGW("CHANNEL-AWAY", "%s: %s; tried again with growing pauses", channel->name,
                diag->text);
        channel->told_away = true;
    }
}

static void tell_refusal(PsChannel *channel, PsDeviceState *state, const PsDiag *refusal) {
    bool refusing = refusal->text[0] != '\0';
    if (refusing) {
        note_device_error(channel, state, refusal);
    }
    if (refusing && !state->refusing) {
        PS_LOGW("DEVICE-REFUSES",
                "device '%s' (%s): %s; correct the addresses of its variables or the device's "
                "program",
                device_name(channel, state), channel->name, refusal->text);
    }
    // Several groups poll the device, so one good poll does not mean that all is well again; the
    // flag falls when the device comes back from being away.
    state->refusing = state->refusing || refusing;
}

void ps_health_answer(PsChannel *channel, PsDeviceState *state, const PsDiag *refusal) {
    tell_note(channel);
    if (!channel->on_demand && (channel->told_away || !channel->told_answer)) {
        PS_LOGI("CHANNEL-UP", "%s: %s", channel->name,
                channel->told_away ? "answers again" : "connected");
        channel->told_away = false;
        channel->told_answer = true;
    }
    if (state->away && !state->untold) {
        PS_LOGI("DEVICE-BACK", "device '%s' (%s): answers again", device_name(channel, state),
                channel->name);
    }
    if (state->away) {
        if (!ps_health_anyone_answers(channel)) {
            ps_line_budget_fill(&channel->budget, ps_mono_now()); // the line is back: find the rest
        }
        state->away = false;
        state->untold = false;
        state->refusing = false;
    }
    state->answered = true;
    ps_backoff_up(&state->backoff, ps_mono_now());
    tell_refusal(channel, state, refusal);
}

void ps_health_silent(PsChannel *channel, PsDeviceState *state, const PsDiag *diag) {
    note_device_error(channel, state, diag);
    if (state->first_set == UINT32_MAX) {
        return; // nothing of it is read, so no try could ever find it back
    }
    state->next_try = after_pause(&state->backoff);
    if (!state->away || state->untold) {
        PS_LOGW("DEVICE-AWAY", "device '%s' (%s): %s; tried again with growing pauses",
                device_name(channel, state), channel->name, diag->text);
        state->away = true;
        state->untold = false;
    }
}

void ps_health_postpone(PsDeviceState *state) {
    state->away = true;
    state->untold = true;
    state->next_try = ps_mono_now();
}

bool ps_health_reachable(const PsChannel *channel, const PsDeviceState *state, PsDiag *diag) {
    if (channel->up && !state->away) {
        return true;
    }
    PsMono next = channel->up ? state->next_try : channel->next_connect;
    double seconds = (double)ps_mono_diff_ns(next, ps_mono_now()) / 1e9;
    (void)ps_fail(PS_ERR_CLOSED, diag, NULL, NULL,
                  "device '%.100s' is away (%s); the next try is in %.1f s",
                  device_name(channel, state), channel->name, seconds > 0 ? seconds : 0);
    return false;
}

bool ps_health_anyone_answers(const PsChannel *channel) {
    for (uint32_t i = 0; channel->up && i < channel->plan->config->device_count; i++) {
        const PsDeviceState *state = &channel->plan->states[i];
        if (state->answered && !state->away) {
            return true;
        }
    }
    return false;
}

PsDeviceState *ps_health_find(PsChannel *channel, uint32_t device) {
    PsDeviceState *found = NULL;
    for (uint32_t i = 0; i < channel->plan->config->device_count; i++) {
        if (channel->plan->states[i].device == device) {
            found = &channel->plan->states[i];
        }
    }
    PS_ASSERT(found != NULL);
    return found;
}

// From busy back to idle with a distance, so that a line near a border does not fill the log.
void ps_health_tell_load(PsChannel *channel) {
    const PsSchedule *schedule = &channel->plan->schedule;
    double load = ps_load_of_entries(schedule->entries, schedule->count);
    int level = load > 1 ? 2 : load > PS_LOAD_CLOSE ? 1 : 0;
    bool settled = load < PS_LOAD_CLOSE - 0.1;
    if (level > channel->told_load) {
        char words[384] = "";
        if (!ps_load_words_of_entries(channel->plan->config, schedule->entries, schedule->count,
                                      words, sizeof words)) {
            return; // measured too seldom so far
        }
        PS_LOGW("LINE-BUSY", "%s: %s", channel->name, words);
        channel->told_load = level;
    } else if (settled && channel->told_load > 0) {
        PS_LOGI("LINE-EASY", "%s: reading takes %.0f %% of the time again", channel->name,
                load * 100);
        channel->told_load = 0;
    }
}

static PsChannelState state_now(const PsChannel *channel) {
    if (channel->connecting) {
        return PS_CHANNEL_CONNECTING;
    }
    for (uint32_t i = 0; channel->up && i < channel->plan->config->device_count; i++) {
        if (!channel->plan->states[i].away) {
            return PS_CHANNEL_CONNECTED;
        }
    }
    return PS_CHANNEL_AWAY;
}

// More careful than `away`, which is what is not asked: a connection that stands is no answer yet,
// and a device that was passed over has not been silent. One that is never read would stay silent
// for ever once its endpoint was lost.
static PsContact contact_now(const PsChannel *channel, const PsDeviceState *state) {
    if (state->first_set == UINT32_MAX || channel->connecting) {
        return PS_CONTACT_NONE;
    }
    if (!channel->up || (state->away && !state->untold)) {
        return PS_CONTACT_SILENT;
    }
    return state->answered && !state->away ? PS_CONTACT_ANSWERS : PS_CONTACT_NONE;
}

void ps_health_publish(PsChannel *channel) {
    PsChannelState state = state_now(channel);
    pthread_mutex_lock(&channel->board.lock);
    channel->board.state = state;
    channel->board.counters = channel->session->counters;
    channel->board.unwelcome = channel->unwelcome;
    memcpy(channel->board.note, channel->up ? channel->session->note : "",
           channel->up ? sizeof channel->board.note : 1);
    memcpy(channel->plan->board_entries, channel->plan->schedule.entries,
           channel->plan->schedule.count * sizeof *channel->plan->board_entries);
    for (uint32_t i = 0; i < channel->plan->config->device_count; i++) {
        channel->plan->board_devices[i].contact = contact_now(channel, &channel->plan->states[i]);
        channel->plan->board_devices[i].away =
            !channel->connecting && (!channel->up || channel->plan->states[i].away);
        channel->plan->board_devices[i].next_try =
            channel->up ? channel->plan->states[i].next_try : channel->next_connect;
    }
    pthread_mutex_unlock(&channel->board.lock);
}
