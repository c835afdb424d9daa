//! What the devices of all endpoints have taught, kept over restarts in STATE/drivers/learned.json:
//! read when the collector is made, written by a worker some seconds after something was learned
//! and at the end. Main thread.
#pragma once

#include "collect/learned_file.h"

#include <uv.h>

typedef struct PsLearnedStore PsLearnedStore;

/// `state` NULL: nothing is kept on disk. Reads the file; a damaged one is set aside, which the log
/// says, and so it says when the folder cannot be made.
PsLearnedStore *ps_learned_store_new(const char *state);
/// Not started. Accepts NULL.
void ps_learned_store_free(PsLearnedStore *store);
/// From now on what changes is written; end with close.
void ps_learned_store_start(PsLearnedStore *store, uv_loop_t *loop);

/// What is known of the endpoint, for its channel; the caller owns it. Never NULL.
PsLearned *ps_learned_store_take(const PsLearnedStore *store, const char *endpoint);
/// What is known now; taken over. Endpoints that are configured no more stay, as long as there is
/// room: a change may be taken back.
void ps_learned_store_put(PsLearnedStore *store, const char *endpoint, PsLearned *learned);
/// For showing; NULL when nothing is known. Borrowed until the next put.
const PsLearned *ps_learned_store_find(const PsLearnedStore *store, const char *endpoint);
/// Writes what has changed, then calls `closed` and is freed; the loop runs meanwhile.
void ps_learned_store_close(PsLearnedStore *store, void (*closed)(void *ctx), void *ctx);
