//! The whole account as one readable JSON, and back: all or nothing. Private keys are not in it,
//! because they are not kept.
#pragma once

#include "localcloud/registry/account.h"

/// "format" of the document.
#define PS_STATE_FORMAT "penstock-cloud"

/// {format, version, settings, thingTypes, thingGroups, things, …, and each part's member}. A new
/// reference. Inside ps_registry_begin/end.
PsApiCode ps_state_take(PsRegistry *registry, json_t **ret_json, PsApiFault *fault);

/// Replaces everything by `json`, checked whole: names, certificates against their ids, policy
/// documents, and that what is named is there. PS_API_INVALID_REQUEST says which member of which
/// entry is wrong; nothing has changed then. Has a transaction of its own.
PsApiCode ps_state_put(PsRegistry *registry, json_t *json, PsApiFault *fault);
