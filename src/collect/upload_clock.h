//! When a group's snapshot is handed out. Pure: time comes in. One owner per object.
//!
//! Upload ticks lie at base + n * upload interval. A tick is served when every channel of the
//! group has reported the newest cycle due at the tick; a slow channel is waited for at most half
//! a polling interval and at most one second (so that a sick device never delays a healthy one),
//! as long as anything new has come in since the last upload. Ticks missed are skipped.
#pragma once

#include "base/time.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct PsUploadClock {
    PsMono base;
    int64_t polling_ns;
    int64_t upload_ns;  ///< never shorter than polling_ns
    int64_t silence_ns; ///< after this long without any report the tick is served anyway
    uint64_t tick;      ///< the next to serve
    bool news;          ///< a report came in since the last upload
    uint32_t channel_count;
    uint64_t *answered; ///< per channel of the group: cycles up to here, exclusive, are reported
} PsUploadClock;

/// `silence_ns` is how old a value may become. Takes memory for the channels.
void ps_upload_clock_init(PsUploadClock *clock, int64_t polling_ns, int64_t upload_ns,
                          int64_t silence_ns, uint32_t channel_count);
void ps_upload_clock_deinit(PsUploadClock *clock);

/// `base` may be long past: the tick before `now` is served first.
void ps_upload_clock_start(PsUploadClock *clock, PsMono base, PsMono now);
/// Instead of start: goes on as `before` did, with the same intervals at the same place, otherwise
/// at the first tick of its own after `now`. Which channels have answered is not taken over.
void ps_upload_clock_follow(PsUploadClock *clock, const PsUploadClock *before, PsMono now);

/// With equal polling intervals: channel `slot` has answered what `slot_before` had.
void ps_upload_clock_carry(PsUploadClock *clock, uint32_t slot, const PsUploadClock *before,
                           uint32_t slot_before);

/// Channel number `slot` of the group has polled this cycle, with whatever result.
void ps_upload_clock_report(PsUploadClock *clock, uint32_t slot, uint64_t cycle);

/// Is an upload due? After one, call `done`.
bool ps_upload_clock_due(const PsUploadClock *clock, PsMono now);
void ps_upload_clock_done(PsUploadClock *clock, PsMono now);

/// When to ask again if no report comes before; a time past means at once.
PsMono ps_upload_clock_next(const PsUploadClock *clock, PsMono now);
