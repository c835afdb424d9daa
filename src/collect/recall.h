//! Recalls: "read every readable variable now". Requests are served in rounds: in a round each
//! channel reads all it has, once; who asks while a round runs is served by the next one, so that
//! every value is read after it was asked for, however many ask. Main thread; does no I/O.
#pragma once

#include "collect/collector.h"

typedef struct PsRecalls PsRecalls;

/// Both are borrowed.
PsRecalls *ps_recalls_new(const PsConfig *config, const PsTagTable *table);
/// No request is open. Accepts NULL.
void ps_recalls_free(PsRecalls *recalls);

/// `done` is called once: when a round has served it, or ps_recalls_expire or _cancel ends it.
void ps_recalls_add(PsRecalls *recalls, PsMono deadline, PsRecallDone *done, void *ctx);
/// True when a round is to begin now: then the caller has `channels` read and reports each.
bool ps_recalls_due(const PsRecalls *recalls);
void ps_recalls_begin(PsRecalls *recalls, uint32_t channels, PsMono now);
/// The configuration has changed, and the table with it. A round under way goes on.
void ps_recalls_set_config(PsRecalls *recalls, const PsConfig *config);
/// A channel has read all it has, and the table has it.
void ps_recalls_channel_done(PsRecalls *recalls);
/// Ends what is past its deadline with PS_ERR_TIMEOUT.
void ps_recalls_expire(PsRecalls *recalls, PsMono now);
/// The next deadline; INT64_MAX when there is none.
PsMono ps_recalls_next(const PsRecalls *recalls);
/// Ends all with PS_ERR_CANCELLED.
void ps_recalls_cancel(PsRecalls *recalls);
