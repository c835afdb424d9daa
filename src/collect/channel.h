//! One endpoint and its thread. The functions here run on the main thread; the thread itself is
//! channel_thread.c. Reports (PsNote) come back through a mailbox that all channels share.
//!
//! Order: new, start, ..., request_stop, wait for the PS_NOTE_STOP report, join, free.
#pragma once

#include "base/mailbox.h"
#include "collect/collector.h"
#include "collect/note.h"
#include "drivers/driver.h"

/// Batches of one channel: one being filled, one on its way, one being applied.
#define PS_CHANNEL_BATCHES 3

/// Most reports one channel can have under way.
#define PS_CHANNEL_REPORTS_MAX (PS_CHANNEL_BATCHES + PS_WRITES_WAITING_MAX + 2)

typedef struct PsChannelSetup {
    const PsConfig *config;
    const PsDriver *driver;
    uint32_t number;
    const uint32_t *device_channel; ///< channel number of each device; read during new only
    PsMailbox *reports;             ///< room for PS_CHANNEL_REPORTS_MAX of this channel
} PsChannelSetup;

PsErr ps_channel_new(const PsChannelSetup *setup, PsChannel **ret_channel, PsDiag *diag);
/// The thread is not running. Accepts NULL.
void ps_channel_free(PsChannel *channel);

/// Cycle 0 of all groups is due at `base`. PS_ERR_IO when the system gives no thread.
PsErr ps_channel_start(PsChannel *channel, PsMono base, PsDiag *diag);
/// Interrupts what blocks; the thread cancels its writes, reports PS_NOTE_STOP and ends.
void ps_channel_request_stop(PsChannel *channel);
/// After the PS_NOTE_STOP report; short.
void ps_channel_join(PsChannel *channel);
bool ps_channel_running(const PsChannel *channel);

/// The channel takes the job over on PS_OK. PS_ERR_FULL, PS_ERR_CANCELLED.
PsErr ps_channel_write(PsChannel *channel, PsWriteJob *job);
/// Has it read all it polls, once, and report PS_NOTE_RECALL. False when it polls nothing or does
/// not run: no report follows. Not while such a report is still to come.
bool ps_channel_recall(PsChannel *channel);
/// The main thread is done with a report of this kind; a write job is freed.
void ps_channel_batch_done(PsChannel *channel, PsBatchNote *note);
void ps_channel_write_done(PsChannel *channel, PsWriteJob *job);

/// Does it poll variables of this group?
bool ps_channel_polls(const PsChannel *channel, uint32_t group);

void ps_channel_row(PsChannel *channel, PsChannelRow *ret_row);
/// Fills away and last_error.
void ps_channel_device_row(PsChannel *channel, uint32_t device, PsDeviceRow *ret_row);
/// Cycles of a group that were due here, and those of them that were skipped.
void ps_channel_group_counts(PsChannel *channel, uint32_t group, uint64_t *ret_due,
                             uint64_t *ret_late);
