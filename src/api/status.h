//! Parts of what `status` answers, for those who tell some of them more often. Inside src/api only.
//! The caller owns what they give.
#pragma once

#include "api/api.h"

json_t *ps_api_status_link(const PsApiSources *sources);
json_t *ps_api_status_messages(const PsApiSources *sources);
json_t *ps_api_status_outbox(const PsApiSources *sources);
/// All endpoints: "lines" on the pages.
json_t *ps_api_status_channels(const PsApiSources *sources);

/// What GET /alarms answers.
json_t *ps_api_alarms_of(const PsApiSources *sources);
/// Another number when that answer is another, but for unlikely accidents.
uint64_t ps_api_alarms_digest(const PsApiSources *sources);
