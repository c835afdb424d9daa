//! Device Defender's reports of metrics: only that they have the form of a report. Nothing is kept.
#pragma once

#include "localcloud/service/names.h"
#include "localcloud/service/service.h"

#include <jansson.h>

/// The answer to a report; *ret_accepted says on which topic. Pure.
json_t *ps_defender_answer(const char *thing, const json_t *report, PsWall now, bool *ret_accepted);
/// A PUBLISH to $aws/things/THING/defender/metrics/FORMAT.
void ps_defender_take(const PsServiceCall *call, const PsLevels *levels, const PsServiceOut *out);
