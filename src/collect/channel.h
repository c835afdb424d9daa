//! One endpoint and its thread. The functions here run on the main thread; the thread itself is
//! channel_thread.c. Reports (PsNote) come back through a mailbox that all channels share.
//!
//! Order: new, start, ..., request_stop, wait for the PS_NOTE_STOP report, join, free.
#pragma once

#include "base/mailbox.h"
#include "collect/channel_plan.h"
#include "collect/collector.h"
#include "collect/note.h"
#include "drivers/driver.h"

/// Plans that may wait for a channel thread, which a silent device may hold up for its timeout.
#define PS_CHANNEL_PLANS_MAX 8

/// Most reports one channel can have under way.
#define PS_CHANNEL_REPORTS_MAX                                                                     \
    (PS_CHANNEL_BATCHES + PS_WRITES_WAITING_MAX + PS_LOOKS_WAITING_MAX + PS_CHANNEL_PLANS_MAX + 4)

typedef struct PsChannelSetup {
    const PsDriver *driver;
    PsConfigPart *part;       ///< taken over, also on failure
    uint32_t number;          ///< its place among the channels
    PsMailbox *reports;       ///< room for PS_CHANNEL_REPORTS_MAX of this channel
    PsLearned *learned;       ///< what its devices have taught before; taken over, also on failure
    const char *state_folder; ///< where its driver may keep files; may be NULL
    bool only_reads;          ///< nothing is kept there
    bool on_demand; ///< it connects when there is a job to do, not before, and is not told of
} PsChannelSetup;

PsErr ps_channel_new(const PsChannelSetup *setup, PsChannel **ret_channel, PsDiag *diag);
/// The thread is not running. Accepts NULL.
void ps_channel_free(PsChannel *channel);

/// Cycles of all groups are counted from `base`, which may be past; the newest is due now.
/// PS_ERR_IO when the system gives no thread.
PsErr ps_channel_start(PsChannel *channel, PsMono base, PsMono now, PsDiag *diag);
/// Another part of the same endpoint takes the place of the present one, taken over, when the
/// thread comes to it; orders given from now on are about it. The connection stays. False, and
/// nothing happened, when too many of them wait: then make another channel. Also right before
/// start.
bool ps_channel_replan(PsChannel *channel, PsConfigPart *part, PsMono now);
/// The PS_NOTE_PLAN report: frees the plan before.
void ps_channel_plan_done(PsChannel *channel, PsChannelPlan *plan);
/// The part that orders are about; its places are the caller's to change.
PsConfigPart *ps_channel_part(const PsChannel *channel);
/// What the reports are about until the next PS_NOTE_PLAN.
const PsConfigPart *ps_channel_reported_part(const PsChannel *channel);
/// All parts in use follow the change of the whole.
void ps_channel_move(PsChannel *channel, const PsConfigMap *map);
/// Reports about this variable of the whole mean nothing any more, unless they are about the part
/// ordered last.
void ps_channel_drop_reports(PsChannel *channel, const bool *variables);
/// Interrupts what blocks; the thread cancels its writes, reports PS_NOTE_STOP and ends.
void ps_channel_request_stop(PsChannel *channel);
/// After the PS_NOTE_STOP report; short.
void ps_channel_join(PsChannel *channel);
bool ps_channel_running(const PsChannel *channel);
/// It has been asked to stop: what it still reports is of no use.
bool ps_channel_stopping(const PsChannel *channel);

/// The channel takes the job over on PS_OK. PS_ERR_FULL, PS_ERR_CANCELLED.
PsErr ps_channel_order(PsChannel *channel, PsJob *job);
/// Jobs under way.
uint32_t ps_channel_jobs(const PsChannel *channel);
/// Has it read all it polls, once, and report PS_NOTE_RECALL. False when it polls nothing or does
/// not run: no report follows. Not while such a report is still to come.
bool ps_channel_recall(PsChannel *channel);
/// Is a PS_NOTE_RECALL to come? When it stops there is none.
bool ps_channel_recall_open(const PsChannel *channel);
void ps_channel_recall_done(PsChannel *channel);
/// The main thread is done with a report of this kind; a job is freed.
void ps_channel_batch_done(PsChannel *channel, PsBatchNote *note);
/// The note goes back to the channel. Its copy has been taken out.
void ps_channel_learned_done(PsChannel *channel, PsLearnedNote *note);
void ps_channel_job_done(PsChannel *channel, PsJob *job);

/// Its place among the channels.
uint32_t ps_channel_number(const PsChannel *channel);
void ps_channel_set_number(PsChannel *channel, uint32_t number);
const PsDriver *ps_channel_driver(const PsChannel *channel);
/// Its endpoint's key.
const char *ps_channel_name(const PsChannel *channel);

// Devices and groups are those of the whole configuration here.

/// Does it poll variables of this group?
bool ps_channel_polls(const PsChannel *channel, uint32_t group);

void ps_channel_row(PsChannel *channel, PsChannelRow *ret_row);
/// Fills away, contact, last_error and unwelcome.
void ps_channel_device_row(PsChannel *channel, uint32_t device, PsDeviceRow *ret_row);
/// Cycles of a group that were due here, and those of them that were skipped.
void ps_channel_group_counts(PsChannel *channel, uint32_t group, uint64_t *ret_due,
                             uint64_t *ret_late);
