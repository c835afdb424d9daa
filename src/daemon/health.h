//! How the gateway does, as far as a change of its configuration can make it worse: kept before a
//! change and compared after it. As JSON, so that it survives a restart:
//! {"cloud": true, "answering": [devices], "away": [devices], "held": [messages]}.
#pragma once

#include "collect/collector.h"
#include "link/link.h"
#include "script/host.h"

#include <jansson.h>

/// `scripts` and `link` may be NULL: no cloud. Main thread; the caller owns it.
json_t *ps_health_of(const PsConfig *config, PsCollector *collector, PsScriptHost *scripts,
                     const PsLink *link);

/// What is worse now than before, as a list in words into `out`: "the cloud connection is gone,
/// device 'Boiler' does not answer". False when nothing is. Pure.
bool ps_health_is_worse(const json_t *before, const json_t *now, PsBuf *out);
