//! Inputs that scripts did not finish: into the outbox as dead letters, and from there through the
//! script again, message by message on a person's order. Main thread; never blocks.
//!
//! A replay takes the letters of one message that were kept before it began, in order of
//! collection, one call at a time, while no live input waits. A letter goes when its call ended
//! well, not before what the call published is as safe as the letter was. It stops after
//! PS_REPLAY_FAILURES failures in a row, when the script is held, when the outbox is nearly full,
//! and when a person wants it to.
#pragma once

#include "api/api.h"
#include "model/config_map.h"
#include "outbox/dead.h"
#include "script/host.h"
#include "script/kept.h"

#define PS_REPLAY_FAILURES 3

typedef struct PsReplay PsReplay;

/// Everything is borrowed; freed after the outbox is closed. None can be started without scripts.
PsReplay *ps_replay_new(const PsConfig *config, PsOutbox *outbox);
/// The scripts there are now, or NULL when they have been stopped: then a replay ends.
void ps_replay_set_scripts(PsReplay *replay, PsScriptHost *scripts);
/// Goes on with another configuration; a replay ends when its message is gone.
void ps_replay_apply(PsReplay *replay, const PsConfig *config, const PsConfigMap *map);
/// Accepts NULL.
void ps_replay_free(PsReplay *replay);

/// For the host's on_dead.
void ps_replay_keep(PsReplay *replay, const PsScriptDead *dead);
/// For the host's on_replayed.
void ps_replay_ended(PsReplay *replay, uint64_t id, PsScriptReplayEnd end, const char *reason);
/// The outbox did not take a message that the replay of `id` published: then its call has failed.
void ps_replay_refused(PsReplay *replay, uint64_t id);

/// PS_ERR_NOT_FOUND: no such message; PS_ERR_BUSY: one at a time; each with a diagnosis.
/// `keep_going`: failures do not stop it.
PsErr ps_replay_start(PsReplay *replay, const char *name, bool keep_going, PsDiag *diag);
/// The present or newest replay; `name` is NULL when there was none.
const PsApiReplay *ps_replay_status(const PsReplay *replay);
/// No further letter is run: the one that a script is at may finish, all others stay dead letters.
/// The replay runs until then. PS_ERR_NOT_FOUND with a diagnosis when none is under way.
PsErr ps_replay_stop(PsReplay *replay, PsDiag *diag);
/// The gateway stops: no further letter is run, none can be started. Accepts NULL.
void ps_replay_close(PsReplay *replay);
