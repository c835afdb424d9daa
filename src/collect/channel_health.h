//! What a channel knows about its endpoint and devices, and when it says so: the transitions
//! between reachable, silent and lost, their back-off, their one log line each, and the board the
//! main thread reads. Channel thread only.
#pragma once

#include "collect/channel_state.h"

/// Connects; blocks as PsDriver.connect. A failure is noted as ps_health_lost, unless it is
/// PS_ERR_CANCELLED.
PsErr ps_health_connect(PsChannel *channel, PsDiag *diag);

/// The connection is gone or cannot be made: all devices behind it are away until the next try.
void ps_health_lost(PsChannel *channel, const PsDiag *diag);

/// The device answered, if only to refuse. `refusal` has its words, or an empty text.
void ps_health_answer(PsChannel *channel, PsDeviceState *state, const PsDiag *refusal);

/// The device did not answer in time: away until its next try, the others go on.
void ps_health_silent(PsChannel *channel, PsDeviceState *state, const PsDiag *diag);

/// The device has never answered and is not asked now: away until a try between the cycles.
void ps_health_postpone(PsDeviceState *state);

/// Is the device to be asked at all? Otherwise `diag` (may be NULL) says what it waits for.
bool ps_health_reachable(const PsChannel *channel, const PsDeviceState *state, PsDiag *diag);

/// Does any device of the endpoint answer, as far as is known?
bool ps_health_anyone_answers(const PsChannel *channel);

/// The line has other settings: what was away may be there now.
void ps_health_begin_anew(PsChannel *channel);

/// A cycle was measured: says when the line begins or ceases to be asked for too much.
void ps_health_tell_load(PsChannel *channel);

PsDeviceState *ps_health_find(PsChannel *channel, uint32_t device);

/// Shows the main thread where things stand.
void ps_health_publish(PsChannel *channel);
