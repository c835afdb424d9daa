//! What a channel does once, because somebody wants it: writes, looks at a variable's place, looks
//! into a device. Channel thread only; blocks in the field library.
#pragma once

#include "collect/channel_state.h"

/// The thread has received it.
void ps_jobs_put(PsChannel *channel, PsJob *job);
/// Does some of what waits, so that what is due is polled in between.
void ps_jobs_run(PsChannel *channel);
/// Before `plan` takes the place of the present one: jobs go on when what they are about is still
/// there.
void ps_jobs_follow(PsChannel *channel, const PsChannelPlan *plan);
/// All that wait end with PS_ERR_CANCELLED.
void ps_jobs_cancel(PsChannel *channel);
