//! From the scripts to the outbox: which ledger row a message belongs to, and words for
//! what is refused. Main thread.
#pragma once

#include "model/config_map.h"
#include "outbox/outbox.h"
#include "script/host.h"

typedef struct PsIntake PsIntake;

/// The configuration is borrowed.
PsIntake *ps_intake_new(const PsConfig *config);
void ps_intake_free(PsIntake *intake);
/// Goes on with another configuration.
void ps_intake_apply(PsIntake *intake, const PsConfig *config, const PsConfigMap *map);

/// Puts the message into the outbox; true when it was taken. A refusal is counted in the ledger by
/// the outbox and logged here: when it begins, when its kind changes, and every five minutes with
/// the number in between.
bool ps_intake_accept(PsIntake *intake, PsOutbox *outbox, const PsScriptPublish *publish);
