//! When a sample of a group with `every_sample` is complete. Pure: time comes in. One owner per
//! object.
//!
//! Every polling cycle of the group makes a sample. It is taken when all channels of the group have
//! reported the cycle, or after the patience of the upload clock; and before a channel's next
//! report replaces values that are in no sample yet, so that none is passed over however late the
//! main thread is.
#pragma once

#include "collect/upload_clock.h"

typedef struct PsSampling {
    PsUploadClock clock; ///< its ticks are the polling cycles
    bool *unsampled;     ///< per channel of the group: its newest report is in no sample yet
    uint32_t unsampled_count;
    PsMono read; ///< of the newest report that is in no sample yet
    PsWall read_wall;
    PsWall last; ///< stamp of the sample taken last; zero before the first
} PsSampling;

/// As ps_upload_clock_init. Takes memory for the channels.
void ps_sampling_init(PsSampling *sampling, int64_t polling_ns, int64_t silence_ns,
                      uint32_t channel_count);
void ps_sampling_deinit(PsSampling *sampling);

void ps_sampling_start(PsSampling *sampling, PsMono base, PsMono now);
/// Instead of start, as ps_upload_clock_follow.
void ps_sampling_follow(PsSampling *sampling, const PsSampling *before, PsMono now);
/// Channel `slot` stands where `slot_before` did.
void ps_sampling_carry(PsSampling *sampling, uint32_t slot, const PsSampling *before,
                       uint32_t slot_before);

/// Would the next report of this channel replace values that are in no sample yet? Then take one
/// before it is applied.
bool ps_sampling_is_ahead(const PsSampling *sampling, uint32_t slot);
/// Channel `slot` has reported; `counts` is false when the cycle is of a former polling interval,
/// whose numbers mean something else.
void ps_sampling_report(PsSampling *sampling, uint32_t slot, uint64_t cycle, bool counts,
                        PsMono read, PsWall read_wall);

/// Is a sample due? After one, call `done`.
bool ps_sampling_due(const PsSampling *sampling, PsMono now);
/// Is anything in no sample yet?
static inline bool ps_sampling_pending(const PsSampling *sampling) {
    return sampling->unsampled_count > 0;
}
/// The moment by which the values of the sample are to be judged.
PsMono ps_sampling_read(const PsSampling *sampling, PsMono now);
/// A sample was taken; its stamp: when the newest of its values was read, later than that of the
/// sample before unless the clock was set back.
PsWall ps_sampling_done(PsSampling *sampling, PsMono now, PsWall wall);

/// When to ask again if no report comes before.
PsMono ps_sampling_next(const PsSampling *sampling, PsMono now);
