//! Scripts that wait until what they published is safe from a sudden end (max_loss_s 0): their
//! tickets, oldest first. Each script waits for one thing at a time, so there are as many as
//! scripts. Main thread; never blocks.
#pragma once

#include "outbox/outbox.h"
#include "script/host.h"

typedef struct PsSettle PsSettle;

PsSettle *ps_settle_new(void);
/// Accepts NULL.
void ps_settle_free(PsSettle *settle);

/// For the host's on_settle: false when the outbox has everything on the disk already.
bool ps_settle_wait(PsSettle *settle, const PsOutbox *outbox, uint64_t ticket);
/// The scripts that waited are gone.
void ps_settle_clear(PsSettle *settle);
/// For the outbox's on_ready: tells the host what is safe by now.
void ps_settle_tell(PsSettle *settle, const PsOutbox *outbox, PsScriptHost *scripts);
