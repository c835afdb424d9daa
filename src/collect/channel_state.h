//! Inside of a channel, shared by its files: channel.c (main thread), channel_thread.c and
//! channel_jobs.c.
//! Each part says whose it is; only `board` is touched by both, under its lock.
#pragma once

#include "base/backoff.h"
#include "collect/channel.h"
#include "collect/channel_plan.h"
#include "collect/line_budget.h"

#include <pthread.h>

typedef enum PsChannelState {
    PS_CHANNEL_STOPPED,
    PS_CHANNEL_CONNECTING, ///< not one answer yet, not one failure either
    PS_CHANNEL_CONNECTED,
    PS_CHANNEL_AWAY,
} PsChannelState;

struct PsChannel {
    // Fixed after new.
    const PsDriver *driver;
    char name[PS_ENDPOINT_KEY_SIZE];
    PsSession *session; // used by the thread, except for interrupt
    PsMailbox *inbox;
    PsMailbox *reports;
    bool on_demand; // connects for a job only, and nothing of it is in the log
    PsNote stop_order;
    PsNote stop_report;
    PsNote recall_note; // there and back
    char *state_folder; // NULL: none
    bool only_reads;    // of it

    // The main thread's.
    pthread_t thread;
    uint32_t number; // its place among the channels
    PsMono base;     // cycle 0 of all groups
    bool running;
    bool stopping;
    bool recall_open;
    uint32_t writes_waiting;
    uint32_t looks_waiting;
    PsChannelPlan *first_plan; // the one the reports are about
    PsChannelPlan *last_plan;  // the one the orders are about; mostly the same
    uint32_t plans_waiting;    // ordered and not reported

    // The channel thread's.
    PsLearned *learned;
    PsLearnedNote learned_note; // there and back
    PsLearnedNote last_learned; // when the thread ends, and the other is under way
    bool learned_out;           // the first of them is
    uint64_t learned_told;      // the version that was handed over last
    PsMono learned_next;        // not before
    PsChannelPlan *plan;
    PsBatchNote *free_batches[PS_CHANNEL_BATCHES];
    uint32_t free_count;
    PsJob *first_job;
    PsJob **last_job; // where the next one is hung in
    bool recalling;
    uint32_t recall_set; // the first set of the group that comes next
    bool stop;
    bool connecting;  // no outcome yet
    bool up;          // as far as known: the endpoint can be reached
    bool told_away;   // that it is away is in the log; the first answer ends it
    bool told_answer; // that it answers is in the log
    bool unwelcome;   // the newest connection was not made for a reason that its words say
    PsMono next_connect;
    PsLineBudget budget;                  // what devices that are away may cost the others
    char told_note[PS_SESSION_NOTE_SIZE]; // the session's note as it is in the log
    int told_load;            // that the line is busy (1) or asked for too much (2) is in the log
    PsLineBudget look_budget; // the same for those that people look at
    PsBackoff backoff;

    // Both threads', under the lock.
    struct {
        pthread_mutex_t lock;
        PsChannelState state;
        PsDriverCounters counters;
        char last_error[384];
        bool unwelcome;
        char note[PS_SESSION_NOTE_SIZE];
        const PsChannelPlan *plan; // whose rows are the present ones
    } board;
};

/// The thread's body; `arg` is the channel.
void *ps_channel_run(void *arg);
/// Channel thread, or before it runs: goes on with `plan`, and its batches are the free ones.
void ps_channel_take_plan(PsChannel *channel, PsChannelPlan *plan);
/// The same in place of the present plan, with what stays known, the connection and the writes.
void ps_channel_follow_plan(PsChannel *channel, PsChannelPlan *plan);
/// Channel thread: hands a note to the main thread.
void ps_channel_report(PsChannel *channel, PsNote *note);
