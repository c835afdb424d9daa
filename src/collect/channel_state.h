//! Inside of a channel, shared by its two files: channel.c (main thread) and channel_thread.c.
//! Each part says whose it is; only `board` is touched by both, under its lock.
#pragma once

#include "base/backoff.h"
#include "collect/channel.h"
#include "collect/poll_sets.h"
#include "collect/schedule.h"

#include <pthread.h>

typedef enum PsChannelState {
    PS_CHANNEL_STOPPED,
    PS_CHANNEL_CONNECTING, ///< not one answer yet, not one failure either
    PS_CHANNEL_CONNECTED,
    PS_CHANNEL_AWAY,
} PsChannelState;

/// What the channel thread knows about one device.
typedef struct PsDeviceState {
    uint32_t device;    ///< index into config->devices
    uint32_t first_set; ///< the set it is tried with; UINT32_MAX when nothing of it is read
    bool away;
    bool untold;   ///< away without having been asked; its silence is not in the log yet
    bool answered; ///< at least once since the channel came up
    bool refusing; ///< some request of it was refused the last time; logged once
    PsMono next_try;
    PsBackoff backoff;
} PsDeviceState;

/// The same, as the main thread may see it.
typedef struct PsDeviceBoard {
    bool away;
    char last_error[384];
} PsDeviceBoard;

struct PsChannel {
    // Fixed after new.
    const PsConfig *config;
    const PsDriver *driver;
    uint32_t number;
    char name[PS_ENDPOINT_KEY_SIZE];
    uint32_t *devices;
    uint32_t device_count;
    PsPollSets sets;
    PsEndpoint endpoint;
    PsSession *session; // used by the thread, except for interrupt
    PsMailbox *inbox;
    PsMailbox *reports;
    PsNote stop_order;
    PsNote stop_report;
    PsNote recall_note; // there and back
    PsBatchNote batches[PS_CHANNEL_BATCHES];

    // The main thread's.
    pthread_t thread;
    bool running;
    bool stopping;
    uint32_t writes_waiting;

    // The channel thread's.
    PsSchedule schedule;
    PsBatchNote *free_batches[PS_CHANNEL_BATCHES];
    uint32_t free_count;
    PsWriteJob *first_write;
    PsWriteJob **last_write; // where the next one is hung in
    bool recalling;
    uint32_t recall_set; // the first set of the group that comes next
    bool stop;
    bool connecting;  // no outcome yet
    bool up;          // as far as known: the endpoint can be reached
    bool told_away;   // that it is away is in the log; the first answer ends it
    bool told_answer; // that it answers is in the log
    PsMono next_connect;
    PsMono next_away_try; // no device that is away is tried before
    PsBackoff backoff;
    PsDeviceState *states; // one per device

    // Both threads', under the lock.
    struct {
        pthread_mutex_t lock;
        PsChannelState state;
        PsDriverCounters counters;
        char last_error[384];
        PsDeviceBoard *devices;
        PsScheduleEntry *entries; // copy of the schedule's
    } board;
};

/// The thread's body; `arg` is the channel.
void *ps_channel_run(void *arg);
